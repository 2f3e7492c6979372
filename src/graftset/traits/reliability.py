"""How far the answers of a detector can be trusted: held-out answers against captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.traits.features import Ints, Mask

F64 = NDArray[np.float64]
Words = NDArray[np.str_]

PRESENCE = ("absent", "present")
_RESAMPLES = 200  # of the groups, for the interval of the balanced accuracy
_BINS = 10  # of the calibration error


@dataclass(frozen=True, slots=True)
class Reliability:
    """What grouped cross-validation on the originals says of one slot or term.

    `balanced_accuracy` is over the answers given, with a 95 % bootstrap interval over groups of near-twins;
    `coverage` the share of pictures answered. None where there were too few examples to say.
    """

    positives: int
    answers: bool  # False: always "unknown"
    balanced_accuracy: float | None = None
    interval: tuple[float, float] | None = None
    coverage: float | None = None
    calibration_error: float | None = None  # expected calibration error of the probabilities, 10 bins


def balanced_accuracy(truth: Words, said: Words, names: Sequence[str]) -> float | None:
    """Mean over `names` of the share of pictures with that answer that were said to have it; None without any."""
    shares = [float((said[truth == name] == name).mean()) for name in names if (truth == name).any()]
    return sum(shares) / len(shares) if len(shares) == len(names) and shares else None


def bootstrap_interval(
    truth: Words, said: Words, names: Sequence[str], groups: Ints, rng: np.random.Generator
) -> tuple[float, float]:
    """95 % interval of the balanced accuracy, whole groups of near-twins drawn with replacement."""
    kinds, which = np.unique(groups, return_inverse=True)
    drawn = rng.multinomial(len(kinds), np.full(len(kinds), 1 / len(kinds)), size=_RESAMPLES)[:, which]  # [R, n]
    have = drawn @ np.stack([truth == name for name in names], axis=1).astype(np.float64)
    right = drawn @ np.stack([(truth == name) & (said == name) for name in names], axis=1).astype(np.float64)
    values = (right / np.maximum(have, 1.0)).mean(axis=1)[(have > 0).all(axis=1)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def assess_answers(
    truth: Words,
    said: Words,
    decided: Mask,
    groups: Ints,
    rng: np.random.Generator,
    positives: int,
    least: float,
    calibrated: tuple[Mask, F64],
    names: Sequence[str] = PRESENCE,
) -> Reliability:
    """How held-out answers compare with captions.

    Args:
        truth: What the captions say, [n].
        said: What the detectors say, [n].
        decided: Where they answer at all, [n].
        groups: Near-twins, [n].
        rng: For the interval.
        positives: Examples of what is detected.
        least: Balanced accuracy from which the detector may answer.
        calibrated: Outcomes, bool [n], and the probabilities given to them, [n].
        names: The answers that count.
    """
    accuracy = balanced_accuracy(truth[decided], said[decided], names)
    if accuracy is None:
        return Reliability(positives, least == 0.0, coverage=round(float(decided.mean()), 4))
    return Reliability(
        positives,
        accuracy >= least,
        round(accuracy, 4),
        bootstrap_interval(truth[decided], said[decided], names, groups[decided], rng),
        round(float(decided.mean()), 4),
        round(calibration_error(*calibrated), 4),
    )


def calibration_error(truth: Mask, chance: F64) -> float:
    """Expected calibration error: how far probabilities are from shares, mean over equal bins by their size."""
    bins = np.minimum((chance * _BINS).astype(int), _BINS - 1)
    total = 0.0
    for number in np.unique(bins):
        own = bins == number
        total += own.sum() * abs(float(truth[own].mean()) - float(chance[own].mean()))
    return total / len(truth)
