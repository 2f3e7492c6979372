"""What is behind the figure: its cells, its kind and its colors, read from drawn and from real portraits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from graftset.drawn import CandidateTruth, draw_candidate
from graftset.drawn.specs import Style
from graftset.pixels.background import NOISY_TEXTURE, BackgroundReading, group_colors, read_background, ring
from graftset.pixels.color import (
    ColorWords,
    acceptable,
    from_hex,
    srgb_to_cielab,
    srgb_to_oklab,
    to_hex,
)
from graftset.pixels.difference import ciede2000
from graftset.pixels.grid import find_axis, sample_cells, step_profiles, to_native
from graftset.records import Background
from graftset.traits import name_background
from painted_pictures import (
    F32,
    NATIVE,
    STYLES,
    U8,
    Mask,
    drawn_originals,
    drawn_set,
    figure_of,
    open_rgb,
    paint,
    rendered,
)

GRAY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
SPOILED = {"off_grid", "blur", "texture_noise", "melted_face"}


def with_texture(painted: U8) -> tuple[U8, F32]:
    """The native picture and the spread of the pixels inside each cell, as assessing reads them."""
    across, down = step_profiles(painted)
    x, y = find_axis(across, expected=NATIVE), find_axis(down, expected=NATIVE)
    assert x is not None
    assert y is not None
    cells = sample_cells(painted, x, y)
    return to_native(cells), np.asarray((cells @ GRAY).std(axis=2))


def read_painted(painted: U8) -> BackgroundReading:
    return read_background(*with_texture(painted))


@dataclass(frozen=True)
class Read:
    """A drawn portrait's background: what it is and what was read."""

    kind: str
    layout: str
    hexes: tuple[str, ...]
    word: str
    figure: Mask
    reading: BackgroundReading

    @property
    def overlap(self) -> float:
        """Intersection over union of the true and the read background."""
        true, read = ~self.figure, self.reading.mask
        return float((true & read).sum() / (true | read).sum())

    @property
    def swallowed(self) -> float:
        """Share of the figure that is taken for background."""
        return float((self.reading.mask & self.figure).sum() / self.figure.sum())


@cache
def read_originals(style: Style) -> tuple[Read, ...]:
    read = []
    for original, native in zip(drawn_set(style).originals, drawn_originals(style), strict=True):
        backdrop = original.spec.backdrop
        read.append(
            Read(
                backdrop.kind,
                backdrop.layout,
                tuple(tint.hex for tint in backdrop.tints),
                backdrop.tints[0].word,
                figure_of(original.spec, style),
                read_background(native),
            )
        )
    return tuple(read)


@cache
def read_candidates(style: Style, count: int = 70) -> tuple[Read, ...]:
    """Candidates whose painting is not faulty."""
    read = []
    for candidate in [c for c in drawn_set(style).candidates if not SPOILED & set(c.faults)][:count]:
        backdrop = candidate.spec.backdrop
        read.append(
            Read(
                backdrop.kind,
                backdrop.layout,
                tuple(tint.hex for tint in backdrop.tints),
                backdrop.tints[0].word,
                figure_of(candidate.spec, style),
                read_painted(draw_candidate(candidate, style)),
            )
        )
    return tuple(read)


def share_right(read: tuple[Read, ...]) -> float:
    wrong = Counter((r.layout, r.reading.kind) for r in read if r.reading.kind != r.kind)
    if wrong:
        print(dict(wrong))
    return 1 - sum(wrong.values()) / len(read)


def difference(first: U8, second: U8) -> float:
    return float(ciede2000(srgb_to_cielab(first), srgb_to_cielab(second)))


# --- drawn portraits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_the_kind_of_a_drawn_background_is_read(style: Style) -> None:
    read = read_originals(style)
    assert share_right(read) >= 0.97
    for kind in ("solid", "pattern", "split", "gradient"):
        assert share_right(tuple(r for r in read if r.kind == kind)) >= (0.98 if kind in ("solid", "pattern") else 0.85)


@pytest.mark.parametrize("style", STYLES)
def test_render_noise_does_not_change_the_kind(style: Style) -> None:
    assert share_right(read_candidates(style)) >= 0.95


