"""How many entries, batches and steps sd-scripts makes of what it found.

Pure. An entry is one image at one repeat.

Source: `DreamBoothDataset.__init__`, `BaseDataset.make_buckets` and `split_train_val` in `library/train_util.py`, and
`NetworkTrainer.train` in `train_network.py`, of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def regularization_repeats(repeats: Sequence[int], train_entries: int) -> list[int]:
    """How often each regularization image is shown, in the order they were found; 0 where it is never used.

    sd-scripts goes over them again and again until their entries reach the training entries: in the first round each
    counts with its own repeats, in later ones once.

    Args:
        repeats: Repeats of each regularization image, at least 1.
        train_entries: Entries of the training images.
    """
    shown = [0] * len(repeats)
    entries, first = 0, True
    while entries < train_entries and repeats:
        for index, own in enumerate(repeats):
            step = own if first else 1
            shown[index] += step
            entries += step
            if entries >= train_entries:
                break
        first = False
    return shown


def batches(bucket_entries: Iterable[int], batch_size: int) -> int:
    """Batches of one epoch: every bucket is filled up on its own."""
    return sum(-(-entries // batch_size) for entries in bucket_entries)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a run takes.

    Attributes:
        steps_per_epoch: Optimizer steps of one whole epoch.
        steps: Optimizer steps in all.
        epochs: Epochs that are begun; the last one may stay unfinished.
        by_epochs: `max_train_epochs` decided, not `max_train_steps`.
    """

    steps_per_epoch: int
    steps: int
    epochs: int
    by_epochs: bool

    def hours(self, seconds_per_step: float) -> float:
        """Duration in hours at a given speed, without saving and sampling."""
        return self.steps * seconds_per_step / 3600


def schedule(
    batches_per_epoch: int, *, max_train_epochs: int | None, max_train_steps: int, accumulation: int = 1
) -> Schedule:
    """Steps and epochs in one process.

    Args:
        batches_per_epoch: Batches of all datasets.
        max_train_epochs: Wins over `max_train_steps` where given.
        max_train_steps: Optimizer steps; sd-scripts' default is 1600.
        accumulation: `gradient_accumulation_steps`.
    """
    per_epoch = math.ceil(batches_per_epoch / accumulation)
    steps = max_train_steps if max_train_epochs is None else max_train_epochs * per_epoch
    epochs = math.ceil(steps / per_epoch) if per_epoch else 0
    return Schedule(per_epoch, steps if per_epoch else 0, epochs, max_train_epochs is not None)


def split(count: int, share: float, seed: int, *, training: bool) -> list[int]:
    """The images of a folder that a split with a seed keeps, as indices in the order sd-scripts lists them.

    Training takes the first ceil(n (1 - share)) of the shuffled list, validation the last round(n share): where both
    are rounded up, one image lies in both.
    """
    order = list(range(count))
    random.Random(seed).shuffle(order)
    if training:
        return order[: math.ceil(count * (1 - share))]
    return order[count - round(count * share) :]


def split_sizes(count: int, share: float) -> tuple[int, int]:
    """How many images training and validation each take of a folder."""
    return math.ceil(count * (1 - share)), round(count * share)


def expected_overlap(count: int, share: float) -> float:
    """Images that lie in both lists, on average, when each is drawn without a seed: from its own shuffle."""
    train, validation = split_sizes(count, share)
    return train * validation / count if count else 0.0
