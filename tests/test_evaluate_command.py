"""`graftset evaluate` and `graftset runs` as their user runs them, and the page they write."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from graftset.evaluate import Originals, understand
from graftset.imageio import encode_png
from graftset.records import SamplePrompt
from graftset.runs import hold_run, open_run
from graftset.scorecards import read_scorecard
from graftset.workflows import evaluating, steps
from painted_runs import extend_run, learning_run
from running import call, sentence

SKILL = (0.1, 0.5, 1.0)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Originals, list[SamplePrompt]]:
    """An assessed project with a run of three checkpoints out of three, evaluated; and what it was made from."""
    from graftset.drawn import draw_sample_set

    root = tmp_path_factory.mktemp("evaluate")
    draw_sample_set(root / "set", originals=24, candidates=8, size=192, seed=3)
    project = root / "project"
    arguments = ("--originals", root / "set" / "originals", "--candidates", root / "set" / "candidates")
    assert call("init", project, *arguments).code == 0
    assert call("ingest", "--project", project).code == 0
    assert call("assess", "--project", project).code == 0
    with steps.open_session(project) as session:
        originals = evaluating.Evaluator(session).originals
    captions = [o.picture.caption or "" for o in originals.originals]
    head = captions[0].split(",")[0]
    entries = [{"prompt": c} for c in captions[:8]] + [
        {"prompt": f"{head}, {color} background", "kind": "generic"} for color in ("green", "red", "blue", "gray")
    ]
    prompts = understand(entries, originals.originals, originals.vocabulary)
    learning_run(project / "runs" / "arm", originals, prompts, skill=SKILL)
    done = call("evaluate", "arm", "--project", project)
    assert done.code == 0, done.err
    return project, originals, prompts


@pytest.fixture
def project(ready: tuple[Path, Originals, list[SamplePrompt]], tmp_path: Path) -> Path:
    """A copy of the project, to change."""
    return Path(shutil.copytree(ready[0], tmp_path / "project"))


def test_a_run_gets_a_card_for_each_checkpoint_and_a_page(ready: tuple[Path, Originals, list[SamplePrompt]]) -> None:
    project = ready[0]
    cards = sorted((project / "runs" / "arm" / "scorecards").iterdir())
    assert [c.stem for c in cards] == [c.name for c in open_run(project / "runs" / "arm").checkpoints()]
    recall = [c.figure("original_accuracy", "training") for c in map(read_scorecard, cards)]
    points = [f.point for f in recall if f is not None]
    assert points[0] < points[1] < points[2] == 1.0
    last = read_scorecard(cards[-1])
    assert last.style.sample_set_auc is not None
    assert last.style.sample_set_auc >= 0.9
    assert last.place.exposures is not None
    page = (project / "reports" / "run-arm.html").read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in page
    assert page.count("<svg") > 5
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)


def test_what_is_up_to_date_is_not_evaluated_again(project: Path) -> None:
    document = call("evaluate", "arm", "--project", project, "--json").json
    assert (len(document["evaluated"]), len(document["unchanged"])) == (0, 3)
    sample = next((project / "runs" / "arm" / "samples").rglob("*_0.png"))
    other = next(p for p in (project / "runs" / "arm" / "samples").rglob("*_1.png"))
    sample.write_bytes(other.read_bytes())
    document = call("evaluate", "arm", "--project", project, "--json").json
    assert len(document["evaluated"]) == 1
    assert len(call("evaluate", "arm", "--project", project, "--force", "--json").json["evaluated"]) == 3


def test_runs_lists_state_goals_and_the_best_checkpoint(ready: tuple[Path, Originals, list[SamplePrompt]]) -> None:
    project = ready[0]
    document = call("runs", "--project", project, "--json").json
    (run,) = document["runs"]
    assert (run["name"], run["state"], run["checkpoints"], run["planned"]) == ("arm", "finished", 3, 3)
    assert run["best"]["checkpoint"] == "0032000"
    assert run["criteria"][0]["met"] is not None
    line = call("runs", "--project", project).out
    assert "arm: finished, 3 of 3 checkpoints, 3 evaluated, recall 100 %" in line
    told = call("runs", "arm", "--project", project).out
    assert "Original accuracy" in told
    assert "best checkpoint: 0032000" in told
    assert "There is no such run" in sentence(call("runs", "none", "--project", project))


def test_a_run_that_goes_on_has_a_live_page_that_grows(
    project: Path, ready: tuple[Path, Originals, list[SamplePrompt]]
) -> None:
    _, originals, prompts = ready
    run = learning_run(project / "runs" / "live", originals, prompts, skill=SKILL[:1], planned=4)
    page = project / "reports" / "run-live.html"
    assert call("evaluate", "live", "--project", project).code == 0
    assert "training goes on" not in page.read_text(encoding="utf-8")  # nobody trains it
    with hold_run(run):
        assert call("evaluate", "live", "--project", project, "--force").code == 0
    assert "1 of 4 checkpoints, training goes on" in page.read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' in page.read_text(encoding="utf-8")
    with hold_run(run), steps.open_session(project) as session:
        seen = []
        for done in evaluating.watch(session, run):
            seen.append((done.made, done.unchanged))
            number = len(run.checkpoints())
            if number < 4:
                extend_run(run, originals, prompts, number, 0.5)
    assert [len(made) for made, _ in seen] == [0, 1, 1, 1]
    assert "4 of 4 checkpoints" in page.read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in page.read_text(encoding="utf-8")


def test_a_run_that_was_stopped_is_not_watched_for_ever(
    project: Path, ready: tuple[Path, Originals, list[SamplePrompt]]
) -> None:
    _, originals, prompts = ready
    run = learning_run(project / "runs" / "dead", originals, prompts, skill=SKILL[:1], planned=4)
    with hold_run(run):
        pass
    done = call("evaluate", "dead", "--watch", "--project", project)
    assert done.code == 0
    assert "dead is trained no more: `graftset runs` tells how it goes on" in done.err


def test_somebody_elses_pictures_get_cards_and_a_page_too(
    project: Path, ready: tuple[Path, Originals, list[SamplePrompt]], tmp_path: Path
) -> None:
    _, originals, prompts = ready
    folder = tmp_path / "sample"
    folder.mkdir()
    for epoch in (1, 2):
        for i in range(6):
            native = originals.natives[i if epoch == 2 else i + 1]
            name = f"punk_e{epoch:06d}_{i:02d}_20260101120000_42.png"
            (folder / name).write_bytes(encode_png(native.repeat(8, axis=0).repeat(8, axis=1)))
    text = "\n".join(f"{p.text} --n bad --w 512 --d 42" for p in prompts[:6])
    (tmp_path / "prompts.txt").write_text(text, encoding="utf-8")
    options = ("--samples", folder, "--prompts", tmp_path / "prompts.txt", "--name", "kohya", "--project", project)
    document = call("evaluate", *options, "--json").json
    assert document["evaluated"] == ["epoch-000001", "epoch-000002"]
    accuracy = [
        next(f["point"] for f in c["figures"] if f["measure"] == "original_accuracy" and f["group"] == "training")
        for c in document["checkpoints_evaluated"]
    ]
    assert accuracy[0] < 0.6
    assert accuracy[1] == 1.0
    assert (project / "evaluations" / "kohya" / "epoch-000002.json").is_file()
    assert "epoch 2" in (project / "reports" / "run-kohya.html").read_text(encoding="utf-8")
    names = [run["name"] for run in call("runs", "--project", project, "--json").json["runs"]]
    assert names == ["arm", "kohya"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Name a run, or a folder of pictures"),
        (("arm", "--samples", "x"), "Name a run, or a folder of pictures"),
        (("--samples", "x"), "Pictures and their prompts go together"),
        (("none",), "There is no such run"),
        (("--samples", "nowhere", "--prompts", "p.txt"), "There is no such folder"),
    ],
)
def test_what_cannot_be_evaluated_is_a_sentence(
    ready: tuple[Path, Originals, list[SamplePrompt]], options: tuple[str, ...], says: str
) -> None:
    assert says in sentence(call("evaluate", *options, "--project", ready[0]))


def test_a_project_that_was_not_assessed_says_what_to_run(tmp_path: Path, sample: Path) -> None:
    arguments = ("--originals", sample / "originals", "--candidates", sample / "candidates")
    assert call("init", tmp_path / "p", *arguments).code == 0
    (tmp_path / "prompts.json").write_text(json.dumps(["a lady"]), encoding="utf-8")
    options = ("--samples", sample / "candidates", "--prompts", tmp_path / "prompts.json", "--project", tmp_path / "p")
    assert "Run `graftset ingest` and `graftset assess` first" in sentence(call("evaluate", *options))


@pytest.mark.parametrize(("left_out", "generated", "clean"), [(0, 0, None), (0, 3, None), (4, 0, True), (4, 3, False)])
def test_held_out_originals_are_clean_only_where_no_generated_picture_was_trained_on(
    project: Path, monkeypatch: pytest.MonkeyPatch, left_out: int, generated: int, clean: bool | None
) -> None:
    run = open_run(project / "runs" / "arm")
    with steps.open_session(project) as session:
        originals = [view.sha256 for view in session.catalog.views() if view.origin == "original"]
        images = [SimpleNamespace(origin="original", source_sha256=sha) for sha in originals[left_out:]]
        images += [SimpleNamespace(origin="generated", source_sha256=f"{i}") for i in range(generated)]
        build = SimpleNamespace(build_sha256=run.record.build_sha256, images=images)
        monkeypatch.setattr(evaluating, "read_build", lambda folder: build)
        evaluating.evaluate_run(session, run)
    cards = [read_scorecard(card) for card in (project / "runs" / "arm" / "scorecards").iterdir()]
    assert {card.holdout_clean for card in cards} == {clean}
    assert any(prompt.group == "held_out" for prompt in cards[0].prompts) == bool(left_out)
