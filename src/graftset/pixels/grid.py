"""Recover the native grid of enlarged pixel art, reduce to it, and enlarge again.

A diffusion model paints "24x24 pixel art" at 512x512: cells of 21.33 px, edges one or two pixels soft, colours that
wander a little inside each cell. The grid is found from the edges alone. Let `p[i]` be the mean absolute colour step
between pixel columns `i` and `i + 1`. A true grid of `n` cells puts the steps at `offset + k * W / n`, so `p` has a
spectral line at frequency `n / W` and its harmonics; a comb fitted to `p` then gives cell size and offset to a few
hundredths of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MIN_CELLS = 8  # fewer cells than this cannot carry a picture
MIN_CELL_PX = 2.5  # below it soft edges of neighbouring cells overlap and nothing can be measured
_EVERY = 3  # px between the lines that are read for edges
MIN_CONFIDENCE = 0.2  # under it the picture has no grid worth the name
CONVINCING = 0.5  # confidence from which a grid other than the originals' is believed
PLAIN = 0.8  # confidence from which the originals' grid, filling the picture, needs no search
FAINT = 0.1  # strength of a finer grid's further lines, to those of the coarser, under which it is none


@dataclass(frozen=True, slots=True)
class AxisGrid:
    """The grid along one axis: `cells` cells of `cell` px, the first edge at `offset` px."""

    cells: int
    cell: float
    offset: float
    confidence: float  # 0-1


def step_profiles(rgb: U8) -> tuple[F64, F64]:
    """Mean absolute step between neighbouring pixels, summed over channels.

    Every third line is read across its direction: edges of cells are longer than that, and it halves the cost.

    Args:
        rgb: uint8 [H, W, 3].

    Returns:
        Along x float64 [W - 1] and along y float64 [H - 1], in 8-bit levels.
    """
    rows = rgb[::_EVERY]
    # uint8 arithmetic (max - min) keeps the differences in cache: four times faster than int16.
    dx = np.maximum(rows[:, :-1], rows[:, 1:]) - np.minimum(rows[:, :-1], rows[:, 1:])
    columns = rgb.take(np.arange(0, rgb.shape[1], _EVERY), axis=1)  # twice as fast as a copy of the slice
    dy = np.maximum(columns[:-1], columns[1:]) - np.minimum(columns[:-1], columns[1:])
    across = dx.sum(axis=0, dtype=np.uint32).sum(axis=1) / len(rows)
    down = dy.reshape(len(dy), 3 * columns.shape[1]).sum(axis=1, dtype=np.uint32) / columns.shape[1]
    return across.astype(np.float64), down.astype(np.float64)


def exact_enlargement(rgb: U8) -> int:
    """The largest integer k such that `rgb` is a k-fold nearest-neighbour enlargement; 1 where there is none."""
    height, width = rgb.shape[:2]
    factor = int(np.gcd(width, height))
    # A few rows settle it for every painted picture; only what passes them is read in full.
    for rows in (rgb[:: max(1, height // 8)], rgb):
        changes = np.flatnonzero((rows[:, 1:] != rows[:, :-1]).any(axis=(0, 2))) + 1
        factor = int(np.gcd.reduce(changes, initial=factor))
        if factor == 1:
            return 1
    changes = np.flatnonzero((rgb[1:] != rgb[:-1]).any(axis=(1, 2))) + 1
    return int(np.gcd.reduce(changes, initial=factor))


_PER_LINE = 64  # the spectrum is sampled at 1/64 of a cell count


def _spectrum(profile: F64) -> NDArray[np.complex128]:
    """Share of the step profile's energy in a comb of `k / 64` lines, with its phase: complex [32 L], index k."""
    # The square root keeps one strong silhouette edge from outvoting the many weak ones.
    rooted = np.sqrt(profile)
    rooted = np.clip(rooted - np.median(rooted), 0.0, None)
    total = rooted.sum()
    if total > 0:
        rooted /= total
    padded = np.zeros(_PER_LINE * (len(profile) + 1))
    padded[1 : len(profile) + 1] = rooted  # a step between pixels 0 and 1 lies at 1 px
    return np.asarray(np.fft.rfft(padded).conj())


def _explained(profile: F64, cells: float, offset: float) -> float:
    """Share of step energy near the grid's lines, beyond what chance would put there; at most 1.

    Near is within 1.5 px, but never more than half of all places: those of a very fine grid would explain anything.
    """
    length = len(profile) + 1
    cell = length / cells
    phase = (np.arange(1, length) - offset) / cell
    near = np.abs(phase - np.rint(phase)) * cell <= min(1.5, cell / 4)
    floor = np.percentile(profile, 10)
    steps = profile - floor
    total, chance = float(np.clip(steps, 0, None).sum()), float(near.mean())
    if total <= 0 or chance >= 1:
        return 0.0
    return max(0.0, (float(np.clip(steps, 0, None)[near].sum()) / total - chance) / (1 - chance))


def _extra_lines(profile: F64, cells: float, offset: float, factor: int) -> float:
    """How strong the lines are that a `factor` times finer grid would add, relative to the present lines."""
    length = len(profile) + 1
    lines = np.arange(1, round(cells) * factor) / factor
    at = np.rint(offset + lines * length / cells).astype(int) - 1
    inside = (at >= 1) & (at < len(profile) - 1)
    peaks = np.maximum.reduce([profile[at[inside] + d] for d in (-1, 0, 1)])
    old = np.arange(1, round(cells) * factor)[inside] % factor == 0
    floor = float(np.median(profile))
    strength = float(np.mean(peaks[old])) - floor
    return (float(np.mean(peaks[~old])) - floor) / strength if strength > 0 and (~old).any() else 0.0


