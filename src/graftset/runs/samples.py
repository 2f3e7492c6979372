"""Painted pictures in complete folders: samples.jsonl and the PNGs it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from graftset.errors import UserError
from graftset.files import copy_whole, staged_folder, write_whole
from graftset.imageio import encode_png
from graftset.records import SamplePrompt
from graftset.runs.lines import json_line, parsed
from graftset.runs.records import Sample

SAMPLES = "samples.jsonl"
NATIVE = "native"  # below a folder of samples: the same pictures at native size, where they were painted larger
_PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,80}")
_SAMPLE = TypeAdapter(Sample)


def take_samples(folder: Path, pictures: Iterable[tuple[SamplePrompt, int, Path]]) -> tuple[Sample, ...]:
    """Copy pictures that another program painted into a complete folder of samples, as they are.

    Args:
        folder: Where they go.
        pictures: Prompt, seed of the noise, file.

    Raises:
        UserError: They cannot be read or written; what was there is untouched.
    """
    samples = []
    with staged_folder(folder) as staging:
        for number, (prompt, seed, source) in enumerate(pictures):
            plain = _PLAIN_ID.fullmatch(prompt.id)
            file = f"{prompt.id}_{seed}" if plain else f"{number:05d}"
            file += source.suffix.lower()
            copy_whole(source, staging / file)
            samples.append(
                Sample(file, prompt.id, prompt.text, prompt.kind, seed, dict(prompt.expects), prompt.reference)
            )
        write_whole(staging / SAMPLES, "".join(json_line(asdict(sample)) for sample in samples))
    return tuple(samples)


def write_samples(
    folder: Path,
    pictures: Iterable[tuple[SamplePrompt, int, NDArray[np.uint8]]],
    *,
    note: Mapping[str, str] | None = None,
    reduce: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
    extra: Mapping[str, str] | None = None,
) -> tuple[Sample, ...]:
    """Write painted pictures with their prompts as a complete folder, in place of one that is there.

    Args:
        folder: Where they go.
        pictures: Prompt, seed of the noise, pixels `uint8 [H, W, 3]`, native ones or larger.
        note: Texts to put inside every PNG, by keyword; the prompt and seed are always there.
        reduce: Makes native pixels of them; those are written too, under the same names below `native/`.
        extra: More files of text to put beside them, by name.

    Raises:
        UserError: They cannot be written; what was there is untouched.
    """
    samples = []
    with staged_folder(folder) as staging:
        for number, (prompt, seed, rgb) in enumerate(pictures):
            # Ids may come from a file of the user's; only plain ones become file names.
            file = f"{prompt.id}_{seed}.png" if _PLAIN_ID.fullmatch(prompt.id) else f"{number:05d}.png"
            text = {**(note or {}), "prompt": prompt.text, "seed": str(seed)}
            write_whole(staging / file, encode_png(rgb, text=text))
            if reduce is not None:
                (staging / NATIVE).mkdir(exist_ok=True)
                write_whole(staging / NATIVE / file, encode_png(reduce(rgb), text=text))
            samples.append(
                Sample(file, prompt.id, prompt.text, prompt.kind, seed, dict(prompt.expects), prompt.reference)
            )
        for name, content in (extra or {}).items():
            write_whole(staging / name, content)
        write_whole(staging / SAMPLES, "".join(json_line(asdict(sample)) for sample in samples))
    return tuple(samples)


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """The pictures of a folder with their prompts, whoever painted them.

    Raises:
        UserError: There is no samples.jsonl, or a line of it is damaged.
    """
    path = folder / SAMPLES
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError as error:
        raise UserError(
            "This folder holds no painted pictures: it has no samples.jsonl",
            field="samples",
            value=str(folder),
            remedy="Give a folder below samples/ of a run, or name the prompts",
        ) from error
    return tuple(parsed(_SAMPLE, line, path) for line in lines if line.strip())
