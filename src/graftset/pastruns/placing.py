"""Where in a run its checkpoints stand, as far as names and metadata tell.

Pure. Nothing is guessed: where steps are not known, checkpoints stand at their epochs, and where those are not known
either, one behind the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graftset.pastruns.finding import Found, Weights
from graftset.records import SamplePrompt, Skip

Unit = Literal["step", "epoch", "checkpoint"]
_EPOCH = re.compile(r"(?i)(?:^|[^a-z])e(?:p|poch)?s?[-_ ]*0*(\d+)")
_STEP = re.compile(r"(?i)(?:^|[^a-z])steps?[-_ ]*0*(\d+)")


@dataclass(frozen=True, slots=True)
class Told:
    """The pictures of one checkpoint, and what their names tell of where it stands."""

    folder: str  # name of the group: "epoch-000003", or the subfolder they lay in
    epoch: int | None
    step: int | None
    pictures: tuple[tuple[SamplePrompt, int, Path], ...]  # prompt, seed, file


@dataclass(frozen=True, slots=True)
class Point:
    """One checkpoint of a past run."""

    at: int  # in the run's unit
    epoch: int | None
    weights: Path | None
    pictures: tuple[tuple[SamplePrompt, int, Path], ...]


def place_all(found: Found, groups: Sequence[Told]) -> tuple[Unit, tuple[Point, ...], tuple[Skip, ...]]:
    """Put weights and pictures of a run in a row.

    Returns:
        What the row counts, its points in order, and the files that stand nowhere in it.
    """
    per_epoch = found.told.steps_per_epoch if found.told is not None else None
    groups = _named_folders(groups)
    weights = [(each, *_position(each)) for each in found.weights]
    known = [(epoch, step) for _, epoch, step in weights] + [(group.epoch, group.step) for group in groups]
    if known and all(step is not None or (epoch is not None and per_epoch) for epoch, step in known):
        unit: Unit = "step"
    elif any(epoch is not None for epoch, _ in known):
        unit = "epoch"
    elif any(step is not None for _, step in known):
        unit = "step"
    else:
        unit = "checkpoint"

    def at(epoch: int | None, step: int | None, number: int) -> int | None:
        if unit == "step":
            if step is None and epoch is not None and per_epoch:
                return epoch * per_epoch
            return step
        return epoch if unit == "epoch" else number

    points: dict[int, Point] = {}
    skipped: list[Skip] = []
    for number, (each, epoch, step) in enumerate(weights, start=1):
        place = at(epoch, step, number)
        if place is None:
            skipped.append(Skip(str(each.path), f"neither name nor metadata tell its {unit}"))
        elif place not in points or _is_last(each):
            points[place] = Point(place, epoch, each.path, ())
    for number, group in enumerate(groups, start=1):
        place = at(group.epoch, group.step, number)
        if place is None:
            skipped += [Skip(str(path), f"its name does not tell its {unit}") for _, _, path in group.pictures]
            continue
        there = points.get(place, Point(place, group.epoch, None, ()))
        points[place] = Point(place, there.epoch, there.weights, (*there.pictures, *group.pictures))
    return unit, tuple(points[place] for place in sorted(points)), tuple(skipped)


def _position(weights: Weights) -> tuple[int | None, int | None]:
    """Epoch and step of a file: its name first, then what it tells of itself."""
    name, told = weights.name, weights.told
    if name.step is not None:
        return None, name.step
    if told is None:
        return name.epoch, None
    epoch = name.epoch or told.epoch
    if epoch and told.steps_per_epoch and (name.epoch or told.step is None):
        return epoch, epoch * told.steps_per_epoch
    return epoch, told.step


def _is_last(weights: Weights) -> bool:
    return weights.name.epoch is None and weights.name.step is None


def _named_folders(groups: Sequence[Told]) -> list[Told]:
    """Groups that know neither epoch nor step get what the names of their folders tell, where all of them tell."""
    unknown = [group for group in groups if group.epoch is None and group.step is None]
    for pattern, is_epoch in ((_EPOCH, True), (_STEP, False)):
        numbers = [found and int(found[1]) for found in (pattern.search(group.folder) for group in unknown)]
        if unknown and all(number is not None for number in numbers) and len(set(numbers)) == len(numbers):
            named = {
                group.folder: Told(
                    group.folder, number if is_epoch else None, None if is_epoch else number, group.pictures
                )
                for group, number in zip(unknown, numbers, strict=True)
            }
            return [named.get(group.folder, group) for group in groups]
    return list(groups)
