"""What a training backend is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graftset.diffusion.palette import Palette
from graftset.errors import UserError
from graftset.records import SamplePrompt
from graftset.runs import CHECKPOINTS, spaced_steps

U8 = NDArray[np.uint8]


class TrainingError(UserError):
    """Training ended before its time; what it had reached is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingStage:
    """A part of the training: how large it is, and how often each image is shown in one pass over the set."""

    name: str
    share: float  # of all images shown, 0-1; the stages' shares sum to 1
    repeats: NDArray[np.int64]  # [N]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """The images of a build at native size, with captions and plan."""

    build: str  # name of the build folder
    build_sha256: str
    plan: str
    pictures: U8  # [N, H, W, 3]
    captions: tuple[str, ...]
    generated: NDArray[np.bool_]  # [N]
    stages: tuple[TrainingStage, ...]
    sources: tuple[str, ...]  # [N], sha256 of the file each picture was made from
    palette: Palette | None = None  # the one that all arms share; None: made of these pictures


@dataclass(frozen=True, slots=True)
class BuildStage:
    """One stage of a build on disk: a run of a trainer that reads its config."""

    name: str
    config: str  # the trainer's config, relative to the build folder
    epochs: int  # that are begun
    steps: int  # optimizer steps of the stage
    steps_per_epoch: int
    save_every: int  # from one checkpoint to the next: steps where `by_steps`, else epochs
    by_steps: bool  # a budget of steps ends it, not its epochs
    batch_size: int


@dataclass(frozen=True, slots=True)
class PlannedCheckpoint:
    """What a run has seen when one of its checkpoints is saved."""

    step: int  # over all stages
    images_seen: int
    exposures: Mapping[str, float]  # "original", "generated" -> mean times each such image was shown until then


@dataclass(frozen=True, slots=True)
class BuildFiles:
    """A build as a trainer of its own process reads it."""

    folder: Path
    format: str  # a trainer format: "kohya"
    base: str  # base model: "sd15" or "sdxl"
    stages: tuple[BuildStage, ...]
    checkpoints: tuple[PlannedCheckpoint, ...]  # over all stages, in order
    as_built: bool = True  # whether epochs are those of the configs


@dataclass(frozen=True, slots=True)
class Moment:
    """Where training stands, for whoever shows it."""

    step: int
    steps: int
    loss: float  # mean of the last logged steps
    doing: str = "train"  # or "paint"
    epoch: str = ""  # "epoch 3 of 10", where the backend counts epochs


def unwatched(moment: Moment) -> None:
    """A watcher that shows nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingJob:
    """One run: what, how long, where to."""

    folder: Path  # the run folder
    data: TrainingSet
    prompts: tuple[SamplePrompt, ...]  # painted at every checkpoint
    sample_seeds: tuple[int, ...]
    seed: int
    steps: int
    device: str  # "auto", "cpu", "cuda" or "mps"
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # of the backend
    watch: Callable[[Moment], None] = unwatched
    checkpoints: int = CHECKPOINTS  # evenly spaced, fewer where there are fewer steps
    build: BuildFiles | None = None  # for backends that start a trainer on the build's own files

    @property
    def checkpoint_steps(self) -> tuple[int, ...]:
        """The steps after which a checkpoint is written and painted; the last one is `steps`."""
        return spaced_steps(self.steps, self.checkpoints)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call of a backend did."""

    folder: Path
    steps: int  # taken in all
    resumed_at: int  # the step it went on from; 0 where it began
    unchanged: bool  # the run was finished already
    loss: float  # mean of the last logged steps
    seconds: float  # of training in all, without painting
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a run would take, from a few steps that were tried; NaN where a backend tries none."""

    seconds: float  # left, painting included
    step_seconds: float
    picture_seconds: float
    parameters: int
    device: str
    notes: tuple[str, ...] = ()
