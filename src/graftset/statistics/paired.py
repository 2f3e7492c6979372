"""Two arms compared seed by seed and prompt by prompt: intervals, p values, verdicts, and what would settle a question.

Differences are a table [S training seeds, P prompts], arm minus baseline. Seeds and prompts are both samples: another
seed and another prompt would have given another mean. Two intervals look at that from two sides, and the wider counts.

- The t interval on the S means of seeds, df = S - 1. It knows that five seeds tell little of their spread, and takes
  the prompts as given.
- The percentile interval of a bootstrap that draws seeds and prompts, each with replacement (the pigeonhole bootstrap;
  Owen 2007, "The pigeonhole bootstrap"). It takes prompts as a sample too, and is too narrow for few seeds.

Sources: Owen 2007, Annals of Applied Statistics 1(2); Holm 1979, "A Simple Sequentially Rejective Multiple Test
Procedure"; Searle, Casella and McCulloch 1992, "Variance Components", chapter 4 (two-way crossed, one value a cell).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit
from scipy.stats import nct

F64 = NDArray[np.float64]
Method = Literal["t", "bootstrap"]
Verdict = Literal["HELPED", "HURT", "NON-INFERIOR", "EQUIVALENT", "INCONCLUSIVE"]

ALPHA = 0.05  # of false verdicts, over all primary endpoints together
RESAMPLES = 4000
POWER = 0.8  # chance of a verdict that "what these seeds can see" and "what would settle it" are worked out for
MOST_SEEDS, MOST_PROMPTS = 100, 1000  # beyond which nobody goes
_LEAST = 1e-12  # differences of rounding are none


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Draws of a seeds x prompts bootstrap, as how often each seed and each prompt was drawn."""

    seeds: F64  # [B, S], rows sum to S
    prompts: F64  # [B, P], rows sum to P

    @classmethod
    def draw(cls, shape: tuple[int, ...], rng: np.random.Generator, count: int = RESAMPLES) -> Resamples:
        """Draw for tables of this shape [S, P]; the draws depend on no value and serve any number of tables."""
        seeds, prompts = shape
        return cls(_counts(seeds, count, rng), _counts(prompts, count, rng))

    def means(self, table: F64) -> F64:
        """The mean of every resample of a table [S, P]: [B], in increasing order."""
        drawn = np.einsum("bp,bp->b", self.seeds @ table, self.prompts)
        return np.sort(drawn / table.size)


def _counts(things: int, count: int, rng: np.random.Generator) -> F64:
    rows = np.arange(count)[:, None] * things
    drawn = (rng.integers(0, things, (count, things)) + rows).ravel()
    return np.bincount(drawn, minlength=count * things).reshape(count, things).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Components:
    """Where the spread of the differences comes from, as variances.

    Attributes:
        seeds: Of the true difference from one training seed to another.
        prompts: Of the true difference from one prompt to another, the same for every seed.
        residual: Of a single cell beyond both: prompt x seed, and the pictures' own chance.
    """

    seeds: float
    prompts: float
    residual: float

    def error(self, seeds: int, prompts: int) -> float:
        """The standard error of the mean of so many seeds and prompts."""
        cells = seeds * prompts
        return math.sqrt(self.seeds / seeds + self.prompts / prompts + self.residual / cells)


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """A table of differences with everything that intervals are made from."""

    seeds: int
    prompts: int
    point: float
    seed_sd: float  # standard deviation of the seeds' means
    components: Components
    resampled: F64  # means of the resamples, in increasing order

    def interval(self, alpha: float = ALPHA) -> tuple[float, float, Method]:
        """The wider of the two intervals at each end, at confidence 1 - alpha, and which is the wider in all.

        The bootstrap's lies askew where prompts differ: the narrower one may reach further to one side. So an interval
        that leaves out 0 leaves it out by both methods, as `p` has it.
        """
        half = float(stdtrit(self.seeds - 1, 1 - alpha / 2)) * self.seed_sd / math.sqrt(self.seeds)
        low, high = np.quantile(self.resampled, (alpha / 2, 1 - alpha / 2)).tolist()
        method: Method = "bootstrap" if high - low > 2 * half else "t"
        return min(low, self.point - half), max(high, self.point + half), method

    @property
    def p(self) -> float:
        """Of no difference, by both methods; the larger."""
        return max(self.p_by_t, self.p_by_bootstrap)

    @property
    def p_by_t(self) -> float:
        """Of the two-sided t test on the means of seeds."""
        if abs(self.point) < _LEAST:
            return 1.0
        if self.seed_sd < _LEAST:
            return 0.0
        statistic = abs(self.point) / self.seed_sd * math.sqrt(self.seeds)
        return float(2 * stdtr(self.seeds - 1, -statistic))

    @property
    def p_by_bootstrap(self) -> float:
        """Twice the share of resamples on the other side of 0, the observed table counted as one of them."""
        below = np.searchsorted(self.resampled, _LEAST, side="right")
        above = len(self.resampled) - np.searchsorted(self.resampled, -_LEAST, side="left")
        return min(1.0, 2 * (min(int(below), int(above)) + 1) / (len(self.resampled) + 1))

    def detectable(self, alpha: float = ALPHA) -> float:
        """The difference that as many seeds and prompts find in 80 % of cases, with the spread that was seen."""
        return detectable(self.components, self.seeds, self.prompts, alpha)


