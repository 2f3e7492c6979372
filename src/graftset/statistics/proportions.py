"""Intervals for a share, from draws that do not exhaust a pool."""

from __future__ import annotations

import math

from scipy.special import betaincinv, ndtri


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share, two-sided.

    Args:
        successes: 0 to `n`.
        n: Draws, at least 0; with none the interval is (0, 1).
        confidence: 0-1, exclusive.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    _check(successes, n, confidence)
    if n == 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    share, weight = successes / n, z * z / n
    center = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return max(0.0, center - half), min(1.0, center + half)


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval of a share, two-sided: covers at least `confidence`, whatever the share.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934).
    """
    _check(successes, n, confidence)
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def _check(successes: int, n: int, confidence: float) -> None:
    if not (0 <= successes <= n and 0 < confidence < 1):
        raise ValueError(f"no such count: {successes} of {n}, confidence {confidence}")
