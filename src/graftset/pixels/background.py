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

from graftset.pixels.color import oklab_to_srgb, srgb_to_cielab, srgb_to_oklab
from graftset.pixels.difference import Floats, ciede2000
from graftset.pixels.structure import label_regions, neighbor_differences

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Kind = Literal["solid", "gradient", "split", "pattern", "noisy"]

GROUP = 6.0  # CIEDE2000: ring colours closer than this are one colour
STEP = 3.0  # CIEDE2000: a smooth background may change this much from cell to cell
RING_SHARE = 0.04  # a ring colour held by fewer cells is hair or an ornament that touches the edge
LEVEL = 2.5  # CIEDE2000: the bands of a gradient, and the shades of a smooth one, are told apart at this distance
LEVELS = 3  # fewer are no gradient
JUMP = 0.65  # share of a gradient's whole range that steps between neighbours do not make,
FEW_JUMPS = 0.008  # but for this share of them: stray cells of the figure
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
    thick = _thickness(height, width)
    mask[:thick] = True
    mask[:thick, width // 4 : width - width // 4] = False
    mask[: round(0.6 * height), :thick] = True
    mask[: round(0.6 * height), -thick:] = True
    return mask


def _thickness(height: int, width: int) -> int:
    return max(1, min(height, width) // 24)


def group_colors(lab: Floats, *, limit: float = GROUP) -> tuple[NDArray[np.intp], Floats]:
    """Greedy grouping of colours: the most crowded colour takes all within `limit`, then the next.

    Args:
        lab: CIELAB float64 [N, 3].
        limit: CIEDE2000.

    Returns:
        Group of each colour [N], numbered by size, and the groups' median colours [G, 3].
    """
    close = np.eye(len(lab), dtype=bool)
    first, second = np.triu_indices(len(lab), k=1)
    close[first, second] = close[second, first] = ciede2000(lab[first], lab[second]) < limit
    left = np.ones(len(lab), dtype=bool)
    groups = np.full(len(lab), -1, dtype=np.intp)
    centers: list[Floats] = []
    while left.any():
        near = close & left[None] & left[:, None]
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
    close: Mask = np.any(ciede2000(lab[:, :, None], _ring_colors(lab, edge)[None, None]) < GROUP, axis=2)
    mask = _grow(edge, close, dx < STEP, dy < STEP)
    surface = _gradient(lab, mask, (dx, dy))
    if surface is not None:
        mask = _grow(edge, close | (ciede2000(lab, surface) < GROUP), dx < STEP, dy < STEP)
    inside = lab[mask]
    coverage = float(mask[edge].mean())
    members, middles = group_colors(_thinned(inside))
    counts = np.bincount(members)
    # Assign every cell to its nearest group: grouping ran on a sample where the background is large.
    nearest = ciede2000(inside[:, None], middles[None]).argmin(axis=1)
    kind: Kind = "gradient" if surface is not None else _layout(mask, nearest)
    if texture is not None and float(np.median(texture[mask])) > NOISY_TEXTURE:
        kind = "noisy"
    oklab = srgb_to_oklab(native[mask])
    colors = []
    for index in range(len(counts)):
        own = nearest == index
        if own.mean() >= 0.02 or index == 0:
            colors.append((oklab_to_srgb(np.median(oklab[own], axis=0)), float(own.mean())))
    colors.sort(key=lambda pair: -pair[1])
    return BackgroundReading(kind, tuple(colors), mask, coverage)


def _ring_colors(lab: Floats, edge: Mask) -> Floats:
    """The background's colours on the ring, CIELAB [G, 3].

    Background shows at the top, goes down to the end of a side, or is on both sides. What does none of these is hair
    that touches the frame.
    """
    height, width = edge.shape
    groups, centers = group_colors(lab[edge])
    shares = np.bincount(groups) / len(groups)
    rows, columns = np.nonzero(edge)
    top_or_end = (rows < _thickness(height, width)) | (rows == rows.max())
    left = columns < width // 2
    chosen = []
    for group, center in enumerate(centers):
        own = groups == group
        goes_on = (own & top_or_end).any() or ((own & left).any() and (own & ~left).any())
        if goes_on and shares[group] >= min(RING_SHARE, float(shares.max())):
            chosen.append(center)
    return np.array(chosen or centers[:1])


def _thinned(lab: Floats, most: int = 72) -> Floats:
    """At most `most` evenly spaced rows: grouping is quadratic."""
    return lab if len(lab) <= most else lab[np.linspace(0, len(lab) - 1, most).astype(int)]


def _grow(edge: Mask, close: Mask, dx: Mask, dy: Mask) -> Mask:
    """Cells connected to the ring through cells of the background's colours or through smooth change (dx, dy)."""
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


def _gradient(lab: Floats, mask: Mask, steps: tuple[Floats, Floats]) -> Floats | None:
    """The colours of a gradient over the whole picture, CIELAB [h, w, 3], or None where the background is none.

    It is one where a quadratic surface explains the background's colours and they change little by little, smoothly or
    in bands.
    """
    colors = lab[mask]
    total = float(((colors - colors.mean(axis=0)) ** 2).sum())
    if total < len(colors):  # under one CIELAB unit of deviation there is no change to speak of
        return None
    height, width = mask.shape
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None] - 0.5
    # No x * y: linear and radial gradients do without, and four quarters of different colours would be fitted.
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y], axis=-1)
    fit, *_ = np.linalg.lstsq(basis[mask], colors, rcond=None)
    if float(((colors - basis[mask] @ fit) ** 2).sum()) > 0.2 * total:
        return None
    # A split is fitted fairly well too, but it has two colours and a jump from one to the other.
    between = np.concatenate([steps[0][mask[:, 1:] & mask[:, :-1]], steps[1][mask[1:] & mask[:-1]]])
    if not len(between):
        return None
    noise = float(np.percentile(between, 25))
    groups, middles = group_colors(_thinned(colors, 144), limit=max(LEVEL, 4 * noise))
    levels = middles[np.bincount(groups) / len(groups) >= 0.04]
    if len(levels) < LEVELS:
        return None
    whole = float(ciede2000(levels[:, None], levels[None]).max())
    jumps = float((between > JUMP * whole).mean())
    return np.asarray(basis @ fit, dtype=lab.dtype) if jumps < FEW_JUMPS else None


def _layout(mask: Mask, group: NDArray[np.intp]) -> Kind:
    """How the colour groups of the background's cells are laid out, where they are no gradient."""
    shares = np.bincount(group) / len(group)
    if shares.max() >= 0.9:
        return "solid"
    layout = np.full(mask.shape, -1, dtype=np.intp)
    layout[mask] = group
    # In a split every colour fills few large areas; in a pattern it returns again and again.
    strong = np.flatnonzero(shares >= 0.05)
    sizes = [np.bincount(label_regions(layout == i, diagonal=False).reshape(-1))[1:] for i in strong]
    pieces = sum(int((areas >= 2).sum()) for areas in sizes)  # a single cell is a stray one of the figure's
    largest = sum(int(areas.max()) for areas in sizes) / len(group)
    if pieces <= 2 * len(strong) + 2 and largest > 0.6:
        return "split" if len(strong) > 1 else "solid"
    return "pattern"