def find_axis(profile: F64, *, expected: int | None = None, insist: bool = False) -> AxisGrid | None:
    """The grid along one axis of a step profile, or None where nothing repeats.

    Args:
        profile: float64 [L - 1], mean step between pixel i and i + 1 (see `step_profiles`).
        expected: The number of cells the originals have; decides between grids that explain the edges equally well.
        insist: Take the expected number, however well another explains the edges.

    Returns:
        Cells, cell size and offset in px, and the confidence 0-1 (share of edge energy on the grid beyond chance).
    """
    length = len(profile) + 1
    most = int(length / MIN_CELL_PX)
    if most < MIN_CELLS:
        return None
    if expected is not None and MIN_CELLS <= expected < most:
        fit = _explained(profile, expected, 0.0)
        # Most pictures lie on the originals' grid as plainly as can be, and the search costs ten times this look.
        if fit >= PLAIN and max(_extra_lines(profile, expected, 0.0, factor) for factor in (2, 3)) < FAINT:
            return AxisGrid(expected, length / expected, 0.0, min(1.0, fit))
    spectrum = _spectrum(profile)
    strength = np.abs(spectrum)
    search = strength[MIN_CELLS * _PER_LINE : most * _PER_LINE]
    if search.max() <= 0:
        return None
    # Harmonics of a crisp grid are nearly as strong as the fundamental: take the coarsest of the strongest lines.
    first = MIN_CELLS * _PER_LINE + int(np.flatnonzero(search >= 0.93 * search.max())[0])
    around = np.arange(first - _PER_LINE // 2, first + _PER_LINE // 2)
    harmonics = [k for k in (1, 2, 3) if k * around[-1] < len(strength)]
    cells = float(around[np.argmax(sum(strength[k * around] for k in harmonics))]) / _PER_LINE
    for factor in (2, 3):
        while cells * factor < most and _extra_lines(profile, cells, _phase(spectrum, cells), factor) > 0.2:
            cells *= factor
    if expected is not None and expected < most and abs(cells - expected) >= 0.5:
        own = _explained(profile, cells, _phase(spectrum, cells))
        theirs = _explained(profile, expected, _phase(spectrum, expected))
        # Another grid must be plain to see to be believed; where nothing explains the edges, the picture is read on
        # the originals' grid and the render measures say how badly it fits.
        if insist or own < CONVINCING or theirs > 0.6 * own:
            offset = _phase(spectrum, expected) if theirs > MIN_CONFIDENCE else 0.0
            return _settle(profile, float(expected), offset)
    return _settle(profile, cells, _phase(spectrum, cells))


def _phase(spectrum: NDArray[np.complex128], cells: float) -> float:
    """Position of the grid lines, px in [-cell / 2, cell / 2)."""
    cell = 2 * (len(spectrum) - 1) / _PER_LINE / cells
    offset = float(np.angle(spectrum[round(cells * _PER_LINE)])) / (2 * np.pi) * cell
    return (offset + cell / 2) % cell - cell / 2


def _settle(profile: F64, cells: float, offset: float) -> AxisGrid:
    """Snap a grid that fills the picture to the exact division of its length."""
    length = len(profile) + 1
    whole, cell = round(cells), length / cells
    if abs(cells - whole) <= 0.15 and abs(offset) <= 0.1 * cell:
        whole_fit = _explained(profile, whole, 0.0)
        if whole_fit >= 0.9 * _explained(profile, cells, offset):
            return AxisGrid(whole, length / whole, 0.0, min(1.0, whole_fit))
    return AxisGrid(whole, cell, offset, min(1.0, _explained(profile, cells, offset)))


def sample_cells(rgb: U8, x: AxisGrid, y: AxisGrid, *, samples: int = 7, span: float = 0.6) -> U8:
    """Regularly spaced pixels from the core of every cell.

    Args:
        rgb: uint8 [H, W, 3].
        x: Grid along the width.
        y: Grid along the height.
        samples: Pixels per cell and axis.
        span: Share of the cell's width that is sampled, centred; soft edges stay outside at 0.6.

    Returns:
        uint8 [h, w, samples * samples, 3].
    """
    columns = _sample_positions(x, rgb.shape[1], samples, span)
    rows = _sample_positions(y, rgb.shape[0], samples, span)
    grid = rgb[rows.reshape(-1)][:, columns.reshape(-1)]  # two gathers beat one fancy index by far
    grid = grid.reshape(y.cells, samples, x.cells, samples, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid).reshape(y.cells, x.cells, samples * samples, 3)


def _sample_positions(axis: AxisGrid, length: int, samples: int, span: float) -> NDArray[np.intp]:
    """Pixel indices [cells, samples] of the sample points, kept inside the picture."""
    inside = 0.5 + span * ((np.arange(samples) + 0.5) / samples - 0.5)
    points = axis.offset + (np.arange(axis.cells)[:, None] + inside[None]) * axis.cell
    return np.clip(np.floor(points), 0, length - 1).astype(np.intp)


def to_native(samples: U8) -> U8:
    """The median colour of every cell: uint8 [h, w, S, 3] -> uint8 [h, w, 3]."""
    middle = samples.shape[2] // 2
    return np.asarray(np.partition(samples, middle, axis=2)[:, :, middle])


def from_native(native: U8, width: int, height: int) -> U8:
    """Nearest-neighbour enlargement: uint8 [h, w, 3] -> uint8 [height, width, 3]. Cells may become uneven in px."""
    rows = np.arange(height) * native.shape[0] // height
    columns = np.arange(width) * native.shape[1] // width
    return np.ascontiguousarray(native[:, columns][rows])  # columns first: fewer bytes move
