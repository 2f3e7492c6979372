"""How far apart two distributions are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Total variation distance of two distributions over the same values: half the sum of |p_i - q_i|.

    Args:
        p: Weights >= 0, float [K]; they are normalized to sum 1.
        q: Likewise.

    Returns:
        0 for equal distributions, 1 for those that share no value: the share that would have to move.

    Raises:
        ValueError: A distribution has no weight at all.
    """
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if first.sum() <= 0 or second.sum() <= 0:
        raise ValueError("a distribution needs weight above 0")
    return float(0.5 * np.abs(first / first.sum() - second / second.sum()).sum())
