"""Native pictures with known truth for the tests of pixels, and what a diffusion model makes of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from graftset.drawn import PortraitSpec, SampleTruth, draw_original, plan_sample_set
from graftset.drawn.specs import Backdrop, Style, Tint
from graftset.pixels.background import read_background
from graftset.pixels.grid import find_axis, sample_cells, step_profiles, to_native

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

STYLES: tuple[Style, ...] = get_args(Style)
NATIVE = 24  # cells per side of a drawn portrait
ART_COLORS = 6


@cache
def drawn_set(style: Style) -> SampleTruth:
    """The truth of a whole drawn set: 203 originals and as many candidates."""
    return plan_sample_set(style=style, seed=11, originals=203, candidates=203)


@cache
def drawn_originals(style: Style) -> tuple[U8, ...]:
    """The originals of that set, uint8 [24, 24, 3] each."""
    return tuple(draw_original(original.spec, style) for original in drawn_set(style).originals)


def figure_of(spec: PortraitSpec, style: Style) -> Mask:
    """The cells of the figure, bool [24, 24]: those that stay when the backdrop is exchanged."""
    on_black, on_white = (
        draw_original(replace(spec, backdrop=Backdrop("solid", "solid", (Tint("any", code),))), style)
        for code in ("#010203", "#fdfefb")
    )
    return np.asarray((on_black == on_white).all(axis=-1))


def figures_read(natives: Sequence[U8]) -> list[Mask]:
    """What is not background, as it is read from each picture."""
    return [~read_background(native).mask for native in natives]


def patchwork(width: int, height: int, rng: np.random.Generator) -> U8:
    """Few colors in horizontal runs, so that about half of the vertical borders show: uint8 [height, width, 3]."""
    codes = rng.integers(0, ART_COLORS, (height, width))
    for column in range(1, width):
        goes_on = rng.random(height) < 0.5
        codes[goes_on, column] = codes[goes_on, column - 1]
    return rng.integers(0, 256, (ART_COLORS, 3)).astype(np.uint8)[codes]


def paint(
    native: U8,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (512, 512),
    shift: tuple[float, float] = (0.0, 0.0),
    jitter: float = 0.0,
    cast: float = 0.0,
    blur: float = 0.6,
    noise: float = 1.5,
) -> U8:
    """A native picture enlarged and painted with the usual flaws.

    Args:
        native: uint8 [h, w, 3].
        rng: Source of everything random.
        size: Width and height in px.
        shift: How far the grid is moved right and down, px; the cells that come into view repeat the outer ones.
        jitter: Standard deviation of each cell's color, 8-bit levels.
        cast: Largest change of a channel over the whole picture, levels.
        blur: Standard deviation of the blur, px.
        noise: Standard deviation of the pixel noise, levels.

    Returns:
        uint8 [size[1], size[0], 3].
    """
    cells = native + rng.normal(0, jitter, native.shape) + rng.uniform(-cast, cast, 3)
    columns = _spread(native.shape[1], size[0], shift[0], blur)
    rows = _spread(native.shape[0], size[1], shift[1], blur)
    planes = rows @ np.moveaxis(cells, -1, 0).astype(np.float32) @ columns.T
    painted = np.moveaxis(planes, 0, -1)
    if noise:
        painted = painted + np.float32(noise) * _some_noise(painted.shape[0], painted.shape[1], rng)
    return np.clip(np.rint(painted), 0, 255).astype(np.uint8)


def paint_realistically(native: U8, rng: np.random.Generator) -> U8:
    """At 512 px with the noise that generated portraits have, or a little more."""
    return paint(native, rng, jitter=rng.uniform(1.25, 2.5), cast=3.0, blur=0.8, noise=3.0)


def read_native(painted: U8, expected: int | None = NATIVE) -> U8:
    """The native picture read back from a painted one, as assessing does."""
    across, down = step_profiles(painted)
    x, y = find_axis(across, expected=expected), find_axis(down, expected=expected)
    assert x is not None
    assert y is not None
    return to_native(sample_cells(painted, x, y))


def rendered(native: U8, rng: np.random.Generator) -> U8:
    """A native picture after it was painted and read again: the same but for render noise."""
    return read_native(paint_realistically(native, rng))


def as_jpeg(rgb: U8, quality: int) -> U8:
    """The picture after JPEG compression."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def open_rgb(path: object) -> U8:
    """A picture file as uint8 [H, W, 3]."""
    return np.asarray(Image.open(str(path)).convert("RGB"))


@cache
def _spread(cells: int, pixels: int, shift: float, blur: float) -> F32:
    """How much of every cell there is in every pixel along one axis: float32 [pixels, cells], rows sum to one."""
    where = np.floor((np.arange(pixels) + 0.5 - shift) * cells / pixels).astype(int)
    one_hot = np.eye(cells, dtype=np.float32)[np.clip(where, 0, cells - 1)]
    return np.asarray(gaussian_filter1d(one_hot, blur, axis=0, mode="nearest") if blur else one_hot, dtype=np.float32)


@cache
def _noise_pool() -> F32:
    return np.random.default_rng(0).standard_normal((1200, 1200, 3), dtype=np.float32)


def _some_noise(height: int, width: int, rng: np.random.Generator) -> F32:
    """Standard normal noise cut from one large field at a random place: drawing it anew would be most of the work."""
    pool = _noise_pool()
    top, left = rng.integers(0, len(pool) - height), rng.integers(0, len(pool) - width)
    return pool[top : top + height, left : left + width]
