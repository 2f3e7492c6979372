"""A painted picture gives back its native grid, whatever its size, and a picture without a grid says so."""

from __future__ import annotations

import json
from math import gcd
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from graftset.pixels.grid import (
    CONVINCING,
    MIN_CELL_PX,
    MIN_CELLS,
    MIN_CONFIDENCE,
    AxisGrid,
    exact_enlargement,
    find_axis,
    from_native,
    sample_cells,
    step_profiles,
    to_native,
)
from painted_pictures import U8, as_jpeg, drawn_originals, open_rgb, paint, patchwork, read_native

NEAR = 0.1  # px: how exactly a cell's size must be found


def grid_of(rgb: U8, expected: int | None = None, *, insist: bool = False) -> tuple[AxisGrid | None, AxisGrid | None]:
    """The grids along x and y."""
    across, down = step_profiles(rgb)
    return find_axis(across, expected=expected, insist=insist), find_axis(down, expected=expected, insist=insist)


def found_grid(rgb: U8, expected: int | None = None, *, insist: bool = False) -> tuple[AxisGrid, AxisGrid]:
    """The grids along x and y, which must be there."""
    x, y = grid_of(rgb, expected, insist=insist)
    assert x is not None
    assert y is not None
    return x, y


def off_by(found: float, true: float, cell: float) -> float:
    """Distance of two grid offsets in px: one cell further on is the same grid."""
    return abs((found - true + cell / 2) % cell - cell / 2)


@pytest.mark.parametrize("size", [128, 192, 256, 384, 512, 768, 1024])
def test_any_number_of_cells_is_found_at_any_size(size: int) -> None:
    rng = np.random.default_rng(size)
    for cells in (8, 12, 16, 20, 24, 31, 32, 48, 64):
        if size / cells < 4:
            continue
        art = patchwork(cells, cells, rng)
        painted = paint(art, rng, size=(size, size))
        x, y = found_grid(painted)
        for axis in (x, y):
            assert axis.cells == cells, f"{cells} cells at {size} px read as {axis}"
            assert axis.cell == pytest.approx(size / cells, abs=NEAR)
            assert off_by(axis.offset, 0, axis.cell) <= 0.6  # whole pixels: a border is up to one late
            assert axis.confidence > CONVINCING
        difference = np.abs(to_native(sample_cells(painted, x, y)).astype(int) - art)
        assert np.percentile(difference, 99) <= (3 if size / cells >= 6 else 12)  # small cells bleed into each other


@pytest.mark.parametrize(("cells", "size"), [(48, 128), (64, 192), (180, 512), (40, 128), (48, 200)])
def test_cells_of_about_three_pixels_are_found_and_believed(cells: int, size: int) -> None:
    assert size / cells >= MIN_CELL_PX
    rng = np.random.default_rng(1)
    for axis in found_grid(paint(patchwork(cells, cells, rng), rng, size=(size, size), blur=0.4, noise=1)):
        assert axis.cells == cells
        assert axis.confidence > CONVINCING


