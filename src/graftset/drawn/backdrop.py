"""Paints what is behind the figure: solid, gradient, split, checker or stripes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.palette import rgb_of
from graftset.drawn.specs import NATIVE, Backdrop, Layout

BANDS = 8  # steps of a gradient, as pixel artists draw it
CHECK = 3  # cells per side of a checker's field
STRIPE = 2  # cells per stripe


def draw_backdrop(backdrop: Backdrop) -> NDArray[np.float64]:
    """The background alone, as float64 [24, 24, 3] in 0-255.

    The first tint fills the top left corner (for a radial gradient, all corners).
    """
    weight = _second_share(backdrop.layout)[..., None]
    first = rgb_of(backdrop.tints[0])
    second = rgb_of(backdrop.tints[-1])
    return first * (1 - weight) + second * weight


def _second_share(layout: Layout) -> NDArray[np.float64]:
    """How much of the second tint each cell holds, [24, 24] in 0-1."""
    rows, columns = np.indices((NATIVE, NATIVE), dtype=np.float64)
    middle = (NATIVE - 1) / 2
    if layout == "solid":
        return np.zeros((NATIVE, NATIVE))
    if layout == "horizontal":
        return _banded(columns / (NATIVE - 1))
    if layout == "vertical":
        return _banded(rows / (NATIVE - 1))
    if layout == "radial":
        return _banded(1 - np.hypot(rows - middle, columns - middle) / np.hypot(middle, middle))
    if layout == "split":
        return np.floor(columns * 2 / NATIVE)
    if layout == "checker":
        return (rows // CHECK + columns // CHECK) % 2
    return (columns // STRIPE) % 2


def _banded(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth share in visible steps."""
    return np.minimum(np.floor(share * BANDS), BANDS - 1) / (BANDS - 1)
