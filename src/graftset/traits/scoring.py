"""One question about a picture: a linear score, its calibration, and scores of pictures it was not fitted on.

With 203 pictures and some 60,000 numbers a picture, a score that weighs them all learns the pictures by heart. So the
numbers that separate best are chosen first (a moderated t statistic, Tusher et al. 2001, equation 2), and ridge
regression onto the answers weighs those. Near-twins count together about as much as one picture does.

That is done for several views of a picture, and each has a say in the score by how well it tells pictures apart that it
was not fitted on (stacking, Wolpert 1992): a hat shows in the outline, stubble does not.

The scores of all folds are fitted together: one matrix product gives the means and spreads of every fold, and the
regressions are one stack of small systems. That is ten times as fast as one fold after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from graftset.traits.features import F32, Features, Ints, Kind, Mask

F64 = NDArray[np.float64]
Platt = tuple[float, float]  # slope and offset

CONSTANT = 30.0  # input of the bias, so large that the ridge does not hold it
FOLDS = 5
REPEATS = 3  # of the cross-validation, with other folds
_NEWTON_STEPS = 25


class View(NamedTuple):
    """One of the regressions that the score is made of."""

    kinds: tuple[Kind, ...]  # features to choose from
    chosen: int  # features
    ridge: float


# Few features find what is one cell large and always there; many find what looks different every time; averages find
# what moves.
VIEWS = (
    View((Kind.CELL, Kind.SQUARE), 60, 30.0),
    View((Kind.CELL, Kind.SQUARE), 500, 300.0),
    View((Kind.SQUARE,), 300, 180.0),
    View((Kind.SPOT,), 40, 100.0),
    View((Kind.OUTLINE,), 60, 300.0),
)
_SAY = 3  # power of a view's separation that is its say; 1 to 4 are alike on portraits laid together from parts


@dataclass(frozen=True, slots=True)
class LinearScore:
    """A weighted sum of few features; above 0 speaks for "yes" with both answers equally likely beforehand."""

    chosen: Ints  # [K]
    weights: F64  # [K]
    centers: F64  # [K], where a feature speaks for neither answer
    bias: float

    def __call__(self, values: F32) -> F64:
        """float64 [N] from features float32 [N, D]."""
        return np.asarray((values[:, self.chosen] - self.centers) @ self.weights + self.bias, dtype=np.float64)

    def negated(self) -> LinearScore:
        """The score of the opposite question."""
        return LinearScore(self.chosen, -self.weights, self.centers, -self.bias)

    def contributions(self, values: F32) -> F64:
        """What each chosen feature adds to the score, float64 [N, K]."""
        return np.asarray((values[:, self.chosen] - self.centers) * self.weights)


class Question:
    """What every question needs of the pictures it is learned from; made once."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self._squares = features.values**2
        self._among = [np.flatnonzero(np.isin(features.kinds, view.kinds)) for view in VIEWS]

    def fit(self, rows: Ints, yes: Mask, groups: Ints, rng: np.random.Generator) -> tuple[LinearScore, F64]:
        """A score for one question, from all of `VIEWS`.

        Args:
            rows: The pictures to learn from, [n].
            yes: Their answers, [n], both kinds present.
            groups: Near-twin group of each, [n].
            rng: For the folds.

        Returns:
            The score, and for each picture the mean score of fits that saw neither it nor a near-twin of it, [n].
        """
        folds = [grouped_folds(yes, groups, rng) for _ in range(REPEATS)]
        held = [(repeat, fold == number) for repeat, fold in enumerate(folds) for number in range(int(fold.max()) + 1)]
        held = [(repeat, out) for repeat, out in held if 0 < yes[~out].sum() < (~out).sum()]
        weight = np.stack([_balanced(yes, groups, ~out) for out in [*(out for _, out in held), np.zeros_like(yes)]])
        values, squares = self.features.values[rows], self._squares[rows]
        if len(rows) == len(self.features.values):
            values, squares = self.features.values, self._squares
        center, spread, separation = _separation(values, squares, yes, weight)
        unseen = np.zeros((len(VIEWS), REPEATS, len(rows)))
        parts = []
        for number, (view, among) in enumerate(zip(VIEWS, self._among, strict=True)):
            count = min(view.chosen, len(among))
            if not count:
                parts.append(LinearScore(among, np.zeros(0), np.zeros(0), 0.0))
                continue
            best = np.argpartition(-separation[:, among], count - 1, axis=1)[:, :count]
            chosen = np.sort(among[best], axis=1)
            middle = np.take_along_axis(center, chosen, axis=1)
            scale = np.take_along_axis(spread, chosen, axis=1) + 1e-3
            inputs = (values.T[chosen].transpose(0, 2, 1) - middle[:, None]) / scale[:, None]
            weights, bias = ridge_regression(
                np.asarray(inputs, dtype=np.float32), np.where(yes, 1.0, -1.0), weight * len(rows) / 2, view.ridge
            )
            scores = (inputs @ weights[..., None])[..., 0] + bias[:, None]
            for (repeat, out), said in zip(held, scores, strict=False):  # the last scores are of the fit on all
                unseen[number, repeat, out] = said[out]
            parts.append(
                LinearScore(
                    chosen[-1],
                    (weights[-1] / scale[-1]).astype(np.float64),
                    middle[-1].astype(np.float64),
                    float(bias[-1]),
                )
            )
        return _together(parts, _say(unseen.mean(axis=1), yes, weight[-1])), self._unseen(unseen, yes, held, groups)

    @staticmethod
    def _unseen(unseen: F64, yes: Mask, held: Sequence[tuple[int, Mask]], groups: Ints) -> F64:
        """Scores of pictures that had no part in them, neither in a view nor in its say, [n].

        Args:
            unseen: [views, repeats, n].
            yes: [n].
            held: The repeat and the pictures of each fold.
            groups: [n].
        """
        total, times = np.zeros(len(yes)), np.zeros(len(yes))
        for repeat, out in held:
            say = _say(unseen[:, repeat], yes, _balanced(yes, groups, ~out))
            total[out] += say @ unseen[:, repeat, out]
            times[out] += 1
        return total / np.maximum(times, 1)


