"""Style consistency: the probability that a picture is in style, from its structure and render measures.

A ridge logistic regression tells the originals, clean and as a good painter would have enlarged them, from the same
originals with style faults of known kinds (`faults.py`). It reads what the score's parts lack, so that its scale is the
score's, and no measure of what is shown: a new hat is no fault of style.

It may serve as a criterion only where it has been seen to tell faults it was not fitted on from clean pictures: the
planted ones of the drawn sample set, and those of originals it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from graftset.evaluate.faults import CELL_FAULTS, RENDER_FAULTS, Fault, painted
from graftset.measuring import measure_pixels
from graftset.quality import RENDER, Scale

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

STRUCTURE = ("color_count", "orphan_cells")  # what a picture measures by itself, beside the render measures
FEATURES = (*RENDER, *STRUCTURE)
LEAST_AUC = 0.9  # in telling faults from clean pictures, from which style consistency may be a criterion
MOST = 48  # originals that are degraded: more of them change little and cost seconds
RIDGE = 0.02  # small: a picture that lacks nothing is in style for certain
FOLDS = 4

Example = tuple[int, bool, Mapping[str, float]]  # the original it is made from, in style, its measures


@dataclass(frozen=True, slots=True)
class StyleModel:
    """Tells how likely a picture is in style.

    Attributes:
        scale: The originals' own range of the structure measures.
        weights: float64 [len(FEATURES)], on what each part lacks, 0-1.
        bias: Log odds of a picture that lacks nothing.
        own_auc: On faults of originals that it was not fitted on, by cross-validation; None for too few originals.
    """

    scale: Scale
    weights: F64
    bias: float
    own_auc: float | None

    @classmethod
    def fit(
        cls, natives: Sequence[U8], measures: Sequence[Mapping[str, float]], rng: np.random.Generator
    ) -> StyleModel:
        """Fit on the originals.

        Args:
            natives: uint8 [h, w, 3] each.
            measures: What each measures by itself.
            rng: Draws the originals that are degraded, and the faults.
        """
        scale = Scale.fit(measures)
        chosen = sorted(rng.choice(len(natives), min(MOST, len(natives)), replace=False).tolist())
        examples = list(_examples([natives[i] for i in chosen], [measures[i] for i in chosen], rng))
        origin = np.array([original for original, _, _ in examples])
        good = np.array([in_style for _, in_style, _ in examples])
        rows = np.stack([_lacks(scale, measured) for _, _, measured in examples])
        weights, bias = _fitted(rows, good)
        return cls(scale, weights, bias, _cross_validated(rows, good, origin))

    def probability(self, measures: Sequence[Mapping[str, float]]) -> F64:
        """P(in style) of pictures, float64 [N], from what each measures by itself."""
        if not measures:
            return np.zeros(0)
        rows = np.stack([_lacks(self.scale, m) for m in measures])
        return np.asarray(1 / (1 + np.exp(-np.clip(rows @ self.weights + self.bias, -40, 40))))


def auc(clean: F64, faulty: F64) -> float:
    """Probability that a clean picture scores above a faulty one, ties counting half (Mann and Whitney 1947)."""
    return float(((clean[:, None] > faulty[None]) + 0.5 * (clean[:, None] == faulty[None])).mean())


def _examples(
    natives: Sequence[U8], measures: Sequence[Mapping[str, float]], rng: np.random.Generator
) -> Iterator[Example]:
    """Every original in style, clean and painted, and with two faults of each sort at random severities."""
    for number, (native, own) in enumerate(zip(natives, measures, strict=True)):
        size = native.shape[1], native.shape[0]
        yield number, True, own
        mild = measure_pixels(painted(native, rng), size)[0].get("measures")
        if mild is not None:
            yield number, True, mild
        for fault in _drawn(CELL_FAULTS, rng) + _drawn(RENDER_FAULTS, rng):
            faulty = measure_pixels(fault(native, float(rng.random()), rng), size)[0].get("measures")
            if faulty is not None:  # what has lost its grid is refused before anybody asks for its style
                yield number, False, faulty


def _drawn(kinds: Mapping[str, Fault], rng: np.random.Generator) -> list[Fault]:
    """Two of the kinds."""
    faults = list(kinds.values())
    return [faults[i] for i in rng.choice(len(faults), 2, replace=False)]


def _lacks(scale: Scale, measures: Mapping[str, float]) -> F64:
    """What each part lacks of 10, as a share, float64 [len(FEATURES)]; a measure that is not known lacks nothing."""
    parts = scale.parts({name: value for name, value in measures.items() if name in FEATURES})
    return np.array([(10.0 - parts.get(name, 10.0)) / 10.0 for name in FEATURES])


def _fitted(rows: F64, good: NDArray[np.bool_]) -> tuple[F64, float]:
    """Weights and bias, both answers weighing the same; no weight is above 0, for no lack speaks for a picture."""
    weight = np.where(good, 0.5 / good.sum(), 0.5 / (~good).sum()) * len(good)
    sign = np.where(good, 1.0, -1.0)

    def loss(solution: F64) -> tuple[float, F64]:
        margin = sign * (rows @ solution[:-1] + solution[-1])
        value = float(weight @ np.logaddexp(0.0, -margin)) + RIDGE / 2 * float(solution[:-1] @ solution[:-1])
        slope = -weight * sign / (1 + np.exp(np.clip(margin, -40, 40)))
        return value, np.append(slope @ rows + RIDGE * solution[:-1], slope.sum())

    bounds = [(None, 0.0)] * rows.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:-1]), float(found.x[-1])


def _cross_validated(rows: F64, good: NDArray[np.bool_], origin: NDArray[np.intp]) -> float | None:
    """AUC over examples made from originals that the weights did not see."""
    if len(np.unique(origin)) < 2 * FOLDS:
        return None
    scores = np.zeros(len(rows))
    for fold in range(FOLDS):
        test = origin % FOLDS == fold
        weights, bias = _fitted(rows[~test], good[~test])
        scores[test] = rows[test] @ weights + bias
    return auc(scores[good], scores[~good])
