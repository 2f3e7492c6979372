"""One question about a picture: a linear score, its calibration, and how far it can be trusted.

With 203 pictures and some 20,000 numbers a picture, a score that weighs them all learns the pictures by heart. So the
numbers that separate best are chosen first (a moderated t statistic, Tusher et al. 2001, equation 2), and a ridge
logistic regression weighs those. Near-twins count together about as much as one picture does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.traits.features import F32, Mask

F64 = NDArray[np.float64]
Ints = NDArray[np.intp]
Words = NDArray[np.str_]
Platt = tuple[float, float]  # slope and offset

CHOSEN = 30  # features a score uses
RIDGE = 33.0  # of the logistic regression; 10 to 300 differ by less than 0.01 in balanced accuracy
FOLDS = 5
REPEATS = 4  # of the cross-validation, with other folds
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


@dataclass(frozen=True, slots=True)
class Features:
    """The features of the pictures a score is fitted on, with their squares: both are needed for every question."""

    values: F32  # [N, D]
    squares: F32  # [N, D]
    pooled: Mask  # [D]

    @classmethod
    def of(cls, values: F32, pooled: Mask) -> Features:
        """Features with their squares."""
        return cls(values, values**2, pooled)


@dataclass(frozen=True, slots=True)
class LinearScore:
    """A weighted sum of few features; above 0 speaks for "yes" with both answers equally likely beforehand."""

    chosen: Ints  # [K]
    weights: F64  # [K]
    bias: float

    def __call__(self, values: F32) -> F64:
        """float64 [N] from features float32 [N, D]."""
        return np.asarray(values[:, self.chosen] @ self.weights + self.bias, dtype=np.float64)


def fit_score(features: Features, rows: Ints, yes: Mask, groups: Ints) -> LinearScore:
    """A score for one question: the mean of one over all features and one over the averages alone.

    The first finds what is one cell large and always there, the second what moves.

    Args:
        features: Of N pictures.
        rows: Which of them to learn from, [n].
        yes: Their answers, [n], both kinds present.
        groups: Near-twin group of each, [n].
    """
    weight = np.zeros(len(rows))
    for answer in (True, False):
        own = np.flatnonzero(yes == answer)
        _, which, sizes = np.unique(groups[own], return_inverse=True, return_counts=True)
        weight[own] = 1 / np.sqrt(sizes[which])
        weight[own] /= weight[own].sum()
    scores = [
        _fit_one(features, rows, yes, weight, np.flatnonzero(among))
        for among in (np.ones_like(features.pooled), features.pooled)
    ]
    return LinearScore(
        np.concatenate([s.chosen for s in scores]),
        np.concatenate([s.weights for s in scores]) / len(scores),
        sum(s.bias for s in scores) / len(scores),
    )


def _fit_one(features: Features, rows: Ints, yes: Mask, weight: F64, among: Ints) -> LinearScore:
    """Choose the features that separate best and weigh them. `weight` sums to 1 over each answer."""
    means, spreads, sizes = [], [], []
    for answer in (True, False):
        full = np.zeros(len(features.values), dtype=np.float32)
        full[rows] = np.where(yes == answer, weight, 0.0)
        mean = full @ features.values
        means.append(mean)
        spreads.append(np.maximum(full @ features.squares - mean**2, 0.0))
        sizes.append(1 / float((full**2).sum()))  # Kish's effective sample size
    pooled = np.sqrt((spreads[0] * sizes[0] + spreads[1] * sizes[1]) / sum(sizes))
    separation = np.abs(means[0] - means[1]) / (pooled + 0.5 * np.median(pooled) + 1e-6)
    count = min(CHOSEN, len(among))
    chosen = among[np.argsort(-separation[among], kind="stable")[:count]]
    center, scale = (means[0] + means[1])[chosen] / 2, pooled[chosen] + 1e-3
    inputs = ((features.values[np.ix_(rows, chosen)] - center) / scale).astype(np.float64)
    weights, bias = ridge_logistic(inputs, yes.astype(np.float64), weight * len(rows) / 2, RIDGE)
    return LinearScore(chosen, weights / scale, float(bias - (weights / scale) @ center))


def ridge_logistic(inputs: F64, targets: F64, weight: F64, ridge: float) -> tuple[F64, float]:
    """Weights [K] and bias of a logistic regression, by Newton's method.

    Args:
        inputs: float64 [n, K].
        targets: [n], in [0, 1].
        weight: [n], of each example.
        ridge: Half of it times the squared length of the weights is added to the loss; the bias is free.
    """
    rows = np.column_stack([inputs, np.ones(len(inputs))])
    penalty = np.full(rows.shape[1], ridge)
    penalty[-1] = 1e-6
    solution = np.zeros(rows.shape[1])
    for _ in range(25):
        chance = _sigmoid(rows @ solution)
        slope = rows.T @ (weight * (chance - targets)) + penalty * solution
        curve = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curve, slope)
        # Newton's step is too long where the answers separate completely.
        solution -= step / max(1.0, float(np.abs(step).max()) / 3.0)
        if np.abs(step).max() < 1e-6:
            break
    return solution[:-1], float(solution[-1])


def _sigmoid(x: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))))


def fit_platt(scores: F64, yes: Mask) -> Platt:
    """Slope and offset that turn held-out scores into probabilities (Platt 1999, with his smoothed targets)."""
    positives, negatives = int(yes.sum()), int((~yes).sum())
    targets = np.where(yes, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    scale = float(np.std(scores)) + 1e-9
    weights, bias = ridge_logistic(scores[:, None] / scale, targets, np.ones(len(scores)), 1e-3)
    return max(float(weights[0]), 0.0) / scale, bias


def probability(scores: F64, platt: Platt) -> F64:
    """Calibrated probability of "yes"."""
    return _sigmoid(platt[0] * scores + platt[1])


def grouped_folds(yes: Mask, groups: Ints, rng: np.random.Generator) -> Ints:
    """A fold for each picture, near-twins in one, "yes" spread as evenly as the groups allow; int [n].

    There are as many folds as there are groups with a "yes", at most `FOLDS`.
    """
    names, which = np.unique(groups, return_inverse=True)
    positive = np.bincount(which, weights=yes)
    size = np.bincount(which)
    folds = max(2, min(FOLDS, int((positive > 0).sum()), int((size > positive).sum())))
    mixed = rng.permutation(len(names))
    order = mixed[np.lexsort((-size[mixed], -positive[mixed]))]
    held = np.zeros((folds, 2))
    fold_of = np.zeros(len(names), dtype=np.intp)
    for name in order:
        fold = int(np.lexsort((held[:, 1], held[:, 0]))[0] if positive[name] else held[:, 1].argmin())
        fold_of[name] = fold
        held[fold] += positive[name], size[name]
    return np.asarray(fold_of[which])


def held_out_scores(features: Features, rows: Ints, yes: Mask, groups: Ints, rng: np.random.Generator) -> F64:
    """For each picture the mean score of detectors that saw neither it nor a near-twin of it, float64 [n]."""
    scores = np.zeros(len(rows))
    for _ in range(REPEATS):
        folds = grouped_folds(yes, groups, rng)
        for fold in range(folds.max() + 1):
            train, test = folds != fold, folds == fold
            if 0 < yes[train].sum() < train.sum():
                score = fit_score(features, rows[train], yes[train], groups[train])
                scores[test] += score(features.values[rows[test]]) / REPEATS
    return scores


def balanced_accuracy(truth: Words, said: Words, names: Sequence[str]) -> float | None:
    """Mean over `names` of the share of pictures with that answer that were said to have it; None without any."""
    shares = [float((said[truth == name] == name).mean()) for name in names if (truth == name).any()]
    return sum(shares) / len(shares) if len(shares) == len(names) and shares else None


def bootstrap_interval(
    truth: Words, said: Words, names: Sequence[str], groups: Ints, rng: np.random.Generator
) -> tuple[float, float]:
    """95 % interval of the balanced accuracy, whole groups of near-twins drawn with replacement."""
    kinds, which = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(which == i) for i in range(len(kinds))]
    values = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([members[i] for i in rng.integers(len(kinds), size=len(kinds))])
        value = balanced_accuracy(truth[drawn], said[drawn], names)
        if value is not None:
            values.append(value)
    if not values:
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
    names: Sequence[str] = ("absent", "present"),
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