def _say(unseen: F64, yes: Mask, weight: F64) -> F64:
    """The share of each view in the score, [views], from scores of pictures that it had not seen.

    Args:
        unseen: [views, n].
        yes: [n].
        weight: Of the pictures, [n], summing to 1 over each answer.
    """
    means, spreads = [], []
    for own in (weight * yes, weight * ~yes):
        mean = unseen @ own
        means.append(mean)
        spreads.append((unseen - mean[:, None]) ** 2 @ own)
    apart = (means[0] - means[1]) / np.sqrt((spreads[0] + spreads[1]) / 2 + 1e-9)
    say = np.maximum(apart, 1e-3) ** _SAY
    return np.asarray(say / say.sum())


def _together(parts: Sequence[LinearScore], say: F64) -> LinearScore:
    """One score from those of the views."""
    return LinearScore(
        np.concatenate([part.chosen for part in parts]),
        np.concatenate([part.weights * share for part, share in zip(parts, say, strict=True)]),
        np.concatenate([part.centers for part in parts]),
        float(sum(part.bias * share for part, share in zip(parts, say, strict=True))),
    )


def _balanced(yes: Mask, groups: Ints, used: Mask) -> F64:
    """Weights that sum to 1 over each answer; a group of near-twins counts as the root of its size."""
    weight = np.zeros(len(yes))
    for answer in (True, False):
        own = np.flatnonzero((yes == answer) & used)
        _, which, sizes = np.unique(groups[own], return_inverse=True, return_counts=True)
        weight[own] = 1 / np.sqrt(sizes[which])
        weight[own] /= weight[own].sum()
    return weight


