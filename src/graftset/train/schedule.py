"""Which images every step shows: a stream that any step can be asked for without the steps before it.

An entry is one image at one repeat. Every pass over a stage's entries is shuffled anew from (seed, stage, pass), and
batches are cut from the endless row of passes, so that all have the same size and none of the images is left over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graftset.train.job import TrainingStage

I64 = NDArray[np.int64]


class Schedule:
    """The images of each step of a run.

    Args:
        stages: Parts of the training, in order.
        steps: Optimizer steps of the whole run.
        batch_size: Images of one step.
        seed: Of the shuffling.
    """

    def __init__(self, stages: Sequence[TrainingStage], *, steps: int, batch_size: int, seed: int) -> None:
        self.batch_size = batch_size
        self._seed = seed
        self._entries = [np.repeat(np.arange(len(stage.repeats)), stage.repeats) for stage in stages]
        shares = np.cumsum([stage.share for stage in stages])
        ends = np.rint(shares / shares[-1] * steps * batch_size).astype(np.int64)
        self._begins = [0, *ends[:-1].tolist()]
        self._ends = ends.tolist()
        self._kept: tuple[int, int, I64] = (-1, -1, np.zeros(0, dtype=np.int64))

    def batch(self, step: int) -> I64:
        """The images that step number `step` (from 0) shows, `[batch_size]`."""
        first = step * self.batch_size
        return np.concatenate(list(self._pieces(first, first + self.batch_size)))

    def exposures(self, steps: int) -> I64:
        """How often each image was shown after so many steps, `[N]`."""
        count = max(int(entries.max()) for entries in self._entries) + 1
        shown = np.zeros(count, dtype=np.int64)
        for piece in self._pieces(0, steps * self.batch_size):
            shown += np.bincount(piece, minlength=count)
        return shown

    def _pieces(self, position: int, end: int) -> list[I64]:
        """The entries from `position` up to `end`, cut where passes and stages end."""
        pieces = []
        while position < end:
            stage = next((i for i, last in enumerate(self._ends) if position < last), len(self._ends) - 1)
            entries = self._entries[stage]
            number, offset = divmod(position - self._begins[stage], len(entries))
            limit = end if stage == len(self._ends) - 1 else min(end, self._ends[stage])
            take = min(len(entries) - offset, limit - position)
            pieces.append(self._shuffled(stage, number)[offset : offset + take])
            position += take
        return pieces

    def _shuffled(self, stage: int, number: int) -> I64:
        if self._kept[:2] != (stage, number):
            order = np.random.default_rng([self._seed, 1, stage, number]).permutation(self._entries[stage])
            self._kept = (stage, number, order)
        return self._kept[2]
