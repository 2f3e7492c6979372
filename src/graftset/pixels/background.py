"""What is behind the figure: its cells, its kind and its colours.

The figure of a portrait stands on the lower edge and may reach the upper one in the middle, so the background is what
reaches the upper corners and the upper part of the sides. Colours on that ring are grouped; the background is every
cell connected to the ring through cells of those colours. Its kind follows from how the colours are laid out, not from
a list of known patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from graftset.pixels.color import Floats, ciede2000, oklab_to_srgb, srgb_to_cielab, srgb_to_oklab
from graftset.pixels.structure import label_regions, neighbor_differences

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Kind = Literal["solid", "gradient", "split", "pattern", "noisy"]

GROUP = 6.0  # CIEDE2000: ring colours closer than this are one colour
STEP = 3.0  # CIEDE2000: a smooth background may change this much from cell to cell
RING_SHARE = 0.04  # a ring colour held by fewer cells is hair or an ornament that touches the edge
NOISY_TEXTURE = 3.0  # 8-bit levels inside background cells; clean renders of portraits stay under 0.8


@dataclass(frozen=True, slots=True)
class BackgroundReading:
    """Background of one native image.

    `colors` are uint8 sRGB with their share of the background, the largest first; `mask` is bool [h, w].
    """

    kind: Kind
    colors: tuple[tuple[U8, float], ...]
    mask: Mask
    coverage: float  # share of the ring that belongs to the background, 0-1


def ring(height: int, width: int) -> Mask:
    """The cells where background is certain to show: the sides down to 60 %, and the top row but for its middle half.

    Hair, hats and crowns reach the upper edge in the middle; what is behind them shows beside them too. One cell thick
    for every 24.
    """
    mask = np.zeros((height, width), dtype=bool)
    thick = max(1, min(height, width) // 24)
    mask[:thick] = True
    mask[:thick, width // 4 : width - width // 4] = False
    mask[: round(0.6 * height), :thick] = True
    mask[: round(0.6 * height), -thick:] = True
    return mask


def group_colors(lab: Floats, *, limit: float = GROUP) -> tuple[NDArray[np.intp], Floats]:
    """Greedy grouping of colours: the most crowded colour takes all within `limit`, then the next.

    Args:
        lab: CIELAB float64 [N, 3].
        limit: CIEDE2000.

    Returns:
        Group of each colour [N], numbered by size, and the groups' median colours [G, 3].
    """
    distances = ciede2000(lab[:, None], lab[None])
    left = np.ones(len(lab), dtype=bool)
    groups = np.full(len(lab), -1, dtype=np.intp)
    centers: list[Floats] = []
    while left.any():
        near = (distances < limit) & left[None] & left[:, None]
        seed = int(near.sum(axis=1).argmax())
        members = near[seed]
        groups[members] = len(centers)
        centers.append(np.median(lab[members], axis=0))
        left &= ~members
    return groups, np.array(centers)


def read_background(
    native: U8, texture: F32 | None = None, *, lab: Floats | None = None, steps: tuple[Floats, Floats] | None = None
) -> BackgroundReading:
    """Find and describe the background.

    Args:
        native: uint8 [h, w, 3].
        texture: float32 [h, w], spread of the stored pixels inside each cell in 8-bit levels; None for a clean image.
        lab: CIELAB of the cells, and
        steps: CIEDE2000 between neighbours (`structure.neighbor_differences`), where the caller has them already.

    Returns:
        Kind, colours with shares, mask and coverage.
    """
    lab = srgb_to_cielab(native) if lab is None else lab
    dx, dy = neighbor_differences(lab) if steps is None else steps
    edge = ring(*native.shape[:2])
    groups, centers = group_colors(lab[edge])
    shares = np.bincount(groups) / len(groups)
    chosen = centers[shares >= min(RING_SHARE, float(shares.max()))]
    mask = _grow(lab, edge, chosen, dx < STEP, dy < STEP)
    inside = lab[mask]
    coverage = float(mask[edge].mean())
    members, middles = group_colors(_thinned(inside))
    counts = np.bincount(members)
    # Assign every cell to its nearest group: grouping ran on a sample where the background is large.
    nearest = ciede2000(inside[:, None], middles[None]).argmin(axis=1)
    kind = _kind(lab, mask, nearest, middles, (dx, dy), None if texture is None else texture[mask])
    oklab = srgb_to_oklab(native[mask])
    colors = []
    for index in range(len(counts)):
        own = nearest == index
        if own.mean() >= 0.02 or index == 0:
            colors.append((oklab_to_srgb(np.median(oklab[own], axis=0)), float(own.mean())))
    colors.sort(key=lambda pair: -pair[1])
    return BackgroundReading(kind, tuple(colors), mask, coverage)


def _thinned(lab: Floats, most: int = 72) -> Floats:
    """At most `most` evenly spaced rows: grouping is quadratic."""
    return lab if len(lab) <= most else lab[np.linspace(0, len(lab) - 1, most).astype(int)]


def _grow(lab: Floats, edge: Mask, colors: Floats, dx: Mask, dy: Mask) -> Mask:
    """Cells connected to the ring through cells of the ring's colours or through smooth change (dx, dy)."""
    close: Mask = np.any(ciede2000(lab[:, :, None], colors[None, None]) < GROUP, axis=2)
    mask = edge & close
    while True:
        grown = mask.copy()
        grown[:, 1:] |= mask[:, :-1] & (close[:, 1:] | dx)
        grown[:, :-1] |= mask[:, 1:] & (close[:, :-1] | dx)
        grown[1:] |= mask[:-1] & (close[1:] | dy)
        grown[:-1] |= mask[1:] & (close[:-1] | dy)
        if (grown == mask).all():
            return mask
        mask = grown


