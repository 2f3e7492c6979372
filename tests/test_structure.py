"""Structure and render measures say nothing of a clean enlargement, and each climbs its own ladder of faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from graftset.drawn.specs import Style
from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import ciede2000
from graftset.pixels.grid import AxisGrid, find_axis, from_native, sample_cells, step_profiles, to_native
from graftset.pixels.structure import (
    FLAT,
    SAME_COLOR,
    color_count,
    edge_profile,
    flat_cells,
    grid_residual,
    label_regions,
    neighbor_differences,
    orphan_cells,
    render_noise,
    texture_noise,
)
from painted_pictures import NATIVE, STYLES, U8, Mask, drawn_originals, patchwork

SIZE = 512
RENDER = ("grid_residual", "edge_width", "edge_drift", "texture_noise", "render_noise")
ROUNDING = 1 / 3  # px: how late, in the middle, whole pixels make the borders of cells of 21.33 px


def whole_grid(cells: int = NATIVE, size: int = SIZE) -> AxisGrid:
    return AxisGrid(cells, size / cells, 0.0, 1.0)


def measures(rgb: U8, axis: AxisGrid | None = None) -> dict[str, float]:
    """Every render measure of a square picture, in px, levels and CIEDE2000."""
    if axis is None:
        axis = find_axis(step_profiles(rgb)[0], expected=NATIVE)
        assert axis is not None
    core = sample_cells(rgb, axis, axis)
    native = to_native(core)
    lab = srgb_to_cielab(native)
    flat = flat_cells(*neighbor_differences(lab))
    width, drift = edge_profile(rgb, native, axis, axis)
    return {
        "grid_residual": grid_residual(sample_cells(rgb, axis, axis, span=0.9), native),
        "edge_width": width,
        "edge_drift": drift,
        "texture_noise": texture_noise(core, flat),
        "render_noise": render_noise(lab, flat),
    }


def to_levels(values: np.ndarray) -> U8:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def blurred(native: U8, px: float) -> U8:
    return to_levels(gaussian_filter(enlarged(native).astype(np.float32), (px, px, 0)))


def roughened(native: U8, levels: float) -> U8:
    return to_levels(enlarged(native) + levels * _grain()[..., None])


@cache
def _grain() -> np.ndarray:
    """Fine grain [SIZE, SIZE] with a standard deviation of 1."""
    grain = gaussian_filter(np.random.default_rng(1).standard_normal((SIZE, SIZE)), 0.8)
    return np.asarray(grain / grain.std())


def warped(native: U8, px: float) -> U8:
    """Moved by up to `px`, smoothly varying over about two cells."""
    where = np.rint(np.indices((SIZE, SIZE)) + px * _currents()).astype(int).clip(0, SIZE - 1)
    return enlarged(native)[where[0], where[1]]


@cache
def _currents() -> np.ndarray:
    """Smooth random displacements [2, SIZE, SIZE], the largest one 1."""
    shift = gaussian_filter(np.random.default_rng(2).standard_normal((2, SIZE, SIZE)), (0, 24, 24))
    return np.asarray(shift / np.abs(shift).max())


def jittered(native: U8, levels: float) -> U8:
    return enlarged(to_levels(native + np.random.default_rng(3).normal(0, levels, native.shape)))


def enlarged(native: U8) -> U8:
    return from_native(native, SIZE, SIZE)


LADDERS: dict[str, tuple[Callable[[U8, float], U8], Sequence[float]]] = {
    "blur": (blurred, (1, 2, 3, 4, 6)),
    "texture": (roughened, (1, 2, 4, 8, 12)),
    "warp": (warped, (4, 8, 12, 16, 24)),
    "jitter": (jittered, (0.5, 1, 2, 4, 6)),
}


@cache
def ladder(name: str) -> dict[str, list[float]]:
    """Median of each measure over portraits of both styles, step by step; the first step is a clean enlargement."""
    spoil, steps = LADDERS[name]
    natives = [native for style in STYLES for native in drawn_originals(style)[:3]]
    rungs = [[measures(enlarged(native)) for native in natives]]
    rungs += [[measures(spoil(native, step)) for native in natives] for step in steps]
    return {key: [float(np.median([m[key] for m in rung])) for rung in rungs] for key in RENDER}


# --- the render measures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cells", "size"), [(24, 384), (24, 512), (32, 512), (48, 1000), (16, 250)])
def test_a_clean_enlargement_has_no_render_faults(cells: int, size: int) -> None:
    art = patchwork(cells, cells, np.random.default_rng(cells))
    found = measures(from_native(art, size, size), whole_grid(cells, size))
    rounding = 0.0 if size % cells == 0 else 0.5  # px: borders lie on whole pixels, the grid between them
    assert found.pop("edge_drift") <= rounding
    assert found.pop("render_noise") == 0 or size % cells  # runs of one color: flat cells have that very color
    assert found == pytest.approx({"grid_residual": 0, "edge_width": 0, "texture_noise": 0}, abs=1e-4)


@pytest.mark.parametrize("style", STYLES)
def test_enlarged_drawn_portraits_have_no_render_faults(style: Style) -> None:
    for native in drawn_originals(style)[:4]:
        found = measures(enlarged(native))
        assert found.pop("edge_drift") <= ROUNDING + 0.01
        assert found.pop("render_noise") < 0.5  # shading that was drawn
        assert found == pytest.approx({"grid_residual": 0, "edge_width": 0, "texture_noise": 0}, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("blur", "edge_width"),
        ("blur", "grid_residual"),
        ("texture", "texture_noise"),
        ("warp", "edge_drift"),
        ("warp", "grid_residual"),
        ("jitter", "render_noise"),
    ],
)
def test_each_measure_climbs_its_own_ladder(name: str, measure: str) -> None:
    values = ladder(name)[measure]
    assert all(low < high for low, high in pairwise(values)), values


def test_measures_are_in_the_units_they_claim() -> None:
    # 10-90 % of a Gaussian edge is 2.563 standard deviations; a step between two pixels is reported as 0, not 0.8.
    for px, width in zip((2, 3), ladder("blur")["edge_width"][2:4], strict=True):
        assert width == pytest.approx(2.563 * px - 0.8, abs=0.4)
    for levels, noise in zip(LADDERS["texture"][1], ladder("texture")["texture_noise"][1:], strict=True):
        assert noise == pytest.approx(levels, rel=0.08)
    # Independent jitter of three channels by one level is about 0.35-0.7 CIEDE2000, by color.
    assert 0.2 < ladder("jitter")["render_noise"][2] < 0.9


@pytest.mark.parametrize(
    ("name", "measure", "most"),
    [
        # px, up to a blur of 4 px, a texture of 8 levels, a warp of 16 px, jitter of 4 levels
        ("texture", "edge_width", 0.3),
        ("warp", "edge_width", 1.0),
        ("jitter", "edge_width", 0.0),
        ("blur", "edge_drift", ROUNDING + 0.15),
        ("texture", "edge_drift", ROUNDING + 0.05),
        ("jitter", "edge_drift", ROUNDING + 0.01),
        # levels
        ("blur", "texture_noise", 0.15),
        ("warp", "texture_noise", 0.15),
        ("jitter", "texture_noise", 0.0),
        # CIEDE2000
        ("blur", "render_noise", 0.2),
        ("texture", "render_noise", 0.5),
        ("warp", "render_noise", 0.2),
        # ratio
        ("jitter", "grid_residual", 0.0),
    ],
)
def test_no_measure_is_moved_by_another_measures_fault(name: str, measure: str, most: float) -> None:
    assert max(ladder(name)[measure][:-1]) <= most + 1e-4, ladder(name)[measure]


def test_a_picture_without_clear_borders_has_no_edges_to_measure() -> None:
    flat = np.full((96, 96, 3), 120, dtype=np.uint8)
    axis = whole_grid(8, 96)
    assert edge_profile(flat, np.full((8, 8, 3), 120, dtype=np.uint8), axis, axis) == (0.0, 0.0)
    faint = flat.copy()
    faint[:, 48:] += 10
    native = to_native(sample_cells(faint, axis, axis))
    assert edge_profile(faint, native, axis, axis) == (0.0, 0.0)


def test_a_moved_border_drifts_by_as_much_as_it_moved() -> None:
    rgb = np.full((96, 96, 3), 30, dtype=np.uint8)
    rgb[:, 51:] = 220  # the grid line is at 48
    axis = whole_grid(8, 96)
    native = np.full((8, 8, 3), 30, dtype=np.uint8)
    native[:, 4:] = 220
    width, drift = edge_profile(rgb, native, axis, axis)
    assert width == 0
    assert drift == pytest.approx(3)


def test_texture_is_measured_where_the_picture_is_flat() -> None:
    rng = np.random.default_rng(4)
    samples = np.full((6, 6, 49, 3), 100, dtype=np.uint8)
    samples[:3] = to_levels(100 + rng.normal(0, 8, (3, 6, 49, 1)))
    upper = np.zeros((6, 6), dtype=bool)
    upper[:3] = True
    assert texture_noise(samples, upper) == pytest.approx(8, rel=0.1)
    assert texture_noise(samples, ~upper) == 0
    everywhere = texture_noise(samples, np.ones((6, 6), dtype=bool))
    assert texture_noise(samples, np.zeros((6, 6), dtype=bool)) == everywhere  # too few flat cells: all count


def test_render_noise_follows_gradients_and_ignores_lone_outliers() -> None:
    ramp = np.zeros((12, 12, 3), dtype=np.float32)
    ramp[..., 0] = 40 + np.arange(12)[:, None]
    everywhere = np.ones((12, 12), dtype=bool)
    assert render_noise(ramp, everywhere) == pytest.approx(0, abs=1e-4)
    ramp[5, 5, 0] += 30
    assert render_noise(ramp, everywhere) == pytest.approx(0, abs=1e-4)


def test_a_picture_that_is_noise_all_over_is_not_free_of_noise() -> None:
    native = drawn_originals("classic")[0]
    noise = [measures(jittered(native, levels))["render_noise"] for levels in (4, 10, 20, 40)]
    assert noise[0] < noise[1] < noise[2] < noise[3]


# --- flat cells, colors and orphans ----------------------------------------------------------------------------------

BASE, OTHER = (60, 60, 60), (200, 60, 60)


def cells_of(*rows: str) -> U8:
    """A picture from rows of letters: `.` is the base color, `x` another one."""
    return np.array([[OTHER if cell == "x" else BASE for cell in row] for row in rows], dtype=np.uint8)


def test_orphans_are_cells_unlike_all_eight_neighbours() -> None:
    picture = cells_of(
        "x.....",
        "......",
        "...x..",
        "....x.",  # touches the one above it by a corner
        ".x....",
        "......",
    )
    assert orphan_cells(srgb_to_cielab(picture)) == pytest.approx(2 / 36)
    assert orphan_cells(srgb_to_cielab(cells_of("..", ".."))) == 0
    assert orphan_cells(srgb_to_cielab(cells_of("x."))) == 1


def test_flat_cells_are_like_all_four_neighbours() -> None:
    picture = cells_of(
        ".....",
        ".....",
        "..x..",
        ".....",
    )
    lab = srgb_to_cielab(picture)
    expected = np.ones((4, 5), dtype=bool)
    expected[2, 1:4] = expected[1, 2] = expected[3, 2] = False
    assert (flat_cells(*neighbor_differences(lab)) == expected).all()


@settings(max_examples=30)
@given(picture=arrays(np.uint8, (5, 6, 3), elements=st.sampled_from([0, 8, 60, 70, 200])))
def test_orphans_by_brute_force(picture: U8) -> None:
    lab = srgb_to_cielab(picture)
    orphans = 0
    for y in range(5):
        for x in range(6):
            around = [(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
            inside = [(v, u) for v, u in around if 0 <= v < 5 and 0 <= u < 6]
            orphans += all(ciede2000(lab[y, x], lab[place]) >= FLAT for place in inside)
    assert orphan_cells(lab) == pytest.approx(orphans / 30)
    assert orphan_cells(lab, neighbor_differences(lab)) == pytest.approx(orphans / 30)


def colors_by_brute_force(native: U8) -> int:
    """One color after the other, the most used first, takes all that are left within 2 CIEDE2000."""
    found, counts = np.unique(native.reshape(-1, 3), axis=0, return_counts=True)
    left = srgb_to_cielab(found[np.argsort(-counts, kind="stable")])
    kept = 0
    while len(left):
        left = left[ciede2000(left, left[0]) >= SAME_COLOR]
        kept += 1
    return kept


def test_colors_are_counted_as_by_brute_force() -> None:
    rng = np.random.default_rng(5)
    for native in (*drawn_originals("classic")[:3], *drawn_originals("soft")[:3]):
        for jitter in (0, 1, 3, 8):
            picture = to_levels(native + rng.normal(0, jitter, native.shape))
            assert color_count(picture) == colors_by_brute_force(picture)


@pytest.mark.parametrize("corner", [(10, 5, 250), (250, 5, 5), (5, 250, 5), (250, 250, 5), (128, 128, 128), (5, 5, 5)])
def test_colors_are_counted_right_in_every_corner_of_the_cube(corner: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(6)
    for spread in (3, 12, 25):
        picture = to_levels(np.array(corner) + rng.uniform(-spread, spread, (24, 24, 3)))
        assert color_count(picture) == colors_by_brute_force(picture)


def test_saturated_blues_that_look_the_same_count_once() -> None:
    # Up to 13.7 CIELAB units apart, further than anywhere else in sRGB, they are within 2 CIEDE2000.
    rng = np.random.default_rng(36)
    picture = to_levels(np.array((20, 15, 245)) + rng.uniform(-30, 30, (24, 24, 3)))
    assert color_count(picture) == colors_by_brute_force(picture)


def test_colors_closer_than_can_be_seen_count_once() -> None:
    picture = np.full((4, 4, 3), 100, dtype=np.uint8)
    picture[0, 0] += 1
    assert color_count(picture) == 1
    picture[0, 1] = (100, 140, 100)
    assert color_count(picture) == 2
    assert color_count(np.zeros((1, 1, 3), dtype=np.uint8)) == 1


# --- regions ---------------------------------------------------------------------------------------------------------


def regions_by_flooding(mask: Mask, *, diagonal: bool) -> list[set[tuple[int, int]]]:
    """Connected regions by walking from cell to cell."""
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y or x) and (diagonal or not (y and x))]
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    regions = []
    while left:
        region, border = set(), [left.pop()]
        while border:
            cell = border.pop()
            region.add(cell)
            near = {(cell[0] + y, cell[1] + x) for y, x in steps} & left
            left -= near
            border.extend(near)
        regions.append(region)
    return regions


@given(mask=arrays(np.bool_, (7, 9)), diagonal=st.booleans())
def test_regions_are_the_connected_ones(mask: Mask, diagonal: bool) -> None:
    labels = label_regions(mask, diagonal=diagonal)
    assert ((labels > 0) == mask).all()
    found = [
        set(zip(*map(np.ndarray.tolist, np.nonzero(labels == i)), strict=True)) for i in range(1, labels.max() + 1)
    ]
    expected = regions_by_flooding(mask, diagonal=diagonal)
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
