"""From a score to the probability of a yes, with how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit, ndtri

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlattScaling:
    """P(yes | score) = 1 / (1 + exp(-(slope * score + intercept))), with the uncertainty of both numbers.

    `covariance` is that of (slope, intercept), from the curvature of the log-likelihood at its maximum.
    """

    slope: float
    intercept: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    yes: int
    no: int

    def probability(self, scores: ArrayLike) -> F64:
        """P(yes) at each score, float64, the shape of `scores`."""
        return np.asarray(expit(self.slope * np.asarray(scores, dtype=np.float64) + self.intercept))

    def interval(self, scores: ArrayLike, confidence: float = 0.95) -> tuple[F64, F64]:
        """Ends of a pointwise interval of P(yes) at each score: the normal interval of the logit, mapped back."""
        x = np.asarray(scores, dtype=np.float64)
        c = self.covariance
        variance = c[0][0] * x**2 + 2 * c[0][1] * x + c[1][1]
        half = float(ndtri(0.5 + confidence / 2)) * np.sqrt(np.maximum(variance, 0.0))
        logit = self.slope * x + self.intercept
        return np.asarray(expit(logit - half)), np.asarray(expit(logit + half))


def fit_platt(scores: ArrayLike, yes: ArrayLike) -> PlattScaling | None:
    """Platt scaling with smoothed targets.

    Args:
        scores: float [N].
        yes: Whether each was a yes, bool [N].

    Returns:
        The fitted curve; None where there is not a yes and a no, or all scores are equal.

    Source: Platt, "Probabilistic outputs for support vector machines" (1999), targets (N+ + 1) / (N+ + 2) and
    1 / (N- + 2); fitted by Newton steps with backtracking as in Lin, Lin and Weng, "A note on Platt's probabilistic
    outputs for support vector machines", Machine Learning 68 (2007).
    """
    x, label = np.asarray(scores, dtype=np.float64).ravel(), np.asarray(yes, dtype=bool).ravel()
    many, few = int(label.sum()), int((~label).sum())
    if not many or not few or np.ptp(x) == 0:
        return None
    center, scale = float(x.mean()), float(x.std())
    design = np.stack([(x - center) / scale, np.ones_like(x)], axis=1)
    target = np.where(label, (many + 1) / (many + 2), 1 / (few + 2))

    def loss(w: F64) -> float:
        z = design @ w
        return float(-(target * log_expit(z) + (1 - target) * log_expit(-z)).sum())

    w = np.array([0.0, np.log((many + 1) / (few + 1))])
    for _ in range(100):
        p = expit(design @ w)
        gradient = design.T @ (p - target)
        hessian = (design.T * (p * (1 - p))) @ design + 1e-12 * np.eye(2)
        if np.abs(gradient).max() < 1e-9:
            break
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while size > 1e-10 and loss(w - size * step) > loss(w) - 1e-4 * size * float(gradient @ step):
            size /= 2
        w = w - size * step
    p = expit(design @ w)
    spread = np.linalg.inv((design.T * (p * (1 - p))) @ design + 1e-12 * np.eye(2))
    back = np.array([[1 / scale, 0.0], [-center / scale, 1.0]])  # standardized (slope, intercept) -> those of scores
    slope, intercept = back @ w
    c = back @ spread @ back.T
    covariance = ((float(c[0, 0]), float(c[0, 1])), (float(c[1, 0]), float(c[1, 1])))
    return PlattScaling(float(slope), float(intercept), covariance, many, few)
