"""Copies are told from variations cell by cell, through render noise, and lead to the original they repeat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from graftset.drawn import draw_original
from graftset.drawn.palette import HAIR
from graftset.drawn.specs import Style, Tint
from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import ciede2000
from graftset.pixels.similarity import (
    ALIGNMENTS,
    KIN,
    Alignment,
    Match,
    NativeIndex,
    boxes,
    repeat_pairs,
)
from painted_pictures import STYLES, U8, Mask, drawn_originals, drawn_set, figures_read, open_rgb, rendered

VISIBLE = 10.0  # CIEDE2000 between an accessory and what it covers
EVERY = 3  # every third picture of a set is tried: enough for the shares below, and quick


@dataclass(frozen=True)
class Collection:
    """Originals ready to be searched, and which of them repeat one another but for a small change."""

    natives: tuple[U8, ...]
    index: NativeIndex
    twins: dict[int, set[int]]

    @property
    def figures(self) -> Sequence[Mask]:
        return list(self.index.figures)

    @property
    def tried(self) -> range:
        return range(0, len(self.natives), EVERY)

    def nearest(self, native: U8, *, skip: int | None = None) -> Match:
        match = self.index.nearest(native, skip=skip)
        assert match is not None
        return match

    def leads_to(self, match: Match, number: int) -> bool:
        """True where a match is the picture itself or one of its twins."""
        return match.index == number or match.index in self.twins[number]


def collection(natives: Sequence[U8], twins: dict[int, set[int]]) -> Collection:
    return Collection(tuple(natives), NativeIndex(list(natives), figures_read(natives)), defaultdict(set, twins))


@cache
def drawn(style: Style) -> Collection:
    originals = drawn_set(style).originals
    place = {original.name: number for number, original in enumerate(originals)}
    twins: dict[int, set[int]] = defaultdict(set)
    for number, original in enumerate(originals):
        if original.twin_of is not None:
            twins[number].add(place[original.twin_of])
            twins[place[original.twin_of]].add(number)
    return collection(drawn_originals(style), twins)


@cache
def real(folder: Path) -> Collection:
    """The owner's originals; two whose figures are the same but for little are twins, whatever is behind them."""
    natives = [open_rgb(path) for path in sorted((folder / "data" / "portraits" / "originals").glob("*.png"))]
    found = collection(natives, {})
    stack, figures = np.stack(natives), np.stack(found.figures)
    for number in range(1, len(natives)):
        same = (stack[:number] == stack[number]).all(axis=-1)
        figure = figures[:number] | figures[number]
        for other in np.flatnonzero((same & figure).sum(axis=(1, 2)) >= 0.85 * figure.sum(axis=(1, 2))).tolist():
            found.twins[number].add(other)
            found.twins[other].add(number)
    return found


def originals_of(name: str, request: pytest.FixtureRequest) -> Collection:
    return real(request.getfixturevalue("shared")) if name == "real" else drawn(name)  # type: ignore[arg-type]


every_set = pytest.mark.parametrize("name", [*STYLES, "real"])


def moved(native: U8, alignment: Alignment) -> U8:
    """Flipped and moved; the cells that come into view repeat the outer ones."""
    picture = native[:, ::-1] if alignment.flipped else native
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(height) - alignment.dy, 0, height - 1)
    columns = np.clip(np.arange(width) - alignment.dx, 0, width - 1)
    return np.ascontiguousarray(picture[rows][:, columns])


def visible_color(under: U8, rng: np.random.Generator) -> U8:
    """A color that is clearly seen on each of the cells [n, 3] it covers."""
    while True:
        color = rng.integers(0, 256, 3).astype(np.uint8)
        if ciede2000(srgb_to_cielab(color), srgb_to_cielab(under)).min() >= VISIBLE:
            return color


