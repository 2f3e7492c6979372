"""Renders a native picture the way a diffusion model paints it: cells of a fractional number of pixels, soft edges with
a little ringing, colors that wander by less than a level where the picture is flat and by a few where it is busy.

The amounts were fitted to pictures Stable Diffusion 1.5 painted of 24 x 24 portraits at 512 px: cell borders on whole
pixels give or take an eighth of one, a 10-90 % edge width of 0.9-1.1 px, an overshoot of 5 %, a spread of 0.5-0.8
levels inside a cell and 0.6-1.1 over a flat background.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from graftset.drawn.faults import Face, blurred, melted, off_grid, stirred, texture
from graftset.drawn.specs import RenderFault

BORDER_WOBBLE = 0.13  # px, standard deviation of a cell border around its whole pixel
RING_RADIUS = 1.3  # px
BLOTCH = 26  # cells of the chroma blotches per side of the picture
HAZE = 6  # cells of the low-frequency tint per side
BUSY_LEVELS = 60.0  # mean difference to the neighbors, in 8-bit levels, at which a cell counts as fully busy


def render(
    native: NDArray[np.uint8],
    *,
    rng: np.random.Generator,
    size: int = 512,
    fault: RenderFault | None = None,
    severity: float = 0.5,
    face: Face | None = None,
) -> NDArray[np.uint8]:
    """What a diffusion model would have given for a native picture.

    Args:
        native: uint8 [h, w, 3], one cell per pixel.
        rng: Source of everything random; the same state gives the same picture.
        size: Side of the result in px.
        fault: What is wrong with the picture, if anything.
        severity: How wrong, from 0 (a person just sees it) to 1 (glaring); ignored without a fault.
        face: Rows and columns of the face in cells as (top, bottom, left, right), for "melted_face"; the whole
            picture by default.

    Returns:
        uint8 [size, size, 3].
    """
    height, width = native.shape[:2]
    face = face or (0, height, 0, width)
    busy = _busyness(native)
    cells = native.astype(np.float32)
    if fault == "melted_face":
        cells = melted(cells, face, severity, rng)
    cells = cells + _cell_jitter(busy, rng)

    planes = _painted(cells, busy, size, rng)
    if fault == "off_grid":
        planes = off_grid(planes, severity, rng, cell=size / width)
    if fault == "melted_face":
        planes = stirred(planes, face, severity, rng, cell=size / width)
    if fault == "blur":
        planes = blurred(planes, severity, cell=size / width)
    if fault == "texture_noise":
        planes = planes + texture(size, severity, busy, rng)
    planes += rng.standard_normal((size, size), dtype=np.float32) * _resized(0.18 + 0.5 * busy, size)
    levels = np.clip(np.rint(planes, out=planes), 0, 255, out=planes).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(levels, 0, -1))


def _painted(
    cells: NDArray[np.float32], busy: NDArray[np.float32], size: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Cells with soft borders, a slow tint over the picture and chroma blotches within the cells.

    All three are a small grid of values spread over the pixels along both axes, so one product of matrices paints them:
    `rows @ blocks @ columns.T` with the three bases side by side.

    Returns:
        float32 [3, size, size].
    """
    height, width = cells.shape[:2]
    softness = 0.3 + 0.25 * rng.beta(1, 4)
    tint = rng.standard_normal((HAZE, HAZE, 3), dtype=np.float32) * np.float32(rng.uniform(0.2, 0.6))
    blotch = rng.standard_normal((BLOTCH, BLOTCH, 3), dtype=np.float32) * np.float32(rng.uniform(0.8, 1.6))
    blotch *= _resized(0.7 + 2.6 * busy, BLOTCH)[..., None]
    smooth = [_interpolation(HAZE, size), _interpolation(BLOTCH, size)]
    rows = np.hstack([_borders_to_pixels(height, size, softness, rng), *smooth])
    columns = np.hstack([_borders_to_pixels(width, size, softness, rng), *smooth])

    blocks = np.zeros((3, rows.shape[1], columns.shape[1]), dtype=np.float32)
    row, column = 0, 0
    for grid in (cells, tint, blotch):
        h, w = grid.shape[:2]
        blocks[:, row : row + h, column : column + w] = np.moveaxis(grid, -1, 0)
        row, column = row + h, column + w
    return rows @ blocks @ columns.T


def _borders_to_pixels(cells: int, size: int, softness: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """The share of each cell in each pixel along one axis, float32 [size, cells]; rows sum to one.

    A border is the integral of a Gaussian of `softness` px, with an unsharp mask on top: the decoder's ringing.
    """
    borders = np.rint(np.arange(cells + 1) * size / cells) + rng.normal(0, BORDER_WOBBLE, cells + 1)
    borders[[0, -1]] = -1e6, 1e6  # the outer cells fill the frame
    position = np.arange(size)[:, None] + 0.5 - borders
    ringing = rng.uniform(0.2, 0.36)
    passed = (1 + ringing) * ndtr(position / softness) - ringing * ndtr(position / RING_RADIUS)
    return np.asarray(passed[:, :-1] - passed[:, 1:], dtype=np.float32)


def _busyness(native: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much each cell differs from its four neighbors, float32 [h, w] from 0 (flat) to 1."""
    padded = np.pad(native.astype(np.float32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    middle = padded[1:-1, 1:-1]
    neighbors = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    difference = np.mean([np.abs(middle - other).mean(-1) for other in neighbors], axis=0)
    return np.asarray(np.minimum(difference / BUSY_LEVELS, 1), dtype=np.float32)


def _cell_jitter(busy: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """How far each cell's color lands from what was meant, float32 [h, w, 3] in levels."""
    flat, extra = rng.uniform(0.2, 0.5), rng.uniform(1.0, 2.5)
    noise = rng.standard_normal((*busy.shape, 3), dtype=np.float32)
    return noise * (flat + extra * busy)[..., None]


def _interpolation(coarse: int, fine: int) -> NDArray[np.float32]:
    """Linear interpolation from `coarse` to `fine` samples over the same span, float32 [fine, coarse]."""
    position = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(position[:, None] - np.arange(coarse))), dtype=np.float32)


def _resized(field: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Nearest-neighbor resize of a field [h, w] to [size, size]."""
    rows = np.arange(size) * field.shape[0] // size
    columns = np.arange(size) * field.shape[1] // size
    return np.asarray(field[rows[:, None], columns], dtype=np.float32)
