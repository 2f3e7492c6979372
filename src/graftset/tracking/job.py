"""What a tracker is given."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from graftset.runs import MetricsLine
from graftset.scorecards import Scorecard

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Point:
    """One figure at one place of a run."""

    name: str  # "train/loss", "evaluate/original_accuracy/training"
    value: float
    at: int  # images seen; where that is not known, step, epoch or number of the checkpoint
    seconds: float | None = None  # since 1970, when it was found; None: now


@dataclass(frozen=True, slots=True)
class Tracked:
    """A run as trackers see it."""

    name: str
    folder: Path  # of the run, or of the scorecards of somebody else's samples
    identity: str  # tells it from another run of this name
    settings: Mapping[str, Value]
    metrics: tuple[MetricsLine, ...] = ()
    cards: tuple[Scorecard, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """Where trackers keep runs."""

    reports: Path  # folder for the files of those that keep several runs in one place
    project: str  # what the project is called there
    mlflow_uri: str = ""  # "": an SQLite file in `reports`
    wandb_mode: str = "offline"  # or "online"


class Tracker(Protocol):
    """One run in one tracker, open for writing."""

    def write(self, points: Sequence[Point]) -> None:
        """Write figures; when it returns, they outlast the process.

        Raises:
            Exception: Whatever its library raises; the caller makes a sentence of it.
        """


class TrackerModule(Protocol):
    """What the module of a tracker holds."""

    def open_tracker(
        self, run: Tracked, where: Where, memory: MutableMapping[str, str]
    ) -> AbstractContextManager[Tracker]:
        """Open a run, a new one or one that was written before.

        Args:
            run: Its name, folder and settings; figures come through `write`.
            where: Where the tracker keeps runs.
            memory: What it wants to know the next time, kept for it in the run folder.
        """
