"""Colors of painted pictures are merged to those that were meant; nothing that was drawn is touched."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion

from graftset.drawn import render
from graftset.drawn.specs import Style
from graftset.imageio import read_rgb
from graftset.measuring import measure_pixels
from graftset.pixels.background import read_background
from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import ciede2000
from graftset.pixels.merging import FARTHEST, MOST_COLORS, is_painted, merge_colors, render_levels
from graftset.pixels.structure import neighbor_differences
from painted_pictures import NATIVE, STYLES, U8, drawn_originals, drawn_set, patchwork, rendered

PICTURES = 24  # of each style
SIDES = st.integers(1, 14)


@cache
def as_painted(style: Style) -> tuple[tuple[U8, U8], ...]:
    """Drawn originals, and the native pictures that are read from renders of them."""
    pairs = []
    for seed, meant in enumerate(drawn_originals(style)[:PICTURES]):
        read = measure_pixels(render(meant, rng=np.random.default_rng(seed)), (NATIVE, NATIVE))[1]
        assert read is not None
        pairs.append((meant, read))
    return tuple(pairs)


def distinct(native: U8) -> int:
    return len(np.unique(native.reshape(-1, 3), axis=0))


def moved(first: U8, second: U8) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    return ciede2000(srgb_to_cielab(first), srgb_to_cielab(second))


def to_nearest_neighbor(native: U8) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """CIEDE2000 of every cell to the most similar of its four neighbors."""
    across, down = neighbor_differences(srgb_to_cielab(native))
    least = np.full(native.shape[:2], np.inf)
    for part, step in ((np.s_[:, 1:], across), (np.s_[:, :-1], across), (np.s_[1:], down), (np.s_[:-1], down)):
        least[part] = np.minimum(least[part], step)
    return least


@st.composite
def noisy_patchworks(draw: st.DrawFn) -> U8:
    """Flat patches under noise of some levels: what the function is for, at any size."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    flat = patchwork(draw(SIDES), draw(SIDES), rng)
    noise = rng.normal(0, draw(st.floats(0, 12)), flat.shape)
    return np.clip(np.rint(flat + noise), 0, 255).astype(np.uint8)


PICTURE = st.one_of(
    noisy_patchworks(),
    arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))),
    arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3)), elements=st.integers(100, 112)),  # nothing but noise
)


@settings(max_examples=150, deadline=None)
@given(PICTURE)
def test_merging_again_changes_nothing_and_no_cell_moves_far(native: U8) -> None:
    before = native.copy()
    merged = merge_colors(native)
    assert (native == before).all()
    assert merged.shape == native.shape
    assert merged.dtype == np.uint8
    assert (merge_colors(merged) == merged).all()
    assert moved(native, merged).max() < FARTHEST
    assert {tuple(color) for color in merged.reshape(-1, 3)} <= {tuple(color) for color in native.reshape(-1, 3)}


@settings(max_examples=100, deadline=None)
@given(PICTURE)
def test_the_answer_turns_and_mirrors_with_the_picture(native: U8) -> None:
    merged = merge_colors(native)
    for turns in range(4):
        for mirror in (False, True):
            turned = [np.rot90(each[:, ::-1] if mirror else each, turns) for each in (native, merged)]
            assert (merge_colors(turned[0]) == turned[1]).all()


@settings(max_examples=100, deadline=None)
@given(PICTURE)
def test_colors_twice_the_bound_apart_stay_two(native: U8) -> None:
    merged = merge_colors(native)
    lab = srgb_to_cielab(native.reshape(-1, 3))
    one = (merged.reshape(-1, 1, 3) == merged.reshape(1, -1, 3)).all(axis=2)
    # CIEDE2000 is no metric: two steps of 5 may make a little more than 10 in it.
    assert ciede2000(lab[:, None], lab[None])[one].max() < 2 * FARTHEST + 1


@pytest.mark.parametrize("style", STYLES)
def test_what_was_drawn_is_not_touched(style: Style) -> None:
    for native in drawn_originals(style):
        assert merge_colors(native) is native


def test_the_real_originals_are_not_touched_and_the_candidates_lose_noise(shared: Path) -> None:
    folder = shared / "data" / "portraits"
    if not folder.is_dir():
        pytest.skip("needs the real portraits")
    counts: dict[str, list[int]] = {"originals": [], "generated": []}
    for origin, found in counts.items():
        for path in sorted((folder / origin).glob("*.png")):
            native = measure_pixels(read_rgb(path).rgb, (NATIVE, NATIVE))[1]
            assert native is not None
            merged = merge_colors(native)
            assert origin == "generated" or merged is native, path.name
            found.append(distinct(merged))
    assert np.median(counts["generated"]) < 1.5 * np.median(counts["originals"])


@pytest.mark.parametrize("style", STYLES)
def test_pictures_painted_by_other_noise_are_merged_too(style: Style) -> None:
    """Of the same size everywhere, and with a cast: not what the constants were read from."""
    uneven = []
    for seed, meant in enumerate(drawn_originals(style)[:12]):
        read = rendered(meant, np.random.default_rng(seed))
        merged = merge_colors(read)
        assert distinct(read) > 150
        assert distinct(merged) < 0.3 * distinct(read)
        steps = [
            np.concatenate([part.reshape(-1) for part in neighbor_differences(srgb_to_cielab(each))])
            for each in (meant, merged)
        ]
        uneven.append(float((steps[1][steps[0] == 0] > 0).mean()))
    assert np.mean(uneven) < 0.1


