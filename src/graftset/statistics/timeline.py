"""Statistics of a run on plain arrays: intervals of one checkpoint's figures, and what a row of checkpoints tells.

Prompts are the unit: two pictures of one prompt are no two pieces of evidence. Where prompts have several seeds, shares
are counted at the effective number of independent pictures (Kish 1965), and means are bootstrapped over prompts.

Sources: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference"; Clopper and Pearson 1934,
"The Use of Confidence or Fiducial Limits"; Kish 1965, "Survey Sampling" (design effect 1 + (m - 1) rho).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta, t

F64 = NDArray[np.float64]
Ints = NDArray[np.intp]

Z95 = 1.959963984540054  # of a two-sided 95 % interval
RESAMPLES = 1000
LATE = 0.4  # share of the checkpoints, at the end, whose slope is looked at
LAST = 0.2  # share of the checkpoints, at the end, whose mean is where a run arrives
LEAST_LATE = 3  # checkpoints under which a late slope says nothing
OSCILLATES = 1.5  # stability above which a run swings more than its sampling noise explains


# --- one figure ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval. `effective` is the number of independent observations it is worth."""

    point: float
    low: float
    high: float
    n: int
    groups: int
    effective: float


def share_interval(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share.

    Args:
        share: Observed, in [0, 1].
        n: Observations, above 0; an effective number need not be whole.
    """
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(max(share * (1 - share), 0.0) / n + Z95**2 / (4 * n**2))
    # At 0 and 1 the interval begins there; rounding must not leave it out.
    return (0.0 if share <= 0 else max(0.0, middle - half)), (1.0 if share >= 1 else min(1.0, middle + half))


def lower_bound(share: float, n: float) -> float:
    """The one-sided 95 % lower bound of a share (Clopper and Pearson 1934).

    For a mean of values within [0, 1] it is conservative: no such mean varies more than a share does.

    >>> lower_bound(199 / 203, 203) >= 0.95 > lower_bound(198 / 203, 203)
    True
    """
    hits = share * n
    return 0.0 if hits <= 0 else float(beta.ppf(0.05, hits, n - hits + 1))


def effective_number(values: F64, groups: Ints) -> float:
    """How many independent observations clustered ones are worth: n / (1 + (m - 1) rho).

    rho is the correlation within groups by the analysis of variance, between 0 and 1. Where all values are the same
    nothing tells it, and the groups are counted once.

    Args:
        values: float64 [n].
        groups: [n], equal for observations of one group.
    """
    _, which, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n, count = len(values), len(sizes)
    if count == n or count < 2:
        return float(count)
    spread = float(((values - values.mean()) ** 2).sum())
    if spread == 0:
        return float(count)
    means = np.bincount(which, weights=values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (count - 1)
    within = float(((values - means[which]) ** 2).sum()) / (n - count)
    size = (n - (sizes**2).sum() / n) / (count - 1)  # mean group size, corrected for unequal ones
    rho = min(1.0, max(0.0, (between - within) / (between + (size - 1) * within)))
    return float(n / (1 + (n / count - 1) * rho))


def estimate_share(values: ArrayLike, groups: ArrayLike) -> Estimate:
    """A mean of values within [0, 1] with Wilson's interval at the effective number of observations.

    Args:
        values: float64 [n], n at least 1.
        groups: [n], the prompt of each.
    """
    x, g = np.asarray(values, dtype=np.float64), np.asarray(groups)
    effective = effective_number(x, g)
    low, high = share_interval(float(x.mean()), effective)
    return Estimate(float(x.mean()), low, high, len(x), len(np.unique(g)), effective)


def estimate_mean(values: ArrayLike, groups: ArrayLike, rng: np.random.Generator) -> Estimate:
    """A mean with the percentile interval of a bootstrap over groups.

    Args:
        values: float64 [n], n at least 1.
        groups: [n], the prompt of each.
        rng: Draws the resamples.
    """
    x, g = np.asarray(values, dtype=np.float64), np.asarray(groups)
    _, which, sizes = np.unique(g, return_inverse=True, return_counts=True)
    sums = np.bincount(which, weights=x)
    drawn = rng.integers(0, len(sizes), (RESAMPLES, len(sizes)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5)).tolist()
    return Estimate(float(x.mean()), low, high, len(x), len(sizes), float(len(sizes)))


# --- a row of checkpoints ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Convergence:
    """Where a row of checkpoints arrives.

    `at` is the index of the first checkpoint whose smoothed value reaches `level` and that no later one leaves; None
    where there is none, or where it still climbs or falls at the end. `slope` is what it changes from one late
    checkpoint to the next, with its 95 % interval; None where there are too few of them, or prompts, to say.
    """

    at: int | None
    level: float
    slope: tuple[float, float, float] | None  # point, low, high
    settled: bool | None  # None: too few checkpoints to tell

    @property
    def sentence(self) -> str:
        """The outcome in words; checkpoints count from 1."""
        if self.settled is None:
            return "too few checkpoints to tell"
        if not self.settled:
            return "not converged: it still changes at the end"
        return "not converged" if self.at is None else f"converged at checkpoint {self.at + 1}"


def smoothed(row: F64) -> F64:
    """The median of each value and its two neighbors, [K]; the ends are repeated."""
    padded = np.concatenate([row[:1], row, row[-1:]])
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0))


def late_slope(values: F64) -> tuple[float, float, float] | None:
    """The change from one checkpoint to the next over the last `LATE` of them, with a 95 % t interval over prompts.

    Every prompt has a slope of its own, by least squares: prompts that are hard throughout do not widen the interval.

    Args:
        values: float64 [K checkpoints, P prompts], without gaps.

    Returns:
        Point, low and high; None for fewer than `LEAST_LATE` checkpoints or two prompts.
    """
    count = max(LEAST_LATE, math.ceil(LATE * len(values)))
    if len(values) < count or values.shape[1] < 2:
        return None
    late = values[-count:]
    place = np.arange(count) - (count - 1) / 2
    slopes = place @ late / (place @ place)
    middle = float(slopes.mean())
    half = float(t.ppf(0.975, len(slopes) - 1) * slopes.std(ddof=1) / math.sqrt(len(slopes)))
    return middle, middle - half, middle + half


def convergence(values: F64, *, delta: float) -> Convergence:
    """Where a row of checkpoints arrives, higher being better.

    The level is the mean over the last fifth of the checkpoints, less `delta`. A late slope whose interval excludes 0
    means that the run has not arrived, whatever the level.

    Args:
        values: float64 [K checkpoints, P prompts], without gaps.
        delta: How far under its end a run may be and still count as arrived, in the unit of the values.
    """
    row = values.mean(axis=1)
    level = float(row[-max(1, math.ceil(LAST * len(row))) :].mean()) - delta
    slope = late_slope(values)
    if len(row) < LEAST_LATE:
        return Convergence(None, level, slope, None)
    # Rounding of the smallest places must not decide between reaching a level and not.
    reached = smoothed(row) >= level - 1e-9
    missed = np.flatnonzero(~reached)
    first = int(missed[-1]) + 1 if len(missed) else 0
    moving = slope is not None and (slope[1] > 1e-12 or slope[2] < -1e-12)
    return Convergence(None if moving or first >= len(row) else first, level, slope, not moving)


def stability(row: ArrayLike, errors: ArrayLike) -> float | None:
    """How much a row swings, against its sampling noise: sd of successive differences / sqrt(2), over the mean error.

    The standard deviation is about the mean difference, so that a steady climb is no swing.

    Args:
        row: float64 [K], figures of successive checkpoints, of the settled part of the run.
        errors: float64 [K], their standard errors; for shares `binomial_error`.

    Returns:
        About 1 for noise alone where every checkpoint is painted anew, less where all paint from the same noise;
        over `OSCILLATES` it swings. None for fewer than four checkpoints.
    """
    x, e = np.asarray(row, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if len(x) < 4:
        return None
    swing = float(np.diff(x).std(ddof=1)) / math.sqrt(2)
    error = float(e.mean())
    return 0.0 if swing == 0 else swing / error if error > 0 else math.inf


def binomial_error(share: float, n: float) -> float:
    """Standard error of a share of n; half an observation is added to each side, so that 0 and 1 are not free of it."""
    softened = (share * n + 0.5) / (n + 1)
    return math.sqrt(softened * (1 - softened) / n)


@dataclass(frozen=True, slots=True)
class Best:
    """The best checkpoint, chosen on one half of the prompts and reported on the other."""

    at: int  # index
    chosen_on: float  # its value on the prompts that chose it: too high, for it was chosen for being high
    reported: Estimate  # on the others


def best_checkpoint(values: F64, chooses: NDArray[np.bool_], rng: np.random.Generator) -> Best | None:
    """Choose on some prompts, report on the others; of equal checkpoints the earliest is taken.

    Args:
        values: float64 [K checkpoints, P prompts], higher being better.
        chooses: bool [P], the prompts that choose.
        rng: For the interval.

    Returns:
        None where either half is empty.
    """
    if not len(values) or chooses.all() or not chooses.any():
        return None
    row = values[:, chooses].mean(axis=1)
    at = int(np.argmax(np.round(row, 9)))
    others = values[at, ~chooses]
    return Best(at, float(row[at]), estimate_mean(others, np.arange(len(others)), rng))
