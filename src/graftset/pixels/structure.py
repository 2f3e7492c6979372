"""Edges, noise, orphan cells and colour count: how cleanly a picture is painted on its grid.

Render measures read the stored pixels: a clean enlargement scores 0 on each, but for up to half a pixel of drift where
cells are no whole number of pixels. Native measures read the cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import Floats, ciede2000
from graftset.pixels.grid import AxisGrid

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

SAME_COLOR = 2.0  # CIEDE2000: colours closer than this count as one
FLAT = 4.0  # CIEDE2000: neighbouring cells closer than this belong to one flat region
CLEAR_EDGE = 40.0  # 8-bit levels over the three channels: borders under it are too faint to measure a width on
GRAY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # weights of R, G and B in a gray level, ITU-R BT.601
ENOUGH_EDGES = 200  # borders along one axis that are looked at


def grid_residual(samples: U8, native: U8) -> float:
    """Colour deviation inside cells over colour deviation between cells; 0 for a clean enlargement.

    Args:
        samples: uint8 [h, w, S, 3], pixels from every cell (see `grid.sample_cells`).
        native: uint8 [h, w, 3], the cells' medians.

    Returns:
        Mean absolute deviation around the cell's median, over that of the cells around the picture's median colour.
    """
    high, low = np.maximum(samples, native[:, :, None]), np.minimum(samples, native[:, :, None])
    within = float((high - low).mean())
    middle = np.median(native.reshape(-1, 3), axis=0)
    between = float(np.abs(native - middle).mean())
    return within / max(between, 1.0)


def texture_noise(samples: U8, flat: NDArray[np.bool_]) -> float:
    """Spread of the pixels inside flat cells, 8-bit levels.

    Args:
        samples: uint8 [h, w, S, 3].
        flat: bool [h, w], cells that resemble their neighbours; where fewer than 16 are, all cells count.

    Returns:
        Mean over those cells of the standard deviation of the green-weighted gray level (ITU-R BT.601).
    """
    chosen = samples[flat] if flat.sum() >= 16 else samples.reshape(-1, *samples.shape[2:])
    gray = chosen @ GRAY
    return float(gray.std(axis=1).mean())


def neighbor_differences(lab: Floats) -> tuple[Floats, Floats]:
    """CIEDE2000 between horizontal and vertical neighbours of CIELAB cells: [h, w - 1] and [h - 1, w]."""
    h, w, channels = lab.shape
    # One call for both: on so few cells a call costs as much as what it computes.
    first = np.concatenate([lab[:, :-1].reshape(-1, channels), lab[:-1].reshape(-1, channels)])
    second = np.concatenate([lab[:, 1:].reshape(-1, channels), lab[1:].reshape(-1, channels)])
    both = ciede2000(first, second)
    return both[: h * (w - 1)].reshape(h, w - 1), both[h * (w - 1) :].reshape(h - 1, w)


def flat_cells(dx: Floats, dy: Floats) -> NDArray[np.bool_]:
    """Cells whose four neighbours all lie within `FLAT`; bool [h, w]."""
    flat = np.ones((dx.shape[0], dy.shape[1]), dtype=bool)
    flat[:, :-1] &= dx < FLAT
    flat[:, 1:] &= dx < FLAT
    flat[:-1] &= dy < FLAT
    flat[1:] &= dy < FLAT
    return flat


def render_noise(lab: Floats, flat: NDArray[np.bool_]) -> float:
    """Robust colour noise of cells within one flat region, CIEDE2000.

    Every flat cell is compared with the median of its 3x3 neighbourhood, which follows gradients; the median of those
    distances is reported. Where no cell is flat, noise has left none, and all cells count.
    """
    inner = flat[1:-1, 1:-1]
    if not inner.size:
        return 0.0
    if not inner.any():
        inner = np.ones_like(inner)
    h, w = lab.shape[:2]
    around = np.stack([lab[i : h - 2 + i, j : w - 2 + j][inner] for i in range(3) for j in range(3)])
    around.partition(4, axis=0)
    return float(np.median(ciede2000(around[4], lab[1:-1, 1:-1][inner])))


def color_count(native: U8) -> int:
    """Colours left at native size after merging those closer than 2 CIEDE2000 (greedy, the most used first)."""
    flat = native.reshape(-1, 3).astype(np.uint32)
    codes, counts = np.unique(flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2], return_counts=True)
    codes = codes[np.argsort(-counts, kind="stable")]
    lab = srgb_to_cielab(np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8))
    kept = 0
    while len(lab):  # the few colours that fill a background take most of the others with them
        left = lab[ciede2000(lab, lab[0]) >= SAME_COLOR]
        worth_it = len(lab) - len(left) > len(lab) // 16
        lab, kept = left, kept + 1
        if not worth_it:
            break
    return kept + _merged_count(lab)


def _merged_count(lab: F32) -> int:
    """How many colours are left when each, in order, takes those within `SAME_COLOR` of it; all pairs at once."""
    squared = (lab**2).sum(axis=1)
    distance = squared[:, None] + squared[None] - 2 * lab @ lab.T  # CIE76, squared
    # Over all of sRGB CIEDE2000 is at most 1.5 times CIE76, and at 2 CIEDE2000 CIE76 stays under 14 (13.7 in saturated
    # blue): the costly formula is needed only between those bounds. Lightness alone tells most of the rest apart: its
    # part is divided by 1.75 at most (S_L).
    near = distance < (SAME_COLOR / 1.5) ** 2
    light = lab[:, 0]
    unsure = (distance < (7.0 * SAME_COLOR) ** 2) & (np.abs(light[:, None] - light) < 1.75 * SAME_COLOR) & ~near
    first, second = np.nonzero(np.triu(unsure, k=1))
    close = ciede2000(lab[first], lab[second]) < SAME_COLOR
    near[first, second] = near[second, first] = close
    merged = np.zeros(len(lab), dtype=bool)
    kept = 0
    while not merged.all():
        merged |= near[int(merged.argmin())]
        kept += 1
    return kept


def orphan_cells(lab: Floats, steps: tuple[Floats, Floats] | None = None) -> float:
    """Share of cells that match none of their 8 neighbours, that is, differ by `FLAT` or more from each.

    `steps` are the `neighbor_differences` of `lab`, where the caller has them already.
    """
    dx, dy = neighbor_differences(lab) if steps is None else steps
    h, w = lab.shape[:2]
    matched = np.zeros((h, w), dtype=bool)
    for difference, here, there in ((dx, np.s_[:, :-1], np.s_[:, 1:]), (dy, np.s_[:-1], np.s_[1:])):
        matched[here] |= difference < FLAT
        matched[there] |= difference < FLAT
    # Few cells are left, so their diagonals are looked at one by one.
    rows, columns = np.nonzero(~matched)
    beside_rows = rows[:, None] + np.array([-1, -1, 1, 1])
    beside_columns = columns[:, None] + np.array([-1, 1, -1, 1])
    inside = (beside_rows >= 0) & (beside_rows < h) & (beside_columns >= 0) & (beside_columns < w)
    beside = lab[np.clip(beside_rows, 0, h - 1), np.clip(beside_columns, 0, w - 1)]
    alone = ~((ciede2000(lab[rows, columns][:, None], beside) < FLAT) & inside).any(axis=1)
    return float(np.count_nonzero(alone) / matched.size)


def edge_profile(rgb: U8, native: U8, x: AxisGrid, y: AxisGrid) -> tuple[float, float]:
    """Softness and displacement of the borders between cells of clearly different colour.

    Across each border between horizontal neighbours the pixels are projected on the line from the left cell's colour
    to the right one's, giving a transition from 0 to 1 (and likewise for vertical neighbours).

    Args:
        rgb: uint8 [H, W, 3], the stored picture.
        native: uint8 [h, w, 3].
        x: Grid along the width.
        y: Grid along the height.

    Returns:
        Edge width: median 10-90 % width of the transitions, px.
        Edge drift: median distance of their middles from the grid line, px. 0 and 0 where no border is clear.
    """
    widths, drifts = [], []
    for pixels, cells, across, along in (
        (rgb, native, x, y),
        (rgb.transpose(1, 0, 2), native.transpose(1, 0, 2), y, x),
    ):
        width, drift = _transitions(pixels, cells, across, along)
        widths.append(width)
        drifts.append(drift)
    width, drift = np.concatenate(widths), np.concatenate(drifts)
    return (float(np.median(width)), float(np.median(np.abs(drift)))) if len(width) else (0.0, 0.0)


def _transitions(pixels: U8, cells: U8, across: AxisGrid, along: AxisGrid) -> tuple[Floats, Floats]:
    """10-90 % widths and signed displacements, px, of all clear borders between horizontal neighbours."""
    left, right = cells[:, :-1].astype(np.int16), cells[:, 1:].astype(np.int16)
    step = (right - left).astype(np.float32)
    rows, columns = np.nonzero(np.abs(step).sum(axis=2) >= CLEAR_EDGE)
    reach = max(1, int(across.cell * 0.5))
    line = across.offset + (columns + 1) * across.cell
    start = np.rint(line).astype(np.intp) - reach
    inside = (start >= 0) & (start + 2 * reach <= pixels.shape[1])
    # A few hundred borders settle a median; every n-th keeps them spread over the picture.
    inside = np.flatnonzero(inside)[:: max(1, int(inside.sum()) // ENOUGH_EDGES)]
    rows, columns, start, line = rows[inside], columns[inside], start[inside], line[inside]
    if not len(rows):
        return np.zeros(0), np.zeros(0)
    middle = np.clip(along.offset + (rows + 0.5) * along.cell, 0, pixels.shape[0] - 1)
    window = start[:, None] + np.arange(2 * reach)
    # Three pixel rows in the middle of the cell, averaged: enough to calm noise, clear of the corners.
    strips = [
        pixels[np.clip((middle + d * along.cell * 0.15).astype(np.intp), 0, pixels.shape[0] - 1)[:, None], window]
        for d in (-1, 0, 1)
    ]
    mean = (strips[0].astype(np.float32) + strips[1] + strips[2]) / 3
    chosen = step[rows, columns]
    t = np.einsum("bpc,bc->bp", mean - cells[rows, columns][:, None], chosen) / (chosen**2).sum(axis=1)[:, None]
    t = np.maximum.accumulate(t, axis=1)
    low, half, high = (_crossing(t, level) for level in (0.1, 0.5, 0.9))
    # A clean step crosses all three levels between the same two pixels: width 0.8 by interpolation, reported as 0.
    width = np.maximum(high - low - 0.8, 0.0)
    return width, start + half + 0.5 - line


def _crossing(t: F32, level: float) -> Floats:
    """Where rising curves [B, P] first reach `level`, in samples, by linear interpolation between pixel centres."""
    reached = t >= level
    after = np.where(reached.any(axis=1), reached.argmax(axis=1), t.shape[1] - 1)
    before = np.maximum(after - 1, 0)
    index = np.arange(len(t))
    low, high = t[index, before], t[index, after]
    part = np.where(high > low, (level - low) / np.where(high > low, high - low, 1), 0.0)
    return np.asarray(before + np.clip(part, 0, 1), dtype=np.float64)


def label_regions(mask: NDArray[np.bool_], *, diagonal: bool = True) -> NDArray[np.int32]:
    """Connected regions of a boolean mask [h, w]: 0 outside, 1.. inside (8-neighbours, or 4 without `diagonal`)."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)) if diagonal else None)
    return np.asarray(labels, dtype=np.int32)
