"""Likeness of pictures and of sets of pictures, against independent references and by what must hold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from assess_helpers import portraits
from graftset.pixels.color import srgb_to_oklab
from graftset.pixels.diversity import gaussian_kernel, median_bandwidth, vendi_score
from graftset.pixels.fidelity import (
    answered,
    main_color_distance,
    mmd_test,
    pixel_exact,
    squared_mmd,
    ssim,
)

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def noisy(picture: U8, level: float, seed: int = 0) -> U8:
    """The picture with white noise of so many 8-bit levels."""
    noise = np.random.default_rng(seed).normal(0, level, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(24, 24), (32, 20), (7, 9), (16, 5)])
def test_ssim_is_that_of_scikit_image(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(0, 256, (6, *size, 3), dtype=np.uint8)
    second = np.stack([noisy(picture, level) for picture, level in zip(first, (0, 2, 8, 20, 60, 120), strict=True)])
    window = min(7, *(side - 1 + side % 2 for side in size))
    # Uniform window, sample covariance, borders left out, mean over the channels, 255 as data range.
    expected = [
        structural_similarity(a, b, win_size=window, channel_axis=-1, data_range=255)
        for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(ssim(first, second), expected, atol=1e-12)
    assert ssim(first, second)[0] == 1.0


def test_ssim_of_portraits_is_that_of_scikit_image() -> None:
    first = np.stack(portraits(8))
    second = np.roll(first, 1, axis=0)
    expected = [
        structural_similarity(a, b, channel_axis=-1, data_range=255) for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(ssim(first, second), expected, atol=1e-12)
    np.testing.assert_array_equal(ssim(first, second), ssim(second, first))


def test_ssim_refuses_pictures_without_room_for_a_window() -> None:
    with pytest.raises(ValueError, match="3 x 3"):
        ssim(np.zeros((1, 2, 8, 3), np.uint8), np.zeros((1, 2, 8, 3), np.uint8))


def test_pixel_exact_counts_cells_within_two_ciede2000() -> None:
    picture = np.full((1, 4, 5, 3), 128, dtype=np.uint8)
    other = picture.copy()
    other[0, 0, 0] = (129, 128, 128)  # nobody sees one level
    other[0, 1, 1] = (160, 128, 128)
    other[0, 2, 2] = (0, 0, 0)
    assert pixel_exact(picture, other) == pytest.approx([18 / 20])
    assert pixel_exact(picture, picture) == [1.0]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([("#8899aa", 1.0)], [("#8899aa", 1.0)], True),
        ([("#8899aa", 1.0)], [("#8a9bab", 1.0)], True),  # within 5 CIEDE2000
        ([("#8899aa", 1.0)], [("#aa9988", 1.0)], False),
        ([("#ff0000", 0.5), ("#0000ff", 0.5)], [("#0000ff", 0.6), ("#ff0000", 0.4)], True),
        ([("#ff0000", 0.5), ("#0000ff", 0.5)], [("#ff0000", 1.0)], False),  # the blue half is not answered
        ([("#ff0000", 1.0)], [("#ff0000", 0.5), ("#0000ff", 0.5)], False),  # nor may one be added
        ([("#ff0000", 0.96), ("#0000ff", 0.04)], [("#ff0000", 1.0)], True),  # a stray color need not be
        ([("#ff0000", 0.05)], [("#0000ff", 1.0)], False),  # but the largest one must
        ([], [("#0000ff", 1.0)], False),
    ],
)
def test_dominant_colors_must_answer_each_other(
    ours: list[tuple[str, float]], theirs: list[tuple[str, float]], expected: bool
) -> None:
    assert answered(ours, theirs) is expected
    assert answered(theirs, ours) is expected


def test_the_distance_of_main_colors_is_in_oklab() -> None:
    black_to_white = main_color_distance([("#000000", 0.6), ("#ff0000", 0.4)], [("#ffffff", 1.0)])
    assert black_to_white == pytest.approx(1.0, abs=1e-3)
    assert main_color_distance([("#445566", 1.0)], [("#445566", 1.0)]) == 0.0
    assert np.isnan(main_color_distance([], [("#ffffff", 1.0)]))


def features(count: int, shift: float = 0.0, seed: int = 0) -> F32:
    """Normal features of pictures, float32 [count, 5]."""
    return (np.random.default_rng(seed).normal(size=(count, 5)) + shift).astype(np.float32)


def test_the_discrepancy_is_that_of_a_double_loop() -> None:
    first, second = features(7), features(9, 0.7, seed=1)
    width = 1.7

    def k(a: F32, b: F32) -> float:
        return float(np.exp(-((a - b).astype(np.float64) ** 2).sum() / (2 * width**2)))

    n, m = len(first), len(second)
    expected = 0.0
    for i in range(n):
        for j in range(n):
            expected += k(first[i], first[j]) / (n * (n - 1)) if i != j else 0.0
    for i in range(m):
        for j in range(m):
            expected += k(second[i], second[j]) / (m * (m - 1)) if i != j else 0.0
    for i in range(n):
        for j in range(m):
            expected -= 2 * k(first[i], second[j]) / (n * m)
    both = np.concatenate([first, second])
    assert squared_mmd(gaussian_kernel(both, both, width), n) == pytest.approx(expected, abs=1e-6)
    found = mmd_test(first, second, np.random.default_rng(0), bandwidth=width)
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert found.sizes == (7, 9)


def test_each_permutation_is_scored_as_the_observed_split_is() -> None:
    # With three and three there are only 20 splits: the exact p is the share of them that reaches the observed one.
    first, second = features(3), features(3, 3.0, seed=1)
    both = np.concatenate([first, second])
    kernel = gaussian_kernel(both, both, 2.0).astype(np.float64)
    kernel = (kernel + kernel.T) / 2
    observed = squared_mmd(kernel, 3)
    splits = []
    for members in combinations(range(6), 3):
        order = [*members, *(i for i in range(6) if i not in members)]
        splits.append(squared_mmd(kernel[np.ix_(order, order)], 3))
    exact = np.mean([value >= observed - 1e-12 for value in splits])
    found = mmd_test(first, second, np.random.default_rng(0), bandwidth=2.0, permutations=20_000)
    assert found.p == pytest.approx(exact, abs=0.01)


def test_sets_of_one_kind_are_not_told_apart_and_others_are() -> None:
    same = [
        mmd_test(features(30, seed=s), features(40, seed=s + 100), np.random.default_rng(s), bandwidth=3.0).p
        for s in range(60)
    ]
    assert 0.3 < np.mean(same) < 0.7  # p is uniform where nothing differs
    assert np.mean(np.array(same) <= 0.05) <= 0.15
    apart = mmd_test(features(30), features(40, 1.0, seed=1), np.random.default_rng(0), bandwidth=3.0)
    assert apart.p == pytest.approx(1 / 1000)
    again = mmd_test(features(30), features(40, 1.0, seed=1), np.random.default_rng(0), bandwidth=3.0)
    assert apart == again


def test_the_discrepancy_needs_two_pictures_in_each_set() -> None:
    with pytest.raises(ValueError, match="two pictures"):
        mmd_test(features(1), features(4), np.random.default_rng(0), bandwidth=1.0)


def test_the_vendi_score_of_portraits_is_the_exponential_of_the_eigenvalues_entropy() -> None:
    cells = srgb_to_oklab(np.stack(portraits(20))).reshape(20, -1)
    width = median_bandwidth(cells, np.random.default_rng(0))
    kernel = np.exp(-((cells[:, None].astype(np.float64) - cells[None]) ** 2).sum(axis=2) / (2 * width**2))
    eigenvalues = np.linalg.eigvals(kernel / 20).real
    positive = eigenvalues[eigenvalues > 1e-12]
    expected = np.exp(-(positive * np.log(positive)).sum())
    assert vendi_score(gaussian_kernel(cells, cells, width)) == pytest.approx(expected, rel=1e-4)