@pytest.mark.parametrize(
    ("cells", "size"),
    [
        ((16, 24), (320, 480)),
        ((24, 16), (768, 512)),
        ((24, 24), (640, 512)),
        ((48, 20), (720, 300)),
        ((36, 24), (512, 341)),
    ],
)
def test_pictures_and_cells_need_not_be_square(cells: tuple[int, int], size: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    for _ in range(3):
        grids = found_grid(paint(patchwork(*cells, rng), rng, size=size))
        assert tuple(axis.cells for axis in grids) == cells
        assert [axis.cell for axis in grids] == pytest.approx([size[0] / cells[0], size[1] / cells[1]], abs=NEAR)


@pytest.mark.parametrize("shift", [1.0, 3.0, 5.3, 8.0, 10.5, 14.0, 19.0])
def test_a_grid_moved_by_part_of_a_cell_is_found_where_it_lies(shift: float) -> None:
    rng = np.random.default_rng(3)
    for native in drawn_originals("classic")[:4]:
        painted = paint(native, rng, shift=(shift, shift / 2))
        x, y = found_grid(painted, expected=24)
        assert (x.cells, y.cells) == (24, 24)
        assert x.cell == pytest.approx(512 / 24, abs=NEAR)
        assert off_by(x.offset, shift, x.cell) <= 0.6
        assert off_by(y.offset, shift / 2, y.cell) <= 0.6


def test_a_cropped_picture_keeps_its_cell_size() -> None:
    rng = np.random.default_rng(4)
    for native in drawn_originals("soft")[:4]:
        cropped = paint(native, rng)[7:497, 3:493]
        x, y = found_grid(cropped, expected=24)
        assert (x.cell, y.cell) == pytest.approx((512 / 24, 512 / 24), abs=NEAR)
        assert off_by(x.offset, -3, x.cell) <= 0.6
        assert off_by(y.offset, -7, y.cell) <= 0.6
        assert (x.cells, y.cells) == (23, 23)


def test_the_grid_survives_blur_and_says_how_much_of_it_is_left() -> None:
    rng = np.random.default_rng(5)
    for native in (*drawn_originals("classic")[:2], *drawn_originals("soft")[:2]):
        sure = []
        for blur in (0.5, 1.5, 3.0, 4.5, 6.0):
            x, _ = found_grid(paint(native, rng, blur=blur, noise=1), expected=24)
            assert x.cells == 24
            assert x.cell == pytest.approx(512 / 24, abs=NEAR)
            sure.append(x.confidence)
        assert sure == sorted(sure, reverse=True)
        assert sure[0] > 0.8
        assert sure[-1] < MIN_CONFIDENCE


@pytest.mark.parametrize("noise", [3, 10, 20])
def test_the_grid_survives_noise(noise: float) -> None:
    rng = np.random.default_rng(6)
    for native in (*drawn_originals("classic")[:2], *drawn_originals("soft")[:2]):
        for axis in found_grid(paint(native, rng, noise=noise), expected=24):
            assert axis.cells == 24
            assert axis.cell == pytest.approx(512 / 24, abs=NEAR)


@pytest.mark.parametrize("quality", [90, 60, 30, 10])
def test_jpeg_blocks_are_not_taken_for_cells(quality: int) -> None:
    rng = np.random.default_rng(7)
    for native in (*drawn_originals("classic")[:2], *drawn_originals("soft")[:2]):
        for axis in found_grid(as_jpeg(paint(native, rng, blur=1), quality)):
            assert axis.cells == 24
            assert axis.cell == pytest.approx(512 / 24, abs=NEAR)


def flat() -> U8:
    return np.full((512, 512, 3), 90, dtype=np.uint8)


def white_noise(seed: int, size: int = 512) -> U8:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)


def photograph(seed: int) -> U8:
    """Clouds with detail at every scale, as photographs have."""
    rng = np.random.default_rng(seed)
    levels = sum(scale * gaussian_filter(rng.normal(0, 1, (512, 512, 3)), (scale, scale, 0)) for scale in (1, 3, 9, 27))
    return np.clip(40 * np.asarray(levels) + 128, 0, 255).astype(np.uint8)


def ramp() -> U8:
    return np.broadcast_to(np.linspace(0, 255, 512).astype(np.uint8)[None, :, None], (512, 512, 3)).copy()


def test_a_picture_of_one_color_has_no_grid() -> None:
    assert grid_of(flat()) == (None, None)
    assert grid_of(flat(), expected=24) == (None, None)


@pytest.mark.parametrize(
    "picture",
    [white_noise(0), white_noise(1, 256), white_noise(2, 128), photograph(0), photograph(1), ramp()],
    ids=["noise", "small noise", "tiny noise", "photograph", "another photograph", "ramp"],
)
def test_a_picture_without_a_grid_is_not_believed(picture: U8) -> None:
    for axis in grid_of(picture):
        assert axis is None or axis.confidence < MIN_CONFIDENCE


def test_where_nothing_explains_the_edges_the_expected_grid_is_taken_without_confidence() -> None:
    for picture in (white_noise(0), photograph(0)):
        for axis in found_grid(picture, expected=24):
            assert (axis.cells, axis.offset) == (24, 0)
            assert axis.confidence < MIN_CONFIDENCE


def test_a_picture_too_small_to_hold_cells_has_no_grid() -> None:
    assert grid_of(white_noise(0, 16)) == (None, None)
    assert grid_of(white_noise(0, 1)) == (None, None)


def test_edges_on_every_second_line_are_read_as_the_originals_grid() -> None:
    rng = np.random.default_rng(8)
    for _ in range(4):
        painted = paint(patchwork(12, 12, rng).repeat(2, axis=0).repeat(2, axis=1), rng)
        assert [axis.cells for axis in found_grid(painted)] == [12, 12]  # nothing in the picture says otherwise
        assert [axis.cells for axis in found_grid(painted, expected=24)] == [24, 24]


