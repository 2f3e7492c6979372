"""What may be said of a pool after a sample: against scipy, by counting every case, and over every pool."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from graftset.statistics import (
    clopper_pearson,
    further_right,
    least_right,
    pass_probability,
    plan_table,
    sample_size,
    sequential_least_right,
    sequential_pass_probability,
    wilson,
)
from graftset.statistics.finite_pool import at_most_wrong, needed_right

SLOW = [HealthCheck.too_slow]  # a loaded machine is no failure

POOL = 203


# --- a sample of fixed size -------------------------------------------------------------------------------------------


def test_the_plans_of_203_are_those_that_were_computed_before() -> None:
    assert [(row.n, row.allowed) for row in plan_table(POOL)[:4]] == [(26, 0), (41, 1), (54, 2), (65, 3)]


@pytest.mark.parametrize(("wrong", "share"), [(0, 0.916), (1, 0.862), (3, 0.773)])
def test_thirty_reviewed_give_the_known_bounds(wrong: int, share: float) -> None:
    assert least_right(POOL, 30, wrong) / POOL == pytest.approx(share, abs=0.0005)


def test_a_plan_without_errors_fails_a_pool_with_95_percent_right_three_times_in_four() -> None:
    rows = {row.allowed: row for row in plan_table(POOL)}
    assert 1 - rows[0].pass_at_95 == pytest.approx(0.754, abs=0.001)
    assert rows[2].pass_at_95 == pytest.approx(stats.hypergeom(POOL, 10, 54).cdf(2))
    assert rows[2].pass_at_95 > 1.9 * rows[0].pass_at_95


@given(st.integers(1, 80), st.data())
@settings(deadline=None, suppress_health_check=SLOW)
def test_the_distribution_function_is_scipys(pool: int, data: st.DataObject) -> None:
    wrong, n = data.draw(st.integers(0, pool)), data.draw(st.integers(0, pool))
    found = data.draw(st.integers(0, n))
    assert at_most_wrong(pool, wrong, n, found) == pytest.approx(stats.hypergeom(pool, wrong, n).cdf(found), abs=1e-9)


@given(st.integers(1, 60), st.floats(0.6, 0.99), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_the_bound_is_the_least_number_right_that_scipy_does_not_refute(
    pool: int, confidence: float, data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, pool))
    wrong = data.draw(st.integers(0, n))
    possible = range(n - wrong, pool - wrong + 1)
    chances = {right: stats.hypergeom(pool, pool - right, n).cdf(wrong) for right in possible}
    assume(all(abs(chance - (1 - confidence)) > 1e-9 for chance in chances.values()))  # rounding decides a tie
    kept = [right for right, chance in chances.items() if chance > 1 - confidence]
    assert least_right(pool, n, wrong, confidence) == min(kept)


def test_the_bound_counted_over_every_sample_of_a_small_pool() -> None:
    """Of all samples that can be drawn, at most 5 % lead to a bound above the truth."""
    pool, n = 12, 6
    for right in range(pool + 1):
        images = [True] * right + [False] * (pool - right)
        samples = list(itertools.combinations(images, n))
        above = sum(least_right(pool, n, n - sum(sample)) > right for sample in samples)
        assert above <= 0.05 * len(samples)


@given(st.integers(1, 400), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_more_errors_lower_the_bound_and_more_reviews_raise_it(pool: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, pool))
    wrong = data.draw(st.integers(0, n))
    bound = least_right(pool, n, wrong)
    assert n - wrong <= bound <= pool - wrong
    if wrong:
        assert least_right(pool, n, wrong - 1) >= bound
    if n < pool:
        assert least_right(pool, n + 1, wrong) >= bound
    assert least_right(pool, n, wrong, 0.99) <= bound


def test_looking_at_all_leaves_nothing_open() -> None:
    assert least_right(50, 50, 7) == 43


@given(st.integers(1, 300), st.integers(0, 8), st.sampled_from([0.8, 0.9, 0.95]))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_a_plan_is_the_smallest_that_shows_its_target(pool: int, allowed: int, target: float) -> None:
    n = sample_size(pool, allowed, target)
    needed = needed_right(pool, target)
    if n is None:
        assert pool - allowed < needed
        return
    assert least_right(pool, n, min(allowed, n)) >= needed
    if n - 1 >= max(allowed, 1):
        assert least_right(pool, n - 1, allowed) < needed


@pytest.mark.parametrize("pool", [20, 50, 113, POOL, 1000])
@pytest.mark.parametrize("allowed", [0, 1, 2, 3])
def test_a_pool_just_under_the_target_passes_a_fixed_plan_at_most_once_in_twenty(pool: int, allowed: int) -> None:
    """Exact: the probability that a review of the best pool that is still too bad ends in ">= 90 %"."""
    n = sample_size(pool, allowed)
    if n is None:
        return
    too_bad = needed_right(pool, 0.90) - 1
    passes = sum(
        stats.hypergeom(pool, pool - too_bad, n).pmf(wrong)
        for wrong in range(n + 1)
        if least_right(pool, n, wrong) >= too_bad + 1
    )
    assert passes <= 0.05
    assert passes == pytest.approx(pass_probability(pool, n, allowed, too_bad / pool))


def test_counts_that_cannot_be_are_refused() -> None:
    for pool, n, wrong in [(0, 0, 0), (10, 11, 0), (10, 5, 6), (10, -1, 0)]:
        with pytest.raises(ValueError, match="no such sample"):
            least_right(pool, n, wrong)


# --- a bound that may be watched --------------------------------------------------------------------------------------


def sequence_probability(pool: int, right: int, sequence: tuple[bool, ...]) -> float:
    """P(one sequence), draw by draw."""
    chance, left_right, left = 1.0, right, pool
    for was_right in sequence:
        chance *= (left_right if was_right else left - left_right) / left
        left_right, left = left_right - was_right, left - 1
    return max(chance, 0.0)


def polya_probability(sequence: tuple[bool, ...], a: float, b: float) -> float:
    """P(one sequence) under the beta-binomial prior, by Polya's urn, draw by draw."""
    chance = 1.0
    for was_right in sequence:
        chance *= (a if was_right else b) / (a + b)
        a, b = a + was_right, b + (not was_right)
    return chance