@pytest.mark.parametrize("style", STYLES)
def test_a_figure_that_reaches_the_top_does_not_become_background(style: Style) -> None:
    tall = tuple(r for r in read_originals(style) if r.figure[0].any())
    assert len(tall) >= 10
    assert share_right(tall) >= 0.9
    assert np.median([r.swallowed for r in tall]) == 0
    assert np.mean([r.swallowed <= 0.05 for r in tall]) >= 0.9


@pytest.mark.parametrize("style", STYLES)
def test_the_mask_covers_the_background_and_leaves_the_figure(style: Style) -> None:
    read = read_originals(style)
    assert np.median([r.overlap for r in read]) >= 0.99
    assert min(r.overlap for r in read) >= 0.8
    assert np.mean([r.swallowed <= 0.02 for r in read]) >= 0.9


@pytest.mark.parametrize("style", STYLES)
def test_the_color_of_a_solid_background_is_exact_and_its_word_acceptable(style: Style) -> None:
    for read, tolerance in ((read_originals(style), 0.0), (read_candidates(style), 2.0)):
        solid = [r for r in read if r.kind == "solid"]
        assert len(solid) >= 30
        for r in solid:
            color, share = r.reading.colors[0]
            assert difference(color, from_hex(r.hexes[0])) <= tolerance
            assert share >= 0.6
            assert r.word in acceptable(ColorWords({}).votes(srgb_to_oklab(color)[None])[0])


@pytest.mark.parametrize("style", STYLES)
def test_both_colors_of_two_colored_backgrounds_are_found_with_their_shares(style: Style) -> None:
    for r in read_originals(style):
        if r.kind not in ("split", "pattern") or r.reading.kind != r.kind:
            continue
        true = [from_hex(code) for code in r.hexes]
        for color in true:
            near = [share for found, share in r.reading.colors if difference(color, found) < 1]
            assert near, f"{to_hex(color)} is not among {[to_hex(c) for c, _ in r.reading.colors]}"
            assert 0.15 <= sum(near) <= 0.85


@pytest.mark.parametrize("style", STYLES)
def test_texture_in_the_background_is_noisy_and_nothing_else_is(style: Style) -> None:
    def spoiled(candidate: CandidateTruth) -> bool:
        return "texture_noise" in candidate.faults and candidate.spec.backdrop.kind == "solid"

    rough = [c for c in drawn_set(style).candidates if spoiled(c)]
    assert len(rough) >= 4
    assert {read_painted(draw_candidate(c, style)).kind for c in rough} == {"noisy"}
    assert "noisy" not in {r.reading.kind for r in read_candidates(style)}


# --- backgrounds laid out by hand ------------------------------------------------------------------------------------

LIGHT, DARK, RED, GREEN = ((200, 205, 210), (40, 60, 120), (190, 40, 40), (50, 160, 70))
Layout = Callable[[U8], U8]


def canvas(height: int = NATIVE, width: int = NATIVE, color: tuple[int, int, int] = LIGHT) -> U8:
    return np.full((height, width, 3), color, dtype=np.uint8)


def with_figure(background: U8) -> U8:
    """A bust in the middle: head, shoulders, and a face that is not of one color."""
    picture = background.copy()
    height, width = picture.shape[:2]
    rows, columns = np.indices((height, width))
    y, x = (rows + 0.5) / height, np.abs((columns + 0.5) / width - 0.5)
    picture[((y - 0.42) / 0.3) ** 2 + (x / 0.24) ** 2 < 1] = (220, 170, 130)
    picture[(y > 0.2) & (y < 0.3) & (x < 0.2)] = (90, 50, 30)
    picture[(y > 0.75) & (x < 0.42)] = (60, 60, 65)
    return picture


def figure_by_hand(height: int = NATIVE, width: int = NATIVE) -> Mask:
    return np.asarray((with_figure(canvas(height, width)) != canvas(height, width)).any(axis=-1))


def mixed(weight: np.ndarray) -> U8:
    """From dark (0) to light (1) by weight [h, w]."""
    span = np.array(LIGHT, dtype=float) - DARK
    return np.rint(DARK + weight[..., None] * span).astype(np.uint8)