def test_a_few_small_details_betray_the_finer_grid() -> None:
    rng = np.random.default_rng(9)
    for _ in range(4):
        art = patchwork(12, 12, rng).repeat(2, axis=0).repeat(2, axis=1)
        for row, column in rng.integers(0, 24, (24, 2)):
            art[row, column] = rng.integers(0, 256, 3)
        assert [axis.cells for axis in found_grid(paint(art, rng))] == [24, 24]


def test_another_grid_that_is_plain_to_see_is_believed_unless_told_to_insist() -> None:
    rng = np.random.default_rng(10)
    painted = paint(patchwork(32, 32, rng), rng)
    assert [axis.cells for axis in found_grid(painted, expected=24)] == [32, 32]
    assert [axis.cells for axis in found_grid(painted, expected=24, insist=True)] == [24, 24]


def test_an_expected_grid_finer_than_the_picture_can_hold_is_left_alone() -> None:
    rng = np.random.default_rng(11)
    painted = paint(patchwork(16, 16, rng), rng, size=(128, 128))
    assert [axis.cells for axis in found_grid(painted, expected=64)] == [16, 16]


natives = st.integers(1, 12).flatmap(
    lambda h: st.integers(1, 12).flatmap(lambda w: arrays(np.uint8, (h, w, 3), elements=st.sampled_from([0, 90, 255])))
)


@given(native=natives, factor=st.integers(1, 7))
def test_an_enlargement_is_recognised_and_undone(native: U8, factor: int) -> None:
    height, width = native.shape[0] * factor, native.shape[1] * factor
    enlarged = from_native(native, width, height)
    found = exact_enlargement(enlarged)
    assert found % factor == 0
    assert (from_native(enlarged[::found, ::found], width, height) == enlarged).all()
    larger = [k for k in range(found + 1, gcd(width, height) + 1) if gcd(width, height) % k == 0]
    assert not any((from_native(enlarged[::k, ::k], width, height) == enlarged).all() for k in larger)


def test_one_changed_pixel_is_no_enlargement() -> None:
    enlarged = from_native(patchwork(24, 24, np.random.default_rng(12)), 384, 384)
    assert exact_enlargement(enlarged) == 16
    for row, column in ((0, 0), (383, 383), (101, 207)):
        spoiled = enlarged.copy()
        spoiled[row, column] ^= 1
        assert exact_enlargement(spoiled) == 1


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    cells=st.tuples(st.integers(MIN_CELLS, 48), st.integers(MIN_CELLS, 48)),
    cell=st.floats(4, 30),
)
def test_any_native_picture_comes_back_from_its_enlargement(seed: int, cells: tuple[int, int], cell: float) -> None:
    native = np.random.default_rng(seed).integers(0, 256, (cells[1], cells[0], 3)).astype(np.uint8)
    width, height = round(cells[0] * cell), round(cells[1] * cell)
    enlarged = from_native(native, width, height)
    x, y = AxisGrid(cells[0], width / cells[0], 0.0, 1.0), AxisGrid(cells[1], height / cells[1], 0.0, 1.0)
    samples = sample_cells(enlarged, x, y)
    assert (samples == native[:, :, None]).all()  # soft edges stay outside, so even more do neighbours
    assert (to_native(samples) == native).all()


def test_cells_cut_by_the_frame_are_sampled_inside_the_picture() -> None:
    rgb = np.random.default_rng(13).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    axis = AxisGrid(9, 12.5, -6.0, 1.0)
    assert sample_cells(rgb, axis, axis).shape[:2] == (9, 9)


def test_a_few_stray_pixels_do_not_change_a_cells_color() -> None:
    samples = np.full((1, 1, 49, 3), 100, dtype=np.uint8)
    samples[0, 0, :24] = 255
    assert (to_native(samples) == 100).all()


def test_enlarging_again_gives_the_painted_picture_of_a_clean_one() -> None:
    native = drawn_originals("classic")[0]
    assert (read_native(from_native(native, 512, 512)) == native).all()


def test_every_real_candidate_has_24_cells_of_21_33_pixels(shared: Path) -> None:
    folder = shared / "data" / "portraits"
    names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    for name in names:
        for expected in (24, None):
            for axis in found_grid(open_rgb(folder / "generated" / f"{name}.png"), expected=expected):
                assert axis.cells == 24, f"{name}: {axis}"
                assert axis.cell == pytest.approx(512 / 24, abs=NEAR), f"{name}: {axis}"