def test_flat_and_single_cells_come_back() -> None:
    assert (merge_colors(np.full((24, 24, 3), 77, np.uint8)) == 77).all()
    assert merge_colors(np.zeros((1, 1, 3), np.uint8)).shape == (1, 1, 3)


@pytest.mark.parametrize("style", STYLES)
def test_painted_pictures_get_back_the_colors_that_were_meant(style: Style) -> None:
    pairs = as_painted(style)
    merged = [merge_colors(read) for _, read in pairs]
    meant_count = np.median([distinct(meant) for meant, _ in pairs])
    assert np.median([distinct(read) for _, read in pairs]) > 10 * meant_count
    assert np.median([distinct(done) for done in merged]) < 1.3 * meant_count
    before = np.mean([moved(meant, read).mean() for meant, read in pairs])
    after = np.mean([moved(meant, done).mean() for (meant, _), done in zip(pairs, merged, strict=True)])
    assert after < 0.5 * before
    right = np.mean([(moved(meant, done) <= 2).mean() for (meant, _), done in zip(pairs, merged, strict=True)])
    assert right > 0.93


@pytest.mark.parametrize("style", STYLES)
def test_details_of_one_cell_stay(style: Style) -> None:
    details = 0
    for meant, read in as_painted(style):
        detail = to_nearest_neighbor(meant) >= 10
        details += int(detail.sum())
        assert (to_nearest_neighbor(merge_colors(read))[detail] > 5).all()
    assert details > 200


@pytest.mark.parametrize("style", STYLES)
def test_backgrounds_become_what_they_were_meant_to_be(style: Style) -> None:
    """A solid one has one color, but for stray cells where it meets the figure; gradients and patterns stay such."""
    truths = drawn_set(style).originals[:PICTURES]
    kinds = set()
    for truth, (meant, read) in zip(truths, as_painted(style), strict=True):
        merged = merge_colors(read)
        kinds.add(truth.spec.backdrop.kind)
        assert read_background(merged).kind == truth.spec.backdrop.kind, truth.name
        if truth.spec.backdrop.kind == "solid":
            behind = (meant == meant[0, 0]).all(axis=2)
            assert distinct(merged[binary_erosion(behind, np.ones((3, 3)), border_value=1)][None]) == 1, truth.name
            assert (merged[behind] == merged[0, 0]).all(axis=1).mean() > 0.98, truth.name
    assert len(kinds) > 1


def test_an_outline_one_cell_wide_stays_apart_from_both_sides() -> None:
    rng = np.random.default_rng(3)
    meant = np.full((24, 24, 3), (150, 190, 150), np.uint8)
    meant[6:20, 6:20] = (40, 30, 60)
    meant[7:19, 7:19] = (230, 190, 170)
    meant[12, 12] = (255, 255, 255)
    read = np.clip(np.rint(meant + rng.normal(0, 1.2, meant.shape)), 0, 255).astype(np.uint8)
    merged = merge_colors(read)
    assert distinct(merged) == 4
    assert (merged[12, 12] == read[12, 12]).all()
    for color in np.unique(meant.reshape(-1, 3), axis=0):
        own = (meant == color).all(axis=2)
        assert distinct(merged[own][None]) == 1


def test_two_shades_that_share_a_border_stay_and_shuffled_ones_merge() -> None:
    """The same cells, 3 levels apart: two areas are shading, a mixture is noise."""
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.6, (24, 24, 3))
    sides = np.full((24, 24, 3), 120.0)
    sides[:, 12:] += 2.0
    shuffled = rng.permutation(sides.reshape(-1, 3)).reshape(sides.shape)
    areas, mixture = (merge_colors(np.rint(picture + noise).astype(np.uint8)) for picture in (sides, shuffled))
    assert distinct(areas) == 2
    assert distinct(areas[:, :12]) == 1
    assert distinct(mixture) == 1


def test_noise_is_measured_in_levels_and_follows_gradients() -> None:
    rng = np.random.default_rng(7)
    slope = np.broadcast_to(np.arange(24)[None, :, None] * 2.0 + 60, (24, 24, 3))
    quiet, loud = (np.rint(slope + rng.normal(0, level, slope.shape)).astype(np.uint8) for level in (0.5, 1.5))
    assert render_levels(slope.astype(np.uint8))[0] <= 0.6
    assert 0.6 < render_levels(quiet)[0] < 1.6 < render_levels(loud)[0] < 3.5


def test_large_pictures_with_many_colors_are_merged_within_memory() -> None:
    rng = np.random.default_rng(9)
    meant = np.kron(rng.integers(0, 256, (6, 6, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    read = np.clip(np.rint(meant + rng.normal(0, 2.0, meant.shape)), 0, 255).astype(np.uint8)
    assert distinct(read) > MOST_COLORS
    assert is_painted(read)
    merged = merge_colors(read)
    assert distinct(merged) <= 40
    assert (moved(meant, merged) < 2).mean() > 0.95
