"""Folders of painted pictures, whoever painted them: which checkpoint, prompt and seed each file belongs to.

A run folder of ours says so in samples.jsonl. Elsewhere file names do: kohya writes
NAME_e000003_02_20260101120000_42.png (epoch 3, prompt 2, seed 42) or NAME_000300_02_... (step 300). Anything else is
dealt out along the prompts in the order of the names, folder by folder.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.errors import EmptyInputError
from graftset.phrases import counted
from graftset.records import SamplePrompt, Skip
from graftset.runs import SAMPLES, read_samples
from graftset.scorecards import Place

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
_KOHYA = re.compile(r"(?:.*_)?(?P<kind>e?)(?P<at>\d{6,})_(?P<prompt>\d{2,})_(?P<time>\d{14})(?:_(?P<seed>\d+))?")


@dataclass(frozen=True, slots=True)
class Painted:
    """One picture to look at."""

    path: Path
    prompt: SamplePrompt
    seed: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The pictures of one checkpoint. `folder` is what file names are relative to."""

    place: Place
    folder: Path
    pictures: tuple[Painted, ...]
    skipped: tuple[Skip, ...] = ()


def read_batch(folder: Path, place: Place) -> Batch:
    """The pictures of one folder of ours, by its samples.jsonl."""
    pictures = tuple(Painted(folder / s.file, s.sample_prompt, s.seed) for s in read_samples(folder))
    return Batch(place, folder, pictures)


def find_batches(folder: Path, prompts: Sequence[SamplePrompt]) -> list[Batch]:
    """The checkpoints of a folder of samples, in order.

    Kohya's names tell epoch or step and the prompt. Other pictures are of the checkpoint their subfolder is named for
    (or of one, where all lie in the folder itself), and are dealt out along the prompts in the order of their names,
    once for each seed; a folder with more pictures than prompts that does not come out even is left out, since nothing
    tells which picture is of which prompt. Folders with a samples.jsonl say everything themselves.

    Raises:
        EmptyInputError: No picture is there.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not files:
        raise EmptyInputError(
            "There is no picture in this folder",
            field="--samples",
            value=str(folder),
            remedy="Name the folder that the trainer writes its samples to.",
        )
    told = sorted({p.parent for p in files if (p.parent / SAMPLES).is_file()})
    if told:
        return [read_batch(sub, Place(sub.name, number, len(told))) for number, sub in enumerate(told, start=1)]
    named = {file: match for file in files if (match := _KOHYA.fullmatch(file.stem))}
    if 2 * len(named) > len(files):
        return _by_kohya_names(folder, files, named, prompts)
    return _by_folders(folder, files, prompts)


def _by_kohya_names(
    folder: Path, files: Sequence[Path], named: dict[Path, re.Match[str]], prompts: Sequence[SamplePrompt]
) -> list[Batch]:
    groups: dict[tuple[str, int], list[Path]] = defaultdict(list)
    strangers = []
    for file in files:
        match = named.get(file)
        if match is None:
            strangers.append(Skip(str(file), "its name does not tell epoch and prompt, as its neighbors' do"))
        else:
            groups[match["kind"], int(match["at"])].append(file)
    batches = []
    # A folder may hold pictures by epoch and by step; each is a row of checkpoints of its own, epochs first.
    for number, ((kind, at), own) in enumerate(sorted(groups.items(), key=lambda g: (g[0][0] == "", g[0][1])), start=1):
        pictures, skipped = [], []
        nth: dict[int, int] = defaultdict(int)
        for file in sorted(own, key=lambda f: (int(named[f]["prompt"]), named[f]["time"], f.name)):
            prompt = int(named[file]["prompt"])
            if prompt >= len(prompts):
                skipped.append(Skip(str(file), f"it is of prompt {prompt}, and the prompts file has {len(prompts)}"))
                continue
            seed = named[file]["seed"]
            # Painted without a seed, the n-th picture of a prompt stands for the n-th draw.
            pictures.append(Painted(file, prompts[prompt], int(seed) if seed is not None else nth[prompt]))
            nth[prompt] += 1
        name = f"{'epoch' if kind else 'step'}-{at:06d}"
        place = Place(name, number, len(groups), step=None if kind else at, epoch=at if kind else None)
        batches.append(Batch(place, folder, tuple(pictures), tuple(skipped + (strangers if number == 1 else []))))
    return batches


def _by_folders(folder: Path, files: Sequence[Path], prompts: Sequence[SamplePrompt]) -> list[Batch]:
    groups: dict[Path, list[Path]] = defaultdict(list)
    for file in files:
        groups[file.parent].append(file)
    batches = []
    for number, (parent, own) in enumerate(sorted(groups.items(), key=lambda g: _natural(str(g[0]))), start=1):
        own = sorted(own, key=lambda f: _natural(f.name))
        name = "samples" if parent == folder else parent.relative_to(folder).as_posix().replace("/", "-")
        each, rest = divmod(len(own), len(prompts)) if prompts else (1, 1)
        pictures: list[Painted] = []
        skipped: list[Skip] = []
        if each and rest:
            why = (
                f"there are {counted(len(own), 'picture')} for {counted(len(prompts), 'prompt')}, "
                "and names do not tell which is of which"
            )
            skipped = [Skip(str(file), why) for file in own]
        else:  # fewer pictures than prompts: a trainer that paints them in order is not done yet
            each = max(each, 1)
            pictures = [Painted(file, prompts[i // each], i % each) for i, file in enumerate(own)]
        batches.append(Batch(Place(name, number, len(groups)), folder, tuple(pictures), tuple(skipped)))
    return batches


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts numbers inside names by their value: step-2 before step-10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part)
