"""Weights & Biases: offline into files of the project, which `wandb sync` sends later, or online."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing goes out unasked
import wandb

from graftset.tracking.job import Point, Tracked, Where

AXIS = "images_seen"


@contextmanager
def open_tracker(run: Tracked, where: Where, memory: MutableMapping[str, str]) -> Iterator[WandbRun]:
    """Go on with the run of this identity, or begin it."""
    folder = where.reports / "wandb"
    folder.mkdir(parents=True, exist_ok=True)
    opened = wandb.init(
        project=where.project,
        name=run.name,
        id=run.identity,
        resume="allow",
        dir=str(folder),
        mode=where.wandb_mode,
        config=dict(run.settings),
        settings=wandb.Settings(silent=True, console="off"),
    )
    try:
        opened.define_metric("*", step_metric=AXIS)
        yield WandbRun(opened)
    finally:
        opened.finish()


class WandbRun:
    """One run."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def write(self, points: Sequence[Point]) -> None:
        """Log figures over images seen: its own steps only rise, and evaluation may come after training."""
        for at, some in groupby(points, key=lambda point: point.at):
            self._run.log({AXIS: at, **{point.name: point.value for point in some}})
