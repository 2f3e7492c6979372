"""What a trainer format is given, and what it gives back.

An exporter is pure: it says where every image and caption lies and what else the folder holds. Reading, resizing,
writing and hashing are done once, by the builder, for every format alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from graftset.build.names import unique_stems
from graftset.build.plans import ORIGINS as ORIGINS
from graftset.build.plans import MixingPlan, Stage, Subset
from graftset.build.sizes import Base, TrainingSize
from graftset.prompts import one_line as one_line
from graftset.records import ImageView, Origin, SamplePrompt

if TYPE_CHECKING:
    from graftset.build.kohya.preflight import Options, Run

CaptionSource = Literal["caption", "proposal", "prompt"]
# Of generated images: those that render noise alone tells apart become one, or every cell keeps its own.
Colors = Literal["merged", "as-painted"]
COLORS: tuple[Colors, ...] = get_args(Colors)


@dataclass(frozen=True, slots=True)
class Member:
    """An image that a plan uses, the caption it is trained under, and the folder it goes to."""

    view: ImageView
    caption: str  # one line, never empty
    caption_from: CaptionSource
    folder: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One training image."""

    origin: Origin
    stem: str  # file name without ending: safe on every system, unique within its origin
    caption: str  # one line, never empty
    source: ImageView
    folder: str  # name of its image folder, as the plan's subsets have it
    number: int  # from 0: its place among the files of that folder in the order of names
    caption_from: CaptionSource = "caption"

    @property
    def source_name(self) -> str:
        """Name of the file the image was made from, without its folder."""
        return file_name(self.source)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a trainer paints the sample prompts: the same for every plan of a project."""

    steps: int = 28
    scale: float = 7.0  # of classifier-free guidance
    negative: str = ""  # prompt; empty: none
    seed: int = 1000  # of the first prompt; each further one has the next


@dataclass(frozen=True, slots=True)
class Package:
    """Everything an exporter may ask: the plan, the images in it, their size and where the folder will lie."""

    plan: MixingPlan
    size: TrainingSize
    entries: tuple[Entry, ...]  # by origin (originals first), then by stem
    root: str | None = None  # absolute path of the build folder on the machine that trains; None: relative paths
    base: Base = "sd15"
    flip: bool = False  # whether the trainer may mirror images
    prompts: tuple[SamplePrompt, ...] = ()
    sampling: Sampling = Sampling()
    colors: Colors = "merged"

    def place(self, path: str) -> str:
        """A path inside the build folder as a config names it: relative, or under `root`."""
        return path if self.root is None else f"{self.root}/{path}"

    def repeats(self, entry: Entry) -> list[int]:
        """Times an image is shown in one epoch, for every stage; 0 where the stage does not show it."""
        found = (_subset_of(stage, entry) for stage in self.plan.stages)
        return [0 if subset is None else subset.repeats_of(entry.number) for subset in found]

    def exposures(self, entry: Entry) -> float:
        """Times an image is shown over all stages; where an epoch is cut short, the mean over the order of batches."""
        shown = zip(self.plan.stages, self.repeats(entry), strict=True)
        return sum(stage.passes * repeats for stage, repeats in shown)

    def loss_weights(self, entry: Entry) -> list[float]:
        """The factor on an image's loss, for every stage; 0 where the stage does not show it."""
        found = (_subset_of(stage, entry) for stage in self.plan.stages)
        return [0.0 if subset is None else subset.loss_weight for subset in found]


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
    steps: int = 0  # optimizer steps of the whole stage


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
        adapt: A plan -> the same as this trainer carries it out, with a note on every difference.
            Raises BuildError, with the reason, where it cannot.
        preflight: The same as simulated runs with their findings, where the format has a simulation of its trainer.
    """

    summary: str
    image_file: Callable[[Package, Entry], str]
    caption_file: Callable[[Package, Entry], str | None]
    texts: Callable[[Package], Mapping[str, str]]
    warnings: Callable[[Package], Sequence[str]]
    read_stages: Callable[[Path, int, str | None], Sequence[StageRead]]
    adapt: Callable[[MixingPlan], MixingPlan]
    preflight: Callable[[Path, int, str | None, Options], Sequence[Run]] | None = None


def name_entries(members: Sequence[Member]) -> tuple[Entry, ...]:
    """Give every image its file name; the answer depends on the images only, not on their order or folders."""
    entries: list[Entry] = []
    for origin in ORIGINS:
        same = sorted((member for member in members if member.view.origin == origin), key=_sort_key)
        stems = unique_stems([(PurePosixPath(file_name(m.view)).stem, m.view.sha256) for m in same])
        entries += [
            Entry(origin, stem, m.caption, m.view, m.folder, 0, m.caption_from)
            for stem, m in zip(stems, same, strict=True)
        ]
    numbered = []
    for folder in dict.fromkeys(entry.folder for entry in entries):
        here = sorted((entry for entry in entries if entry.folder == folder), key=lambda entry: f"{entry.stem}.png")
        numbered += [dataclasses.replace(entry, number=number) for number, entry in enumerate(here)]
    return tuple(sorted(numbered, key=lambda entry: (entry.origin != "original", entry.stem)))


def _subset_of(stage: Stage, entry: Entry) -> Subset | None:
    return next((subset for subset in stage.subsets if subset.folder == entry.folder), None)


def ranked_captions(package: Package) -> list[str]:
    """The originals' different captions in an order that depends on them alone."""
    captions = {entry.caption for entry in package.entries if entry.origin == "original"}
    return sorted(captions, key=_content_hash)


def _content_hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _sort_key(member: Member) -> tuple[str, str, str]:
    return (file_name(member.view), member.view.sha256, member.caption)


def file_name(view: ImageView) -> str:
    # Catalogs travel between systems, so a path may have either kind of separator; a backslash in a name is rare.
    return re.split(r"[/\\]", view.path)[-1]
