"""How faithfully a picture repeats another, and how far two sets of pictures lie apart.

SSIM, cells that are the same color, colors that answer each other, and the maximum mean discrepancy with a permutation
test. All at native size: a portrait of 24 x 24 cells has 576 colors to get right, not 262,144.

Sources: Wang, Bovik, Sheikh and Simoncelli 2004, "Image Quality Assessment: From Error Visibility to Structural
Similarity" (equation 13, with the uniform window and sample covariance that scikit-image has as its default); Gretton,
Borgwardt, Rasch, Schoelkopf and Smola 2012, "A Kernel Two-Sample Test" (equation 3 and section 3.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from graftset.pixels.color import from_hex, srgb_to_cielab, srgb_to_oklab
from graftset.pixels.difference import ciede2000
from graftset.pixels.diversity import gaussian_kernel

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

WINDOW = 7  # cells along a side of SSIM's window
K1, K2, LEVELS = 0.01, 0.03, 255.0  # SSIM's constants, and the range of the values
SAME = 2.0  # CIEDE2000: cells closer than this are the same color to the eye
MATCHES = 5.0  # CIEDE2000: two colors of a background or of hair that answer each other
NEAR = 0.06  # OKLab: a background's main color this close to another's is the same background
DOMINANT = 0.10  # share of a region from which a color must be answered

Colors = Sequence[tuple[str, float]]  # "#rrggbb" with its share, the largest first


# --- two pictures ----------------------------------------------------------------------------------------------------


def ssim(first: U8, second: U8) -> F64:
    """Structural similarity of pairs of pictures.

    The mean over all places of a uniform 7 x 7 window that lie whole in the picture, and over R, G and B, on 8-bit
    sRGB values with sample covariance: what `skimage.metrics.structural_similarity` gives by default with
    `channel_axis=-1, data_range=255`. Pictures less than 7 cells wide or high get the largest odd window that fits.

    Args:
        first: uint8 [N, h, w, 3], h and w at least 3.
        second: uint8 [N, h, w, 3].

    Returns:
        float64 [N] in [-1, 1]; 1 for equal pictures.
    """
    side = min(WINDOW, *(size - 1 + size % 2 for size in first.shape[1:3]))
    if side < 3:
        raise ValueError("SSIM needs pictures of at least 3 x 3 cells")
    x, y = first.astype(np.float64), second.astype(np.float64)

    def mean(values: F64) -> F64:
        return np.asarray(uniform_filter(values, (0, side, side, 0)))

    sample = side**2 / (side**2 - 1)
    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = sample * (mean(x * x) - mean_x**2), sample * (mean(y * y) - mean_y**2)
    covariance = sample * (mean(x * y) - mean_x * mean_y)
    c1, c2 = (K1 * LEVELS) ** 2, (K2 * LEVELS) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    margin = side // 2
    whole = (above / below)[:, margin : first.shape[1] - margin, margin : first.shape[2] - margin]
    return np.asarray(whole.mean(axis=(1, 2, 3)))


def pixel_exact(first: U8, second: U8) -> F64:
    """The share of cells within `SAME` CIEDE2000 of each other: uint8 [N, h, w, 3] twice -> float64 [N]."""
    same = ciede2000(srgb_to_cielab(first), srgb_to_cielab(second)) < SAME
    return np.asarray(same.mean(axis=(1, 2)))


def answered(ours: Colors, theirs: Colors) -> bool:
    """Whether the colors of two regions answer each other.

    Every color that holds `DOMINANT` of one region, and its largest in any case, has a color within `MATCHES`
    CIEDE2000 in the other. A region without colors answers nothing.
    """
    if not ours or not theirs:
        return False
    lab = [srgb_to_cielab(np.stack([from_hex(code) for code, _ in colors])) for colors in (ours, theirs)]
    distances: F64 = np.asarray(ciede2000(lab[0][:, None], lab[1][None]), dtype=np.float64)
    needed = [
        np.array([place == 0 or share >= DOMINANT for place, (_, share) in enumerate(colors)])
        for colors in (ours, theirs)
    ]
    nearest = distances.min(axis=1)[needed[0]], distances.min(axis=0)[needed[1]]
    return all(bool((side < MATCHES).all()) for side in nearest)


def main_color_distance(ours: Colors, theirs: Colors) -> float:
    """OKLab distance of the largest colors of two regions; nan where one has none."""
    if not ours or not theirs:
        return float("nan")
    pair = srgb_to_oklab(np.stack([from_hex(ours[0][0]), from_hex(theirs[0][0])]))
    return float(np.linalg.norm(pair[0] - pair[1]))


# --- two sets of pictures --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """How far two sets of pictures lie apart, and how often chance alone would put them as far."""

    value: float  # unbiased estimate of the squared maximum mean discrepancy; may fall under 0
    p: float  # share of the permutations, the observed one included, with a value as large
    sizes: tuple[int, int]
    bandwidth: float


def squared_mmd(kernel: NDArray[np.floating], n: int) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, equation 3).

        sum_{i != j} k(x_i, x_j) / n(n - 1) + sum_{i != j} k(y_i, y_j) / m(m - 1) - 2 sum_{i, j} k(x_i, y_j) / nm

    Args:
        kernel: float [n + m, n + m], similarities of both sets together, the first set first.
        n: Size of the first set; both have at least 2.
    """
    k = np.asarray(kernel, dtype=np.float64)
    m = len(k) - n
    if min(n, m) < 2:
        raise ValueError("the discrepancy needs two pictures in each set")
    within = [(part.sum() - np.trace(part)) / (size * (size - 1)) for part, size in ((k[:n, :n], n), (k[n:, n:], m))]
    return float(within[0] + within[1] - 2 * k[:n, n:].mean())


def mmd_test(
    first: F32, second: F32, rng: np.random.Generator, *, bandwidth: float, permutations: int = 999
) -> Discrepancy:
    """The discrepancy of two sets of pictures with a permutation test of their being drawn from one distribution.

    Args:
        first: float32 [n, D], n at least 2.
        second: float32 [m, D], m at least 2.
        rng: Draws the permutations.
        bandwidth: Of the Gaussian kernel, the same for all sets that are compared with one another.
        permutations: How many; p is at least 1 / (permutations + 1).
    """
    n, m = len(first), len(second)
    both = np.concatenate([first, second])
    kernel = gaussian_kernel(both, both, bandwidth).astype(np.float64)
    kernel = (kernel + kernel.T) / 2  # float32 sums differ with their order
    value = squared_mmd(kernel, n)
    np.fill_diagonal(kernel, 0.0)
    order = np.argsort(rng.random((permutations, n + m)), axis=1)
    members = np.zeros((permutations, n + m))
    np.put_along_axis(members, order[:, :n], 1.0, axis=1)
    reached = members @ kernel  # sum over the first set of each row of the kernel
    inside = np.einsum("pi,pi->p", reached, members)
    across = reached.sum(axis=1) - inside
    outside = kernel.sum() - inside - 2 * across
    drawn = inside / (n * (n - 1)) + outside / (m * (m - 1)) - 2 * across / (n * m)
    # A permutation that is the observed split again must count as reaching it, whatever the rounding.
    as_far = int((drawn >= value - 1e-12).sum())
    return Discrepancy(value, (1 + as_far) / (permutations + 1), (n, m), bandwidth)
