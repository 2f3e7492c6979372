"""Comparing two arms: against scipy, against Holm written out, by properties, and on simulated experiments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from graftset.statistics.paired import (
    Components,
    Resamples,
    components,
    detectable,
    holm_levels,
    needed_prompts,
    needed_seeds,
    paired,
    verdict,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from verdicts import HARM, UNPAIRED, World, simulate, simulate_three

sizes = st.integers(2, 7)


def drawn(seeds: int, prompts: int, seed: int, *, shift: float = 0.0) -> NDArray[np.float64]:
    """A table of differences with all three kinds of spread."""
    rng = np.random.default_rng(seed)
    both = 0.1 * rng.normal(size=(seeds, 1)) + 0.1 * rng.normal(size=prompts)
    return np.asarray(shift + both + 0.3 * rng.normal(size=(seeds, prompts)))


@given(sizes, sizes, st.integers(0, 1000))
def test_the_t_part_is_what_scipy_says_of_the_seeds_means(seeds: int, prompts: int, seed: int) -> None:
    table = drawn(seeds, prompts, seed)
    found = paired(table, Resamples.draw(table.shape, np.random.default_rng(0), 50))
    reference = stats.ttest_1samp(table.mean(axis=1), 0.0)
    assert found.p_by_t == pytest.approx(reference.pvalue)
    wide = replace(found, resampled=np.full(50, found.point)).interval(0.05)
    assert wide[:2] == pytest.approx(tuple(reference.confidence_interval(0.95)))
    assert wide[2] == "t"


@given(sizes, sizes, st.integers(0, 1000), st.sampled_from([0.05, 0.025, 0.05 / 3]))
def test_the_interval_covers_both_methods_and_the_p_value_is_the_larger(
    seeds: int, prompts: int, seed: int, alpha: float
) -> None:
    table = drawn(seeds, prompts, seed, shift=0.1)
    found = paired(table, Resamples.draw(table.shape, np.random.default_rng(seed), 400))
    low, high, _ = found.interval(alpha)
    half = stats.t.ppf(1 - alpha / 2, seeds - 1) * stats.sem(table.mean(axis=1))
    quantiles = np.quantile(found.resampled, (alpha / 2, 1 - alpha / 2))
    assert low == pytest.approx(min(found.point - half, quantiles[0]))
    assert high == pytest.approx(max(found.point + half, quantiles[1]))
    assert found.p >= stats.ttest_1samp(table.mean(axis=1), 0.0).pvalue - 1e-12


def test_the_bootstrap_draws_seeds_and_prompts_apart() -> None:
    """Against the same thing written with loops, in distribution."""
    table = drawn(4, 9, 3)
    ours = paired(table, Resamples.draw(table.shape, np.random.default_rng(1), 20_000)).resampled
    rng = np.random.default_rng(2)
    naive = []
    for _ in range(4000):
        rows, columns = rng.integers(0, 4, 4), rng.integers(0, 9, 9)
        naive.append(np.mean([[table[row, column] for column in columns] for row in rows]))
    assert ours.mean() == pytest.approx(table.mean(), abs=0.01)
    assert np.quantile(ours, (0.025, 0.5, 0.975)) == pytest.approx(np.quantile(naive, (0.025, 0.5, 0.975)), abs=0.03)


@given(sizes, sizes, st.integers(0, 1000), st.floats(0.1, 5.0))
def test_arms_that_change_places_and_other_units(seeds: int, prompts: int, seed: int, unit: float) -> None:
    table = drawn(seeds, prompts, seed)
    draws = Resamples.draw(table.shape, np.random.default_rng(0), 300)
    found, other = paired(table, draws), paired(-unit * table, draws)
    low, high, method = found.interval()
    assert other.interval()[:2] == pytest.approx((-unit * high, -unit * low))
    assert other.interval()[2] == method
    assert other.p == pytest.approx(found.p)


def test_what_never_differs_is_equivalent_and_what_always_does_is_sure() -> None:
    draws = Resamples.draw((3, 8), np.random.default_rng(0), 500)
    same = paired(np.zeros((3, 8)), draws)
    assert (same.interval()[:2], same.p) == ((0.0, 0.0), 1.0)
    assert verdict(*same.interval()[:2], 0.05) == "EQUIVALENT"
    worse = paired(np.full((3, 8), -0.2), draws)
    assert verdict(*worse.interval()[:2], 0.05) == "HURT"
    assert worse.p < 0.01


def holm(ps: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses Holm rejects, as the paper tells it."""
    rejected = [False] * len(ps)
    for rank, place in enumerate(np.argsort(ps, kind="stable")):
        if ps[place] >= alpha / (len(ps) - rank):
            break
        rejected[place] = True
    return rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.floats(0.01, 0.2))
def test_the_levels_reject_what_holm_rejects(ps: list[float], alpha: float) -> None:
    levels = holm_levels(ps, alpha)
    assert [p < level for p, level in zip(ps, levels, strict=True)] == holm(ps, alpha)
    assert all(alpha / len(ps) <= level <= alpha for level in levels)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=3, unique=True))
