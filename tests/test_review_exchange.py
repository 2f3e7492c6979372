"""Verdicts out and in again: exact, never doubled, and bad rows told with a reason."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graftset.catalog import Catalog
from graftset.errors import UserError
from graftset.records import VerdictEntry
from graftset.review import Desk, export_text, export_verdicts, import_text, import_verdicts
from review_room import catalog_of, named, say, unique

SLOW = [HealthCheck.too_slow]  # a loaded machine is no failure

SUFFIXES = (".csv", ".jsonl")


def a_review(catalog: Catalog) -> Desk:
    """Two reviewers, a plan, an undo, a redo, a bulk verdict, odd texts."""
    desk = Desk(catalog)
    say(desk, named(desk, 0), "rejected", 'Zoë, "the eye"', reason="two hats;\n=1+1, 'x'")
    desk.start_plan("fixed", allowed=1, by="Ann")
    for item in desk.items(scope="plan")[:6]:
        say(desk, item, "approved")
    desk.undo(reviewer="Ann", action=unique())
    desk.redo(reviewer="Ann", action=unique())
    desk.undo(reviewer="Ann", action=unique())
    shown = {item.id: item.version for item in desk.items()[:5]}
    desk.give(shown, "skipped", reviewer="Bob", action=unique(), reason="bulk")
    say(desk, named(desk, 1), "rejected", "Bob", settles=True)
    return desk


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_export_read_into_another_project_is_the_same_review(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here, there = catalog_of(tmp_path / "a", 40), catalog_of(tmp_path / "b", 40)
    desk = a_review(here)
    there.save_plan(here.plans()[0])
    file = tmp_path / f"verdicts{suffix}"
    assert export_verdicts(here, file) == len(here.verdicts())
    report = import_verdicts(there, file)
    assert (report.added, report.known, report.skipped) == (len(here.verdicts()), 0, ())
    assert there.verdicts() == here.verdicts()
    assert Desk(there).numbers() == desk.numbers()
    assert Desk(there).can_redo("Ann")

    again = import_verdicts(there, file)
    assert (again.added, again.known) == (0, len(here.verdicts()))
    assert there.verdicts() == here.verdicts()
    assert export_text(there.verdicts(), suffix) == file.read_bytes().decode()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_reading_ones_own_export_changes_nothing(tmp_path: Path, suffix: str) -> None:
    catalog = catalog_of(tmp_path, 40)
    a_review(catalog)
    before = catalog.verdicts()
    report = import_text(catalog, export_text(before, suffix).encode(), suffix)
    assert (report.added, report.known, report.skipped) == (0, len(before), ())
    assert catalog.verdicts() == before


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT.filter(bool), st.booleans()), min_size=1, max_size=4), st.sampled_from(SUFFIXES))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_any_text_survives_the_way_out_and_in(room: Catalog, rows: list[tuple[str, str, bool]], suffix: str) -> None:
    sha256 = named(Desk(room), 0).view.sha256
    entries = [
        VerdictEntry(
            "/pool/000.png", sha256, caption or None, "approved", "Ann", unique(), reason=reason, settles=settles,
            at="2026-11-28T09:00:00+00:00",
        )
        for caption, reason, settles in rows
    ]  # fmt: skip
    report = import_text(room, export_text(entries, suffix).encode(), suffix)
    assert report.skipped == ()
    written = room.verdicts()[-len(entries) :]
    assert [replace(entry, number=0) for entry in written] == entries


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return catalog_of(tmp_path_factory.mktemp("exchange"), 3)


# --- rows that people write -------------------------------------------------------------------------------------------


def take(catalog: Catalog, rows: list[dict[str, object]], suffix: str = ".jsonl"):  # type: ignore[no-untyped-def]
    """Import rows that a person wrote."""
    if suffix == ".jsonl":
        text = "\n".join(json.dumps(row) for row in rows)
    else:
        table = io.StringIO()
        writer = csv.DictWriter(table, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
        text = table.getvalue()
    return import_text(catalog, text.encode(), suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_list_that_a_person_wrote_needs_a_name_and_a_verdict(tmp_path: Path, suffix: str) -> None:
    catalog = catalog_of(tmp_path, 4)
    rows: list[dict[str, object]] = [
        {"file": "000.png", "verdict": "Approve"},
        {"file": "C:\\pictures\\001.png", "verdict": "rejected"},
        {"file": "002.png", "verdict": "skip"},
    ]
    assert take(catalog, rows, suffix).added == 3
    desk = Desk(catalog)
    assert [named(desk, i).queue for i in range(3)] == ["approved", "rejected", "skipped"]
    assert named(desk, 0).view.review.reviewer == "imported"  # type: ignore[union-attr]
    assert take(catalog, rows, suffix).known == 3, "the same list again is the same verdicts"
    assert not desk.can_undo("imported")


def test_content_goes_before_the_name(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 3)
    sha256 = named(Desk(catalog), 2).view.sha256
    take(catalog, [{"sha256": sha256.upper(), "file": "000.png", "verdict": "approved"}])
    assert named(Desk(catalog), 2).queue == "approved"
    assert named(Desk(catalog), 0).queue == "pending"


def test_a_verdict_on_other_bytes_of_that_name_is_taken_in_and_does_not_count(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 1)
    take(catalog, [{"sha256": "0" * 64, "file": "000.png", "verdict": "approved"}])
    item = named(Desk(catalog), 0)
    assert (item.queue, item.stale) == ("pending", True)


def test_an_imported_verdict_counts_for_no_plan_that_it_was_not_given_under(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 60)
    desk = Desk(catalog)
    desk.start_plan("sequential", by="Ann")
    name = Path(desk.items(scope="plan")[0].view.path).name
    before = {"file": name, "verdict": "approved", "plan": 1, "at": "2001-01-01T00:00:00Z", "reviewer": "Old"}
    take(catalog, [{"file": name, "verdict": "approved"}, before])
    assert Desk(catalog).outcome().reviewed == 0  # type: ignore[union-attr]


def test_an_older_verdict_does_not_take_the_place_of_a_newer_one(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 1)
    desk = Desk(catalog)
    say(desk, named(desk, 0), "approved")
    row = {"file": "000.png", "verdict": "rejected", "reviewer": "Ann", "at": "2020-01-01T00:00:00Z"}
    assert take(catalog, [row]).skipped == ((1, "Ann gave a newer verdict on this picture here"),)
    assert named(Desk(catalog), 0).queue == "approved"


GOOD = {"file": "000.png", "verdict": "approved"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"file": "999.png", "verdict": "approved"}, "no candidate has this name ('999.png')"),
        ({"sha256": "ab", "file": "999.png", "verdict": "approved"}, "no candidate has this content or name"),
        ({"file": "000.png", "verdict": "maybe"}, "there is no verdict 'maybe'"),
        ({"file": "000.png", "verdict": ""}, "it has no verdict"),
        ({"file": "000.png", "verdict": "approved", "at": "yesterday"}, "its time 'yesterday' is not ISO 8601"),
        ({"file": "000.png", "verdict": "approved", "reason": "x" * 9000}, "its reason is longer than 8000 characters"),
        ({"file": "000.png", "verdict": "approved", "act": "delete"}, "its action is not one that graftset writes"),
        ({"file": "000.png", "verdict": "approved", "action": "x" * 81}, "its action is not one that graftset writes"),
    ],
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_bad_row_is_skipped_with_a_reason_and_the_rest_is_taken(
    tmp_path: Path, row: dict[str, object], reason: str, suffix: str
) -> None:
    catalog = catalog_of(tmp_path, 1)
    report = take(catalog, [row, GOOD], suffix)
    assert report.added == 1
    assert report.skipped[0][0] == 1
    assert report.skipped[0][1].startswith(reason)


def test_lines_that_are_no_rows_are_skipped(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 1)
    lines = ["{not json", "[1, 2]", json.dumps({"file": 3.5, "verdict": "approved"}), "[" * 100_000, json.dumps(GOOD)]
    report = import_text(catalog, "\n".join(lines).encode(), ".jsonl")
    assert [reason for _, reason in report.skipped] == [
        "it is not JSON",
        "it is not a JSON object",
        "its file is not text",
        "it is not JSON",
    ]
    assert report.added == 1


def test_a_table_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 2)
    text = "\ufeffFile;Verdict;Reviewer\r\n000.png;approved;Zoë\r\n001.png;rejected;Zoë;too many\r\n"
    report = import_text(catalog, text.encode(), ".csv")
    assert (report.added, report.skipped) == (1, ((2, "it has more cells than the header"),))
    assert named(Desk(catalog), 0).view.review.reviewer == "Zoë"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("verdicts.txt", b"", "--import"),
        ("missing.csv", None, "--import"),
        ("other.csv", b"a,b\n1,2\n", "--import"),
        ("empty.csv", b"", "--import"),
        ("latin.csv", "file,verdict\né.png,approved\n".encode("latin-1"), "--import"),
        ("broken.csv", b'file,verdict\n"' + b"x" * 200_000 + b'",approved\n', "--import"),
    ],
)
def test_a_file_that_is_no_list_of_verdicts_is_refused(
    tmp_path: Path, name: str, data: bytes | None, field: str
) -> None:
    catalog = catalog_of(tmp_path, 1)
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as error:
        import_verdicts(catalog, tmp_path / name)
    assert error.value.field == field
    assert catalog.verdicts() == []
