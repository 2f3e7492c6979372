"""How unlike anything in the originals the inside of a figure is painted.

A face with one eye missing, a shadow through the mouth, glasses melted into hair: every cell may have a good colour and
crisp edges, and still no original ever looked like that *there*. Each 5x5 patch of the figure's core is compared with
the patches of all originals at the same place, give or take one cell; the distance to the nearest one is its novelty.
On 25 portraits with two readers' marks this correlates with them at Spearman -0.7 where no render measure passes 0.5.
It is a measure of being *unlike*, so it stands in the score as one part and is never a gate of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

PATCH = 5  # cells
SLACK = 1  # cells a patch may lie elsewhere
QUANTILE = 95.0  # of the novelty over the core's patches: a fault is local
CORE_WIDTH, CORE_HEIGHT = 0.5, 0.6  # share of the figure's box: the face of a portrait, without the frayed hair line


def core(figure: Mask) -> Mask:
    """Every second cell of the middle of the figure's bounding box, bool [h, w]; of the picture's without a figure."""
    rows, columns = np.nonzero(figure)
    if not len(rows):
        rows, columns = np.array([0, figure.shape[0] - 1]), np.array([0, figure.shape[1] - 1])
    box = np.zeros_like(figure)
    spans = []
    for values, share in ((rows, CORE_HEIGHT), (columns, CORE_WIDTH)):
        middle, half = (values.min() + values.max()) / 2, (values.max() - values.min() + 1) * share / 2
        spans.append(slice(max(0, round(middle - half)), max(round(middle - half) + 1, round(middle + half))))
    box[spans[0], spans[1]] = True
    inside = box & figure
    # Patches of neighbouring cells overlap by four fifths: every second cell, as on a chessboard, says as much.
    sparse = inside & (np.indices(figure.shape).sum(axis=0) % 2 == 0)
    return sparse if sparse.any() else inside if inside.any() else box


class PatchNovelty:
    """Patches of the originals, ready to be compared with.

    Args:
        oklab: float32 [N, h, w, 3], the originals.
        kin: bool [N, N], True where two originals are the same picture or near-twins: a picture is never compared with
            its kin when originals are measured among themselves.
    """

    def __init__(self, oklab: F32, kin: Mask) -> None:
        self._patches = _patches(oklab)  # [N, h, w, 3 * PATCH ** 2]
        self._kin = kin

    def measure(self, oklab: F32, figures: Sequence[Mask], *, members: bool = False) -> NDArray[np.float64]:
        """Novelty of pictures of the originals' size.

        Args:
            oklab: float32 [M, h, w, 3].
            figures: bool [h, w] each.
            members: True where the pictures are the originals themselves, in order: each is then left out, with its
                kin, when it is measured.

        Returns:
            float64 [M], OKLab root mean square per patch element: the 95th percentile over the core. nan where there
            is nothing to compare with.
        """
        cores = np.stack([core(figure) for figure in figures])
        ours = _patches(oklab)
        novelty = np.full(cores.shape, np.nan)
        for y, x in zip(*np.nonzero(cores.any(axis=0)), strict=True):
            which = np.flatnonzero(cores[:, y, x])
            rows, columns = slice(max(0, y - SLACK), y + SLACK + 1), slice(max(0, x - SLACK), x + SLACK + 1)
            near = self._patches[:, rows, columns]
            theirs = near.reshape(-1, near.shape[-1])
            a = ours[which, y, x]
            squared = (a**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None] - 2 * a @ theirs.T
            if members:
                squared[np.repeat(self._kin[which], near.shape[1] * near.shape[2], axis=1)] = np.inf
            nearest = squared.argmin(axis=1)
            # The expanded square finds the nearest patch; its distance is computed anew, because the expansion
            # cancels to noise near zero, and differently for every number of threads.
            exact = ((a - theirs[nearest]).astype(np.float64) ** 2).sum(axis=1)
            known = np.isfinite(squared[np.arange(len(a)), nearest])
            novelty[which, y, x] = np.where(known, np.sqrt(exact / PATCH**2), np.nan)
        result = np.full(len(cores), np.nan)
        for i in range(len(cores)):
            values = novelty[i][cores[i]]
            values = values[np.isfinite(values)]
            if len(values):
                result[i] = np.percentile(values, QUANTILE)
        return result


def _patches(oklab: F32) -> F32:
    """The patch around every cell, edges repeated: float32 [N, h, w, 3 * PATCH ** 2]."""
    margin = PATCH // 2
    padded = np.pad(oklab, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PATCH, PATCH), axis=(1, 2))
    return np.ascontiguousarray(windows).reshape(*oklab.shape[:3], -1).astype(np.float32)
