"""Intervals of a checkpoint's figures, and what a row of checkpoints tells, against references and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from graftset.statistics.timeline import (
    OSCILLATES,
    best_checkpoint,
    binomial_error,
    convergence,
    effective_number,
    estimate_mean,
    estimate_share,
    late_slope,
    lower_bound,
    share_interval,
    smoothed,
    stability,
)

F64 = NDArray[np.float64]
CURVE = np.array([0.2, 0.5, 0.7, 0.82, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95])


def seen(chance: F64, prompts: int, rng: np.random.Generator) -> F64:
    """Right or wrong on each prompt at each checkpoint, float64 [K, prompts], the same prompts easy throughout."""
    easy = rng.random(prompts)
    return (easy[None] < chance[:, None]).astype(np.float64)


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (7, 12), (40, 40), (199, 203)])
def test_intervals_of_shares_are_those_of_scipy(hits: int, n: int) -> None:
    reference = binomtest(hits, n)
    assert share_interval(hits / n, n) == pytest.approx(
        tuple(reference.proportion_ci(0.95, method="wilson")), abs=1e-12
    )
    one_sided = binomtest(hits, n, alternative="greater").proportion_ci(0.95, method="exact").low
    assert lower_bound(hits / n, n) == pytest.approx(one_sided, abs=1e-12)


def test_ninety_five_percent_of_203_holds_from_199_on() -> None:
    assert lower_bound(199 / 203, 203) >= 0.95
    assert lower_bound(198 / 203, 203) < 0.95


def test_pictures_of_one_prompt_count_as_often_as_they_differ() -> None:
    prompts = np.repeat(np.arange(50), 2)
    rng = np.random.default_rng(0)
    alike = np.repeat((rng.random(50) < 0.5).astype(np.float64), 2)
    assert effective_number(alike, prompts) == pytest.approx(50, rel=0.02)
    independent = (rng.random(100) < 0.5).astype(np.float64)
    assert 75 < effective_number(independent, prompts) <= 100
    assert effective_number(np.ones(100), prompts) == 50  # nothing tells, so the prompts count
    assert effective_number(np.arange(4.0), np.arange(4)) == 4
    assert estimate_share(alike, prompts).effective < estimate_share(independent, prompts).effective


def test_intervals_of_clustered_shares_cover_what_they_say() -> None:
    rng = np.random.default_rng(1)
    prompts = np.repeat(np.arange(40), 2)
    covered = 0
    for _ in range(300):
        chance = rng.beta(4, 1, 40)  # prompts differ in how hard they are
        values = (rng.random(80) < np.repeat(chance, 2)).astype(np.float64)
        found = estimate_share(values, prompts)
        covered += found.low <= 0.8 <= found.high
    assert covered / 300 >= 0.92


def test_intervals_of_means_cover_what_they_say() -> None:
    rng = np.random.default_rng(2)
    prompts = np.repeat(np.arange(40), 2)
    covered = 0
    for number in range(300):
        values = np.repeat(rng.normal(7.5, 1.0, 40), 2) + rng.normal(0, 0.2, 80)
        found = estimate_mean(values, prompts, np.random.default_rng(number))
        covered += found.low <= 7.5 <= found.high
    assert 0.90 <= covered / 300 <= 0.98


def test_one_wild_checkpoint_is_smoothed_away() -> None:
    row = np.array([0.1, 0.5, 0.0, 0.9, 0.9])
    np.testing.assert_allclose(smoothed(row), [0.1, 0.1, 0.5, 0.9, 0.9])
    np.testing.assert_allclose(smoothed(np.array([0.3])), [0.3])


def test_a_run_that_levels_off_has_converged_where_it_did() -> None:
    found = convergence(seen(CURVE, 200, np.random.default_rng(0)), delta=0.02)
    assert found.settled
    assert found.at == 5
    assert found.sentence == "converged at checkpoint 6"
    assert convergence(seen(CURVE, 200, np.random.default_rng(0)), delta=0.08).at == 4


def test_a_run_that_dips_again_has_converged_only_after() -> None:
    chance = np.array([0.95, 0.95, 0.95, 0.5, 0.5, 0.95, 0.95, 0.95, 0.95, 0.95])
    found = convergence(seen(chance, 200, np.random.default_rng(0)), delta=0.02)
    assert found.at == 5


def test_a_run_that_still_climbs_has_not_converged() -> None:
    found = convergence(seen(np.linspace(0.1, 0.9, 10), 100, np.random.default_rng(0)), delta=0.05)
    assert not found.settled
    assert found.at is None
    assert "not converged" in found.sentence
    assert found.slope is not None
    assert found.slope[1] > 0


def test_a_run_that_falls_at_the_end_has_not_converged() -> None:
    found = convergence(seen(np.linspace(0.9, 0.3, 10), 100, np.random.default_rng(0)), delta=0.05)
    assert not found.settled


def test_two_checkpoints_tell_nothing_of_convergence() -> None:
    found = convergence(np.ones((2, 5)), delta=0.05)
    assert found.settled is None
    assert found.slope is None
    assert found.sentence == "too few checkpoints to tell"
    assert late_slope(np.ones((9, 1))) is None


def test_the_late_slope_of_noise_alone_seldom_excludes_zero() -> None:
    wrong = 0
    for number in range(200):
        values = np.random.default_rng(number).normal(size=(10, 30))
        slope = late_slope(values)
        assert slope is not None
        wrong += slope[1] > 0 or slope[2] < 0
    assert wrong / 200 <= 0.09


def test_a_run_that_swings_is_told_from_noise() -> None:
    errors = [binomial_error(0.8, 80)] * 8
    calm = []
    for number in range(100):
        row = np.random.default_rng(number).binomial(80, 0.8, 8) / 80
        calm.append(stability(row, errors))
    assert 0.8 < np.mean(calm) < 1.2
    assert np.mean(np.array(calm) > OSCILLATES) < 0.08
    swinging = stability([0.9, 0.5, 0.9, 0.5, 0.9, 0.5, 0.9, 0.5], errors)
    assert swinging is not None
    assert swinging > 4
    steady = stability(np.linspace(0.5, 0.85, 8), errors)
    assert steady == pytest.approx(0, abs=1e-9)
    assert stability([0.5, 0.6, 0.7], errors[:3]) is None
    assert stability([1.0] * 8, [binomial_error(1.0, 80)] * 8) == 0.0
    assert binomial_error(1.0, 80) > 0


def test_the_best_checkpoint_is_reported_where_it_was_not_chosen() -> None:
    rng = np.random.default_rng(0)
    chosen, reported = [], []
    for _ in range(200):  # ten checkpoints that are equally good, 50 prompts
        values = (rng.random((10, 50)) < 0.8).astype(np.float64)
        best = best_checkpoint(values, np.arange(50) % 2 == 0, rng)
        assert best is not None
        chosen.append(best.chosen_on)
        reported.append(best.reported.point)
    assert np.mean(chosen) > 0.88  # the winner's value flatters it
    assert np.mean(reported) == pytest.approx(0.8, abs=0.02)


def test_of_equal_checkpoints_the_earliest_is_the_best() -> None:
    values = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    best = best_checkpoint(values, np.array([True, False]), np.random.default_rng(0))
    assert best is not None
    assert best.at == 1
    assert best_checkpoint(values, np.array([True, True]), np.random.default_rng(0)) is None
