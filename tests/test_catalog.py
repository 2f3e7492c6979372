"""The catalog keeps what is known: exactly, across versions, and whatever happens to the file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from graftset.catalog import Catalog, filing, opening
from graftset.catalog.contract import image_json
from graftset.catalog.schema import metadata
from graftset.errors import UserError
from graftset.records import (
    Assessment,
    Background,
    CaptionChange,
    CaptionProposal,
    Choice,
    Claim,
    ColorShare,
    Grid,
    ImageRecord,
    ImageView,
    Nearest,
    Origin,
    Provenance,
    Region,
    Selection,
    Skip,
    Traits,
    TraitSeen,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/deep/er/catalog.db"


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    catalog = Catalog.open(url)
    yield catalog
    catalog.close()


def record(path: str, sha256: str = "a", origin: Origin = "generated", **changes: Any) -> ImageRecord:
    """One ingested file."""
    plain = ImageRecord(path, sha256, origin, int(origin == "generated"), 512, 512, "PNG", 1000, 10**18, text="a lad")
    return replace(plain, **changes)


FULL = record(
    "/c.png",
    "c" * 64,
    text_source="PNG parameters",
    provenance=Provenance("blurry", 2**64 - 1, 20, 7.5, "Euler a", "v1-5", ("one", "two"), {"Clip skip": "2"}),
    source_original="/o.png",
    source_basis="name",
)
SEEN = Assessment(
    grid=Grid(24, 24, 21.3333, 21.3333, -0.125, 0.25, 0.97),
    score=7.91,
    score_parts={"edge_width": 9.5, "grid_residual": 8.0},
    measures={"edge_width": 0.04, "color_count": 31.0},
    traits=Traits(
        background=Background("solid", "gray", (ColorShare("gray", "#808080", 1.0, ("gray", "tan")),), 0.98),
        slots={"hair": TraitSeen("brown", 0.9), "figure": TraitSeen("unknown")},
        accessories={"crown": TraitSeen("absent", 0.93), "earring": TraitSeen("unknown")},
    ),
    copy_of="/o.png",
    repeat_of="/d.png",
    nearest_original=Nearest("/o.png", 0.0123, True, (-1, 1), (Region(0, 1, 2, 3, 4),)),
    source_original="/p.png",
    notes=("a note",),
)
PROPOSAL = CaptionProposal(
    "gray background",
    False,
    (Claim("background", "green", "gray", "contradicted", (0, 5)),),
    (CaptionChange("background", (0, 5), "green", "gray", "the picture shows gray"),),
)


def full_view(catalog: Catalog) -> ImageView:
    """The view of one candidate of which everything is known."""
    catalog.save_images([record("/o.png", "o" * 64, "original"), FULL])
    catalog.save_assessments("v", {"/c.png": SEEN})
    catalog.save_proposals("proposed", "test", {"/c.png": PROPOSAL})
    choice = Choice("/c.png", "c" * 64, True, ("diverse",), 0)
    catalog.save_selection(Selection({"count": 1}, (choice,), ("a note",), {"tv": 0.1}))
    return {view.path: view for view in catalog.views()}["/c.png"]


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_new_catalog_is_made_with_its_folders_and_opens_again(url: str) -> None:
    first = Catalog.open(url)
    first.save_images([FULL])
    first.close()
    assert Catalog.open(url).known_files() == {"/c.png": FULL}


def test_the_migrations_make_the_tables_of_the_schema(url: str) -> None:
    Catalog.open(url).close()
    with sa.create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_revision_that_is_expected() -> None:
    folder = Path(opening.__file__).parent / "migrations" / "versions"
    numbers = sorted(file.name[:4] for file in folder.glob("[0-9]*.py"))
    assert numbers == [f"{i:04d}" for i in range(1, len(numbers) + 1)]
    assert numbers[-1] == opening.REVISION
    for number, file in zip(numbers, sorted(folder.glob("[0-9]*.py")), strict=True):
        found = re.search(r'^revision = "(\d+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
        assert found is not None
        assert found.group(1) == number


def test_a_catalog_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    Catalog.open(url).close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UserError, match=r"written by a newer graftset.*'9999'"):
        Catalog.open(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_a_catalog_whose_making_was_killed_is_made_by_the_next_command(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    from alembic.runtime.migration import HeadMaintainer

    with monkeypatch.context() as patch:
        patch.setattr(HeadMaintainer, "update_to_step", die)  # the tables are there, the revision is not yet
        with pytest.raises(KeyboardInterrupt):
            Catalog.open(url)
    catalog = Catalog.open(url)
    catalog.save_images([FULL])
    assert catalog.known_files() == {"/c.png": FULL}


def test_commands_that_open_a_new_catalog_at_once_all_get_it(url: str) -> None:
    code = "import sys; from graftset.catalog import Catalog; Catalog.open(sys.argv[1]).known_files()"
    path = os.pathsep.join([str(Path(opening.__file__).parents[2]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    started = [
        subprocess.Popen([sys.executable, "-c", code, url], env=environment, stderr=subprocess.PIPE) for _ in range(4)
    ]
    assert [process.communicate()[1][-300:] for process in started] == [b""] * 4


def _not_a_database(file: Path) -> None:
    file.write_bytes(b"not a database " * 500)


def _damaged_inside(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for start in range(2 * 4096, len(data), 4096):
        data[start : start + 300] = b"\xff" * 300
    file.write_bytes(data)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:6000])


@pytest.mark.parametrize("damage", [_not_a_database, _damaged_inside, _cut])
def test_a_damaged_catalog_is_one_sentence(url: str, damage: Any) -> None:
    catalog = Catalog.open(url)
    catalog.save_images([record(f"/{i}.png", str(i)) for i in range(300)])
    catalog.close()
    damage(Path(url.removeprefix("sqlite:///")))
    with pytest.raises(UserError, match=r"catalog c(annot|ould not) be (opened|read).*a new one is made"):
        Catalog.open(url).views()


@pytest.mark.parametrize("url", ["nonsense", "", "nosuch://host/name", "sqlite"])
def test_a_url_that_means_nothing_is_one_sentence(url: str) -> None:
    with pytest.raises(UserError, match="The catalog URL cannot be read"):
        Catalog.open(url)


def test_a_place_that_cannot_hold_a_catalog_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for url in (f"sqlite:///{tmp_path}/file/catalog.db", f"sqlite:///{tmp_path}"):
        with pytest.raises(UserError, match="The catalog cannot be opened"):
            Catalog.open(url)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="The catalog cannot be opened"):
        Catalog.open(f"sqlite:///{tmp_path}/catalog.db")


def test_a_catalog_that_may_only_be_read_is_one_sentence(url: str) -> None:
    Catalog.open(url).close()
    path = url.removeprefix("sqlite:///")
    with pytest.raises(UserError, match="readonly"):
        Catalog.open(f"sqlite:///file:{path}?mode=ro&uri=true").save_images([FULL])


def test_the_password_of_a_url_is_never_shown() -> None:
    with pytest.raises(UserError) as caught:
        Catalog.open("postgresql+psycopg://ada:s3cret@127.0.0.1:1/x")
    assert "s3cret" not in str(caught.value)


# --- files -----------------------------------------------------------------------------------------------------------

ODD_PATHS = (
    "/with space/a.png", "/quote'\"`/b.png", "/percent%s%(x)s/c.png", "/new\nline.png", "/tab\t.png", "/👑/日本.png",
    "/e\u0301.png", "/é.png", "/-rf.png", "/;DROP TABLE images;--.png", "/back\\slash.png", "/" + "x" * 3000,
)  # fmt: skip


def test_records_come_back_as_they_went_in_whatever_the_path(catalog: Catalog) -> None:
    records = {path: replace(FULL, path=path, text=path) for path in ODD_PATHS}
    catalog.save_images(list(records.values()))
    assert catalog.known_files() == records
    catalog.save_assessments("v", dict.fromkeys(ODD_PATHS, SEEN))
    assert catalog.assessments() == dict.fromkeys(ODD_PATHS, SEEN)
    catalog.mark_missing(ODD_PATHS[:6])
    assert set(catalog.known_files()) == set(ODD_PATHS[6:])


def test_more_files_than_one_statement_takes(catalog: Catalog) -> None:
    paths = [f"/{i:04d}.png" for i in range(1234)]
    catalog.save_images([record(path, path) for path in paths])
    catalog.save_images([record(path, path, text="again") for path in paths])
    catalog.save_assessments("v", dict.fromkeys(paths, SEEN))
    assert catalog.save_proposals("proposed", "test", dict.fromkeys(paths, PROPOSAL)) == 1234
    assert catalog.apply_captions(dict.fromkeys(paths, "x"), "test") == 1234
    catalog.save_selection(Selection({}, tuple(Choice(p, p, True, ()) for p in paths), (), {}))
    catalog.save_measurements("pixels", "1", [(path, {"n": 1}, b"x") for path in paths])
    catalog.save_skips([(Skip(path, "why"), 1, 2) for path in paths])
    views = catalog.views()
    assert [view.path for view in views] == paths
    assert all(view.selected and view.caption == "x" and view.score == 7.91 for view in views)
    assert catalog.measured("pixels", "1") == set(paths)
    catalog.forget_skips(paths)
    assert catalog.known_skips() == {}
    catalog.mark_missing(paths)
    assert catalog.views() == []


def test_saving_a_path_twice_at_once_keeps_the_last(catalog: Catalog) -> None:
    catalog.save_images([record("/a.png", "1"), record("/a.png", "2")])
    assert catalog.known_files()["/a.png"].sha256 == "2"


def test_a_missing_file_keeps_its_history_and_comes_back(catalog: Catalog) -> None:
    full_view(catalog)
    catalog.mark_missing(["/c.png"])
    assert "/c.png" not in catalog.known_files()
    assert [view.path for view in catalog.views()] == ["/o.png"]
    catalog.save_images([FULL])
    (view,) = [view for view in catalog.views() if view.origin == "generated"]
    assert (view.score, view.proposed_caption) == (7.91, "gray background")


def test_other_pixels_at_a_path_lose_what_was_said_of_the_old_ones(catalog: Catalog) -> None:
    full_view(catalog)
    catalog.apply_captions({"/c.png": "mine"}, "Ada")
    catalog.save_images([replace(FULL, sha256="d" * 64)])
    (view,) = [view for view in catalog.views() if view.origin == "generated"]
    assert (view.score, view.grid, view.claims, view.proposed_caption, view.caption) == (None, None, (), None, None)
    assert (view.selected, view.reasons) == (None, ())
    assert len(catalog.caption_history("/c.png")) == 2  # nothing is ever deleted


def test_another_text_for_the_same_pixels_keeps_what_was_measured(catalog: Catalog) -> None:
    full_view(catalog)
    catalog.save_images([replace(FULL, text="another")])
    (view,) = [view for view in catalog.views() if view.origin == "generated"]
    assert (view.score, view.selected, view.proposed_caption, view.claims) == (7.91, True, None, ())


def test_a_moved_file_takes_everything_along(catalog: Catalog) -> None:
    before = full_view(catalog)
    catalog.rename("/c.png", "/new/c.png")
    (after,) = [view for view in catalog.views() if view.origin == "generated"]
    assert after == replace(before, path="/new/c.png")
    assert len(catalog.caption_history("/new/c.png")) == 1
    assert catalog.caption_history("/c.png") == []


def test_the_selection_names_a_moved_file_by_where_it_lies_now(catalog: Catalog) -> None:
    full_view(catalog)
    catalog.rename("/c.png", "/new/c.png")
    selection = catalog.selection()
    assert selection is not None
    assert selection.choices == (Choice("/new/c.png", "c" * 64, True, ("diverse",), 0),)


def test_a_move_onto_a_missing_file_replaces_it_and_one_of_an_unknown_file_is_nothing(catalog: Catalog) -> None:
    full_view(catalog)
    catalog.save_images([record("/old.png", "x")])
    catalog.apply_captions({"/old.png": "old"}, "Ada")
    catalog.mark_missing(["/old.png"])
    catalog.rename("/c.png", "/old.png")
    assert catalog.known_files()["/old.png"] == replace(FULL, path="/old.png")
    assert [entry["text"] for entry in catalog.caption_history("/old.png")] == ["gray background"]
    catalog.rename("/nothing.png", "/anything.png")
    assert "/anything.png" not in catalog.known_files()


def test_skips_are_remembered_with_size_and_time_and_replaced(catalog: Catalog) -> None:
    catalog.save_skips([(Skip("/a", "is empty"), 0, 2**62), (Skip("/b", "is damaged"), 7, 1)])
    catalog.save_skips([(Skip("/a", "is cut short"), 5, 6)])
    assert catalog.known_skips() == {"/a": (5, 6, "is cut short"), "/b": (7, 1, "is damaged")}
    catalog.save_skips([])


def test_skips_that_cannot_be_saved_leave_the_remembered_ones(catalog: Catalog) -> None:
    catalog.save_skips([(Skip("/a", "is empty"), 0, 1)])
    with pytest.raises(UserError, match="could not be written"):
        catalog.save_skips([(Skip("/a", "is cut short"), 5, 6), (Skip("/a", "is damaged"), 7, 8)])
    assert catalog.known_skips() == {"/a": (0, 1, "is empty")}


@pytest.mark.parametrize("origin", ["original", "generated"])
@pytest.mark.parametrize("author", ["graftset 0.1.0", "graftset 0.1.0 audit", "Ada"])
def test_an_applied_caption_counts_until_another_text_comes_in_and_a_person_s_always(
    catalog: Catalog, origin: Origin, author: str
) -> None:
    catalog.save_images([record("/a.png", origin=origin, text="a green ladd")])
    assert catalog.apply_captions({"/a.png": "a green lad"}, author) == 1
    assert catalog.apply_captions({"/a.png": "a green lad"}, author) == 0
    assert catalog.views()[0].caption == "a green lad"
    catalog.save_images([record("/a.png", origin=origin, text="a red ladd")])
    owners = "a red ladd" if origin == "original" else None
    assert catalog.views()[0].caption == ("a green lad" if author == "Ada" else owners)


def test_the_same_words_can_be_applied_to_another_text(catalog: Catalog) -> None:
    catalog.save_images([record("/a.png", text="a green ladd")])
    catalog.apply_captions({"/a.png": "a green lad"}, "graftset 0.1.0")
    catalog.save_images([record("/a.png", text="a green laad")])
    assert catalog.apply_captions({"/a.png": "a green lad"}, "graftset 0.1.0") == 1
    assert catalog.views()[0].caption == "a green lad"


# --- measurements, captions, selections ------------------------------------------------------------------------------


def test_a_measurement_is_kept_once_by_content_producer_and_version(catalog: Catalog) -> None:
    catalog.save_measurements("pixels", "1", [("a", {"n": 1}, b"png"), ("b", {}, None)])
    catalog.save_measurements("pixels", "1", [("a", {"n": 2}, b"other")])
    catalog.save_measurements("pixels", "2", [("a", {"n": 3}, None)])
    assert sorted(catalog.measurements("pixels", "1")) == [("a", {"n": 1}, b"png"), ("b", {}, None)]
    assert catalog.measured("pixels", "2") == {"a"}
    assert catalog.measured("text", "1") == set()
    assert catalog.blob("a", "pixels", "1") == b"png"
    assert catalog.blob("b", "pixels", "1") is None
    assert sorted(catalog.versions("a", "pixels")) == ["1", "2"]


def test_an_assessment_replaces_the_one_before(catalog: Catalog) -> None:
    catalog.save_images([FULL])
    catalog.save_assessments("v1", {"/c.png": SEEN, "/unknown.png": SEEN})
    catalog.save_assessments("v2", {"/c.png": replace(SEEN, score=1.0)})
    assert catalog.assessments() == {"/c.png": replace(SEEN, score=1.0)}
    assert catalog.assessment_versions() == {"/c.png": "v2"}


def test_captions_are_appended_where_something_new_is_said(catalog: Catalog) -> None:
    catalog.save_images([FULL])
    assert catalog.save_proposals("proposed", "one", {"/c.png": PROPOSAL, "/unknown.png": PROPOSAL}) == 1
    assert catalog.save_proposals("proposed", "one", {"/c.png": PROPOSAL}) == 0
    assert catalog.save_proposals("proposed", "one", {"/c.png": replace(PROPOSAL, text="other")}) == 1
    assert catalog.save_proposals("checked", "one", {"/c.png": PROPOSAL}) == 1
    entries = catalog.caption_history("/c.png")
    assert [(e["kind"], e["text"], e["incoming"]) for e in entries] == [
        ("proposed", "gray background", "a lad"),
        ("proposed", "other", "a lad"),
        ("checked", "gray background", "a lad"),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", e["at"]) for e in entries)


def test_a_selection_comes_back_and_the_newest_counts(catalog: Catalog) -> None:
    catalog.save_images([record(f"/{i}.png", str(i)) for i in range(3)])
    assert catalog.selection() is None
    choices = tuple(Choice(f"/{i}.png", str(i), i != 1, ("why", "and why"), None if i == 1 else i) for i in range(3))
    made = Selection({"count": 2, "floors": {"tv": 0.1}}, choices, ("few",), {"vendi": 3.5})
    catalog.save_selection(replace(made, notes=("older",)))
    catalog.save_selection(made)
    found = catalog.selection()
    assert found is not None
    assert replace(found, at="") == made
    assert found.at
    assert [view.selected for view in catalog.views()] == [True, False, True]
    catalog.save_selection(Selection({}, (), (), {}))
    assert [view.selected for view in catalog.views()] == [None, None, None]


# --- views and the contract ------------------------------------------------------------------------------------------


def test_views_come_originals_first_then_by_path(catalog: Catalog) -> None:
    catalog.save_images([record("/b.png"), record("/z.png", origin="original"), record("/a.png")])
    catalog.save_images([record("/y.png", origin="original")])
    assert [view.path for view in catalog.views()] == ["/y.png", "/z.png", "/a.png", "/b.png"]


def test_an_original_has_a_caption_and_a_candidate_a_prompt(catalog: Catalog) -> None:
    catalog.save_images([record("/o.png", origin="original"), record("/c.png")])
    original, candidate = catalog.views()
    assert (original.caption, original.prompt, original.training_caption) == ("a lad", None, "a lad")
    assert (candidate.caption, candidate.prompt, candidate.training_caption) == (None, "a lad", None)


def test_a_stated_source_goes_before_the_nearest_match(catalog: Catalog) -> None:
    view = full_view(catalog)
    assert (view.source_original, view.source_basis) == ("/o.png", "name")
    catalog.save_images([replace(FULL, source_original=None, source_basis=None)])
    view = catalog.views()[-1]
    assert (view.source_original, view.source_basis) == ("/p.png", "nearest")


# What design.md promises of `graftset images --json`: keys are added, never renamed.
IMAGE_KEYS = (
    "path sha256 origin generation prompt caption proposed_caption composed native score score_parts measures traits "
    "claims copy_of repeat_of source_original nearest_original review selected reasons"
)


def test_the_json_of_an_image_holds_what_was_promised(catalog: Catalog) -> None:
    said = json.loads(json.dumps(image_json(full_view(catalog)), allow_nan=False))
    assert set(IMAGE_KEYS.split()) <= said.keys()
    assert (said["origin"], said["generation"], said["prompt"], said["caption"]) == ("generated", 1, "a lad", None)
    assert (said["proposed_caption"], said["composed"]) == ("gray background", False)
    native = said["native"]
    assert (native["width"], native["height"], native["cell_px"]) == (24, 24, 21.33)
    assert (said["score"], said["score_parts"]["edge_width"], said["measures"]["color_count"]) == (7.91, 9.5, 31.0)
    background = said["traits"]["background"]
    assert (background["kind"], background["value"], background["confidence"]) == ("solid", "gray", 0.98)
    assert {"word": "gray", "hex": "#808080", "share": 1.0}.items() <= background["colors"][0].items()
    assert said["traits"]["hair"] == {"value": "brown", "confidence": 0.9}
    assert said["traits"]["accessories"] == {
        "crown": {"value": "absent", "confidence": 0.93},
        "earring": {"value": "unknown"},
    }
    claim = {"slot": "background", "claimed": "green", "seen": "gray", "verdict": "contradicted"}
    assert claim.items() <= said["claims"][0].items()
    assert (said["copy_of"], said["repeat_of"], said["source_original"]) == ("/o.png", "/d.png", "/o.png")
    assert {"path": "/o.png", "distance": 0.0123}.items() <= said["nearest_original"].items()
    assert said["nearest_original"]["regions"] == [{"x0": 0, "y0": 1, "x1": 2, "y1": 3, "cells": 4}]
    assert (said["review"], said["selected"], said["reasons"]) == (None, True, ["diverse"])
    assert said["faults"] == ["grid_residual"]


def test_the_json_of_an_image_nothing_is_known_of_has_the_same_keys(catalog: Catalog) -> None:
    known = image_json(full_view(catalog))
    unknown = image_json(ImageView("/x.png", "x", "original", 0, 24, 24))
    assert known.keys() == unknown.keys()
    assert (unknown["native"], unknown["score"], unknown["nearest_original"], unknown["claims"]) == (
        None,
        None,
        None,
        [],
    )
    assert unknown["traits"] == {"accessories": {}}


# --- several at once -------------------------------------------------------------------------------------------------


def test_readers_see_whole_batches_while_another_command_writes(url: str, catalog: Catalog) -> None:
    reader = Catalog.open(url)
    seen: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(len(reader.known_files()))

    thread = threading.Thread(target=read)
    thread.start()
    for batch in range(12):
        catalog.save_images([record(f"/{batch}-{i}.png", str(i)) for i in range(50)])
    done.set()
    thread.join(timeout=30)
    assert {count % 50 for count in seen} == {0}
    assert len(reader.known_files()) == 600
    reader.close()


def test_two_writers_wait_for_each_other(url: str, catalog: Catalog) -> None:
    other = Catalog.open(url)
    failures: list[BaseException] = []

    def write(one: Catalog, name: str) -> None:
        try:
            for batch in range(10):
                one.save_images([record(f"/{name}-{batch}-{i}.png", name) for i in range(20)])
                one.apply_captions({f"/{name}-{batch}-0.png": "x"}, name)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=pair) for pair in ((catalog, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert len(catalog.known_files()) == 400
    other.close()


def test_a_kill_in_the_middle_of_a_batch_leaves_nothing_of_it(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, calls = filing.image_ids, []

    def killed_the_second_time(*arguments: Any) -> dict[str, int]:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return find(*arguments)

    monkeypatch.setattr(filing, "image_ids", killed_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        catalog.save_images([record(f"/{i}.png", str(i)) for i in range(500)])
    assert catalog.known_files() == {}