def test_an_interval_leaves_out_zero_where_holm_rejects(seeds: list[int]) -> None:
    draws = Resamples.draw((5, 20), np.random.default_rng(0), 1000)
    found = [paired(drawn(5, 20, seed, shift=0.15), draws) for seed in seeds]
    for one, level, rejected in zip(
        found, holm_levels([f.p for f in found]), holm([f.p for f in found], 0.05), strict=True
    ):
        low, high, _ = one.interval(level)
        # The share of a thousand resamples and their quantile may differ by one of them.
        if abs(one.p - level) > 0.004:
            assert (low > 0 or high < 0) == rejected


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.2, "HELPED"),
        (-0.2, -0.01, "HURT"),
        (-0.04, 0.2, "NON-INFERIOR"),
        (-0.04, 0.04, "EQUIVALENT"),
        (-0.06, 0.04, "INCONCLUSIVE"),
        (-0.2, 0.2, "INCONCLUSIVE"),
        (0.0, 0.0, "EQUIVALENT"),
        (-0.2, 0.0, "INCONCLUSIVE"),
    ],
)
def test_verdict_words(low: float, high: float, word: str) -> None:
    assert verdict(low, high, 0.05) == word


def test_components_of_a_large_table_are_those_it_was_drawn_with() -> None:
    rng = np.random.default_rng(5)
    rows, columns = rng.normal(0, 0.2, (300, 1)), rng.normal(0, 0.1, 400)
    found = components(np.asarray(rows + columns + rng.normal(0, 0.3, (300, 400))))
    assert found.seeds == pytest.approx(0.04, rel=0.2)
    assert found.prompts == pytest.approx(0.01, rel=0.2)
    assert found.residual == pytest.approx(0.09, rel=0.05)


@given(sizes, sizes, st.integers(0, 1000))
def test_components_are_never_negative(seeds: int, prompts: int, seed: int) -> None:
    found = components(drawn(seeds, prompts, seed))
    assert min(found.seeds, found.prompts, found.residual) >= 0


def test_what_is_found_in_eight_of_ten_cases_is_found_in_eight_of_ten_cases() -> None:
    parts = Components(0.004, 0.0, 0.1)
    effect = detectable(parts, 5, 100)
    rng = np.random.default_rng(0)
    means = effect + rng.normal(0, parts.error(5, 100) * np.sqrt(5), (20_000, 5))
    assert (stats.ttest_1samp(means, 0.0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.01)


@given(st.floats(0.0001, 0.02), st.floats(0, 0.02), st.floats(0.01, 0.3), st.floats(0.02, 0.4), st.integers(20, 200))
def test_the_seeds_and_prompts_that_are_asked_for_suffice_and_fewer_do_not(
    seeds: float, prompts: float, residual: float, effect: float, count: int
) -> None:
    parts = Components(seeds, prompts, residual)
    needed = needed_seeds(parts, effect, count)
    if needed is None:
        assert detectable(parts, 100, count) > effect
    else:
        assert detectable(parts, needed, count) <= effect
        assert needed == 2 or detectable(parts, needed - 1, count) > effect
    wanted = needed_prompts(parts, effect, 5)
    if wanted is not None:
        assert detectable(parts, 5, wanted) <= effect * (1 + 1e-9)
        assert wanted == 1 or detectable(parts, 5, wanted - 1) > effect


class TestOnSimulatedExperiments:
    """The short version of benchmarks/verdicts.py; bounds leave room for 300 experiments' chance."""

    @pytest.mark.parametrize("seed_sd", [0.02, 0.043, 0.12])
    def test_no_effect_is_seldom_called_one(self, seed_sd: float) -> None:
        found = simulate(World(seed_sd=seed_sd), 300, np.random.default_rng(1), resamples=600)
        assert found.share("HELPED", "HURT") <= 0.08
        assert found.coverage >= 0.92

    def test_a_clear_harm_is_found_where_seeds_agree_and_left_open_where_not(self) -> None:
        rng = np.random.default_rng(2)
        calm = simulate(World(effect=HARM), 300, rng, resamples=600)
        wild = simulate(World(effect=HARM, seed_sd=0.10), 300, rng, resamples=600)
        assert calm.share("HURT") >= 0.84
        assert wild.share("INCONCLUSIVE") > 0.42
        assert 8 <= np.median(wild.asked_seeds) <= 25

    def test_pictures_that_share_nothing_are_no_reason_for_false_verdicts(self) -> None:
        found = simulate(replace(World(), **UNPAIRED), 300, np.random.default_rng(3), resamples=600)
        assert found.share("HELPED", "HURT") <= 0.08

    def test_three_endpoints_together_give_no_more_false_verdicts_than_one(self) -> None:
        said = simulate_three(World(), (0.0, 0.0, 0.0), 100, np.random.default_rng(4))
        assert said[-1]["any false"] <= 10
