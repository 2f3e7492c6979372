"""decide, suggest and report --experiment as their user runs them."""

from __future__ import annotations

import html
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from compared_projects import add_experiment
from graftset.compare import Comparison
from reviewing import client_of, room_of
from running import call, sentence
from sample_comparisons import comparison


@pytest.fixture
def project(reviewable: Path, tmp_path: Path) -> Path:
    """A copy of a small project up to its selection."""
    return Path(shutil.copytree(reviewable, tmp_path / "project"))


def with_experiment(project: Path, *comparisons: Comparison, name: str = "mix", created: str = "2026-01-01") -> Path:
    """The project with an experiment of these comparisons."""
    add_experiment(project, comparisons or (comparison(),), name=name, created=created)
    return project


def test_without_any_experiment_nothing_is_used_yet(project: Path) -> None:
    said = call("decide", "--project", project, "--json").json
    assert (said["scenario"], said["verdict"], said["baseline_state"]) == ("do not use yet", "adopt", "absent")
    assert "nobody trained on the originals alone" in said["sentence"]


def test_a_decision_is_kept_once_and_says_what_it_rests_on(project: Path) -> None:
    with_experiment(project)
    said = call("decide", "--project", project, "--json").json
    assert (said["number"], said["is_new"], said["verdict"]) == (1, True, "adopt")
    files = {name.split(" ")[0] for name in said["inputs"]}
    assert files >= {"experiments/mix/comparisons.json", "experiments/mix/experiment.json", "weighted-s0/0032000"}
    assert said["experiments"] == ["mix"]
    add_experiment(project, (replace(comparison(), at="2026-02-02"),))  # compared again, with the same results
    again = call("decide", "--project", project)
    assert "decision 1, unchanged" in again.out
    assert [path.name for path in (project / "decisions").iterdir()] == ["1.json"]
    stands = call("status", "--project", project, "--json").json["decision"]
    assert (stands["number"], stands["verdict"], stands["sentence"]) == (1, "adopt", said["sentence"])
    assert f"decided     {said['sentence']}  (decisions/1.json)" in call("status", "--project", project).out
    with room_of(project) as room:
        assert said["sentence"] in html.unescape(client_of(room).get("/runs").text)
    (project / "decisions" / "1.json").write_text("{")
    assert "note        The decision cannot be read" in call("status", "--project", project).out


def test_an_unfinished_baseline_wins_over_every_figure(project: Path) -> None:
    with_experiment(project)
    shutil.rmtree(project / "runs" / "mix-originals-s3" / "checkpoints")
    said = call("decide", "--project", project, "--json").json
    assert (said["baseline_state"], said["scenario"]) == ("unfinished", "do not use yet")
    assert {row["verdict"] for row in said["rows"][:3]} == {"undecided"}


def test_the_newest_experiment_is_meant_unless_one_is_named(project: Path) -> None:
    with_experiment(project, comparison(variation=-0.5), name="old", created="2025-01-01")
    with_experiment(project, name="new", created="2026-01-01")
    assert call("decide", "--project", project, "--json").json["experiments"] == ["new"]
    assert call("decide", "--project", project, "--experiment", "old", "--json").json["experiments"] == ["old"]
    assert "no such experiment" in sentence(call("decide", "--project", project, "--experiment", "nope"))


def test_a_persons_word_is_kept_and_holds_while_results_do(project: Path) -> None:
    with_experiment(project, comparison(reviewed=None))
    assert call("decide", "--project", project, "--json").json["scenario"] == "do not use yet"
    words = ("--override", "adopt", "--reason", "ten customers liked it", "--by", "Ada")
    said = call("decide", "--project", project, *words, "--json").json
    assert (said["number"], said["by"], said["verdict"]) == (2, "Ada", "adopt")
    assert said["override"]["before"] == "try next"
    assert call("decide", "--project", project, "--json").json["number"] == 2
    add_experiment(project, (comparison(reviewed=None, variation=0.1),))
    assert call("decide", "--project", project, "--json").json["override"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--override", "adopt", "--by", "Ada"), "An override needs a reason"),
        (("--override", "adopt", "--reason", "so"), "An override needs a name"),
        (("--override", "maybe", "--reason", "so", "--by", "Ada"), "There is no such verdict"),
        (("--override", "adopt", "--reason", "so", "--by", "Ada", "--scenario", "x"), "There is no such scenario"),
        (("--reason", "so"), "belong to an override"),
    ],
)
def test_an_override_that_lacks_something_is_refused(project: Path, words: tuple[str, ...], said: str) -> None:
    with_experiment(project)
    assert said in sentence(call("decide", "--project", project, *words))
    assert not (project / "decisions").exists()


def test_thresholds_of_the_settings_count(project: Path) -> None:
    with_experiment(project)
    path = project / "graftset.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("review_bound = 0.9", "review_bound = 0.99"))
    said = call("decide", "--project", project, "--json").json
    assert said["thresholds"]["review_bound"] == 0.99
    assert said["rows"][1]["verdict"] != "adopt"


def test_a_damaged_decision_is_named(project: Path) -> None:
    (project / "decisions").mkdir()
    (project / "decisions" / "7.json").write_text("{}", encoding="utf-8")
    assert "The decision cannot be read" in sentence(call("decide", "--project", project))


def test_the_page_of_an_experiment_is_written_and_tells_the_decision(project: Path) -> None:
    with_experiment(project, comparison(reviewed=None))
    call("decide", "--project", project, "--override", "reject", "--reason", "too blue", "--by", "Ada")
    done = call("report", "--project", project, "--experiment", "mix")
    page = project / "reports" / "experiment-mix.html"
    assert done.out == f"report: {page}\n"
    html = page.read_text(encoding="utf-8")
    assert "too blue" in html
    assert "What to try next" in html
    assert call("report", "--project", project).out.endswith("expansion.html\n")


def test_an_experiment_that_was_not_compared_has_no_page(project: Path) -> None:
    with_experiment(project)
    (project / "experiments" / "mix" / "comparisons.json").unlink()
    assert "no comparisons yet" in sentence(call("report", "--project", project, "--experiment", "mix"))


def test_suggestions_rest_on_the_project(project: Path) -> None:
    said = call("suggest", "--project", project, "--json").json["suggestions"]
    assert said[0]["knob"] == "baseline"
    assert said[0]["priority"] == "first"
    assert all(one["rationale"] and one["effect"]["prior"]["source"] for one in said if one["rank"])
    text = call("suggest", "--project", project, "--limit", "1").out
    assert text.startswith("1. Train on the originals alone first [first]")
    assert "more: --limit" in text


def test_what_experiments_found_moves_and_settles_suggestions(project: Path) -> None:
    before = {one["knob"]: one for one in call("suggest", "--project", project, "--json").json["suggestions"]}
    with_experiment(
        project, comparison("corrected", "corrected"), comparison("as-asked", "as-asked", variation=-0.35),
        comparison("equal", "equal", variation=-0.3),
    )  # fmt: skip
    found = call("suggest", "--project", project, "--json").json["suggestions"]
    assert "baseline" not in {one["knob"] for one in found}
    settled = {(one["knob"], one["move"]): one["standing"] for one in found if one["rank"] is None}
    assert settled["captions", "corrected"] == "helped"
    assert settled["expansion", "by equal"] == "rejected"
    wider = [one for one in found if one["knob"] == "expansion" and one["rank"]]
    assert not wider or wider[0]["effect"]["mean"] < before["expansion"]["effect"]["mean"]
    assert json.dumps(found, allow_nan=False)