def with_accessory(native: U8, figure: Mask, cells: int, rng: np.random.Generator) -> tuple[U8, Mask]:
    """A row of touching cells of one color somewhere on the figure, and where it is."""
    rows, columns = np.nonzero(figure)
    place = int(rng.integers(len(rows)))
    y, x = int(rows[place]), min(int(columns[place]), native.shape[1] - cells)
    where = np.zeros(figure.shape, dtype=bool)
    where[y, x : x + cells] = True
    varied = native.copy()
    varied[where] = visible_color(native[where], rng)
    return varied, where


def on_new_background(native: U8, figure: Mask, rng: np.random.Generator) -> U8:
    varied = native.copy()
    varied[~figure] = visible_color(native[~figure], rng)
    return varied


# --- copies ----------------------------------------------------------------------------------------------------------


@every_set
def test_a_rendered_copy_is_found_and_leads_to_its_original(name: str, request: pytest.FixtureRequest) -> None:
    originals, rng = originals_of(name, request), np.random.default_rng(0)
    found = right = 0
    for number in originals.tried:
        match = originals.nearest(rendered(originals.natives[number], rng))
        found += match.is_copy
        right += match.is_copy and originals.leads_to(match, number)
    assert found >= 0.97 * len(originals.tried)
    assert right == found


@every_set
def test_a_copy_is_found_when_it_is_flipped_and_moved_by_a_cell(name: str, request: pytest.FixtureRequest) -> None:
    originals, rng = originals_of(name, request), np.random.default_rng(1)
    right, tried = 0, originals.tried[::2]
    for number in tried:
        alignment = ALIGNMENTS[int(rng.integers(1, len(ALIGNMENTS)))]
        match = originals.nearest(rendered(moved(originals.natives[number], alignment), rng))
        right += match.is_copy and originals.leads_to(match, number)
    assert right >= 0.97 * len(tried)


@pytest.mark.parametrize("alignment", ALIGNMENTS, ids=str)
def test_the_alignment_that_undoes_the_move_is_reported(alignment: Alignment) -> None:
    originals = drawn("classic")
    for number in (1, 50, 100):
        match = originals.nearest(moved(originals.natives[number], alignment))
        assert match.index == number
        assert match.is_copy
        assert match.distance == pytest.approx(0, abs=1e-6)
        assert match.alignment.flipped == alignment.flipped
        # Flip first, then move: the way back moves to the other side.
        assert (match.alignment.dy, abs(match.alignment.dx)) == (-alignment.dy, abs(alignment.dx))


@every_set
def test_no_two_different_originals_are_copies(name: str, request: pytest.FixtureRequest) -> None:
    originals = originals_of(name, request)
    for number in originals.tried:
        match = originals.nearest(originals.natives[number], skip=number)
        assert match.index != number
        assert not match.is_copy, f"{number} is called a copy of {match.index}"


def test_a_color_cast_and_uneven_noise_make_no_variation() -> None:
    originals, rng = drawn("soft"), np.random.default_rng(2)
    for number in (0, 40, 80, 120):
        for cast in ((6, -6, 0), (-8, -8, -8), (0, 0, 9)):
            tinted = np.clip(originals.natives[number].astype(int) + cast, 0, 255).astype(np.uint8)
            assert originals.nearest(tinted).is_copy
        speckled = originals.natives[number].copy()
        for y, x in zip(rng.permutation(12)[:4] * 2, rng.permutation(12)[:4] * 2, strict=True):
            speckled[y, x] = 255 - speckled[y, x]  # single cells that do not touch
        assert originals.nearest(speckled).is_copy


# --- variations ------------------------------------------------------------------------------------------------------


@every_set
@pytest.mark.parametrize("cells", [2, 3])
def test_an_added_accessory_makes_a_variation(name: str, cells: int, request: pytest.FixtureRequest) -> None:
    originals, rng = originals_of(name, request), np.random.default_rng(cells)
    copies = sources = covered = 0
    for number in originals.tried:
        varied, where = with_accessory(originals.natives[number], originals.figures[number], cells, rng)
        match = originals.nearest(rendered(varied, rng))
        copies += match.is_copy
        sources += originals.leads_to(match, number)
        covered += match.index != number or bool(match.changed[where].all())
    assert copies <= 0.03 * len(originals.tried)
    assert sources >= 0.95 * len(originals.tried)
    assert covered >= 0.95 * len(originals.tried)


