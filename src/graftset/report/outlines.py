"""Lines around the regions in which two pictures differ."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from graftset.records import Region


def region_mask(regions: Iterable[Region], width: int, height: int) -> NDArray[np.bool_]:
    """Return bool [height, width], true inside the bounding box of any region; boxes are clipped to the picture."""
    mask = np.zeros((height, width), dtype=bool)
    for region in regions:
        mask[max(region.y0, 0) : max(region.y1, 0), max(region.x0, 0) : max(region.x1, 0)] = True
    return mask


def outline_path(mask: NDArray[np.bool_]) -> str:
    """Return the border of a mask as an SVG path in cells: one straight line per run of border edges.

    Overlapping boxes share one outline, so that many small differences stay readable.
    """
    padded = np.pad(mask, 1)
    horizontal = padded[1:, 1:-1] != padded[:-1, 1:-1]  # [height + 1, width], the edge above each cell
    vertical = padded[1:-1, 1:] != padded[1:-1, :-1]  # [height, width + 1], the edge left of each cell
    lines = [f"M{x0} {y}H{x1}" for y, row in enumerate(horizontal) for x0, x1 in _runs(row)]
    lines += [f"M{x} {y0}V{y1}" for x, column in enumerate(vertical.T) for y0, y1 in _runs(column)]
    return "".join(lines)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return [start, stop) of every run of true values."""
    steps = np.flatnonzero(np.diff(np.pad(flags, 1).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in steps.reshape(-1, 2)]