def _kind(
    lab: Floats,
    mask: Mask,
    group: NDArray[np.intp],
    middles: Floats,
    steps: tuple[Floats, Floats],
    texture: F32 | None,
) -> Kind:
    """How the colours of the background are laid out."""
    if texture is not None and float(np.median(texture)) > NOISY_TEXTURE:
        return "noisy"
    shares = np.bincount(group, minlength=len(middles)) / len(group)
    if shares.max() >= 0.9:
        return "solid"
    layout = np.full(mask.shape, -1, dtype=np.intp)
    layout[mask] = group
    if _is_smooth(lab, mask, steps):
        return "gradient"
    # In a split every colour fills few large areas; in a pattern it returns again and again.
    pieces, largest = 0, 0.0
    for index in np.flatnonzero(shares >= 0.05):
        regions = label_regions(layout == index, diagonal=False)
        sizes = np.bincount(regions.reshape(-1))[1:]
        pieces += int((sizes >= 2).sum()) + int((sizes == 1).sum())
        largest += float(sizes.max()) / mask.sum()
    strong = int((shares >= 0.05).sum())
    if pieces <= 2 * strong + 2 and largest > 0.6:
        return "split" if strong > 1 else "solid"
    return "pattern"


def _is_smooth(lab: Floats, mask: Mask, steps: tuple[Floats, Floats]) -> bool:
    """True where a quadratic surface explains the colours: linear and radial gradients, also in visible bands."""
    rows, columns = np.nonzero(mask)
    y, x = rows / mask.shape[0] - 0.5, columns / mask.shape[1] - 0.5
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    colors = lab[mask]
    fit, *_ = np.linalg.lstsq(basis, colors, rcond=None)
    rest = float(((colors - basis @ fit) ** 2).sum())
    total = float(((colors - colors.mean(axis=0)) ** 2).sum())
    if total == 0 or 1 - rest / total < 0.8:
        return False
    # A two-colour split is fitted fairly well too, but it has one jump: most of its cells equal their neighbours.
    dx, dy = steps[0][mask[:, 1:] & mask[:, :-1]], steps[1][mask[1:] & mask[:-1]]
    moving = float((np.concatenate([dx, dy]) > 0.7).mean())
    return moving > 0.12
