"""One question about a picture: a linear score, its calibration, and scores of pictures it was not fitted on.

With 203 pictures and some 53,000 numbers a picture, a score that weighs them all learns the pictures by heart. So the
numbers that separate best are chosen first (a moderated t statistic, Tusher et al. 2001, equation 2), and ridge
regression onto the answers weighs those. Near-twins count together about as much as one picture does.

That is done for several views of a picture, and each has a say in the score by how well it tells pictures apart that it
was not fitted on (stacking, Wolpert 1992): a hat shows in the outline, stubble does not.

With a dozen positives every picture held out for nothing is missed, so there are many folds, with one positive each or
none. To choose among all numbers for every fold would take most of the time: quarters of the pictures are held out to
find the few thousand numbers that may be chosen, and the folds of a quarter choose among those. What the views have to
say of a quarter is told by the other quarters, in fits that saw neither. One matrix product gives the means and spreads
of every such step, and the regressions are stacks of small systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from graftset.traits.features import F32, Features, Ints, Kind, Mask

F64 = NDArray[np.float64]
Platt = tuple[float, float]  # slope and offset

CONSTANT = 30.0  # input of the bias, so large that the ridge does not hold it
PARTS = 4  # of the pictures, that are held out together when it is found what may be chosen
FOLDS = 4  # of each part; 5 folds in all leave too few of a dozen positives to learn from
REPEATS = 2  # of the cross-validation, with other folds
_SCREENED = 8  # times as many features as a view chooses are kept for it
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
    View((Kind.CELL, Kind.SQUARE), 300, 200.0),
    View((Kind.SQUARE,), 200, 120.0),
    View((Kind.SPOT,), 40, 100.0),
    View((Kind.OUTLINE,), 60, 300.0),
)
_SAY = 2  # power of a view's separation that is its say; 1 to 3 are alike
_EVEN = 0.05  # added to a view's variance, so that none has all the say because it never fails on the originals
# Share of the usual spread that is added to the spread of every feature. What hardly varies among originals may vary a
# lot in painted pictures: with nearly nothing added, a single such feature said "necklace" of a candidate.
_MODERATE = 0.7


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


class _Part(NamedTuple):
    """Folds that choose among the same features, those that are best without any of their pictures."""

    repeats: tuple[int, ...]  # [folds]
    held: Mask  # [folds, N], the pictures of each


class _Asked:
    """The answers of one question, among all N pictures; those it is not asked of weigh nothing."""

    def __init__(self, rows: Ints, yes: Mask, groups: Ints) -> None:
        self.count = len(rows)
        self.yes = np.zeros(len(groups), dtype=bool)
        self.yes[rows] = yes
        self._rows, self._groups = rows, groups
        self._one = np.zeros(len(groups))  # what a picture weighs: a group of near-twins counts as the root of its size
        _, which, sizes = np.unique(np.stack([groups[rows], yes]), axis=1, return_inverse=True, return_counts=True)
        self._one[rows] = 1 / np.sqrt(sizes[np.ravel(which)])

    def weight(self, held: Mask) -> F64:
        """Weights without some whole groups, summing to 1 over each answer: bool [B, N] -> float64 [B, N]."""
        weight = self._one * ~held
        for answer in (self.yes, ~self.yes):
            weight[:, answer] /= weight[:, answer].sum(axis=1, keepdims=True)
        return weight

    def both_left(self, held: Mask) -> bool:
        """Whether pictures of both answers are left without those held out, bool [N]."""
        left = self.yes[self._rows][~held[self._rows]]
        return bool(left.any() and not left.all())

    def say(self, scores: F64) -> F64:
        """The share of each view in the score, [views], from scores of pictures that it had not seen, [views, N].

        NaN is no score. All have an equal share where none of either answer has one.
        """
        told = ~np.isnan(scores[0])
        if not self.both_left(~told):
            return np.full(len(scores), 1 / len(scores))
        return _say(scores[:, told], self.yes[told], self.weight(~told[None])[0, told])

    def parts(self, rng: np.random.Generator) -> list[_Part]:
        """The pictures in parts, and the folds of each; those without which one answer is missing are left out."""
        yes, groups = self.yes[self._rows], self._groups[self._rows]
        of = grouped_folds(yes, groups, rng, PARTS)
        parts = []
        for number in range(int(of.max()) + 1):
            own = np.flatnonzero(of == number)
            if not self.both_left(np.isin(self._groups, groups[own])):
                continue
            repeats, held = [], []
            for repeat in range(REPEATS):
                folds = grouped_folds(yes[own], groups[own], rng, FOLDS)
                for fold in range(int(folds.max()) + 1):
                    repeats.append(repeat)
                    # With their near-twins, also those that the question is not asked of.
                    held.append(np.isin(self._groups, groups[own[folds == fold]]))
            parts.append(_Part(tuple(repeats), np.stack(held)))
        return parts


class Question:
    """What every question needs of the pictures it is learned from; made once."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self._columns = np.ascontiguousarray(features.values.T)
        self._squares = self._columns**2
        spread = features.values.std(axis=0)
        self._usual = np.empty(len(spread), dtype=np.float32)
        for kind in Kind:
            own = features.kinds == kind
            self._usual[own] = max(float(np.median(spread[own])), 1e-3) if own.any() else 0.0
        most: dict[tuple[Kind, ...], int] = {}
        for view in VIEWS:
            most[view.kinds] = max(view.chosen, most.get(view.kinds, 0))
        self._pools = [(np.flatnonzero(np.isin(features.kinds, kinds)), most[kinds] * _SCREENED) for kinds in most]

    def fit(self, rows: Ints, yes: Mask, groups: Ints, rng: np.random.Generator) -> tuple[LinearScore, F64]:
        """A score for one question, from all of `VIEWS`.

        Args:
            rows: The pictures to learn from, [n].
            yes: Their answers, [n], both kinds present.
            groups: Near-twin group of every picture, [N].
            rng: For the folds.

        Returns:
            The score, and for every picture the mean score of fits that saw neither it nor a near-twin of it, [N]; NaN
            for those without which one of the answers is missing.
        """
        asked = _Asked(rows, yes, groups)
        parts = asked.parts(rng)
        own = [part.held.any(axis=0) for part in parts]
        pairs = [
            (i, j) for i, j in combinations(range(len(parts)), 2) if asked.both_left(np.logical_or(own[i], own[j]))
        ]
        nobody = np.zeros(len(asked.yes), dtype=bool)
        held = np.stack([*own, *(own[i] | own[j] for i, j in pairs), nobody])
        _, _, separation = _separation(self._columns, self._squares, self._usual, asked.yes, asked.weight(held))
        pools = [self._pool(apart) for apart in separation]
        unseen = np.zeros((len(VIEWS), REPEATS, len(asked.yes)))
        for part, pool in zip(parts, pools, strict=False):
            for number, (scores, _) in enumerate(self._fit_views(pool, asked, part.held)):
                for repeat, out, said in zip(part.repeats, part.held, scores, strict=True):
                    unseen[number, repeat, out] = said[out]
        # What a view has to say of a part is told by scores of the other parts that had no picture of it either.
        elsewhere = np.full((len(parts), len(VIEWS), len(asked.yes)), np.nan)
        for (i, j), pair, pool in zip(pairs, held[len(parts) :], pools[len(parts) :], strict=False):
            scores = np.concatenate([said for said, _ in self._fit_views(pool, asked, pair[None])])
            elsewhere[i][:, own[j]] = scores[:, own[j]]
            elsewhere[j][:, own[i]] = scores[:, own[i]]
        views = [score for _, score in self._fit_views(pools[-1], asked, nobody[None])]
        together = unseen.mean(axis=1)
        judged = held[: len(parts)].any(axis=0)
        score = _together(views, asked.say(np.where(judged, together, np.nan)))
        result = score(self.features.values)
        result[rows] = np.nan
        for out, others in zip(own, elsewhere, strict=True):
            result[out] = asked.say(others) @ together[:, out]
        return score, result

    def _pool(self, separation: F32) -> Ints:
        """The features that folds may choose from, by how well they separate the other pictures: [D] -> [K]."""
        kept = np.zeros(len(separation), dtype=bool)
        for among, count in self._pools:
            kept[among[_best(separation[None, among], count)[0]]] = True
        return np.flatnonzero(kept)

    def _fit_views(self, pool: Ints, asked: _Asked, held: Mask) -> list[tuple[F32, LinearScore]]:
        """For each view the scores of all pictures without each of B folds, [B, N], and the score of the last one.

        Args:
            pool: The features to choose among, [K].
            asked: What is asked.
            held: The folds, [B, N].
        """
        columns, kinds, weight = self._columns[pool], self.features.kinds[pool], asked.weight(held)
        center, spread, separation = _separation(columns, columns**2, self._usual[pool], asked.yes, weight)
        targets = np.where(asked.yes, 1.0, -1.0)
        fits = []
        for view in VIEWS:
            among = np.flatnonzero(np.isin(kinds, view.kinds))
            chosen = among[np.sort(_best(separation[:, among], view.chosen), axis=1)]
            middle = np.take_along_axis(center, chosen, axis=1)
            scale = np.take_along_axis(spread, chosen, axis=1)
            inputs = ((columns[chosen] - middle[..., None]) / scale[..., None]).transpose(0, 2, 1)
            weights, bias = ridge_regression(inputs, targets, weight * asked.count / 2, view.ridge)
            scores = np.asarray((inputs @ weights[..., None])[..., 0] + bias[:, None], dtype=np.float32)
            own = (weights[-1] / scale[-1]).astype(np.float64)
            fits.append((scores, LinearScore(pool[chosen[-1]], own, middle[-1].astype(np.float64), float(bias[-1]))))
        return fits


