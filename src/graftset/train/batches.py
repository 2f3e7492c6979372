"""What one step shows: pictures, augmented and noised, with their captions. Everything random follows from the step.

A step's random generator is made from (seed, step): whoever resumes at step 700 needs no history, and arms with the
same seed see the same noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.diffusion.text import I64, CaptionEncoder, TagBatch, batch_tags
from graftset.train.schedule import Schedule

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

_FLIP, _DOWN, _RIGHT = 0, 1, 2  # columns of a label


@dataclass(frozen=True, slots=True)
class Varying:
    """How much of what a step shows is left to chance; all are probabilities in [0, 1]."""

    caption_dropout: float  # a picture is shown without its caption
    tag_dropout: float  # a tag is left out
    flip: float  # a picture is shown mirrored, and the network told so
    shift: float  # a picture is shown one cell up, down, left or right or both, and the network told so


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's input; B pictures."""

    targets: U8  # [B, H, W, ...], augmented
    labels: F32  # [B, 3]: flip, cells down, cells right
    levels: F32  # [B], noise level in [0, 1]
    noise: F32  # [B, 3, H, W]
    tags: TagBatch


class Batches:
    """Makes the batch of any step.

    Args:
        targets: `uint8 [N, H, W, ...]`, as the network's head wants them.
        captions: One for each picture.
        schedule: Which pictures each step shows.
        varying: How much is left to chance.
        seed: Of all randomness.
    """

    def __init__(
        self,
        targets: U8,
        captions: Sequence[str],
        *,
        encoder: CaptionEncoder,
        schedule: Schedule,
        varying: Varying,
        seed: int,
    ) -> None:
        self._targets = targets
        self._tags = [encoder.tags(caption) for caption in captions]
        self._schedule = schedule
        self._varying = varying
        self._seed = seed

    def batch(self, step: int) -> Batch:
        """The input of step number `step`, from 0."""
        rng = np.random.default_rng([self._seed, 2, step])
        shown = self._schedule.batch(step)
        labels = self._draw_labels(rng, len(shown))
        targets = self._targets[shown]
        for row in np.flatnonzero(labels.any(axis=1)):
            targets[row] = augment(targets[row], labels[row])
        height, width = targets.shape[1:3]
        return Batch(
            targets=targets,
            labels=labels.astype(np.float32),
            # Evenly spread over the batch rather than drawn apart: every step then sees all noise levels.
            levels=((np.arange(len(shown)) + rng.random()) / len(shown)).astype(np.float32),
            noise=rng.standard_normal((len(shown), 3, height, width), dtype=np.float32),
            tags=batch_tags([self._some_tags(rng, self._tags[number]) for number in shown]),
        )

    def _draw_labels(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        labels = np.zeros((count, 3), dtype=np.int64)
        labels[:, _FLIP] = rng.random(count) < self._varying.flip
        moved = rng.random(count) < self._varying.shift
        # One of the eight neighbors, never the place itself.
        place = (rng.integers(0, 8, count) + 5) % 9
        labels[:, _DOWN] = np.where(moved, place // 3 - 1, 0)
        labels[:, _RIGHT] = np.where(moved, place % 3 - 1, 0)
        return labels

    def _some_tags(self, rng: np.random.Generator, tags: tuple[I64, ...]) -> tuple[I64, ...]:
        untold = rng.random() < self._varying.caption_dropout
        kept = rng.random(len(tags)) >= self._varying.tag_dropout
        return () if untold else tuple(tag for tag, keep in zip(tags, kept, strict=True) if keep)


def augment(picture: U8, label: NDArray[np.int64]) -> U8:
    """Mirror a picture `[H, W, ...]` and move it by one cell; what enters at an edge repeats that edge."""
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(height) - label[_DOWN], 0, height - 1)
    columns = np.clip(np.arange(width) - label[_RIGHT], 0, width - 1)
    if label[_FLIP]:
        columns = width - 1 - columns
    moved: U8 = picture[rows][:, columns]
    return moved
