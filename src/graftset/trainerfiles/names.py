"""What the names that kohya sd-scripts gives its files say.

Source: `EPOCH_FILE_NAME`, `STEP_FILE_NAME`, `EPOCH_STATE_NAME`, `STEP_STATE_NAME` and `sample_image_inference` in
`library/train_util.py` of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CHECKPOINT = re.compile(r"(?P<name>.+)-(?:step(?P<step>\d{8,})|(?P<epoch>\d{6}))")
_SAMPLE = re.compile(
    r"(?:(?P<name>.*)_)?(?P<kind>e?)(?P<at>\d{6,})_(?P<prompt>\d{2,})_(?P<time>\d{14})(?:_(?P<seed>\d+))?"
)


@dataclass(frozen=True, slots=True)
class CheckpointName:
    """The name of a LoRA or of a state, without its ending. Without epoch and step it is the last one of its run."""

    run: str
    epoch: int | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class SampleName:
    """The name of a sample picture, without its ending."""

    epoch: int | None
    step: int | None  # one of epoch and step
    prompt: int  # from 0, in the order of the prompts file
    time: str  # when it was written, local time: year to second as 14 digits
    seed: int | None


def checkpoint_of(stem: str) -> CheckpointName:
    """Read a checkpoint's name.

    >>> checkpoint_of("weighted-000003")
    CheckpointName(run='weighted', epoch=3, step=None)
    >>> checkpoint_of("weighted-step00000051")
    CheckpointName(run='weighted', epoch=None, step=51)
    >>> checkpoint_of("weighted")
    CheckpointName(run='weighted', epoch=None, step=None)
    """
    found = _CHECKPOINT.fullmatch(stem)
    if found is None:
        return CheckpointName(stem)
    epoch, step = (None if found[key] is None else int(found[key]) for key in ("epoch", "step"))
    return CheckpointName(found["name"], epoch, step)


def sample_of(stem: str) -> SampleName | None:
    """Read a sample's name; None where it is another file's.

    >>> sample_of("weighted_e000003_02_20260101120000_1002")
    SampleName(epoch=3, step=None, prompt=2, time='20260101120000', seed=1002)
    """
    found = _SAMPLE.fullmatch(stem)
    if found is None:
        return None
    at, seed = int(found["at"]), found["seed"]
    return SampleName(
        epoch=at if found["kind"] else None,
        step=None if found["kind"] else at,
        prompt=int(found["prompt"]),
        time=found["time"],
        seed=None if seed is None else int(seed),
    )
