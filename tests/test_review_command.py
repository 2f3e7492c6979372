"""`graftset review` without a browser, and where builds, report and status say what it showed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from graftset.catalog import Catalog
from graftset.review import Desk
from review_room import review_sample, say
from running import build_bytes, call, images, pictures, sentence, status


@pytest.fixture(scope="module")
def expanded(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was expanded, to copy."""
    folder = tmp_path_factory.mktemp("expanded") / "project"
    assert call("expand", folder, *pictures(sample), "--min-score", "3").code == 0
    return folder


@pytest.fixture
def folder(expanded: Path, tmp_path: Path) -> Path:
    """A copy of it to review."""
    return Path(shutil.copytree(expanded, tmp_path / "project"))


@contextmanager
def reviewing(folder: Path) -> Iterator[Desk]:
    """The desk of a project, as the web application has it."""
    catalog = Catalog.open(f"sqlite:///{folder / '.graftset' / 'catalog.db'}")
    yield Desk(catalog)
    catalog.close()


def test_a_plan_is_shown_before_it_is_fixed(folder: Path) -> None:
    shown = call("review", "--project", folder, "--allowed", "0", "--dry-run")
    assert shown.code == 0
    assert shown.out.startswith("plan        a fixed number: ")
    assert "a set with 95 % right passes this plan with a probability of" in shown.out
    document = call("review", "--project", folder, "--plan", "sequential", "--dry-run", "--json").json
    assert document["plan"]["kind"] == "sequential"
    assert len(document["plan"]["sample"]) == document["plan"]["pool"] > 3
    with reviewing(folder) as desk:
        assert desk.plan is None


def test_the_same_plan_goes_on_and_another_closes_it(folder: Path) -> None:
    for arguments, plans in ((("--plan", "fixed"), 1), (("--plan", "fixed"), 1), (("--seed", "5"), 2)):
        done = call("review", "--project", folder, *arguments, "--status")
        assert done.code == 0
        assert ("closed plan 1" in done.err) == (plans == 2)
        with reviewing(folder) as desk:
            assert len(desk.plans) == plans


def test_status_prints_the_numbers(folder: Path) -> None:
    before = call("review", "--project", folder, "--status")
    assert "no plan: verdicts are labels" in before.out
    call("review", "--project", folder, "--plan", "sequential", "--status")
    with reviewing(folder) as desk:
        review_sample(desk, wrong=(0,), upto=3)
        say(desk, desk.items(scope="plan")[0], "approved", "Bob")
    lines = call("review", "--project", folder, "--status").out
    assert "review      3 of " in lines
    assert "conflicts   1 that reviewers disagree on" in lines
    assert "reviewer    Ann: 2 approved, 1 rejected, 0 skipped" in lines
    document = call("review", "--project", folder, "--status", "--json").json
    assert document["outcome"]["reviewed"] == 3
    assert document["counts"]["approved"] == 3
    assert document["conflicts"] == 1
    assert {one["name"] for one in document["reviewers"]} == {"Ann", "Bob"}
    assert document["agreement"][0]["kappa"]["n"] == 1


def test_export_and_import_are_counted(folder: Path, tmp_path: Path) -> None:
    with reviewing(folder) as desk:
        for item in desk.items()[:4]:
            say(desk, item, "approved")
    file = tmp_path / "verdicts.csv"
    assert call("review", "--project", folder, "--export", file, "--json").json["exported"]["verdicts"] == 4
    file.write_text(file.read_text() + "ffff,nobody.png,approved,,,,,,,,,\n")
    done = call("review", "--project", folder, "--import", file, "--json").json["imported"]
    assert (done["added"], done["known"]) == (0, 4)
    assert done["skipped"] == [{"row": 5, "reason": "no candidate has this content or name ('nobody.png')"}]
    told = call("review", "--project", folder, "--import", file).out
    assert "0 verdicts, 4 here already, 1 row skipped" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--plan", "guess", "--dry-run"), "There is no such plan (--plan: 'guess')"),
        (("--plan", "sequential", "--allowed", "1", "--dry-run"), "A sequential plan has no number of errors"),
        (("--target", "1.5", "--dry-run"), "A target lies between 0 and 1"),
        (("--export", "verdicts.txt"), "Verdicts are CSV or JSON lines"),
        (("--import", "missing.csv"), "The verdicts cannot be read"),
    ],
)
def test_what_cannot_be_is_one_sentence(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in sentence(call("review", "--project", folder, *arguments))


def test_builds_report_and_status_say_what_was_shown(folder: Path) -> None:
    assert status(folder)["review"] is None
    assert "reviewed    none" in call("status", "--project", folder).out
    before = json.loads(build_bytes(folder)["weighted/manifest.json"])
    assert before["reviewed"] == "none"

    with reviewing(folder) as desk:
        desk.start_plan("fixed", allowed=0, by="Ann")
        review_sample(desk)
        told = desk.outcome()
        assert told is not None
    assert told.state == "shown"
    assert status(folder)["review"]["sentence"] == told.sentence
    assert f"reviewed    {told.sentence}" in call("status", "--project", folder).out

    again = call("build", "--project", folder, "--plan", "weighted", "--json")
    assert again.code == 0, again.err
    after = json.loads(build_bytes(folder)["weighted/manifest.json"])
    assert after["reviewed"]["sentence"] == told.sentence
    assert after["reviewed"]["bound"] == pytest.approx(told.lower, abs=1e-6)
    assert after["build_sha256"] == before["build_sha256"], "the training set is the same"
    assert call("build", "--project", folder, "--verify", folder / "builds" / "weighted").code == 0
    assert json.loads(build_bytes(folder)["originals/manifest.json"])["reviewed"] == "none"

    assert call("report", "--project", folder).code == 0
    page = (folder / "reports" / "expansion.html").read_text(encoding="utf-8")
    assert told.sentence in page
    assert "Nobody has looked at the admitted pictures yet" not in page


def test_a_rejected_picture_leaves_the_next_selection_and_never_the_folder(folder: Path) -> None:
    with reviewing(folder) as desk:
        item = say(desk, desk.items(scope="pool")[0], "rejected", reason="two hats")
    assert call("select", "--project", folder, "--min-score", "3").code == 0
    shown = next(image for image in images(folder) if image["path"] == item.view.path)
    assert (shown["selected"], shown["review"]["verdict"]) == (False, "rejected")
    assert "rejected: by Ann (two hats)" in shown["reasons"]
    assert Path(item.view.path).is_file()