def paired(table: ArrayLike, resamples: Resamples) -> Paired:
    """Look at a table of differences.

    Args:
        table: float64 [S, P], S at least 2, without gaps.
        resamples: Draws for tables of this shape.
    """
    d = np.asarray(table, dtype=np.float64)
    means = d.mean(axis=1)
    return Paired(
        seeds=d.shape[0],
        prompts=d.shape[1],
        point=float(d.mean()),
        seed_sd=float(means.std(ddof=1)),
        components=components(d),
        resampled=resamples.means(d),
    )


def components(table: F64) -> Components:
    """Variance components of a table [S, P] by the analysis of variance; negative estimates count as none."""
    s, p = table.shape
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    between_seeds = p * float(rows.var(ddof=1)) if s > 1 else 0.0
    between_prompts = s * float(columns.var(ddof=1)) if p > 1 else 0.0
    if s < 2 or p < 2:
        return Components(between_seeds / p, between_prompts / s, 0.0)
    left = table - rows[:, None] - columns[None, :] + mean
    residual = float((left**2).sum()) / ((s - 1) * (p - 1))
    return Components(max(0.0, between_seeds - residual) / p, max(0.0, between_prompts - residual) / s, residual)


def holm_levels(ps: Sequence[float], alpha: float = ALPHA) -> tuple[float, ...]:
    """What each of several p values has to stay under (Holm 1979), and so what its interval leaves out.

    The smallest is held against alpha / m, the next against alpha / (m - 1), and so on. From the first that does not
    stay under its level on, all get that level: an interval then leaves out 0 exactly where Holm rejects.

    >>> [round(level, 4) for level in holm_levels([0.5, 0.001, 0.02])]
    [0.05, 0.0167, 0.025]
    >>> [round(level, 4) for level in holm_levels([0.03, 0.04, 0.2])]
    [0.0167, 0.0167, 0.0167]
    """
    levels = [0.0] * len(ps)
    stopped: float | None = None
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        level = alpha / (len(ps) - rank) if stopped is None else stopped
        levels[place] = level
        if ps[place] >= level:
            stopped = level
    return tuple(levels)


def verdict(low: float, high: float, margin: float) -> Verdict:
    """The verdict on an interval of a difference, higher being better; the first that holds.

    >>> verdict(-0.04, 0.09, 0.05), verdict(-0.2, -0.01, 0.05), verdict(-0.04, 0.04, 0.05)
    ('NON-INFERIOR', 'HURT', 'EQUIVALENT')
    """
    if low > _LEAST:
        return "HELPED"
    if high < -_LEAST:
        return "HURT"
    if low > -margin:
        return "EQUIVALENT" if high < margin else "NON-INFERIOR"
    return "INCONCLUSIVE"


@lru_cache(maxsize=4096)
def _standard_errors(degrees: int, alpha: float) -> float:
    """How many standard errors a difference must have to be found with probability `POWER` by a two-sided t test."""
    critical = float(stdtrit(degrees, 1 - alpha / 2))
    low, high = 0.0, 2 * critical + 10.0
    for _ in range(60):
        middle = (low + high) / 2
        # Far from the critical value the noncentral t of scipy may answer nan; there the test finds nearly everything.
        found = float(nct.sf(critical, degrees, middle))
        low, high = (middle, high) if found < POWER else (low, middle)
    return (low + high) / 2


def detectable(parts: Components, seeds: int, prompts: int, alpha: float = ALPHA) -> float:
    """The difference that so many seeds and prompts find in 80 % of cases.

    By the noncentral t distribution with S - 1 degrees of freedom, at the standard error with the prompts' share.
    """
    return _standard_errors(seeds - 1, round(alpha, 9)) * parts.error(seeds, prompts)


def needed_seeds(parts: Components, effect: float, prompts: int, alpha: float = ALPHA) -> int | None:
    """The fewest seeds that find an effect in 80 % of cases; None where `MOST_SEEDS` do not."""
    if detectable(parts, MOST_SEEDS, prompts, alpha) > abs(effect):
        return None
    low, high = 1, MOST_SEEDS  # what is found falls as seeds are added: halve the range
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if detectable(parts, middle, prompts, alpha) <= abs(effect) else (middle, high)
    return high


def needed_prompts(parts: Components, effect: float, seeds: int, alpha: float = ALPHA) -> int | None:
    """The fewest prompts that find an effect in 80 % of cases with these seeds; None where `MOST_PROMPTS` do not."""
    wanted = (effect / _standard_errors(seeds - 1, round(alpha, 9))) ** 2 - parts.seeds / seeds
    if wanted <= 0:
        return None
    count = max(1, math.ceil((parts.prompts + parts.residual / seeds) / wanted))
    return count if count <= MOST_PROMPTS else None


def to_settle(point: float, margin: float) -> float:
    """How far a difference lies from what decides about it: from 0, or from the margin it may fall short by."""
    return max(abs(point), point + margin)