@every_set
def test_a_new_background_makes_a_variation_of_the_same_original(name: str, request: pytest.FixtureRequest) -> None:
    originals, rng = originals_of(name, request), np.random.default_rng(4)
    copies = sources = kin = 0
    share = []
    for number in originals.tried:
        figure = originals.figures[number]
        match = originals.nearest(rendered(on_new_background(originals.natives[number], figure, rng), rng))
        copies += match.is_copy
        sources += originals.leads_to(match, number)
        kin += match.agreement >= KIN
        if match.index == number:
            share.append((match.changed == ~figure).mean())
    assert copies <= 0.03 * len(originals.tried)
    assert sources >= 0.95 * len(originals.tried)
    assert kin >= 0.95 * len(originals.tried)
    assert np.median(share) >= 0.98


@pytest.mark.parametrize("style", STYLES)
def test_other_hair_makes_a_variation_of_the_same_original(style: Style) -> None:
    originals, rng = drawn(style), np.random.default_rng(5)
    tried = copies = sources = 0
    for number in originals.tried:
        spec = drawn_set(style).originals[number].spec
        words = [word for word in HAIR[style] if word != spec.hair_tint.word]
        word = words[int(rng.integers(len(words)))]
        varied = draw_original(replace(spec, hair_tint=Tint(word, HAIR[style][word][0])), style)
        if (varied != originals.natives[number]).any(axis=-1).sum() < 2:
            continue  # bald
        match = originals.nearest(rendered(varied, rng))
        tried += 1
        copies += match.is_copy
        sources += originals.leads_to(match, number)
    assert tried > 40
    assert copies <= 0.03 * tried
    assert sources >= 0.9 * tried


@pytest.mark.parametrize("style", STYLES)
def test_the_changes_planted_in_the_sample_set_are_found_where_they_are(style: Style) -> None:
    """Clean pictures here: the planted region against the cells that are said to differ."""
    originals = drawn(style)
    place = {original.name: number for number, original in enumerate(drawn_set(style).originals)}
    tried = right = 0
    for candidate in drawn_set(style).candidates[::2]:
        if candidate.source_original is None or candidate.region is None or "copy" in candidate.faults:
            continue
        number = place[candidate.source_original]
        planted = np.array([[cell == "#" for cell in row] for row in candidate.region_rows])
        visible = ciede2000(
            srgb_to_cielab(draw_original(candidate.spec, style)), srgb_to_cielab(originals.natives[number])
        )
        match = originals.index.compare(draw_original(candidate.spec, style), number, Alignment())
        assert not match.is_copy
        assert not (match.changed & ~planted).any()
        plain = planted & (visible >= 2 * VISIBLE)
        assert (match.changed & plain).sum() >= 0.9 * plain.sum()
        box = boxes(planted)[0][:4] if len(boxes(planted)) == 1 else None
        found = boxes(match.changed)
        if box is not None and len(found) == 1 and (visible[planted] >= VISIBLE).all():
            tried += 1
            right += found[0][:4] == box
    assert tried >= 5
    assert right == tried


def test_a_changed_region_is_reported_in_the_cells_of_the_picture_that_was_asked_about() -> None:
    originals = drawn("classic")
    for flipped in (False, True):
        picture = moved(originals.natives[7], Alignment(flipped=flipped))
        picture[3:5, 2:6] = 255 - picture[3:5, 2:6] // 2
        match = originals.nearest(picture)
        assert match.index == 7
        assert match.alignment.flipped == flipped
        assert boxes(match.changed) == [(2, 3, 6, 5, 8)]


# --- the index -------------------------------------------------------------------------------------------------------


def test_an_index_of_one_has_no_neighbour_for_its_own_picture() -> None:
    native = drawn_originals("classic")[0]
    index = NativeIndex([native], figures_read([native]))
    assert len(index) == 1
    assert index.nearest(native, skip=0) is None
    match = index.nearest(native)
    assert match is not None
    assert match.is_copy


