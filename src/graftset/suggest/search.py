"""The next value of a numeric knob, from a few runs: Optuna proposes where it is installed, else a grid does.

Of what is proposed the value with the largest expected improvement over the one in use is taken. It comes with the
change it is expected to make and an sd, from a Gaussian process over the runs: squared-exponential kernel with a length
of 0.2 of the range, amplitude the prior's sd, noise `NOISE`, around the mean score (Rasmussen and Williams 2006,
equations 2.23 and 2.24). Few runs leave it wide.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

LENGTH = 0.2
NOISE = 0.03  # sd of a run's score between training seeds
LEAST_RUNS = 2  # different values under which there is nothing to model
_GRID = 9
_ASKED = 16  # values that Optuna is asked for

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Space:
    """Where a numeric knob may go."""

    low: float
    high: float
    log: bool = False
    ladder: tuple[float, ...] = ()  # the only values there are; () for any

    def place(self, value: float) -> float:
        """A value as a share of the range."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, place: float) -> float:
        """The value at a share of the range, to two digits or on the ladder."""
        if self.ladder:
            return min(self.ladder, key=lambda value: abs(self.place(value) - place))
        raw = self.low * (self.high / self.low) ** place if self.log else self.low + place * (self.high - self.low)
        return min(max(float(f"{raw:.2g}"), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Next:
    """A value to try, and what it is expected to change against the value in use; 95 % interval."""

    value: float
    mean: float
    sd: float
    runs: int
    by: str  # "optuna", "grid", "neighbor"

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - 1.96 * self.sd

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + 1.96 * self.sd


def next_value(
    space: Space, current: float, observed: Sequence[tuple[float, float]], *, sd: float, settled: Sequence[float] = ()
) -> Next:
    """The next value to try.

    Args:
        space: Where it may lie.
        current: The value in use.
        observed: Value and score of each run.
        sd: How much the knob is believed to matter over its range: the prior's sd.
        settled: Values that need no further run.
    """
    usable = [(value, score) for value, score in observed if space.low <= value <= space.high]
    done = {*settled, *(value for value, _ in usable), current}
    if len({value for value, _ in usable}) < LEAST_RUNS:
        value = _neighbor(space, current, done)
        mean, spread = _expected(space, current, value, usable, sd)
        return Next(value, mean, spread, len(usable), "neighbor")
    proposed = _by_optuna(space, usable) if importlib.util.find_spec("optuna") is not None else []
    grid = [space.value(i / (_GRID - 1)) for i in range(_GRID)]
    for by, values in (("optuna", proposed), ("grid", grid)):
        fresh = [v for v in values if not any(math.isclose(v, old, rel_tol=0.02) for old in done)]
        if fresh:
            best = max(fresh, key=lambda value: _improvement(*_expected(space, current, value, usable, sd)))
            return Next(best, *_expected(space, current, best, usable, sd), len(usable), by)
    return Next(current, *_expected(space, current, current, usable, sd), len(usable), "grid")


def _neighbor(space: Space, current: float, done: set[float]) -> float:
    """The nearest untried value, downwards first: small sets are overlearned sooner than not."""
    here = space.place(min(max(current, space.low), space.high))
    around = [here + sign * LENGTH * half / 2 for half in range(1, 9) for sign in (-1, 1)]
    if space.ladder:
        around = sorted(map(space.place, space.ladder), key=lambda place: (round(abs(place - here), 6), place))
    return next((v for p in around if -1e-9 <= p <= 1 + 1e-9 and (v := space.value(p)) not in done), current)


def _expected(
    space: Space, current: float, value: float, observed: Sequence[tuple[float, float]], sd: float
) -> tuple[float, float]:
    """Mean and sd of score(value) - score(current) under the Gaussian process."""
    asked = np.array([space.place(value), space.place(min(max(current, space.low), space.high))])
    contrast = np.array([1.0, -1.0])
    prior = _kernel(asked, asked, sd)
    if not observed:
        return 0.0, math.sqrt(max(float(contrast @ prior @ contrast), 1e-12))
    places = np.array([space.place(v) for v, _ in observed])
    scores = np.array([score for _, score in observed])
    inner = _kernel(places, places, sd) + NOISE**2 * np.eye(len(places))
    across = _kernel(asked, places, sd)
    gained = np.linalg.solve(inner, np.column_stack([scores - scores.mean(), across.T]))
    mean = across @ gained[:, 0]
    covariance = prior - across @ gained[:, 1:]
    return float(contrast @ mean), math.sqrt(max(float(contrast @ covariance @ contrast), 1e-12))


def _kernel(a: F64, b: F64, sd: float) -> F64:
    return sd**2 * np.exp(-0.5 * ((a[:, None] - b[None, :]) / LENGTH) ** 2)


def _improvement(mean: float, sd: float) -> float:
    return float(mean * norm.cdf(mean / sd) + sd * norm.pdf(mean / sd))


def _by_optuna(space: Space, observed: Sequence[tuple[float, float]]) -> list[float]:
    """What Optuna's tree-structured Parzen estimator asks for after these runs; the same for the same runs.

    After two or three runs one draw of it is little more than chance: it is asked for several, of which the Gaussian
    process picks.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=0, n_startup_trials=LEAST_RUNS)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distribution = optuna.distributions.FloatDistribution(space.low, space.high, log=space.log)
    for value, score in observed:
        study.add_trial(optuna.trial.create_trial(params={"x": value}, distributions={"x": distribution}, value=score))
    asked = [float(study.ask({"x": distribution}).params["x"]) for _ in range(_ASKED)]
    return [space.value(space.place(value)) for value in asked]
