"""How much variety a set of pictures has, and which few of many keep most of it.

Pictures come as features: float32 [N, D], one row each, e.g. the OKLab cells of the native image laid out in a row.
Their similarity is a Gaussian kernel, 1 for equal pictures and towards 0 for unlike ones. Two things are built on it:

- the Vendi score, the effective number of different pictures in a set;
- a greedy choice of k pictures that represent all N (facility location) while filling quotas of traits.

Sources: Friedman and Dieng 2023, "The Vendi Score: A Diversity Evaluation Metric for Machine Learning"; Pasarkar and
Dieng 2024, "Cousins of the Vendi Score" (order q); Nemhauser, Wolsey and Fisher 1978 (greedy is within 1 - 1/e of the
best); Minoux 1978, "Accelerated greedy algorithms for maximizing submodular set functions"; Mirzasoleiman et al. 2015,
"Lazier Than Lazy Greedy".
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Ints = NDArray[np.intp]

EXACT_LIMIT = 10_000  # pictures; above it an [N, N] similarity would pass 400 MB
_GAIN_DECIMALS = 6  # gains this close are ties: float32 sums differ beyond it from one machine to another
_BLOCK_VALUES = 8_000_000  # similarities held at once where the whole matrix is not


# --- similarity ---------------------------------------------------------------------------------------------------


def squared_distances(a: F32, b: F32) -> F32:
    """Squared Euclidean distance of every row of `a` to every row of `b`: [N, D], [M, D] -> float32 [N, M]."""
    products: F32 = a @ b.T
    products *= -2.0
    products += np.einsum("nd,nd->n", a, a)[:, None]
    products += np.einsum("md,md->m", b, b)[None, :]
    np.maximum(products, 0.0, out=products)
    return products


def median_bandwidth(features: F32, rng: np.random.Generator, *, most: int = 1_000) -> float:
    """The median distance between two different pictures: the usual width of a Gaussian kernel.

    Args:
        features: float32 [N, D]; rows of NaN are left out.
        rng: Draws `most` rows where there are more.
        most: Rows that are compared, each with each.

    Returns:
        The median over pairs at a distance above 0 (equal pictures say nothing of the scale); 1.0 where there is none.
    """
    features = features[~np.isnan(features).any(axis=1)]
    if len(features) > most:
        features = features[np.sort(rng.choice(len(features), most, replace=False))]
    above = squared_distances(features, features)[np.triu_indices(len(features), k=1)]
    scale = float(np.einsum("nd,nd->n", features, features).max(initial=0.0))
    above = above[above > scale * 1e-6]  # below is the rounding of float32, not a distance
    return float(np.sqrt(np.median(above))) if above.size else 1.0


def gaussian_kernel(a: F32, b: F32, bandwidth: float) -> F32:
    """exp(-||a_i - b_j||^2 / (2 bandwidth^2)) for every pair of rows: [N, D], [M, D] -> float32 [N, M] in [0, 1].

    A row of NaN is a picture without features: it is 0 to every picture, itself included.
    """
    kernel = squared_distances(a, b)
    kernel *= -1.0 / (2.0 * bandwidth**2)
    np.exp(kernel, out=kernel)
    kernel[np.isnan(a).any(axis=1)] = 0.0
    kernel[:, np.isnan(b).any(axis=1)] = 0.0
    return kernel


# --- the Vendi score ----------------------------------------------------------------------------------------------


def vendi_score(kernel: NDArray[np.floating], q: float = 1.0) -> float:
    """The effective number of different items: exp of the Renyi entropy of order q of the eigenvalues l_i of K / n.

        VS_1 = exp(-sum_i l_i log l_i),    VS_q = (sum_i l_i^q)^(1 / (1 - q)),    VS_inf = 1 / max_i l_i

    n items that have nothing in common score n, n equal ones score 1.

    Args:
        kernel: Similarities, float [n, n], symmetric, positive semidefinite, 1 on the diagonal.
        q: Order; small orders count rare items more, large ones common items.

    Returns:
        A score in [1, n]; 0.0 for no items.
    """
    n = len(kernel)
    if n == 0:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(np.asarray(kernel, dtype=np.float64) / n)
    p = eigenvalues[eigenvalues > 1e-12]
    p = p / p.sum()
    if q == 1.0:
        return float(np.exp(-(p * np.log(p)).sum()))
    if math.isinf(q):
        return float(1.0 / p.max())
    return float((p**q).sum() ** (1.0 / (1.0 - q)))


@dataclass(frozen=True, slots=True)
class VendiAtEqualN:
    """Vendi scores of two sets of pictures, each over `n` of them: the score grows with n, so only these compare."""

    a: float
    b: float
    n: int


def vendi_at_equal_n(
    features_a: F32,
    features_b: F32,
    rng: np.random.Generator,
    *,
    bandwidth: float,
    repeats: int = 10,
    most: int = 300,
) -> VendiAtEqualN:
    """Mean Vendi score of two sets over random draws of equal size, under one kernel.

    Args:
        features_a: float32 [N, D].
        features_b: float32 [M, D].
        rng: Draws the rows.
        bandwidth: Width of the Gaussian kernel, the same for both or the scores would not compare.
        repeats: Draws to average; one where a draw is the whole set.
        most: Rows of a draw at most; the eigenvalues cost n^3.
    """
    n = min(len(features_a), len(features_b), most)
    scores = [_mean_vendi(features, n, rng, bandwidth, repeats) for features in (features_a, features_b)]
    return VendiAtEqualN(a=scores[0], b=scores[1], n=n)


def _mean_vendi(features: F32, n: int, rng: np.random.Generator, bandwidth: float, repeats: int) -> float:
    draws = 1 if n == len(features) else repeats
    rows = (features[rng.choice(len(features), n, replace=False)] for _ in range(draws))
    return float(np.mean([vendi_score(gaussian_kernel(row, row, bandwidth)) for row in rows]))


# --- choosing a diverse subset ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many of each group are wanted: sum_t T_t min(c_t / T_t, 1), that is sum_t min(c_t, T_t).

    `groups` holds the groups t of each picture: int [N] in [0, G), or int [N, S] where a picture is in one group of
    each of S traits, with -1 for none. `targets` holds T_t >= 0, float64 [G]; a group with target 0 earns nothing.
    `weight` scales the term against facility location.
    """

    groups: Ints
    targets: F64
    weight: float = 1.0

    def value(self, counts: F64) -> float:
        """The term at counts c_t, float64 [G]."""
        return float(self.weight * np.minimum(counts, self.targets).sum())

    def gains(self, counts: F64) -> F64:
        """What one more picture of each group adds at counts c_t: float64 [G + 1], the last 0, of no group."""
        gains = self.weight * (np.minimum(counts + 1.0, self.targets) - np.minimum(counts, self.targets))
        return np.append(gains, 0.0)

    @property
    def memberships(self) -> Ints:
        """The groups of each picture, int [N, S]; -1 for none."""
        return self.groups.reshape(len(self.groups), -1)

    def counts(self, chosen: Ints) -> F64:
        """How many of the chosen pictures are in each group, float64 [G]."""
        own = self.memberships[chosen].ravel()
        return np.bincount(own[own >= 0], minlength=len(self.targets)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Picks:
    """Which pictures were chosen, in the order they were, and all others, the ones that would add most first."""

    chosen: tuple[int, ...]
    others: tuple[int, ...]


def quota_targets(counts: F64, available: F64, k: int, power: float = 0.5) -> F64:
    """Share k places among groups in proportion to counts^power, no group getting more than it has.

    What a group cannot fill goes to the others in the same proportion.

    Args:
        counts: How often each group is met in the set to follow, float64 [G], >= 0.
        available: How many there are to choose from, float64 [G], >= 0.
        k: Places.
        power: 1 copies the set, 0 makes all groups equal, 0.5 lies between.

    Returns:
        float64 [G]: 0 where counts are 0; their sum is k, or less where the groups with counts hold fewer.
    """
    shares = np.where(counts > 0, np.maximum(counts, 0.0) ** power, 0.0)
    targets = np.zeros_like(shares)
    open_groups = shares > 0
    while open_groups.any():
        left = k - targets[~open_groups].sum()
        targets[open_groups] = left * shares[open_groups] / shares[open_groups].sum()
        full = open_groups & (targets >= available)
        if not full.any():
            break
        targets[full] = available[full]
        open_groups &= ~full
    return targets


def subset_value(similarity: F32, chosen: Ints, quotas: Quotas) -> float:
    """The objective that the greedy choice climbs.

        F(S) = weight * sum_t T_t min(c_t / T_t, 1)  +  (k / N) sum_i max_{j in S} s_ij,    k = sum_t T_t

    Both terms reach k at most, so that neither drowns the other; k is 1 where there are no quotas.

    Args:
        similarity: float32 [N, N] in [0, 1].
        chosen: The subset S, int [k], without repeats.
        quotas: Groups and their targets.
    """
    if len(chosen) == 0:
        return 0.0
    counts = quotas.counts(chosen)
    covered = similarity[:, chosen].max(axis=1).mean(dtype=np.float64)
    return quotas.value(counts) + _coverage_scale(quotas) * float(covered)


def facility_location_greedy(similarity: F32, k: int, quotas: Quotas) -> Picks:
    """Choose k pictures one at a time, each the one that adds most to `subset_value` (lazy evaluation, Minoux 1978).

    A gain never grows while pictures are added, so an old gain is a bound: only the head of the queue is evaluated
    anew, until it stays at the head. The choice is that of the plain greedy algorithm, hence at least 1 - 1/e of the
    best. Of equal gains the lowest index wins: sort the pictures by preference first.

    Args:
        similarity: float32 [N, N] in [0, 1], symmetric, 1 on the diagonal.
        k: Pictures to choose; all where k >= N.
        quotas: Groups and their targets.
    """
    n = len(similarity)
    scale = _coverage_scale(quotas) / max(n, 1)
    covered = np.zeros(n, dtype=np.float32)  # max_{j in S} s_ij
    counts = np.zeros(len(quotas.targets))
    members = quotas.memberships
    trait_gains = quotas.gains(counts)
    above = np.empty(n, dtype=np.float32)

    def gain(j: int) -> float:
        np.subtract(similarity[j], covered, out=above)
        coverage = np.maximum(above, 0.0, out=above).sum(dtype=np.float64)
        return round(float(trait_gains[members[j]].sum() + scale * coverage), _GAIN_DECIMALS)

    queue = [(-gain(j), j) for j in range(n)]
    heapq.heapify(queue)
    chosen: list[int] = []
    while queue and len(chosen) < k:
        _, j = heapq.heappop(queue)
        anew = (-gain(j), j)
        if queue and anew > queue[0]:
            heapq.heappush(queue, anew)
            continue
        chosen.append(j)
        np.maximum(covered, similarity[j], out=covered)
        counts[members[j][members[j] >= 0]] += 1.0
        trait_gains = quotas.gains(counts)
    others = sorted((-gain(j), j) for _, j in queue)
    return Picks(tuple(chosen), tuple(j for _, j in others))


def facility_location_stochastic(
    features: F32,
    k: int,
    quotas: Quotas,
    rng: np.random.Generator,
    *,
    bandwidth: float,
    epsilon: float = 0.1,
    representatives: int = 4_096,
) -> Picks:
    """Choose k of many pictures without ever holding their [N, N] similarity (Mirzasoleiman et al. 2015).

    Each step evaluates a fresh random sample of (N / k) log(1 / epsilon) pictures instead of all that are left; the
    choice is at least 1 - 1/e - epsilon of the best in expectation. Coverage, a mean over all N, is estimated on
    `representatives` pictures drawn once.

    Args:
        features: float32 [N, D].
        k: Pictures to choose; all where k >= N.
        quotas: Groups and their targets.
        rng: Draws the representatives and the samples.
        bandwidth: Width of the Gaussian kernel.
        epsilon: What may be lost against the plain greedy choice, in (0, 1).
        representatives: Pictures on which coverage is measured.
    """
    n = len(features)
    k = min(k, n)
    seats = features if n <= representatives else features[np.sort(rng.choice(n, representatives, replace=False))]
    scale = _coverage_scale(quotas) / max(len(seats), 1)
    covered = np.zeros(len(seats), dtype=np.float32)
    counts = np.zeros(len(quotas.targets))
    members = quotas.memberships
    left = np.arange(n)

    def gains(rows: Ints) -> F64:
        coverage = np.empty(len(rows))
        step = max(1, _BLOCK_VALUES // max(len(seats), 1))
        for start in range(0, len(rows), step):
            block = gaussian_kernel(features[rows[start : start + step]], seats, bandwidth)
            block -= covered
            np.maximum(block, 0.0, out=block)
            coverage[start : start + step] = block.sum(axis=1, dtype=np.float64)
        traits = quotas.gains(counts)[members[rows]].sum(axis=1)
        return np.asarray(np.round(traits + scale * coverage, _GAIN_DECIMALS))

    chosen: list[int] = []
    while len(chosen) < k:
        size = min(len(left), math.ceil(n / k * math.log(1.0 / epsilon)))
        at = np.sort(rng.choice(len(left), size, replace=False))
        best = at[int(np.argmax(gains(left[at])))]
        j = int(left[best])
        left = np.delete(left, best)
        chosen.append(j)
        np.maximum(covered, gaussian_kernel(features[j : j + 1], seats, bandwidth)[0], out=covered)
        counts[members[j][members[j] >= 0]] += 1.0
    others = left[np.argsort(-gains(left), kind="stable")]
    return Picks(tuple(chosen), tuple(int(j) for j in others))


def diverse_subset(features: F32, k: int, quotas: Quotas, rng: np.random.Generator, *, bandwidth: float) -> Picks:
    """Choose k pictures that represent all N and fill the quotas: exactly greedy up to `EXACT_LIMIT`, sampled above.

    Args:
        features: float32 [N, D], sorted by preference: of equal gains the lowest row wins. A row of NaN is a picture
            without features, which only its quota can bring in.
        k: Pictures to choose.
        quotas: Groups and their targets.
        rng: Used above `EXACT_LIMIT` only.
        bandwidth: Width of the Gaussian kernel.
    """
    if len(features) > EXACT_LIMIT:
        return facility_location_stochastic(features, k, quotas, rng, bandwidth=bandwidth)
    return facility_location_greedy(gaussian_kernel(features, features, bandwidth), k, quotas)


def _coverage_scale(quotas: Quotas) -> float:
    """k of `subset_value`: the most that the quotas can reach, before their weight."""
    return float(quotas.targets.sum()) or 1.0
