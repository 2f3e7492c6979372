"""Native-grid distances: nearest original, differing regions, copies, variations and repeats.

Photo hashes are useless at this size: at its usual threshold a perceptual hash calls 69 of 204 portraits duplicates of
one another while they differ in three cells out of four. Here two pictures are compared cell by cell in colour, over a
horizontal flip and shifts of up to one cell, and what decides is whether a *connected region* of cells differs by more
than the render noise: that separates a copy from a variation with one small earring added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from graftset.pixels.color import srgb_to_oklab
from graftset.pixels.structure import label_regions

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEVELS = 255.0  # quantised OKLab: one step is 1 / 255 on every axis
AGREE = 0.10  # OKLab: cells further apart are simply different; how much further says nothing
SAME = 0.045  # OKLab: cells of a variation that were left alone stay within it under realistic render noise
NOISE_FLOOR = 12.0  # 8-bit levels: differences under it are never taken for a change
NOISE_REACH = 5.0  # a change exceeds this many standard deviations of the noise between the two pictures
NOISE_CEILING = 24.0  # 8-bit levels: differences over it always are a change
CAST = 10.0  # 8-bit levels: a colour cast of the whole picture up to this is render noise
FAINT_REGION = 2  # cells: a single deviating cell is a rendering accident, two that touch are a change
SEEN = 0.015  # OKLab: a difference nobody sees is none, however many levels it takes in the dark
SOFT = 7  # cells: pictures averaged over so many hardly change when they are moved by one,
ALIKE = 0.09  # OKLab: and copies, moved or not, stay within this of each other
KIN = 0.5  # share of the original's figure cells that must agree for a candidate to be its variation


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a picture lies on another one: flipped or not, then moved by (dy, dx) cells."""

    flipped: bool = False
    dy: int = 0
    dx: int = 0


ALIGNMENTS = tuple(
    Alignment(flipped, dy, dx)
    # The plain position first: it wins ties.
    for flipped in (False, True)
    for dy, dx in sorted(((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)), key=lambda s: abs(s[0]) + abs(s[1]))
)


_PLAIN = tuple(i for i, a in enumerate(ALIGNMENTS) if not a.dy and not a.dx)
_SHIFTED = tuple(i for i, a in enumerate(ALIGNMENTS) if a.dy or a.dx)
_WORTH_SHIFTING = 12  # pictures, of each of the two orders, whose shifts are tried
_WORTH_COMPARING = 2  # pictures, of each of the two orders, compared in full