def test_pictures_without_a_figure_are_compared_all_the_same() -> None:
    plain = np.full((24, 24, 3), 90, dtype=np.uint8)
    other = np.full((24, 24, 3), 190, dtype=np.uint8)
    index = NativeIndex([plain, other], figures_read([plain, other]))
    for number, picture in enumerate((plain, other)):
        match = index.nearest(picture)
        assert match is not None
        assert (match.index, match.is_copy) == (number, True)


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (32, 20)])
def test_originals_of_any_one_size_are_compared(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(6)
    natives = [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for _ in range(5)]
    index = NativeIndex(natives, [np.ones(size, dtype=bool)] * 5)
    for number, native in enumerate(natives):
        match = index.nearest(moved(native, Alignment(True, 1, -1)))
        assert match is not None
        assert (match.index, match.is_copy) == (number, True)


def test_a_copy_is_preferred_to_a_closer_resemblance() -> None:
    """Two originals that differ by one accessory: a copy of either leads to that one."""
    native = drawn_originals("soft")[20]
    twin, where = with_accessory(native, figures_read([native])[0], 2, np.random.default_rng(7))
    originals = collection([native, twin], {})
    rng = np.random.default_rng(8)
    for number, picture in enumerate((native, twin)):
        for _ in range(5):
            match = originals.nearest(rendered(picture, rng))
            assert (match.index, match.is_copy) == (number, True)
    assert originals.nearest(native, skip=0).changed[where].all()


def test_boxes_are_the_connected_regions_with_the_largest_first() -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[0, 0:2] = True
    mask[2:5, 3:6] = True
    mask[5, 6] = True  # touches the block by a corner
    mask[0, 7] = True
    assert boxes(mask) == [(3, 2, 7, 6, 10), (0, 0, 2, 1, 2), (7, 0, 8, 1, 1)]
    assert boxes(np.zeros((3, 3), dtype=bool)) == []


# --- repeats among candidates ----------------------------------------------------------------------------------------


def pool_with_repeats(style: Style, rng: np.random.Generator) -> tuple[list[U8], set[tuple[int, int]]]:
    """Rendered originals, some of them twice, moved or flipped, and the pairs that are the same."""
    natives = list(drawn_originals(style)[:60])
    pool = [rendered(native, rng) for native in natives]
    pairs = set()
    changes: list[Callable[[U8], U8]] = [
        lambda native: native,
        lambda native: moved(native, Alignment(dx=1)),
        lambda native: moved(native, Alignment(dy=-1)),
        lambda native: moved(native, Alignment(flipped=True)),
        lambda native: moved(native, Alignment(flipped=True, dy=1, dx=1)),
    ]
    for number in range(0, 50, 5):
        pairs.add((number, len(pool)))
        pool.append(rendered(changes[number // 5 % len(changes)](natives[number]), rng))
    changed = [with_accessory(native, figures_read([native])[0], 3, rng)[0] for native in natives[2:30:10]]
    return pool + [rendered(native, rng) for native in changed], pairs  # one small change is no repeat


@pytest.mark.parametrize("style", STYLES)
def test_repeats_are_found_and_nothing_else_is(style: Style) -> None:
    pool, pairs = pool_with_repeats(style, np.random.default_rng(9))
    index = NativeIndex(pool, figures_read(pool))
    assert set(repeat_pairs(index)) == pairs
    assert set(repeat_pairs(index, block=17)) == pairs  # blocks only bound the memory


def test_three_of_a_kind_are_linked() -> None:
    native, rng = drawn_originals("classic")[5], np.random.default_rng(10)
    pool = [rendered(native, rng) for _ in range(3)]
    assert set(repeat_pairs(NativeIndex(pool, figures_read(pool)))) == {(0, 1), (0, 2), (1, 2)}


def test_a_pool_of_one_has_no_repeats() -> None:
    pool = [drawn_originals("classic")[0]]
    assert list(repeat_pairs(NativeIndex(pool, figures_read(pool)))) == []