def split_at(column: int) -> U8:
    picture = canvas()
    picture[:, column:] = DARK
    return picture


def horizon(row: int) -> U8:
    picture = canvas()
    picture[row:] = DARK
    return picture


def quarters() -> U8:
    picture = canvas()
    picture[:12, 12:], picture[12:, :12], picture[12:, 12:] = DARK, RED, GREEN
    return picture


def checker(side: int) -> U8:
    rows, columns = np.indices((NATIVE, NATIVE)) // side
    return mixed((rows + columns) % 2)


def bricks() -> U8:
    rows, columns = np.indices((NATIVE, NATIVE))
    joint = (rows % 4 == 3) | ((columns + 4 * (rows // 4 % 2)) % 8 == 7)
    return mixed(joint.astype(float))


def ramp(down: float, right: float, bands: int = 0) -> U8:
    """A linear gradient, smooth or in bands."""
    rows, columns = np.indices((NATIVE, NATIVE)) / (NATIVE - 1)
    weight = (down * rows + right * columns) / (down + right)
    return mixed(np.minimum(np.floor(weight * bands), bands - 1) / (bands - 1) if bands else weight)


def halo() -> U8:
    rows, columns = np.indices((NATIVE, NATIVE)) - (NATIVE - 1) / 2
    return mixed(np.hypot(rows, columns) / np.hypot(12, 12))


LAYOUTS: dict[str, tuple[U8, str]] = {
    "one color": (canvas(), "solid"),
    "halves": (split_at(12), "split"),
    "a third": (split_at(8), "split"),
    "a horizon": (horizon(9), "split"),
    "quarters": (quarters(), "split"),
    "a checker": (checker(2), "pattern"),
    "a large checker": (checker(4), "pattern"),
    "bricks": (bricks(), "pattern"),
    "a ramp to the right": (ramp(0, 1), "gradient"),
    "a ramp down": (ramp(1, 0), "gradient"),
    "a diagonal ramp": (ramp(1, 1), "gradient"),
    "bands to the right": (ramp(0, 1, bands=8), "gradient"),
    "bands down": (ramp(1, 0, bands=6), "gradient"),
    "a halo": (halo(), "gradient"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_background_laid_out_by_hand_is_read_with_and_without_render_noise(name: str) -> None:
    background, kind = LAYOUTS[name]
    picture = with_figure(background)
    reading = read_background(picture)
    assert reading.kind == kind
    assert (reading.mask == ~figure_by_hand()).mean() >= 0.99
    rng = np.random.default_rng(0)
    again = [read_background(rendered(picture, rng)) for _ in range(10)]
    assert sum(r.kind == kind for r in again) >= 8
    assert np.median([(r.mask == ~figure_by_hand()).mean() for r in again]) >= 0.97
    assert not any((r.mask & figure_by_hand()).any() for r in again)


def test_a_faint_gradient_is_solid() -> None:
    faint = with_figure(np.rint(np.array(LIGHT) + np.indices((NATIVE, NATIVE))[0][..., None] / 5).astype(np.uint8))
    assert read_background(faint).kind == "solid"


def test_hair_that_touches_the_frame_is_no_background() -> None:
    for background, kind in (LAYOUTS["one color"], LAYOUTS["a ramp down"], LAYOUTS["halves"]):
        picture = with_figure(background)
        picture[6:11, 17:] = (90, 50, 30)
        reading = read_background(picture)
        assert reading.kind == kind
        assert not reading.mask[6:11, 17:].any()


def test_a_hat_that_fills_the_top_is_no_background() -> None:
    picture = with_figure(canvas())
    picture[:5, 6:18] = DARK
    reading = read_background(picture)
    assert reading.kind == "solid"
    assert not reading.mask[:5, 6:18].any()
    assert to_hex(reading.colors[0][0]) == to_hex(LIGHT)


def test_background_between_arm_and_body_counts_where_it_touches_the_outside() -> None:
    picture = with_figure(canvas())
    picture[10:14, 10:14] = LIGHT  # inside the face: not connected
    assert not read_background(picture).mask[10:14, 10:14].any()


def test_a_picture_of_one_color_is_all_background() -> None:
    reading = read_background(canvas())
    assert reading.kind == "solid"
    assert reading.mask.all()
    assert reading.coverage == 1
    assert [(to_hex(color), share) for color, share in reading.colors] == [(to_hex(LIGHT), 1.0)]


@pytest.mark.parametrize("size", [(8, 8), (8, 12), (16, 8), (64, 48)])
def test_pictures_of_other_sizes_are_read(size: tuple[int, int]) -> None:
    picture = with_figure(canvas(*size))
    reading = read_background(picture)
    assert reading.kind == "solid"
    assert to_hex(reading.colors[0][0]) == to_hex(LIGHT)
    assert (reading.mask & figure_by_hand(*size)).sum() == 0


def test_texture_is_read_in_the_background_alone() -> None:
    picture, figure = with_figure(canvas()), figure_by_hand()
    rough = np.where(figure, 5 * NOISY_TEXTURE, 0.5).astype(np.float32)
    assert read_background(picture, rough).kind == "solid"
    assert read_background(picture, np.where(figure, 0.0, 2 * NOISY_TEXTURE).astype(np.float32)).kind == "noisy"
    grain = np.random.default_rng(0).normal(0, 12, (512, 512, 1))
    grainy = np.clip(paint(picture, np.random.default_rng(1)) + grain, 0, 255).astype(np.uint8)
    assert read_painted(grainy).kind == "noisy"


any_picture = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: arrays(np.uint8, (*size, 3), elements=st.sampled_from([0, 4, 20, 90, 200, 255]))
)


@settings(max_examples=150)
@given(picture=any_picture)
def test_whatever_the_picture_a_background_is_read(picture: U8) -> None:
    reading = read_background(picture)
    assert reading.mask.any()
    assert 0 < reading.coverage <= 1
    shares = [share for _, share in reading.colors]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-9


def test_the_ring_leaves_out_where_figures_reach() -> None:
    mask = ring(24, 24)
    assert mask[0, :6].all()
    assert mask[0, 18:].all()
    assert not mask[0, 6:18].any()
    assert mask[:14, 0].all()
    assert not mask[14:, 0].any()
    assert ring(48, 48)[:2, :12].all()


def test_colors_are_grouped_by_what_can_be_told_apart() -> None:
    rng = np.random.default_rng(2)
    centers = np.array([[60.0, 0.0, 0.0], [60.0, 40.0, 0.0], [30.0, 0.0, -40.0]])
    true = np.repeat([0, 1, 2], [30, 20, 10])
    groups, middles = group_colors(centers[true] + rng.normal(0, 0.8, (60, 3)))
    assert (groups == true).all()  # numbered by size
    np.testing.assert_allclose(middles, centers, atol=1)


# --- real portraits --------------------------------------------------------------------------------------------------


def name_of(reading: BackgroundReading) -> Background:
    colors = [[to_hex(color), share] for color, share in reading.colors]
    return name_background({"kind": reading.kind, "colors": colors, "coverage": reading.coverage}, ColorWords({}))


def test_readers_agree_with_word_and_kind_of_real_candidates(shared: Path) -> None:
    folder = shared / "data" / "portraits"
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    words = kinds = 0
    for name, label in labels.items():
        seen = name_of(read_painted(open_rgb(folder / "generated" / f"{name}.png")))
        words += seen.value in label["background"]["colours_accepted"] + label["background"]["other_colours"]
        kinds += seen.kind in label["background"]["kinds_accepted"]
    assert len(labels) == 25
    assert words >= 24
    assert kinds >= 22


def test_readers_agree_with_word_and_kind_of_real_originals(shared: Path) -> None:
    folder = shared / "data" / "portraits"
    labels = json.loads((folder / "original_labels.json").read_text(encoding="utf-8"))
    words = kinds = 0
    for name, label in labels.items():
        seen = name_of(read_background(open_rgb(folder / "originals" / f"{name}.png")))
        words += seen.value in label["background"]["colours_accepted"] + label["background"]["other_colours"]
        kinds += seen.kind in label["background"]["kinds_accepted"]
    assert words >= 0.85 * len(labels)
    assert kinds >= 0.9 * len(labels)
