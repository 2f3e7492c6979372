"""Style faults for originals, in known kinds and severities: what style consistency is fitted to tell from originals.

Two kinds. Cell faults change the native picture, as a model that paints at native size goes wrong: colors that waver,
blotches, soft borders. Render faults change an enlarged one, as a model that paints at 512 px does:
blur, texture, borders off the grid. Severity runs from 0 (a person just sees it) to 1 (glaring).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from graftset.pixels.grid import from_native

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
Fault = Callable[[U8, float, np.random.Generator], U8]

CELL_PX = 8  # of the pictures that get render faults: enough for every render measure, small enough to be quick
WAVER = (3.0, 14.0)  # 8-bit levels, standard deviation from cell to cell
BLOTCH = (6.0, 30.0)  # 8-bit levels, standard deviation of blotches of some three cells
SOFT = (0.45, 0.80)  # cells, standard deviation of the blur
BLUR = (0.11, 0.30)  # cells, standard deviation
TEXTURE = (3.0, 13.0)  # 8-bit levels, standard deviation
WARP = (0.06, 0.30)  # cells, standard deviation of the displacement
MILD_BLUR = (0.02, 0.07)  # what a good painter leaves of it
MILD_TEXTURE = (0.2, 1.0)
MILD_WAVER = (0.2, 1.5)


def _at(severity: float, span: tuple[float, float]) -> float:
    return span[0] + severity * (span[1] - span[0])


def _levels(values: F64) -> U8:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def wavering(native: U8, severity: float, rng: np.random.Generator) -> U8:
    """Every cell misses its color by a little of its own."""
    return _levels(native + rng.normal(0, _at(severity, WAVER), native.shape))


def blotchy(native: U8, severity: float, rng: np.random.Generator) -> U8:
    """Colors drift in blotches of a few cells."""
    field = gaussian_filter(rng.normal(size=native.shape), (1.2, 1.2, 0))
    return _levels(native + field * (_at(severity, BLOTCH) / field.std()))


def softened(native: U8, severity: float, rng: np.random.Generator) -> U8:
    """Cells take on some of their neighbors' colors."""
    sigma = _at(severity, SOFT)
    return _levels(gaussian_filter(native.astype(np.float64), (sigma, sigma, 0)))


def blurred(native: U8, severity: float, rng: np.random.Generator) -> U8:
    """An enlarged picture out of focus."""
    sigma = _at(severity, BLUR) * CELL_PX
    return _levels(gaussian_filter(_enlarged(native), (sigma, sigma, 0)))


def textured(native: U8, severity: float, rng: np.random.Generator) -> U8:
    """An enlarged picture with canvas-like grain."""
    pixels = _enlarged(native)
    grain = gaussian_filter(rng.normal(size=pixels.shape[:2]), rng.uniform(0.5, 1.5))
    return _levels(pixels + (grain * (_at(severity, TEXTURE) / grain.std()))[..., None])


def warped(native: U8, severity: float, rng: np.random.Generator) -> U8:
    """An enlarged picture whose borders wander off the grid."""
    pixels = _enlarged(native)
    field = gaussian_filter(rng.normal(size=(2, *pixels.shape[:2])), (0, 2.0 * CELL_PX, 2.0 * CELL_PX))
    field *= _at(severity, WARP) * CELL_PX / field.std(axis=(1, 2), keepdims=True)
    where = np.mgrid[: pixels.shape[0], : pixels.shape[1]] + field
    moved = [map_coordinates(channel, where, order=1, mode="nearest") for channel in np.moveaxis(pixels, -1, 0)]
    return _levels(np.stack(moved, axis=-1))


def painted(native: U8, rng: np.random.Generator) -> U8:
    """An enlarged picture as a good painter leaves it: in style, and yet no clean enlargement."""
    cells = _levels(native + rng.normal(0, rng.uniform(*MILD_WAVER), native.shape))
    sigma = rng.uniform(*MILD_BLUR) * CELL_PX
    pixels = gaussian_filter(_enlarged(cells), (sigma, sigma, 0))
    return _levels(pixels + rng.normal(0, rng.uniform(*MILD_TEXTURE), pixels.shape))


def _enlarged(native: U8) -> F64:
    return from_native(native, native.shape[1] * CELL_PX, native.shape[0] * CELL_PX).astype(np.float64)


CELL_FAULTS: Mapping[str, Fault] = {"wavering": wavering, "blotchy": blotchy, "softened": softened}
RENDER_FAULTS: Mapping[str, Fault] = {"blurred": blurred, "textured": textured, "warped": warped}