def _separation(values: F32, squares: F32, yes: Mask, weight: F64) -> tuple[F32, F32, F32]:
    """How well each feature separates the answers under each of B weightings.

    Returns:
        The middle between the answers' means, their pooled spread, and the moderated t statistic, float32 [B, D] each.
    """
    own = np.concatenate([weight * answer for answer in (yes, ~yes)]).astype(np.float32)
    mean: F32 = own @ values
    variance = np.maximum(own @ squares - mean**2, 0.0)
    size = (1 / (own**2).sum(axis=1, keepdims=True)).astype(np.float32)  # Kish's effective sample size
    count = len(weight)
    yes_size, no_size = size[:count], size[count:]
    pooled: F32 = np.sqrt((variance[:count] * yes_size + variance[count:] * no_size) / (yes_size + no_size))
    usual = np.median(pooled[:, ::5], axis=1, keepdims=True)
    separation = np.abs(mean[:count] - mean[count:]) / (pooled + 0.5 * usual + 1e-6)
    middle: F32 = np.asarray((mean[:count] + mean[count:]) / 2, dtype=np.float32)
    return middle, np.asarray(pooled), np.asarray(separation)


def ridge_regression(inputs: F32, targets: F64, weight: F64, ridge: float) -> tuple[F32, F32]:
    """Weights [B, K] and biases [B] of B weighted least squares regressions.

    Solved in as many unknowns as there are examples where there are more inputs than that.

    Args:
        inputs: float32 [B, n, K].
        targets: [n], -1 or 1.
        weight: [B, n], of each example; 0 leaves it out.
        ridge: Times the squared length of the weights is added to the loss.
    """
    root = np.sqrt(weight).astype(np.float32)[..., None]
    rows = np.concatenate([inputs, np.full((*inputs.shape[:2], 1), CONSTANT, dtype=np.float32)], axis=2) * root
    wanted: F32 = root * targets.astype(np.float32)[:, None]
    across = rows.transpose(0, 2, 1)
    count, unknowns = rows.shape[1:]
    if unknowns > count:
        inner = rows @ across + ridge * np.eye(count, dtype=np.float32)
        solution = (across @ np.linalg.solve(inner, wanted))[..., 0]
    else:
        inner = across @ rows + ridge * np.eye(unknowns, dtype=np.float32)
        solution = np.linalg.solve(inner, across @ wanted)[..., 0]
    found: F32 = np.asarray(solution, dtype=np.float32)
    return found[:, :-1], found[:, -1] * np.float32(CONSTANT)


def _sigmoid(x: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))))


def fit_platt(scores: F64, yes: Mask, groups: Ints | None = None) -> Platt:
    """Slope and offset that turn held-out scores into probabilities (Platt 1999, with his smoothed targets).

    Args:
        scores: [n].
        yes: The answers, [n].
        groups: Near-twin group of each; a group counts as the root of its size. Three twins that wear one crown say
            less about crowns than three strangers do.
    """
    weight = np.ones(len(scores))
    if groups is not None:
        _, which, sizes = np.unique(np.stack([groups, yes]), axis=1, return_inverse=True, return_counts=True)
        weight = 1 / np.sqrt(sizes[np.ravel(which)])
    positives, negatives = float(weight[yes].sum()), float(weight[~yes].sum())
    targets = np.where(yes, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    scale = float(np.std(scores)) + 1e-9
    rows = np.column_stack([scores / scale, np.ones(len(scores))])
    solution = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        chance = _sigmoid(rows @ solution)
        slope = rows.T @ (weight * (chance - targets)) + 1e-3 * solution
        curve = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + 1e-3 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        # Newton's step is too long where the answers separate completely.
        step /= max(1.0, float(np.abs(step).max()) / 3.0)
        solution -= step
        if np.abs(step).max() < 1e-6:
            break
    return max(float(solution[0]), 0.0) / scale, float(solution[1])


def probability(scores: F64, platt: Platt) -> F64:
    """Calibrated probability of "yes"."""
    return _sigmoid(platt[0] * scores + platt[1])


def grouped_folds(yes: Mask, groups: Sequence[int] | Ints, rng: np.random.Generator) -> Ints:
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
