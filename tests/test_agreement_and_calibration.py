"""Two reviewers against chance, and a score as a probability: against other formulas and other optimizers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.special import expit, log_expit

from graftset.statistics import cohen_kappa, fit_platt

SLOW = [HealthCheck.too_slow]  # a loaded machine is no failure


def test_kappa_of_a_textbook_table() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table 18.1: kappa 0.676, its se 0.088."""
    table = {("a", "a"): 75, ("a", "b"): 1, ("a", "c"): 4, ("b", "a"): 5, ("b", "b"): 4, ("b", "c"): 1,
             ("c", "a"): 0, ("c", "b"): 0, ("c", "c"): 10}  # fmt: skip
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    found = cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])
    assert found.kappa == pytest.approx(0.676, abs=0.001)
    assert found.high is not None
    assert (found.high - (found.kappa or 0)) / 1.96 == pytest.approx(0.088, abs=0.001)
    assert found.agreement == pytest.approx(0.89)


def test_kappa_says_nothing_where_both_only_use_one_word() -> None:
    found = cohen_kappa(["yes"] * 9, ["yes"] * 9)
    assert (found.kappa, found.agreement) == (None, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
@settings(deadline=None, suppress_health_check=SLOW)
def test_kappa_by_counting(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = cohen_kappa(first, second)
    observed = sum(a == b for a, b in pairs) / len(pairs)
    chance = np.mean([a == b for a in first for b in second])  # a label of one beside any label of the other
    if chance == 1:
        assert found.kappa is None
    else:
        assert found.kappa == pytest.approx((observed - chance) / (1 - chance))
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.kappa <= found.high
        assert found == cohen_kappa(second, first) or found.kappa == pytest.approx(cohen_kappa(second, first).kappa)


def test_the_interval_of_kappa_covers_as_often_as_it_says() -> None:
    rng, n, truth = np.random.default_rng(2), 150, None
    first = rng.random((400, n)) < 0.6
    second = np.where(rng.random((400, n)) < 0.8, first, rng.random((400, n)) < 0.5)
    both, one, other = 0.6 * (0.8 + 0.1), 0.6, 0.6 * 0.9 + 0.4 * 0.1
    observed = both + 0.4 * (0.8 + 0.1)
    chance = one * other + (1 - one) * (1 - other)
    truth = (observed - chance) / (1 - chance)
    found = [cohen_kappa(list(a), list(b)) for a, b in zip(first, second, strict=True)]
    covered = np.mean([(k.low or -1) <= truth <= (k.high or 1) for k in found])
    assert 0.92 <= covered <= 0.98


def platt_loss(weights: np.ndarray, scores: np.ndarray, yes: np.ndarray) -> float:
    """Cross-entropy to Platt's targets, as sklearn.calibration's sigmoid has it."""
    many, few = yes.sum(), (~yes).sum()
    target = np.where(yes, (many + 1) / (many + 2), 1 / (few + 2))
    z = weights[0] * scores + weights[1]
    return float(-(target * log_expit(z) + (1 - target) * log_expit(-z)).sum())


def reviewed(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and verdicts that follow P = expit(1.5 (score - 7))."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(3, 10, n)
    return scores, rng.random(n) < expit(1.5 * (scores - 7))


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_is_what_another_optimizer_finds(seed: int) -> None:
    scores, yes = reviewed(60, seed)
    curve = fit_platt(scores, yes)
    assert curve is not None
    best = optimize.minimize(platt_loss, [0.1, 0.0], args=(scores, yes), method="Nelder-Mead", options={"xatol": 1e-8})
    assert (curve.slope, curve.intercept) == pytest.approx(tuple(best.x), abs=1e-3)
    assert platt_loss(np.array([curve.slope, curve.intercept]), scores, yes) <= best.fun + 1e-9


def test_the_curve_of_separable_verdicts_stays_finite() -> None:
    curve = fit_platt([1, 2, 8, 9], [False, False, True, True])
    assert curve is not None
    low, high = curve.probability([0, 10])
    assert 0.05 < low < 0.5 < high < 0.95


def test_without_both_verdicts_or_different_scores_there_is_no_curve() -> None:
    assert fit_platt([1, 2, 3], [True, True, True]) is None
    assert fit_platt([5, 5, 5], [True, False, True]) is None
    assert fit_platt([], []) is None


def test_the_band_covers_the_truth_about_as_often_as_it_says_and_shrinks() -> None:
    at, truth = np.array([6.0, 7.0, 8.0]), expit(1.5 * (np.array([6.0, 7.0, 8.0]) - 7))
    covered, widths = [], {}
    for n in (60, 240):
        for seed in range(150):
            curve = fit_platt(*reviewed(n, seed))
            assert curve is not None
            low, high = curve.interval(at)
            covered.append((low <= truth) & (truth <= high))
            widths.setdefault(n, []).append(high - low)
    assert 0.90 <= np.mean(covered) <= 0.99
    assert np.mean(widths[240]) < 0.7 * np.mean(widths[60])
