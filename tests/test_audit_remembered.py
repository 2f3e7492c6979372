"""What the audit says is remembered: dismissed findings stay dismissed, applied fixes can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from graftset.audit import apply_fixes, audit, read_sidecar, undo_fixes
from graftset.catalog import Catalog, Dismissal
from graftset.catalog.opening import REVISION
from graftset.records import ImageRecord, ImageView

SLIP = "portrait, brown hair, golden stud stud earring"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'catalog.db'}"


def _record(path: str, caption: str | None) -> ImageRecord:
    return ImageRecord(path, "a" * 64, "original", 0, 24, 24, "PNG", 1, 1, caption, "lad.txt")


def test_a_catalog_of_the_first_version_is_brought_forward_with_all_it_knows(url: str) -> None:
    catalog = Catalog.open(url)
    catalog.save_images([_record("/a.png", SLIP)])
    catalog.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("scorecards", "evaluator_fits", "verdicts", "review_plans", "dismissals"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    catalog = Catalog.open(url)
    assert catalog.dismissals() == {}
    assert [view.caption for view in catalog.views()] == [SLIP]
    assert REVISION == "0004"
    catalog.close()


def test_what_was_dismissed_is_not_found_by_the_next_audit(url: str) -> None:
    catalog = Catalog.open(url)
    catalog.save_images([_record("/a.png", SLIP)])
    (found,) = audit(catalog.views(), rules=["doubled"]).findings
    entry = Dismissal(found.id, found.rule, found.sha256, found.words)
    assert catalog.dismiss([entry, entry], "Ann") == 1
    assert catalog.dismiss([entry], "Ann") == 0
    catalog.close()
    catalog = Catalog.open(url)
    assert catalog.dismissals() == {found.id: entry}
    assert audit(catalog.views(), rules=["doubled"], dismissed=catalog.dismissals()).findings == ()
    catalog.close()


def test_applied_fixes_are_the_current_captions_and_the_older_text_undoes_them(url: str) -> None:
    catalog = Catalog.open(url)
    catalog.save_images([_record("/a.png", SLIP), _record("/b.png", "portrait, brown hair")])
    report = audit(catalog.views(), rules=["doubled"])
    assert [view.caption for view in catalog.views()] == [SLIP, "portrait, brown hair"]  # asking changes nothing
    assert apply_fixes(catalog, report.findings, "Ann") == 1
    assert [view.caption for view in catalog.views()] == [
        "portrait, brown hair, golden stud earring",
        "portrait, brown hair",
    ]
    assert apply_fixes(catalog, audit(catalog.views(), rules=["doubled"]).findings) == 0
    assert catalog.apply_captions({"/a.png": SLIP}, "Ann") == 1
    assert catalog.views()[0].caption == SLIP
    assert undo_fixes(catalog) == 0  # a person said something since
    assert [entry["text"] for entry in catalog.caption_history("/a.png")] == [
        "portrait, brown hair, golden stud earring",
        SLIP,
    ]
    catalog.close()


def test_taking_back_brings_back_what_counted_before(url: str) -> None:
    catalog = Catalog.open(url)
    catalog.save_images([_record("/a.png", SLIP), _record("/b.png", SLIP)])
    catalog.apply_captions({"/a.png": f"{SLIP}, by hand"}, "Ann")
    assert apply_fixes(catalog, audit(catalog.views(), rules=["doubled"]).findings) == 2
    assert undo_fixes(catalog) == 2
    assert [view.caption for view in catalog.views()] == [f"{SLIP}, by hand", SLIP]
    assert undo_fixes(catalog) == 0
    assert len(catalog.caption_history("/a.png")) == 4  # nothing is deleted
    catalog.close()


def test_lines_after_the_first_are_found_in_the_caption_file(tmp_path: Path) -> None:
    (tmp_path / "lad.txt").write_bytes(b"\xef\xbb\xbfportrait, brown hair\r\n\r\nnegative: blurry\r\n")
    view = ImageView(str(tmp_path / "lad.png"), "a", "original", 0, 24, 24, caption="portrait", text_source="lad.txt")
    (found,) = audit([view], sidecar=read_sidecar, rules=["further-lines"]).findings
    assert found.words == "negative: blurry"
    assert found.fix is None


@pytest.mark.parametrize("source", [None, "prompts.json", "PNG parameters", "gone.txt"])
def test_text_from_elsewhere_has_no_further_lines(tmp_path: Path, source: str | None) -> None:
    (tmp_path / "prompts.json").write_text("one\ntwo")
    view = ImageView(str(tmp_path / "lad.png"), "a", "original", 0, 24, 24, caption="one", text_source=source)
    assert read_sidecar(view) is None