def test_the_sequential_bound_is_that_of_the_paper_written_out() -> None:
    """Prior over posterior for every number right, at every length, by nothing but products of draws."""
    pool, rng = 24, np.random.default_rng(3)
    for _ in range(30):
        sequence = tuple(rng.random(rng.integers(1, pool + 1)) < rng.choice([0.6, 0.9, 1.0]))
        lowest = 0
        for t in range(1, len(sequence) + 1):
            seen = sequence[:t]
            marginal = polya_probability(seen, 30.0, 1.0)
            kept = [
                theta
                for theta in range(pool + 1)
                if (p := sequence_probability(pool, theta, seen)) > 0 and marginal / p < 20 * (1 - 1e-12)
            ]
            lowest = max(lowest, min(kept))
        assert sequential_least_right(pool, sequence) == lowest


@pytest.mark.parametrize("right", range(13))
def test_watching_the_sequential_bound_over_every_order_of_a_small_pool(right: int) -> None:
    """Whatever the truth, at most 5 % of all orders ever show more than there is."""
    pool = 12
    above = orders = 0
    for places in itertools.combinations(range(pool), right):
        sequence = [i in places for i in range(pool)]
        orders += 1
        above += sequential_least_right(pool, sequence, target=0.75) > right
    assert above <= 0.05 * orders


@pytest.mark.parametrize("pool", [20, 50, 113, POOL, 1000])
def test_a_pool_just_under_the_target_passes_a_sequential_plan_at_most_once_in_twenty(pool: int) -> None:
    """Exact, over every path of numbers right found, with the review stopped whenever the target is shown."""
    passes, _ = sequential_pass_probability(pool, needed_right(pool, 0.90) - 1)
    assert passes <= 0.05


def test_how_a_sequential_plan_fares_by_simulation() -> None:
    """The exact path count against reviews that are played out."""
    rng, pool, right = np.random.default_rng(5), 60, 53
    passed = []
    for _ in range(2000):
        order = rng.permutation(pool) < right
        passed.append(sequential_least_right(pool, order) >= needed_right(pool, 0.90))
    exact, _ = sequential_pass_probability(pool, right)
    assert np.mean(passed) == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 2000) + 1e-9)


def test_watching_a_fixed_bound_passes_bad_pools_and_the_sequential_one_does_not() -> None:
    """Why there are two plans: the bound of a fixed sample, looked at after each image."""
    rng, pool, right = np.random.default_rng(0), POOL, 182
    first = {wrong: sample_size(pool, wrong) or pool for wrong in range(8)}
    watched = sequential = 0
    for _ in range(300):
        order = rng.permutation(pool) < right
        errors = np.cumsum(~order)
        watched += any(errors[n - 1] <= wrong for wrong, n in first.items())
        sequential += sequential_least_right(pool, order) > right
    assert watched / 300 > 0.10
    assert sequential / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


def test_good_pools_pass_a_sequential_plan_sooner_the_better_they_are() -> None:
    costs = [sequential_pass_probability(POOL, right) for right in (193, 197, 203)]
    assert [chance for chance, _ in costs] == pytest.approx([1.0, 1.0, 1.0])
    assert [round(mean) for _, mean in costs] == [91, 59, 32]


@given(st.integers(1, 60), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_the_sequential_bound_never_falls_and_never_passes_what_is_possible(pool: int, data: st.DataObject) -> None:
    verdicts = data.draw(st.lists(st.booleans(), max_size=pool))
    bounds = [sequential_least_right(pool, verdicts[:t]) for t in range(len(verdicts) + 1)]
    assert bounds == sorted(bounds)
    assert bounds[-1] >= sum(verdicts[: len(verdicts)]) * (len(verdicts) == pool)
    assert bounds[-1] <= pool - verdicts.count(False)


@given(st.integers(5, 80), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_how_many_more_is_when_the_bound_arrives(pool: int, data: st.DataObject) -> None:
    verdicts = data.draw(st.lists(st.sampled_from([True, True, True, False]), max_size=pool))
    needed = needed_right(pool, 0.90)
    if sequential_least_right(pool, verdicts) >= needed:
        return
    more = further_right(pool, len(verdicts), sum(verdicts))
    if more is None:
        everything = [*verdicts, *[True] * (pool - len(verdicts))]
        assert sequential_least_right(pool, everything) < needed
        return
    assert sequential_least_right(pool, [*verdicts, *[True] * more]) >= needed
    assert sequential_least_right(pool, [*verdicts, *[True] * (more - 1)]) < needed


# --- shares without a pool --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (0, 7), (7, 7), (3, 10), (197, 203), (1, 1000)])
def test_intervals_of_a_share_are_scipys(successes: int, n: int) -> None:
    if n == 0:
        assert wilson(0, 0) == clopper_pearson(0, 0) == (0.0, 1.0)
        return
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = stats.binomtest(successes, n).proportion_ci(method=method)
        assert ours(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
