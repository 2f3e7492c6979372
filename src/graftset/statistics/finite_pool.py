"""How many of a finite pool are right, by a sample of fixed size drawn without replacement.

The number right in the sample is hypergeometric. The bound inverts its one-sided test exactly: the least number right
in the pool under which a sample as good as this one is not too unlikely.

Source: Buonaccorsi, "A note on confidence intervals for proportions in finite populations", The American Statistician
41 (1987); the same inversion for acceptance sampling in Duncan, "Quality Control and Industrial Statistics" (1974).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One fixed plan: how many to review so that `allowed` errors still show the target."""

    allowed: int  # errors
    n: int  # images to review
    pass_at_95: float  # probability that a pool with 95 % right passes, 0-1


def at_most_wrong(pool: int, wrong: int, n: int, found: int) -> float:
    """P(a sample holds at most `found` wrong ones): the hypergeometric distribution function.

    Args:
        pool: Images in the pool.
        wrong: Wrong ones among them, 0 to `pool`.
        n: Images drawn, 0 to `pool`.
        found: Wrong ones in the sample.
    """
    least, most = max(0, n - (pool - wrong)), min(n, wrong)
    if found < least:
        return 0.0
    if found >= most:
        return 1.0
    k = np.arange(least, found + 1, dtype=np.float64)
    return float(min(1.0, np.exp(_log_pmf(pool, wrong, n, k)).sum()))


def _log_pmf(pool: int, wrong: int, n: int, k: F64) -> F64:
    def choose(a: float | F64, b: float | F64) -> F64:
        return np.asarray(gammaln(a + 1.0) - gammaln(b + 1.0) - gammaln(a - b + 1.0))

    return choose(float(wrong), k) + choose(float(pool - wrong), n - k) - choose(float(pool), float(n))


def least_right(pool: int, n: int, wrong: int, confidence: float = 0.95) -> int:
    """One-sided lower bound on the number right in the pool.

    Args:
        pool: Images in the pool, at least 1.
        n: Images reviewed, 0 to `pool`, a seeded random draw whose size was fixed before.
        wrong: Wrong ones among them, 0 to `n`.
        confidence: 0-1, exclusive.

    Returns:
        The least number right, 0 to `pool`, that the sample does not refute: with fewer right ones, a sample with
        `wrong` or fewer wrong ones has a probability of at most 1 - `confidence`.

    Raises:
        ValueError: Counts that cannot be.
    """
    _check(pool, n, wrong, confidence)
    # P(at most `wrong` found) falls as the pool holds more wrong ones: bisect for the most that is not refuted.
    low, high = wrong, pool - (n - wrong)
    while low < high:
        middle = (low + high + 1) // 2
        if at_most_wrong(pool, middle, n, wrong) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return pool - low


def needed_right(pool: int, target: float) -> int:
    """The least number right that makes the target share: 183 of 203 for 0.90."""
    return math.ceil(target * pool - 1e-9)


def sample_size(pool: int, allowed: int, target: float = 0.90, confidence: float = 0.95) -> int | None:
    """The least number to review so that `allowed` errors still show the target; None where not even all would do."""
    if pool < 1 or allowed < 0:
        raise ValueError("a pool holds at least one image, and errors are not negative")
    most_wrong = pool - needed_right(pool, target)
    if allowed > most_wrong:
        return None
    # The bound grows with n at a fixed number of errors.
    low, high = max(allowed, 1), pool
    while low < high:
        middle = (low + high) // 2
        if at_most_wrong(pool, most_wrong + 1, middle, allowed) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


def pass_probability(pool: int, n: int, allowed: int, right: float) -> float:
    """P(a pool passes a fixed plan).

    Args:
        pool: Images in the pool.
        n: Images reviewed.
        allowed: Errors with which it still passes.
        right: Share right in the pool, 0-1; the number wrong is rounded to the nearest whole.
    """
    return at_most_wrong(pool, round((1 - right) * pool), n, allowed)


def plan_table(
    pool: int, target: float = 0.90, confidence: float = 0.95, allowed: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
) -> tuple[PlanRow, ...]:
    """Fixed plans by the errors they allow, as long as there is one."""
    rows = []
    for errors in allowed:
        n = sample_size(pool, errors, target, confidence)
        if n is not None:
            rows.append(PlanRow(errors, n, pass_probability(pool, n, errors, 0.95)))
    return tuple(rows)


def _check(pool: int, n: int, wrong: int, confidence: float) -> None:
    if not (pool >= 1 and 0 <= n <= pool and 0 <= wrong <= n and 0 < confidence < 1):
        raise ValueError(f"no such sample: {wrong} wrong of {n} from {pool}, confidence {confidence}")
