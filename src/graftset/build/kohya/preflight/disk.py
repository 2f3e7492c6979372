"""The folders as the trainer sees them: its path texts, and the files behind them here.

sd-scripts keys an image by the text of its path, and looks for captions by cutting that text apart, so the text is kept
as the trainer would have it: relative to where it is started, or below the folder a build was written for.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

IMAGE_ENDINGS = tuple(
    ending for each in ("png", "jpg", "jpeg", "webp", "bmp") for ending in (f".{each}", f".{each.upper()}")
)
"""What sd-scripts takes for an image, by the letter: `.Png` is none. AVIF and JPEG XL only where a plug-in is there."""
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jxl", ".heic"})


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies directly in a folder.

    Attributes:
        images: Path texts of what the trainer takes for an image, in its order.
        hidden: Image names that begin with a dot: never found.
        other_endings: Names of pictures whose ending the trainer does not know.
        endings: How many files have each ending, in the letters they are written in.
        names: Every name.
        folders: Folders that hold pictures: never entered; with their number.
    """

    images: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    other_endings: tuple[str, ...] = ()
    endings: Mapping[str, int] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    folders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disk:
    """Where the trainer's paths lead.

    Attributes:
        start: The folder training is started in.
        root: An absolute path that stands for `start` in the configs, where they were written for another machine.
        shown: Folder that paths are told relative to; None: `start`.
    """

    start: Path
    root: str | None = None
    shown: Path | None = None

    def at(self, path: str) -> Path:
        """The file or folder here that a path of the trainer means."""
        return self.start / self._below_root(path)

    def name(self, path: str) -> str:
        """A path to tell a person: relative where it lies below the folder they know."""
        place, base = PurePosixPath(self._below_root(path)), self.shown or self.start
        return str(place.relative_to(base)) if place.is_relative_to(base) else str(place)

    def _below_root(self, path: str) -> str:
        if self.root is not None and PurePosixPath(path).is_relative_to(self.root):
            return str(PurePosixPath(path).relative_to(self.root))
        return path

    def list(self, folder: str) -> Listing:
        """What lies in a folder, as `glob_images` in `library/train_util.py` finds it; nothing where it is none."""
        place = self.at(folder)
        if not place.is_dir():
            return Listing()
        # glob joins the folder with the pattern and takes it apart again: "d/" becomes "d", "" has no slash at all.
        prefix = os.path.split(os.path.join(folder, "*"))[0]
        with os.scandir(place) as entries:
            found = {entry.name: entry.is_dir() for entry in entries}
        names = sorted(found)
        taken = [name for name in names if name.endswith(IMAGE_ENDINGS)]
        pictures = [name for name in names if os.path.splitext(name)[1].lower() in _PICTURES and not found[name]]
        return Listing(
            images=tuple(sorted(os.path.join(prefix, name) for name in taken if not name.startswith("."))),
            hidden=tuple(name for name in taken if name.startswith(".") and not name.startswith("._")),
            other_endings=tuple(name for name in pictures if not name.endswith(IMAGE_ENDINGS)),
            endings=Counter(os.path.splitext(name)[1] for name in names if not found[name]),
            names=frozenset(names),
            folders={
                name: count
                for name, is_folder in found.items()
                if is_folder and not name.startswith(".") and (count := pictures_in(place / name))
            },
        )


def pictures_in(folder: Path) -> int:
    """How many pictures of any kind lie directly in a folder."""
    try:
        with os.scandir(folder) as entries:
            return sum(os.path.splitext(entry.name)[1].lower() in _PICTURES for entry in entries)
    except OSError:
        return 0