@dataclass(frozen=True, slots=True)
class Match:
    """One picture compared with another in the best alignment."""

    index: int  # of the other picture
    distance: float  # mean OKLab distance per cell
    agreement: float  # share of the other picture's figure cells that have the same colour within `SAME`, 0-1
    overall: float  # the same share of all cells
    alignment: Alignment
    changed: Mask  # bool [h, w] in the first picture's cells: regions that differ beyond render noise

    @property
    def is_copy(self) -> bool:
        """True where nothing differs but render noise."""
        return not bool(self.changed.any())


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Slices of the moved and of the resting axis where both are defined."""
    return slice(max(0, -shift), length - max(0, shift)), slice(max(0, shift), length - max(0, -shift))


def _aligned(height: int, width: int, a: Alignment) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """(rows, columns) of the moved picture (after its flip) and of the resting one."""
    rows_moved, rows_rest = _overlap(height, a.dy)
    columns_moved, columns_rest = _overlap(width, a.dx)
    return (rows_moved, columns_moved), (rows_rest, columns_rest)


class NativeIndex:
    """Native images of one size, ready to be searched for the nearest to another.

    Args:
        natives: uint8 [h, w, 3] each, all of one size.
        figures: bool [h, w] each, the cells that are not background; they decide whether two pictures are kin.
    """

    def __init__(self, natives: Sequence[U8], figures: Sequence[Mask]) -> None:
        self.natives = np.stack(natives)
        self.figures = np.stack(figures)
        self.oklab = srgb_to_oklab(self.natives)
        self._figure_weights = self.figures.astype(np.float32) + np.float32(1e-3)  # never all zero
        # Channels first and 8 bits: one pass over 203 originals then stays in cache.
        self._planes = np.ascontiguousarray(_quantised(self.oklab).transpose(3, 0, 1, 2))

    def __len__(self) -> int:
        return len(self.natives)

    def nearest(self, native: U8, *, skip: int | None = None) -> Match | None:
        """The closest picture: a copy before a variation, a variation before a mere resemblance.

        A variation keeps either its figure, on a new background, or, with other hair, most of the whole picture.

        Args:
            native: uint8 [h, w, 3] of this index's size.
            skip: Leave this index out (a picture is not its own neighbour).

        Returns:
            None where the index is empty or holds only `skip`.
        """
        oklab = srgb_to_oklab(native)
        shortlist = self._shortlist(_quantised(oklab), skip)
        matches = [self._compare(native, oklab, index, alignment) for index, alignment in shortlist]
        if not matches:
            return None
        return min(matches, key=lambda m: (not m.is_copy, -max(m.agreement, m.overall), m.distance))

    def _shortlist(self, quantised: U8, skip: int | None) -> list[tuple[int, Alignment]]:
        """Indices with their alignment: the best over the whole picture and the best over the figure alone.

        The cost is the Chebyshev distance of quantised OKLab, truncated at `AGREE`. The figure alone finds the source
        of a picture whose background was replaced: over the whole picture a stranger on a like background wins.
        Unshifted costs (plain and flipped) choose whom it is worth to shift.
        """
        costs = np.full((2, len(self)), np.inf)
        which = np.zeros((2, len(self)), dtype=np.intp)
        chosen = np.arange(len(self))
        for group in (_PLAIN, _SHIFTED):
            found = self._costs(quantised, chosen, group)
            best = found.argmin(axis=2)
            least = np.take_along_axis(found, best[..., None], axis=2)[..., 0]
            better = least < costs[:, chosen] - 1e-9
            costs[:, chosen] = np.where(better, least, costs[:, chosen])
            which[:, chosen] = np.where(better, np.array(group)[best], which[:, chosen])
            if skip is not None:
                costs[:, skip] = np.inf
            chosen = np.unique(np.argsort(costs, axis=1, kind="stable")[:, :_WORTH_SHIFTING])
        picked: dict[tuple[int, int], None] = {}
        for row in range(2):
            order = np.argsort(costs[row], kind="stable")[:_WORTH_COMPARING]
            picked |= {(int(i), int(which[row, i])): None for i in order if np.isfinite(costs[row, i])}
        return [(i, ALIGNMENTS[number]) for i, number in picked]

    def _costs(self, quantised: U8, chosen: NDArray[np.intp], group: Sequence[int]) -> F32:
        """Mean truncated distance to the chosen pictures in some alignments.

        Args:
            quantised: uint8 [h, w, 3].
            chosen: Indices [n] of this index.
            group: Numbers [A] of `ALIGNMENTS`.

        Returns:
            float32 [2, n, A]: over the whole picture, and over the other picture's figure alone.
        """
        height, width = quantised.shape[:2]
        ours = np.zeros((3, len(group), height, width), dtype=np.uint8)
        valid = np.zeros((len(group), height, width), dtype=np.float32)
        for place, number in enumerate(group):
            moved, rest = _aligned(height, width, ALIGNMENTS[number])
            picture = quantised[:, ::-1] if ALIGNMENTS[number].flipped else quantised
            ours[:, place, rest[0], rest[1]] = picture[moved].transpose(2, 0, 1)
            valid[place, rest[0], rest[1]] = 1.0
        cost = np.zeros((len(chosen), *ours.shape[1:]), dtype=np.uint8)
        for channel in range(3):  # 8-bit arithmetic throughout: the inner loop of the whole assessment
            theirs, mine = self._planes[channel][chosen][:, None], ours[channel][None]
            np.maximum(cost, np.maximum(theirs, mine) - np.minimum(theirs, mine), out=cost)
        truncated = np.minimum(cost, np.uint8(AGREE * LEVELS)).astype(np.float32).reshape(*cost.shape[:2], -1)
        cells = valid.reshape(len(group), -1)
        weights = self._figure_weights[chosen].reshape(len(chosen), -1)
        whole = np.einsum("nac,ac->na", truncated, cells) / cells.sum(axis=1)
        figure = np.einsum("nac,ac,nc->na", truncated, cells, weights, optimize=False) / (weights @ cells.T)
        return np.stack([whole, figure])

    def is_copy(self, first: int, second: int) -> bool:
        """True where picture `first` of the index is a copy of picture `second` in some alignment."""
        return bool(self.copied_from(first, np.array([second])))

    def copied_from(self, first: int, others: NDArray[np.intp]) -> list[int]:
        """Those of the index's pictures `others` [n] that picture `first` is a copy of, each in its best alignment."""
        native, oklab = self.natives[first], self.oklab[first]
        best = self._costs(_quantised(oklab), others, range(len(ALIGNMENTS)))[0].argmin(axis=1)
        pairs = zip(others.tolist(), best.tolist(), strict=True)
        return [other for other, which in pairs if self._compare(native, oklab, other, ALIGNMENTS[which]).is_copy]

    def compare(self, native: U8, index: int, alignment: Alignment) -> Match:
        """Compare with one picture of the index in a given alignment."""
        return self._compare(native, srgb_to_oklab(native), index, alignment)

    def _compare(self, native: U8, oklab: F32, index: int, alignment: Alignment) -> Match:
        height, width = native.shape[:2]
        moved, rest = _aligned(height, width, alignment)
        turned, turned_oklab = (native[:, ::-1], oklab[:, ::-1]) if alignment.flipped else (native, oklab)
        difference = turned_oklab[moved] - self.oklab[index][rest]
        distance = np.sqrt(np.einsum("hwc,hwc->hw", difference, difference))
        figure = self.figures[index][rest]
        changed = _in_regions(differing_cells(turned[moved], self.natives[index][rest], distance))
        agree = distance < SAME
        full = np.zeros((height, width), dtype=bool)
        full[moved] = changed
        return Match(
            index=index,
            distance=float(distance.mean()),
            agreement=float(agree[figure].mean() if figure.any() else agree.mean()),
            overall=float(agree.mean()),
            alignment=alignment,
            changed=full[:, ::-1] if alignment.flipped else full,
        )


