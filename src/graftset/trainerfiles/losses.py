"""Losses from TensorBoard's event files.

Source: TFRecord framing (8 bytes of length, 4 of checksum, the record, 4 of checksum, little-endian) around `Event`
messages, whose definition tensorboardX has. The checksums are not looked at: a last record that is cut short ends it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftset.errors import UserError

EVENTS = "events.out.tfevents.*"
_LOSSES = ("loss/current", "loss/average", "train_loss", "loss")  # what trainers call it, the best first
_RATES = ("lr/unet", "lr/group0", "lr/textencoder", "lr")
_LENGTH, _CHECKSUM = 8, 4  # bytes
_LONGEST = 64 << 20  # bytes of one record


@dataclass(frozen=True, slots=True)
class LoggedLoss:
    """One logged step."""

    step: int
    loss: float
    lr: float | None
    seconds: float  # since the first logged step of its start of the trainer


@dataclass(frozen=True, slots=True)
class _Scalar:
    step: int
    value: float
    time: float  # seconds since 1970


def has_events(folder: Path) -> bool:
    """Whether TensorBoard logged anything below a folder."""
    return next(folder.rglob(EVENTS), None) is not None


def read_losses(folder: Path) -> tuple[LoggedLoss, ...]:
    """The loss of every step that was logged below a folder; where several starts logged a step, the last one's.

    Raises:
        UserError: The package tensorboardX, which knows their form, is not installed.
    """
    try:
        from tensorboardX.proto.event_pb2 import Event
    except ImportError as error:
        raise UserError(
            "Reading TensorBoard's losses needs tensorboardX, which is not installed",
            field="losses",
            value=str(folder),
            remedy="Install it: pip install 'graftset[tracking]'",
        ) from error
    starts = []
    for parent in sorted({file.parent for file in folder.rglob(EVENTS)}):
        tags = _scalars(sorted(parent.glob(EVENTS)), Event)
        loss = _first(_LOSSES, tags)
        if loss is None:
            continue
        rate = _first(_RATES, tags)
        rates = {scalar.step: scalar.value for scalar in tags[rate]} if rate else {}
        began = tags[loss][0].time
        own = {
            scalar.step: LoggedLoss(scalar.step, scalar.value, rates.get(scalar.step), scalar.time - began)
            for scalar in tags[loss]
            if math.isfinite(scalar.value)
        }
        starts.append((began, own))
    found: dict[int, LoggedLoss] = {}
    for _, own in sorted(starts, key=lambda start: start[0]):
        found |= own
    return tuple(found[step] for step in sorted(found))


def _scalars(files: Sequence[Path], event_kind: Any) -> dict[str, list[_Scalar]]:
    """What was logged in one folder, by tag."""
    found: dict[str, list[_Scalar]] = defaultdict(list)
    for file in files:
        for record in _records(file):
            try:
                event = event_kind.FromString(record)
            except ValueError:  # protobuf's DecodeError is one: a damaged file ends where it is damaged
                break
            for value in event.summary.value:
                number = value.tensor.float_val[0] if value.tensor.float_val else value.simple_value
                found[value.tag].append(_Scalar(event.step, float(number), event.wall_time))
    return found


def _records(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while len(head := stream.read(_LENGTH + _CHECKSUM)) == _LENGTH + _CHECKSUM:
            length = int.from_bytes(head[:_LENGTH], "little")
            if length > _LONGEST:
                return
            body = stream.read(length + _CHECKSUM)
            if len(body) < length + _CHECKSUM:
                return
            yield body[:length]


def _first(wanted: Sequence[str], there: dict[str, list[_Scalar]]) -> str | None:
    return next((tag for tag in wanted if tag in there), None)
