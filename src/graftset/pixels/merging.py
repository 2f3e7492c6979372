"""Merge the colors of a painted picture that differ by render noise alone.

A diffusion model paints a region that was meant to have one color in many that differ by a few levels: by about one
where the picture is flat, by several where neighbors differ much. Pixel art repeats its colors exactly. So a picture in
which neighbors of nearly the same color seldom have the very same one was painted, and its colors are clustered by
Ward's minimum variance method (J. H. Ward 1963, "Hierarchical grouping to optimize an objective function"), with two
changes: clusters are told apart as a test of two means would, by what noise explains, and clusters whose cells lie
among each other may be further apart than clusters that share a border or do not touch.

The noise is one of levels, as large in dark colors as in light ones, so that likeness is judged in levels of sRGB; how
far a cell may move is limited in CIEDE2000, as it is seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import ciede2000

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Index = NDArray[np.intp]

FARTHEST = 5.0  # CIEDE2000: every cell moves by less, and colors twice as far apart stay two
NEAR = 12.0  # levels, Euclidean: neighbors closer than this have nearly the same color
REPEATED = 0.35  # share of them with the very same color: painted portraits stay under 0.24, drawn ones over 0.54
ENOUGH_NEAR = 0.1  # share of all neighbors: a picture with fewer such has no areas to speak of (the least seen is 0.32)
FLAT = 5.0  # levels, mean of the channels: a cell that differs by no more from each neighbor lies in a flat area
ENOUGH_FLAT = 16  # cells: where fewer are flat, all are looked at
BUSY = 60.0  # levels, mean of the channels and of the four neighbors: from this difference on a cell is as noisy as any
BUSIER = 4.0  # how much noisier such a cell is than a flat one, in multiples of that one's noise
_EXACT = 1 << 16  # sums of whole numbers do not depend on their order, as sums of fractions do
LEAST_NOISE = 0.5  # levels, Euclidean: what rounding alone leaves
APART = 0.5  # how far one color drifts over the picture, in multiples of the noise of flat areas,
MIXED = 1.5  # and how far the means of clusters lie apart whose cells are mixed up with one another
CERTAIN = 3.0  # standard errors from which two clusters are two colors
SURE = 1.0  # standard errors within which a third one may join two that merge
MOST_COLORS = 1024  # of pictures with more, colors in the same small cube are one from the start: memory is quadratic

_PAIRS = (  # the 8-neighborhood, every pair of cells once
    (np.s_[:, :, 1:], np.s_[:, :, :-1]),
    (np.s_[:, 1:], np.s_[:, :-1]),
    (np.s_[:, 1:, 1:], np.s_[:, :-1, :-1]),
    (np.s_[:, 1:, :-1], np.s_[:, :-1, 1:]),
)


def merge_colors(native: U8) -> U8:
    """Reduce a painted picture to the colors that were meant; a drawn one comes back as it is.

    The answer is the same for a picture that is turned or mirrored, and merging it again changes nothing. All its
    colors occur in the picture, and every cell moves by less than `FARTHEST`.

    Args:
        native: uint8 [h, w, 3].

    Returns:
        uint8 [h, w, 3]; `native` itself where there is nothing to merge.
    """
    if not is_painted(native):
        return native
    codes = native.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    # Colors go by their codes, so that ties are broken by color and never by place.
    colors, color_of = np.unique(codes, return_inverse=True)
    rgb = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1).astype(np.uint8)
    noise, louder = render_levels(native)
    # Cells count by their precision: the inverse of the variance of what noise adds to them.
    precision = np.rint(_EXACT / louder**2).reshape(-1)
    weight = (np.bincount(color_of.reshape(-1), precision) / _EXACT).astype(np.float32)
    clusters = _clusters(rgb, weight, color_of.reshape(codes.shape), noise)
    merged: U8 = rgb[_representatives(rgb, weight, clusters)][color_of].reshape(native.shape)
    # A picture that still looks painted is little but noise; merging it again would change it again.
    return native if is_painted(merged) else merged


def is_painted(native: U8) -> bool:
    """Whether neighbors of nearly the same color seldom have the very same one: uint8 [h, w, 3] -> bool."""
    levels = np.moveaxis(native, -1, 0).astype(np.int32)
    every = near = same = 0
    for here, there in _PAIRS:
        squared = ((levels[here] - levels[there]) ** 2).sum(axis=0)
        every += squared.size
        near += int(np.count_nonzero(squared < NEAR**2))
        same += int(np.count_nonzero(squared == 0))
    return near >= ENOUGH_NEAR * every and same < REPEATED * near


def render_levels(native: U8) -> tuple[float, F32]:
    """Render noise in levels of sRGB.

    Args:
        native: uint8 [h, w, 3].

    Returns:
        Noise of flat areas: the mean distance of their cells from the median of the 3x3 cells around, which follows
        gradients. How many times as much each cell has for the differences around it, float32 [h, w], 1 or more.
    """
    height, width = native.shape[:2]
    levels = np.moveaxis(native, -1, 0).astype(np.int16)
    padded = np.pad(levels, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = np.stack([padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)])
    sides = np.abs(around[1::2] - levels).sum(axis=1, dtype=np.int32)  # above, left, right, below
    off = np.sqrt(((levels - np.partition(around, 4, axis=0)[4]).astype(np.int32) ** 2).sum(axis=0))
    flat = sides.max(axis=0) <= 3 * FLAT
    enough = np.count_nonzero(flat) >= ENOUGH_FLAT
    noise = float(np.rint(_EXACT * off[flat]).mean() / _EXACT if enough else np.median(off))
    louder = 1 + BUSIER * np.minimum(sides.sum(axis=0) / (12 * BUSY), 1)
    return max(noise, LEAST_NOISE), louder.astype(np.float32)


def _clusters(rgb: U8, weight: F32, color_of: Index, noise: float) -> Index:
    """Cluster colors; all pairs that are each other's nearest merge at once, as in the reciprocal neighbors algorithm.

    Args:
        rgb: The colors, uint8 [n, 3].
        weight: Precision of each color, float32 [n], in units of the noise.
        color_of: The color of each cell [h, w].
        noise: Of flat areas, levels.

    Returns:
        The cluster of each color [n].
    """
    cluster = _cubes(rgb)
    mean, weight = _centers(rgb.astype(np.float32), weight, cluster)
    first = cluster[np.concatenate([color_of[:, 1:].reshape(-1), color_of[1:].reshape(-1)])]
    second = cluster[np.concatenate([color_of[:, :-1].reshape(-1), color_of[:-1].reshape(-1)])]
    borders = np.ones(len(first), dtype=np.float32)
    while True:
        first, second, borders = _counted(first, second, borders, len(mean))
        unlike = _unlikeness(mean, weight, first, second, borders)
        index, nearest = np.arange(len(mean)), unlike.argmin(axis=1)
        least = unlike[index, nearest]
        mutual = (nearest[nearest] == index) & (least < (CERTAIN * noise) ** 2)
        if not mutual.any():
            return cluster
        to = np.where(mutual, np.minimum(index, nearest), index)
        # Without these a large cluster would take one color a round.
        joining = ~mutual & mutual[nearest] & (least < (SURE * noise) ** 2)
        to = np.where(joining, to[nearest], to)
        to = (np.cumsum(to == index) - 1)[to]
        mean, weight = _centers(mean, weight, to)
        cluster, first, second = to[cluster], to[first], to[second]


def _cubes(rgb: U8) -> Index:
    """Clusters to begin with [n]: each color alone, or those in the same cube where there would be too many."""
    cluster = np.arange(len(rgb))
    shift = 0
    while cluster.max() >= MOST_COLORS:
        shift += 1
        codes = (rgb >> shift).astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
        _, cluster = np.unique(codes, return_inverse=True)
    return cluster


def _centers(points: F32, weight: F32, cluster: Index) -> tuple[F32, F32]:
    """Weighted means float32 [c, 3] of the points [n, 3] of each cluster, and their weights in all [c]."""
    total = np.bincount(cluster, weight)
    mean = np.stack([np.bincount(cluster, weight * points[:, i]) / total for i in range(3)], axis=1)
    return mean.astype(np.float32), total.astype(np.float32)


def _counted(first: Index, second: Index, borders: F32, count: int) -> tuple[Index, Index, F32]:
    """Every pair of neighboring clusters once, the smaller number first, with the number of borders between cells."""
    pairs, place = np.unique(np.minimum(first, second) * count + np.maximum(first, second), return_inverse=True)
    return pairs // count, pairs % count, np.bincount(place, borders).astype(np.float32)


def _unlikeness(mean: F32, weight: F32, first: Index, second: Index, borders: F32) -> F32:
    """Squared distances of clusters over the variance that they would have as one color: float32 [c, c], levels."""
    length, variance = (mean**2).sum(axis=1), 1 / weight
    squared = length[:, None] + length
    squared -= 2 * (mean @ mean.T)
    inside = np.zeros(len(mean), dtype=np.float32)
    own = first == second
    inside[first[own]] = 2 * borders[own]
    first, second, borders = first[~own], second[~own], borders[~own]
    # Half of a cluster's borders are with the other one where the cells of two equally large ones are shuffled.
    mixed = borders / (borders + np.minimum(inside[first], inside[second]))
    near = squared[first, second] / (variance[first] + variance[second] + APART**2 + MIXED**2 * mixed)
    squared /= variance[:, None] + (variance + APART**2)
    squared[first, second] = squared[second, first] = near
    np.fill_diagonal(squared, np.inf)
    return np.asarray(squared, dtype=np.float32)


def _representatives(rgb: U8, weight: F32, cluster: Index) -> Index:
    """The color that stands for each color: the medoid of its cluster, or of what that one leaves as too far away.

    Args:
        rgb: uint8 [n, 3].
        weight: float32 [n].
        cluster: The cluster of each color [n].

    Returns:
        Places in `rgb` [n].
    """
    levels, lab = rgb.astype(np.float32), srgb_to_cielab(rgb)
    chosen, left = np.arange(len(rgb)), np.arange(len(rgb))
    while len(left):
        _, of = np.unique(cluster[left], return_inverse=True)
        middle, _ = _centers(levels[left], weight[left], of)
        order = np.lexsort((((levels[left] - middle[of]) ** 2).sum(axis=1), of))
        medoid = left[order[np.flatnonzero(np.diff(of[order], prepend=-1))]]
        near = ciede2000(lab[left], lab[medoid[of]]) < FARTHEST
        chosen[left[near]] = medoid[of[near]]
        left = left[~near]
    return chosen
