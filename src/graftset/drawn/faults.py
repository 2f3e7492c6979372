"""What can go wrong while a picture is painted, each at a severity from 0 (a person just sees it) to 1 (glaring)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Planes = NDArray[np.float32]
Face = tuple[int, int, int, int]  # top, bottom, left, right in cells, ends excluded

BLUR_CELLS = (0.11, 0.28)  # sigma of the blur in cells: 2.3 to 6 px at 512 px
SHIFT_CELLS = (0.65, 1.1)  # largest displacement of an off-grid picture in cells
TEXTURE_LEVELS = (5.0, 13.0)  # standard deviation of the texture in 8-bit levels
BULGES = 5
MELT_CELLS = (0.15, 0.38)  # displacement inside a melted face in cells


def _at(severity: float, span: tuple[float, float]) -> float:
    return span[0] + severity * (span[1] - span[0])


def blurred(planes: Planes, severity: float, *, cell: float) -> Planes:
    """The picture out of focus. `planes` is float32 [3, H, W], `cell` px."""
    sigma = _at(severity, BLUR_CELLS) * cell
    blur: Planes = ndimage.gaussian_filter(planes, (0, sigma, sigma), mode="nearest")
    return blur


def texture(size: int, severity: float, busy: Planes, rng: np.random.Generator) -> Planes:
    """Canvas-like texture over flat areas, float32 [3, size, size] in levels.

    Args:
        size: Side in px.
        severity: How strong.
        busy: float [h, w]: where 1, the texture is left out.
        rng: Decides between weave and grain.
    """
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    grain = ndimage.gaussian_filter(rng.standard_normal((size, size), dtype=np.float32), rng.uniform(0.5, 1.1))
    field = grain / grain.std()
    if rng.random() < 0.5:
        period = rng.uniform(3.5, 6.5)
        wander = ndimage.gaussian_filter(rng.standard_normal((size, size), dtype=np.float32), 9)
        wander *= 1.5 / wander.std()
        weave = np.sin(2 * np.pi * rows / period + wander) + np.sin(2 * np.pi * columns / period + wander)
        field = 0.6 * field + 0.8 * weave
    calm = np.clip(1 - 2.5 * busy, 0, 1)
    zoom = size / np.array(busy.shape)
    mask = calm[(rows / zoom[0]).astype(int), (columns / zoom[1]).astype(int)]
    field *= mask * np.float32(_at(severity, TEXTURE_LEVELS) / field.std())
    tint = 1 + rng.uniform(-0.15, 0.15, 3).astype(np.float32)
    return np.asarray(field * tint[:, None, None], dtype=np.float32)


def melted(cells: Planes, face: Face, severity: float, rng: np.random.Generator) -> Planes:
    """A face whose cells ran down or changed places; `cells` is float [h, w, 3] and is not changed."""
    top, bottom, left, right = face
    mixed = cells.copy()
    area = mixed[top + 2 : bottom, left:right]
    height, width = area.shape[:2]
    for _ in range(round(_at(severity, (6, 16)))):  # exchange cells over a distance of up to three
        row, column = int(rng.integers(height)), int(rng.integers(width))
        other = np.clip([row + rng.integers(-3, 4), column + rng.integers(-3, 4)], 0, [height - 1, width - 1])
        area[[row, other[0]], [column, other[1]]] = area[[other[0], row], [other[1], column]]
    for _ in range(round(_at(severity, (2, 5)))):  # let a cell run down its column
        row, column, length = int(rng.integers(height - 2)), int(rng.integers(width)), int(rng.integers(2, 5))
        area[row : row + length, column] = area[row, column]
    return mixed


def off_grid(planes: Planes, severity: float, rng: np.random.Generator, *, cell: float) -> Planes:
    """The picture off its grid: its cells grow and shrink, bulge, or slip in bands. `planes` is float32 [3, H, W]."""
    move = (_drift, _bulge, _slip)[int(rng.integers(3))]
    return _displaced(planes, move(planes.shape[-1], _at(severity, SHIFT_CELLS) * cell, rng))


def stirred(planes: Planes, face: Face, severity: float, rng: np.random.Generator, *, cell: float) -> Planes:
    """The picture with random currents inside the face, still at its rim. `planes` is float32 [3, H, W]."""
    size = planes.shape[-1]
    noise = rng.standard_normal((2, size, size), dtype=np.float32)
    currents = ndimage.gaussian_filter(noise, (0, 0.9 * cell, 0.9 * cell), mode="wrap")
    currents *= _at(severity, MELT_CELLS) * cell / currents.std()
    top, bottom, left, right = face
    rim = np.zeros((size, size), dtype=np.float32)
    rim[round((top + 2) * cell) : round(bottom * cell), round(left * cell) : round(right * cell)] = 1
    return _displaced(planes, currents * ndimage.gaussian_filter(rim, 0.4 * cell))


def _displaced(planes: Planes, shift: Planes) -> Planes:
    """Every pixel taken from `shift` [2, H, W] px (down, right) away."""
    rows, columns = np.indices(planes.shape[1:], dtype=np.float32)
    where = (rows + shift[0], columns + shift[1])
    return np.stack([ndimage.map_coordinates(plane, where, order=1, mode="nearest") for plane in planes])


def _drift(size: int, amplitude: float, rng: np.random.Generator) -> Planes:
    """Cells that grow and shrink along both axes, so that borders drift away from the grid."""
    position = np.linspace(0, 1, size, dtype=np.float32)
    window = np.sqrt(np.maximum(np.sin(np.pi * position), 0))

    down, right = (
        amplitude * window * np.sin(2 * np.pi * (rng.uniform(2.2, 3.4) * position + rng.random())) for _ in range(2)
    )
    return np.stack(np.broadcast_arrays(down[:, None], right[None, :])).astype(np.float32)


def _bulge(size: int, amplitude: float, rng: np.random.Generator) -> Planes:
    """A few regions, each pushed aside in its own direction."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    shift = np.zeros((2, size, size), dtype=np.float32)
    for _ in range(BULGES):
        row, column = rng.uniform(0.25, 0.75, 2)
        radius = rng.uniform(0.06, 0.1)
        angle = rng.uniform(0, 2 * np.pi)
        bump = amplitude * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * radius**2))
        shift += np.stack([np.sin(angle) * bump, np.cos(angle) * bump])
    return shift


def _slip(size: int, amplitude: float, rng: np.random.Generator) -> Planes:
    """Two bands of rows that slip sideways, one each way."""
    position = np.linspace(0, 1, size, dtype=np.float32)
    first, length = rng.uniform(0.2, 0.4), rng.uniform(0.12, 0.2)
    side = rng.choice([-1, 1])
    sideways = np.zeros(size, dtype=np.float32)
    for start, way in ((first, side), (first + length + 0.06, -side)):
        ramp = np.clip((position - start) / 0.03, 0, 1) * np.clip((start + length - position) / 0.03, 0, 1)
        sideways += way * amplitude * ramp
    plane = np.broadcast_to(sideways[:, None], (size, size))
    return np.stack([np.zeros_like(plane), plane])
