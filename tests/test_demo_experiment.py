"""The experiment at the end of the demonstration: what it trains and says, and that a second run changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from graftset.errors import UserError
from graftset.prompts import PromptCounts
from graftset.selection import policy_from_settings
from graftset.workflows import demo, steps
from running import call


@pytest.fixture
def project(reviewable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project up to its selection, and an experiment of a few steps and prompts."""
    monkeypatch.setattr(demo, "COUNTS", PromptCounts(training=4, candidate=4, generic=2, unseen=2))
    monkeypatch.setattr(demo, "STEPS", 6)
    monkeypatch.setattr(demo, "CHECKPOINTS", 2)
    folder = Path(shutil.copytree(reviewable, tmp_path / "project"))
    with steps.open_session(folder) as session:
        policy = policy_from_settings(session.project.settings.select)
        steps.choose(session, replace(policy, min_score=3.0, count=12))  # no more than there are originals
    return folder


@pytest.mark.slow
def test_it_trains_three_arms_decides_and_writes_its_page_and_a_second_run_changes_nothing(project: Path) -> None:
    pytest.importorskip("torch")
    with steps.open_session(project) as session:
        first = demo.try_out(session)
    assert [arm.name for arm in first.experimented.experiment.arms] == ["originals", "corrected", "as-asked"]
    assert len(first.experimented.trained) == 6
    assert first.decision.directional
    assert (first.decision.scenario, first.decision.number) == ("do not use yet", 1)
    html = first.report.read_text(encoding="utf-8")
    assert "directional only" in html
    with steps.open_session(project) as session:
        again = demo.try_out(session)
    assert (again.experimented.trained, len(again.experimented.unchanged)) == ((), 6)
    assert again.decision.number == 1
    changed = project / "graftset.toml"
    changed.write_text(changed.read_text(encoding="utf-8").replace("learning_rate = 0.002", "learning_rate = 0.001"))
    with steps.open_session(project) as session, pytest.raises(UserError, match="settings are others"):
        demo.try_out(session)
    with steps.open_session(project) as session:
        assert demo.try_out(session, force=True).experimented.experiment.name == "demo-2"


def test_without_torch_the_demonstration_says_so_and_leaves_the_experiment_out(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "can_train", lambda: False)
    monkeypatch.setattr(demo, "prepare", lambda folder, **options: None)
    call("init", tmp_path / "demo", "--originals", sample / "originals", "--candidates", sample / "candidates")
    done = call("demo", tmp_path / "demo")
    assert "no experiment: training needs torch" in done.err
    assert not (tmp_path / "demo" / "experiments").exists()
    assert done.out.splitlines()[-1].startswith("report: ")
