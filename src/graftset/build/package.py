"""What a trainer format is given, and what it gives back.

An exporter is pure: it says where every image and caption lies and what else the folder holds. Reading, resizing,
writing and hashing are done once, by the builder, for every format alike.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from graftset.build.names import unique_stems
from graftset.build.plans import MixingPlan
from graftset.build.sizes import TrainingSize
from graftset.records import ImageView, Origin

if TYPE_CHECKING:
    from graftset.build.kohya.preflight import Options, Run

ORIGINS: tuple[Origin, ...] = ("original", "generated")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One training image."""

    origin: Origin
    stem: str  # file name without ending: safe on every system, unique within its origin
    caption: str  # one line, never empty
    source: ImageView

    @property
    def source_name(self) -> str:
        """Name of the file the image was made from, without its folder."""
        return file_name(self.source)


@dataclass(frozen=True, slots=True)
class Package:
    """Everything an exporter may ask: the plan, the images in it, their size and where the folder will lie."""

    plan: MixingPlan
    size: TrainingSize
    entries: tuple[Entry, ...]  # by origin (originals first), then by stem
    root: str | None = None  # absolute path of the build folder on the machine that trains; None: relative paths

    def place(self, path: str) -> str:
        """A path inside the build folder as a config names it: relative, or under `root`."""
        return path if self.root is None else f"{self.root}/{path}"


@dataclass(frozen=True, slots=True)
class SubsetRead:
    """One image folder as the trainer would read it."""

    folder: str  # relative to the build folder
    images: int
    captions: int  # that are there and not empty
    repeats: int  # times each image is shown in one epoch; 0 where the config does not say


@dataclass(frozen=True, slots=True)
class StageRead:
    """One stage as the trainer would read it; a number is 0 where the configs do not say."""

    config: str  # the file that names the image folders
    epochs: int
    batch_size: int
    subsets: tuple[SubsetRead, ...]
    faults: tuple[str, ...]  # files that are missing or that the trainer would refuse


@dataclass(frozen=True, slots=True)
class Format:
    """One trainer format; paths are relative to the build folder, with forward slashes.

    Attributes:
        summary: What it is for, as a phrase.
        image_file: Where an image lies.
        caption_file: Where its caption lies as a text file; None where captions live elsewhere.
        texts: Every other file with its content: configs, lists, scripts. Names ending in `.sh` are made executable.
        warnings: What the trainer will not do as the package says, as sentences for the user.
        read_stages: Folder, number of stages and root -> what the trainer would read there now, stage by stage.
        preflight: The same as simulated runs with their findings, where the format has a simulation of its trainer.
    """

    summary: str
    image_file: Callable[[Package, Entry], str]
    caption_file: Callable[[Package, Entry], str | None]
    texts: Callable[[Package], Mapping[str, str]]
    warnings: Callable[[Package], Sequence[str]]
    read_stages: Callable[[Path, int, str | None], Sequence[StageRead]]
    preflight: Callable[[Path, int, str | None, Options], Sequence[Run]] | None = None


def one_line(text: str | None) -> str:
    """A caption as trainers read it: one line, no control characters, no space around it; "" where there is none.

    kohya reads the first line only and crashes on an empty file, so lines are joined by a space rather than lost.
    """
    lines = (line.strip() for line in (text or "").removeprefix("\ufeff").splitlines())
    joined = " ".join(line for line in lines if line)
    return _CONTROL.sub("", joined).encode("utf-8", "replace").decode("utf-8").strip()


def name_entries(views: Sequence[ImageView]) -> tuple[Entry, ...]:
    """Give every image its file name; the answer depends on the images only, not on their order or folders."""
    entries = []
    for origin in ORIGINS:
        same = sorted((view for view in views if view.origin == origin), key=_sort_key)
        stems = unique_stems([(PurePosixPath(file_name(view)).stem, view.sha256) for view in same])
        entries += [
            Entry(origin, stem, one_line(view.training_caption), view) for stem, view in zip(stems, same, strict=True)
        ]
    return tuple(sorted(entries, key=lambda entry: (entry.origin != "original", entry.stem)))


def ranked_captions(package: Package) -> list[str]:
    """The originals' different captions in an order that depends on them alone.

    Whoever takes the first few, as for sample prompts, gets the same ones for every plan and every selection.
    """
    captions = {entry.caption for entry in package.entries if entry.origin == "original"}
    return sorted(captions, key=_content_hash)


def _content_hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _sort_key(view: ImageView) -> tuple[str, str, str]:
    return (file_name(view), view.sha256, one_line(view.training_caption))


def file_name(view: ImageView) -> str:
    # Catalogs travel between systems, so a path may have either kind of separator; a backslash in a name is rare.
    return re.split(r"[/\\]", view.path)[-1]
