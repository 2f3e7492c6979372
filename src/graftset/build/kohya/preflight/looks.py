"""What becomes of the pictures: opened as the trainer opens them, resized and cropped, colors counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.build.kohya.preflight.buckets import Placement
from graftset.build.kohya.preflight.resizing import METHODS, seen
from graftset.engine import map_each
from graftset.imageio import BrokenImageError, color_count, plain_rgb

MANY_COLORS = 1 << 16  # a count beyond which the exact number says nothing


@dataclass(frozen=True, slots=True)
class Look:
    """One picture as it is stored and as the trainer encodes it.

    Attributes:
        colors: In the file, alpha dropped; 0 where it cannot be opened.
        colors_seen: After resizing and cropping.
        transparent: Share of pixels that are not opaque, 0-1.
        hidden_colors: Colors that show only because alpha is dropped.
        orientation: EXIF, 1 to 8; the trainer does not apply it.
        fault: Why it cannot be opened, as a phrase; "" where it can.
    """

    colors: int = 0
    colors_seen: int = 0
    transparent: float = 0.0
    hidden_colors: int = 0
    orientation: int = 1
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to look at."""

    file: Path
    placement: Placement | None
    method: str | None


def look(task: Task) -> Look:
    """Open one picture and follow it to the encoder."""
    try:
        picture = plain_rgb(task.file)
    except BrokenImageError as error:
        return Look(fault=str(error))
    colors = after = color_count(picture.rgb)
    size = picture.rgb.shape[1], picture.rgb.shape[0]
    if task.placement is not None and (task.method is None or task.method in METHODS):
        if task.method is None and size != task.placement.resized:
            after = 0  # its size was taken from elsewhere; the trainer stops here or not at all
        elif task.method is not None or task.placement.cropped != (0, 0):
            after = color_count(seen(picture.rgb, task.placement, task.method))
    return Look(colors, after, picture.transparent, picture.hidden_colors, picture.orientation)


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` positions, evenly spread."""
    if count <= most:
        return list(range(count))
    return sorted({number * count // most for number in range(most)}) if most > 0 else []


def look_at(tasks: Sequence[Task], tell: Callable[[int, int], None]) -> list[Look]:
    """Look at every picture, on all cores where there are many."""
    looks = []
    for look_found in map_each(look, tasks):
        looks.append(look_found)
        tell(len(looks), len(tasks))
    return looks