def _best(separation: F32, count: int) -> Ints:
    """The `count` columns with the largest values in each row, int [B, count]; all where there are no more."""
    count = min(count, separation.shape[1])
    return np.argpartition(separation, separation.shape[1] - count, axis=1)[:, separation.shape[1] - count :]


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
    apart = (means[0] - means[1]) / np.sqrt((spreads[0] + spreads[1]) / 2 + _EVEN)
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


def _separation(columns: F32, squares: F32, usual: F32, yes: Mask, weight: F64) -> tuple[F32, F32, F32]:
    """How well each feature separates the answers under each of B weightings.

    Args:
        columns: float32 [D, n].
        squares: Their squares.
        yes: The answers, [n].
        weight: [B, n], summing to 1 over each answer.

    Returns:
        The middle between the answers' means, their pooled spread, and the moderated t statistic, float32 [B, D] each.
    """
    own = np.concatenate([weight * answer for answer in (yes, ~yes)]).astype(np.float32)
    mean: F32 = own @ columns.T
    variance = np.maximum(own @ squares.T - mean**2, 0.0)
    size = (1 / (own**2).sum(axis=1, keepdims=True)).astype(np.float32)  # Kish's effective sample size
    count = len(weight)
    yes_size, no_size = size[:count], size[count:]
    pooled: F32 = np.sqrt((variance[:count] * yes_size + variance[count:] * no_size) / (yes_size + no_size))
    scale: F32 = np.asarray(pooled + _MODERATE * usual, dtype=np.float32)
    middle: F32 = np.asarray((mean[:count] + mean[count:]) / 2, dtype=np.float32)
    return middle, scale, np.asarray(np.abs(mean[:count] - mean[count:]) / scale)


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
    if solution[0] <= 0:  # the scores say nothing, or the opposite: what is left is how often the answer is "yes"
        share = float(weight @ targets / weight.sum())
        return 0.0, float(np.log(share / (1 - share)))
    return float(solution[0]) / scale, float(solution[1])


def probability(scores: F64, platt: Platt) -> F64:
    """Calibrated probability of "yes"."""
    return _sigmoid(platt[0] * scores + platt[1])


def grouped_folds(yes: Mask, groups: Sequence[int] | Ints, rng: np.random.Generator, most: int) -> Ints:
    """A fold for each picture, near-twins in one, "yes" spread as evenly as the groups allow; int [n].

    There are as many folds as there are groups with a "yes", at most `most`.
    """
    names, which = np.unique(groups, return_inverse=True)
    positive = np.bincount(which, weights=yes)
    size = np.bincount(which)
    folds = max(2, min(most, int((positive > 0).sum()), int((size > positive).sum())))
    mixed = rng.permutation(len(names))
    order = mixed[np.lexsort((-size[mixed], -positive[mixed]))]
    held = np.zeros((folds, 2))
    fold_of = np.zeros(len(names), dtype=np.intp)
    for name in order:
        fold = int(
            np.lexsort((held[:, 1], held[:, 0]))[0]
            if positive[name]
            else np.lexsort((held[:, 1], held[:, 1] - held[:, 0]))[0]
        )
        fold_of[name] = fold
        held[fold] += positive[name], size[name]
    return np.asarray(fold_of[which])