def _quantised(oklab: F32) -> U8:
    """OKLab as uint8 [..., 3], 255 steps to 1.0 on every axis."""
    shifted = oklab * LEVELS + np.array([0, 110, 110], dtype=np.float32)
    return np.asarray(np.clip(np.rint(shifted), 0, 255), dtype=np.uint8)


def differing_cells(ours: U8, theirs: U8, oklab: F32) -> Mask:
    """Cells of two aligned pictures that differ beyond render noise.

    A colour cast over the whole picture is taken out first, and the noise is read from the cells that agree best (the
    lower third), so that a new background over most of the picture does not pass for noise.

    Args:
        ours: uint8 [h, w, 3].
        theirs: uint8 [h, w, 3].
        oklab: OKLab distance of the cells, float32 [h, w].

    Returns:
        bool [h, w].
    """
    delta = ours.astype(np.int16) - theirs
    plain = np.abs(delta).max(axis=2)
    close = plain <= max(2 * CAST, _low(plain, 0.30))
    cast = np.clip(np.median(delta[close], axis=0), -CAST, CAST)
    # The smaller of the two readings: where there is no cast, an estimate from few cells must not invent one.
    rest = np.minimum(plain, np.abs(delta - cast).max(axis=2))
    # The lower third of the largest of three half-normal channels lies at about one standard deviation.
    noise = _low(rest, 0.33)
    limit = min(max(NOISE_FLOOR, NOISE_REACH * noise), NOISE_CEILING)
    return np.asarray((rest > limit) & (oklab > SEEN))


def _in_regions(different: Mask) -> Mask:
    """The cells that lie in 8-connected regions of `FAINT_REGION` cells or more."""
    labels = label_regions(different)
    sizes = np.bincount(labels.reshape(-1))
    keep = sizes >= FAINT_REGION
    keep[0] = False
    return np.asarray(keep[labels])


def _low(values: NDArray[Any], share: float) -> float:
    """The value below which `share` of all lie (np.percentile costs as much as everything around it)."""
    flat = values.reshape(-1)
    place = int(share * (len(flat) - 1))
    return float(np.partition(flat, place)[place])


def boxes(mask: Mask) -> list[tuple[int, int, int, int, int]]:
    """Connected regions of a mask as (x0, y0, x1, y1, cells), the largest first; x1 and y1 exclusive."""
    labels = label_regions(mask)
    found = []
    for number in range(1, int(labels.max()) + 1):
        rows, columns = np.nonzero(labels == number)
        box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1, len(rows))
        found.append(box)
    return sorted(found, key=lambda b: (-b[4], b[1], b[0]))


def repeat_pairs(index: NativeIndex, *, block: int = 512) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, of the index that are copies of each other up to render noise."""
    for picture, suspects in suspected_repeats(index, block=block):
        yield from ((other, picture) for other in index.copied_from(picture, suspects))


def suspected_repeats(
    index: NativeIndex, *, neighbors: int = 16, block: int = 512
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each picture that may repeat earlier ones, with those it is worth comparing with in full [n].

    These are its `neighbors` nearest before it, by root mean square distance of blurred OKLab (which forgives a shift
    of one cell), plain and flipped, as far as that stays under `ALIKE`. `block` pictures at a time bound the memory.
    """
    soft = _blurred(index.oklab).reshape(len(index), -1)
    mirrored = _blurred(index.oklab[:, :, ::-1]).reshape(len(index), -1)
    norms = (soft**2).sum(axis=1)
    limit = ALIKE**2 * soft.shape[1] / 3
    for start in range(0, len(index), block):
        stop = min(start + block, len(index))
        overlap = np.maximum(soft[start:stop] @ soft[:stop].T, mirrored[start:stop] @ soft[:stop].T)
        best = norms[start:stop, None] + norms[None, :stop] - 2 * overlap
        best[np.arange(start, stop)[:, None] <= np.arange(stop)[None]] = np.inf
        for row in np.flatnonzero((best < limit).any(axis=1)):
            nearest = np.argsort(best[row], kind="stable")[:neighbors]
            yield start + int(row), nearest[best[row, nearest] < limit]


def _blurred(oklab: F32) -> F32:
    """Mean over `SOFT` x `SOFT` cells with edge cells repeated: float32 [N, h, w, 3]."""
    return np.asarray(ndimage.uniform_filter(oklab, (0, SOFT, SOFT, 0), mode="nearest"), dtype=np.float32)
