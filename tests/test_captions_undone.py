"""Applied captions are taken back, application by application; nothing of the history is lost."""

from __future__ import annotations

from pathlib import Path

from assess_helpers import Pool, painted, portraits
from graftset.caption import apply_proposals, undo_applied


def project(tmp_path: Path) -> Pool:
    pool = Pool(tmp_path).fill(portraits(3))
    for i, native in enumerate(portraits(5)[3:]):
        pool.candidate(f"c{i}", painted(native), "portrait, zebra background, purple background")
    pool.take()
    pool.caption()
    return pool


def current(pool: Pool) -> dict[str, str | None]:
    return {name: view.caption for name, view in pool.views().items() if name.startswith("c")}


def test_an_application_is_taken_back_and_can_be_made_again(tmp_path: Path) -> None:
    pool = project(tmp_path)
    assert apply_proposals(pool.catalog) == 2
    applied = current(pool)
    assert None not in applied.values()
    assert undo_applied(pool.catalog) == 2
    assert current(pool) == {"c0": None, "c1": None}
    assert undo_applied(pool.catalog) == 0
    assert apply_proposals(pool.catalog) == 2
    assert current(pool) == applied


def test_a_persons_caption_comes_back_as_theirs(tmp_path: Path) -> None:
    pool = project(tmp_path)
    path = pool.views()["c0"].path
    pool.catalog.apply_captions({path: "mine"}, "Ann")
    apply_proposals(pool.catalog)
    assert current(pool)["c0"] != "mine"
    undo_applied(pool.catalog)
    assert current(pool) == {"c0": "mine", "c1": None}
    entries = [e for e in pool.catalog.caption_history(path) if e["kind"] == "current"]
    assert [e["author"] == "Ann" for e in entries] == [True, False, True]
    undo_applied(pool.catalog)
    assert current(pool)["c0"] is None


def test_what_was_taken_back_stays_in_the_history(tmp_path: Path) -> None:
    pool = project(tmp_path)
    path = pool.views()["c0"].path
    before = len(pool.catalog.caption_history(path))
    apply_proposals(pool.catalog)
    undo_applied(pool.catalog)
    history = pool.catalog.caption_history(path)
    assert len(history) == before + 3
    assert history[before]["text"] == history[before + 1]["text"] is not None
    assert history[before + 1]["kind"] == "undone"
