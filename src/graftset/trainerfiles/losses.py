"""Losses from TensorBoard's event files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.errors import UserError

EVENTS = "events.out.tfevents.*"
_LOSSES = ("loss/current", "loss/average", "train_loss", "loss")  # what trainers call it, the best first
_RATES = ("lr/unet", "lr/group0", "lr/textencoder", "lr")


@dataclass(frozen=True, slots=True)
class LoggedLoss:
    """One logged step."""

    step: int
    loss: float
    lr: float | None
    seconds: float  # since the first logged step


def has_events(folder: Path) -> bool:
    """Whether TensorBoard logged anything below a folder."""
    return next(folder.rglob(EVENTS), None) is not None


def read_losses(folder: Path, *, begins: Callable[[Path], int] | None = None) -> tuple[LoggedLoss, ...]:
    """The loss of every step that was logged below a folder, later starts of the trainer over earlier ones.

    Args:
        folder: Where the event files lie, at any depth.
        begins: Folder of an event file -> the step that its count begins after; None: all count from 0.

    Raises:
        UserError: The package tensorboard, which reads them, is not installed.
    """
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError as error:
        raise UserError(
            "Reading TensorBoard's losses needs the package tensorboard, which is not installed",
            field="losses",
            value=str(folder),
            remedy="Install it: pip install 'graftset[tensorboard]'",
        ) from error
    found: dict[int, LoggedLoss] = {}
    starts: list[tuple[float, dict[int, LoggedLoss]]] = []
    for parent in sorted({file.parent for file in folder.rglob(EVENTS)}):
        events = EventAccumulator(str(parent), size_guidance={"scalars": 0})
        events.Reload()
        tags = events.Tags()["scalars"]
        loss = _first(_LOSSES, tags)
        if loss is None:
            continue
        offset = begins(parent) if begins is not None else 0
        rates = {event.step: event.value for event in events.Scalars(rate)} if (rate := _first(_RATES, tags)) else {}
        scalars = events.Scalars(loss)
        own = {
            event.step + offset: LoggedLoss(
                event.step + offset, float(event.value), rates.get(event.step), event.wall_time - scalars[0].wall_time
            )
            for event in scalars
            if math.isfinite(event.value)
        }
        if own:
            starts.append((scalars[0].wall_time, own))
    for _, own in sorted(starts, key=lambda start: start[0]):
        first = min(own)
        found = {step: line for step, line in found.items() if step < first} | own
    return tuple(found[step] for step in sorted(found))


def _first(wanted: Sequence[str], there: Sequence[str]) -> str | None:
    return next((tag for tag in wanted if tag in there), None)
