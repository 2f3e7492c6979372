"""TensorBoard: event files in the run folder, one for each command that wrote; TensorBoard joins them."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import tensorboardX

from graftset.tracking.job import Point, Tracked, Where

FOLDER = "tensorboard"  # in the run folder, so that `--logdir runs` shows all runs by name


@contextmanager
def open_tracker(run: Tracked, where: Where, memory: MutableMapping[str, str]) -> Iterator[EventFile]:
    """Begin an event file."""
    # The names it gives tell seconds only: of two commands within one, the second would overwrite the first's figures.
    writer = tensorboardX.SummaryWriter(str(run.folder / FOLDER), filename_suffix=f".{time.time_ns()}")
    try:
        if not memory.get("settings"):
            rows = "\n".join(f"| {key} | {value} |" for key, value in run.settings.items())
            writer.add_text("settings", f"| setting | value |\n|---|---|\n{rows}", 0)
            memory["settings"] = "written"
        yield EventFile(writer)
    finally:
        writer.close()


class EventFile:
    """One event file."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, points: Sequence[Point]) -> None:
        """Add scalars over images seen."""
        for point in points:
            self._writer.add_scalar(point.name, point.value, point.at, walltime=point.seconds)
        self._writer.flush()
