"""How varied a set of pictures is, and choosing few that stand for many."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import logm
from scipy.spatial.distance import cdist, pdist

from graftset.pixels import diversity as d


def random_pictures(n: int, size: int = 12, seed: int = 0) -> d.F32:
    return np.random.default_rng(seed).random((n, size), dtype=np.float32)


def random_problem(seed: int, n: int, groups: int, k: int) -> tuple[d.F32, d.Quotas]:
    """Similarities of n random pictures, float32 [n, n], and quotas that sum to k at most."""
    rng = np.random.default_rng(seed)
    features = rng.random((n, 3), dtype=np.float32)
    group = rng.integers(0, groups, n)
    targets = d.quota_targets(
        rng.integers(0, 5, groups).astype(float), np.bincount(group, minlength=groups).astype(float), k
    )
    return d.gaussian_kernel(features, features, 0.3), d.Quotas(group, targets)


def test_the_kernel_is_the_gaussian_of_the_distance() -> None:
    a, b = random_pictures(5), random_pictures(7, seed=1)
    np.testing.assert_allclose(d.gaussian_kernel(a, b, 0.8), np.exp(-(cdist(a, b) ** 2) / (2 * 0.8**2)), atol=1e-5)


def test_a_picture_without_features_is_like_no_other() -> None:
    features = random_pictures(4)
    features[2] = np.nan
    kernel = d.gaussian_kernel(features, features, 1.0)
    assert not kernel[2].any()
    assert not kernel[:, 2].any()
    assert (kernel[np.ix_([0, 1, 3], [0, 1, 3])] > 0).all()


def test_the_bandwidth_is_the_median_distance_of_different_pictures() -> None:
    features = random_pictures(30)
    rng = np.random.default_rng(0)
    assert d.median_bandwidth(features, rng) == pytest.approx(np.median(pdist(features)), rel=1e-5)
    doubled = np.concatenate([features, np.full_like(features[:1], np.nan)])
    assert d.median_bandwidth(doubled, rng) == pytest.approx(np.median(pdist(features)), rel=1e-5)
    assert d.median_bandwidth(features[[3] * 9], rng) == 1.0
    assert d.median_bandwidth(features[:1], rng) == 1.0
    assert d.median_bandwidth(features, rng, most=10) == pytest.approx(np.median(pdist(features)), rel=0.2)


def test_vendi_counts_pictures_that_share_nothing() -> None:
    assert d.vendi_score(np.eye(7)) == pytest.approx(7)
    assert d.vendi_score(np.ones((7, 7))) == pytest.approx(1)
    three_of_each_of_two = np.kron(np.eye(2), np.ones((3, 3)))
    for q in (0.5, 1.0, 2.0, np.inf):
        assert d.vendi_score(three_of_each_of_two, q) == pytest.approx(2)
    assert d.vendi_score(np.zeros((0, 0))) == 0.0


def test_vendi_of_uneven_groups_is_the_entropy_of_their_shares() -> None:
    kernel = np.zeros((6, 6))
    kernel[:5, :5] = kernel[5:, 5:] = 1.0
    p = np.array([5 / 6, 1 / 6])
    assert d.vendi_score(kernel) == pytest.approx(np.exp(-(p * np.log(p)).sum()))
    assert d.vendi_score(kernel, 2.0) == pytest.approx(1 / (p**2).sum())
    assert d.vendi_score(kernel, np.inf) == pytest.approx(6 / 5)


def test_vendi_is_the_von_neumann_entropy_of_the_kernel() -> None:
    kernel = d.gaussian_kernel(random_pictures(9), random_pictures(9), 0.7).astype(np.float64)
    rho = kernel / 9
    assert d.vendi_score(kernel) == pytest.approx(np.exp(-np.trace(rho @ logm(rho)).real), rel=1e-4)


@given(st.integers(0, 1000), st.integers(1, 12), st.floats(0.05, 5))
def test_vendi_lies_between_one_and_the_count_and_ignores_order(seed: int, n: int, bandwidth: float) -> None:
    features = random_pictures(n, seed=seed)
    kernel = d.gaussian_kernel(features, features, bandwidth)
    score = d.vendi_score(kernel)
    assert 1 - 1e-5 <= score <= n + 1e-5
    assert d.vendi_score(kernel[::-1, ::-1]) == pytest.approx(score, rel=1e-6)


def test_vendi_at_equal_n_does_not_reward_the_larger_set() -> None:
    pictures = random_pictures(400)
    bandwidth = d.median_bandwidth(pictures, np.random.default_rng(0)) / 2
    pair = d.vendi_at_equal_n(pictures, pictures[:60], np.random.default_rng(0), bandwidth=bandwidth)
    assert pair.n == 60
    assert pair.a / pair.b == pytest.approx(1, abs=0.08)
    collapsed = pictures[[0, 1, 2] * 30]
    pair = d.vendi_at_equal_n(collapsed, pictures, np.random.default_rng(0), bandwidth=bandwidth)
    assert pair.a <= 3.01
    assert pair.a / pair.b < 0.2


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_greedy_is_within_its_guarantee_of_the_best_subset(seed: int) -> None:
    similarity, quotas = random_problem(seed, n=8, groups=3, k=3)
    best = max(d.subset_value(similarity, np.array(s), quotas) for s in itertools.combinations(range(8), 3))
    picks = d.facility_location_greedy(similarity, 3, quotas)
    assert d.subset_value(similarity, np.array(picks.chosen), quotas) >= (1 - 1 / np.e) * best - 1e-6


@given(st.integers(0, 10_000), st.integers(1, 9))
@settings(deadline=None)
def test_lazy_evaluation_takes_a_best_picture_at_every_step(seed: int, k: int) -> None:
    similarity, quotas = random_problem(seed, n=9, groups=3, k=k)
    picks = d.facility_location_greedy(similarity, k, quotas)
    assert len(picks.chosen) == k
    for step in range(k):
        before = picks.chosen[:step]
        values = [
            d.subset_value(similarity, np.array([*before, j]), quotas) if j not in before else 0.0 for j in range(9)
        ]
        assert values[picks.chosen[step]] >= max(values) - 1e-4


def test_equal_pictures_are_taken_in_the_order_of_preference() -> None:
    similarity = np.ones((5, 5), dtype=np.float32)
    quotas = d.Quotas(np.zeros(5, dtype=int), np.array([3.0]))
    picks = d.facility_location_greedy(similarity, 3, quotas)
    assert picks == d.Picks(chosen=(0, 1, 2), others=(3, 4))


def test_one_of_each_cluster_comes_before_a_second_of_any() -> None:
    rng = np.random.default_rng(0)
    centers = np.eye(6, dtype=np.float32) * 5
    features = np.repeat(centers, [40, 20, 10, 5, 3, 2], axis=0)
    features += rng.normal(0, 0.05, features.shape).astype(np.float32)
    quotas = d.Quotas(np.zeros(len(features), dtype=int), np.zeros(1))
    picks = d.diverse_subset(features, 6, quotas, rng, bandwidth=1.0)
    cluster = np.repeat(np.arange(6), [40, 20, 10, 5, 3, 2])
    assert sorted(cluster[list(picks.chosen)]) == list(range(6))
    assert sorted(picks.chosen + picks.others) == list(range(len(features)))


def test_others_are_led_by_the_one_that_adds_most() -> None:
    features = np.array([[0.0], [0.01], [0.02], [9.0]], dtype=np.float32)
    quotas = d.Quotas(np.zeros(4, dtype=int), np.zeros(1))
    picks = d.facility_location_greedy(d.gaussian_kernel(features, features, 1.0), 1, quotas)
    assert picks.others[0] == 3


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=6),
    st.lists(st.integers(0, 30), min_size=6, max_size=6),
    st.integers(0, 60),
)
def test_quotas_fill_the_places_and_never_ask_for_what_is_not_there(
    counts: list[int], available: list[int], k: int
) -> None:
    count, there = np.array(counts, dtype=float), np.array(available[: len(counts)], dtype=float)
    targets = d.quota_targets(count, there, k)
    assert (targets >= 0).all()
    assert (targets <= there + 1e-9).all()
    assert not targets[count == 0].any()
    assert targets.sum() == pytest.approx(min(k, there[count > 0].sum()))


def test_quotas_follow_the_square_root_of_the_counts() -> None:
    plenty = np.full(3, 1000.0)
    np.testing.assert_allclose(d.quota_targets(np.array([100.0, 25.0, 0.0]), plenty, 30), [20, 10, 0])
    np.testing.assert_allclose(d.quota_targets(np.array([9.0, 9.0, 36.0]), np.array([2.0, 99.0, 99.0]), 11), [2, 3, 6])


def test_quotas_are_met_where_the_pool_allows() -> None:
    rng = np.random.default_rng(3)
    features = rng.random((300, 6), dtype=np.float32)
    groups = np.repeat([0, 1, 2], [240, 40, 20])
    targets = np.array([10.0, 10.0, 10.0])
    picks = d.diverse_subset(features, 30, d.Quotas(groups, targets), rng, bandwidth=0.5)
    np.testing.assert_array_equal(np.bincount(groups[list(picks.chosen)]), [10, 10, 10])


def test_sampled_greedy_is_nearly_as_good_as_exact_greedy() -> None:
    features = random_pictures(600, size=4)
    groups = np.random.default_rng(1).integers(0, 4, 600)
    quotas = d.Quotas(groups, np.full(4, 5.0))
    similarity = d.gaussian_kernel(features, features, 0.3)
    exact = d.facility_location_greedy(similarity, 20, quotas)
    sampled = d.facility_location_stochastic(
        features, 20, quotas, np.random.default_rng(0), bandwidth=0.3, representatives=200
    )
    values = [d.subset_value(similarity, np.array(picks.chosen), quotas) for picks in (exact, sampled)]
    assert values[1] >= 0.95 * values[0]
    assert sorted(sampled.chosen + sampled.others) == list(range(600))
    again = d.facility_location_stochastic(
        features, 20, quotas, np.random.default_rng(0), bandwidth=0.3, representatives=200
    )
    assert again == sampled


def test_large_sets_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(d, "EXACT_LIMIT", 50)
    monkeypatch.setattr(d, "facility_location_greedy", None)
    features = random_pictures(60)
    quotas = d.Quotas(np.zeros(60, dtype=int), np.array([5.0]))
    assert len(d.diverse_subset(features, 5, quotas, np.random.default_rng(0), bandwidth=1.0).chosen) == 5


def test_asking_for_more_than_there_is_gives_all() -> None:
    features = random_pictures(4)
    quotas = d.Quotas(np.zeros(4, dtype=int), np.array([4.0]))
    rng = np.random.default_rng(0)
    assert sorted(d.diverse_subset(features, 9, quotas, rng, bandwidth=1.0).chosen) == [0, 1, 2, 3]
    sampled = d.facility_location_stochastic(features, 9, quotas, rng, bandwidth=1.0)
    assert sorted(sampled.chosen) == [0, 1, 2, 3]
