"""How much a move is believed in: a stated prior, moved by recorded trials alone. Pure.

The effect of a move is normal: prior N(m0, s0^2). A trial with estimate y and standard error e, of another model or
another value than the one that will be used in the end, says y ~ N(effect, e^2 + t^2) with t = `TRANSFER`. So

    1 / s^2 = 1 / s0^2 + sum 1 / (e_i^2 + t^2)
    m       = s^2 (m0 / s0^2 + sum y_i / (e_i^2 + t^2))

Confidence is P(effect > 0) = Phi(m / s); moves are ranked by E[max(effect, 0)] = m Phi(m / s) + s phi(m / s) (expected
improvement, Mockus 1975), over the square root of one plus the hours they cost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.stats import norm, t

from graftset.suggest.records import Effect, Prior, Standing, Trial

TRANSFER = 0.03  # sd between a trial's effect and that of the move where it will be used; a judgment
_Z = 1.959963984540054


def believed(endpoint: str, prior: Prior, trials: Sequence[Trial]) -> Effect:
    """The effect of a move after its trials."""
    precision, weighted = prior.sd**-2, prior.mean * prior.sd**-2
    for trial in trials:
        weight = 1.0 / (standard_error(trial) ** 2 + TRANSFER**2)
        precision += weight
        weighted += weight * trial.point
    mean, sd = weighted / precision, precision**-0.5
    confidence = float(norm.cdf(mean / sd))
    return Effect(
        endpoint=endpoint,
        mean=mean,
        low=mean - _Z * sd,
        high=mean + _Z * sd,
        confidence=confidence,
        gain=float(mean * confidence + sd * norm.pdf(mean / sd)),
        trials=len(trials),
        prior=prior,
    )


def standard_error(trial: Trial) -> float:
    """Of a trial's estimate, from its interval: a t interval with one degree of freedom less than seeds."""
    tail = (1 + trial.level) / 2
    quantile = t.ppf(tail, trial.seeds - 1) if trial.seeds > 1 else norm.ppf(tail)
    return max((trial.high - trial.low) / 2, 1e-6) / float(quantile)


def standing(trials: Sequence[Trial]) -> Standing:
    """What the newest trial that counts says; "open" where none does: too few seeds, or inconclusive."""
    for trial in reversed(trials):
        if trial.directional or not math.isfinite(trial.point):
            continue
        if trial.verdict == "HURT":
            return "rejected"
        if trial.verdict == "HELPED":
            return "helped"
        if trial.verdict == "EQUIVALENT":
            return "no difference"
    return "open"
