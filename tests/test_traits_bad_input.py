"""Traits where there is little to learn from: it works, says what it does not know, and names why."""

from __future__ import annotations

from pathlib import Path

import pytest

from assess_helpers import Pool, cast, painted, portraits
from graftset.assess import known_reliability
from graftset.records import TraitSeen


def test_one_original_is_enough_to_assess_and_caption(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    pool.original("only", portraits(1)[0], cast(1)[0].caption)
    pool.candidate("c", painted(portraits(2)[1]), "a lady with brown hair, wearing crown")
    pool.take()
    pool.caption()
    view = pool.views()["c"]
    assert view.traits.background is not None
    assert {seen.value for seen in view.traits.slots.values()} == {"unknown"}
    assert all(c.verdict == "unverifiable" for c in view.claims if c.slot != "background")
    assert view.proposed_caption == "a lady with brown hair, wearing crown"


def test_originals_without_captions_teach_no_accessories(tmp_path: Path) -> None:
    pool = Pool(tmp_path).fill(portraits(12), [painted(portraits(13)[12])])
    pool.take()
    pool.caption()
    assert all(view.traits.accessories == {} for view in pool.views().values())
    assert not any(found.answers for found in known_reliability(pool.catalog).values())


def test_captions_that_are_all_equal_teach_nothing(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    for i, native in enumerate(portraits(24)):
        pool.original(f"o{i:02d}", native, "pixel art, portrait of a lady, brown hair, wearing crown")
    pool.candidate("c", painted(portraits(25)[24]), "pixel art, portrait of a lad, wearing crown")
    pool.take()
    pool.caption()
    view = pool.views()["c"]
    assert view.traits.accessories == {"crown": TraitSeen("unknown")}
    assert not any(found.answers for found in known_reliability(pool.catalog).values())
    assert [c.verdict for c in view.claims if c.slot == "accessory:crown"] == ["unverifiable"]


def test_a_term_that_occurs_once_is_in_the_vocabulary_and_never_answered(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    for i, (native, person) in enumerate(zip(portraits(24), cast(24), strict=True)):
        pool.original(f"o{i:02d}", native, person.caption + (", wearing monocle" if i == 3 else ""))
    pool.candidate("c", painted(portraits(25)[24]))
    pool.take()
    found = known_reliability(pool.catalog)["accessory:monocle"]
    assert (found.positives, found.answers) == (1, False)
    assert {view.traits.accessories["monocle"].value for view in pool.views().values()} == {"unknown"}


@pytest.mark.parametrize("text", ["ひとりの女性、青い背景", "♥", "x" * 3000])
def test_captions_in_another_script_or_without_structure_are_no_error(tmp_path: Path, text: str) -> None:
    pool = Pool(tmp_path)
    for i, native in enumerate(portraits(10)):
        pool.original(f"o{i:02d}", native, f"{text} {i}")
    pool.candidate("c", painted(portraits(11)[10]), text)
    pool.take()
    pool.caption()
    assert pool.views()["c"].proposed_caption == text


def test_detectors_are_fitted_again_only_when_originals_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []
    from graftset.assess import detecting

    fit = detecting.fit_detectors
    monkeypatch.setattr(detecting, "fit_detectors", lambda *args: fits.append(1) or fit(*args))
    pool = Pool(tmp_path)
    for i, (native, person) in enumerate(zip(portraits(10), cast(10), strict=True)):
        pool.original(f"o{i:02d}", native, person.caption)
    pool.candidate("b", painted(portraits(11)[10]))
    pool.take()
    pool.candidate("c", painted(portraits(12)[11]))
    pool.take()
    assert len(fits) == 1
    pool.original("o03", portraits(10)[3], "another caption, wearing crown")
    pool.take()
    assert len(fits) == 2
    assert len(list(pool.catalog.measurements("traits", f"{detecting.MEASURES}.{detecting.VERSION}"))) == 1
