"""Runs that were never trained: what a model that learns would paint, made from the originals, with known truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assess_helpers import Pool, cast, portraits
from graftset.evaluate import Original, Originals
from graftset.measuring import Picture, measure_pixels
from graftset.records import SamplePrompt
from graftset.runs import (
    Checkpoint,
    Run,
    RunRecord,
    checkpoint_name,
    create_run,
    spaced_steps,
    write_checkpoint,
    write_samples,
)

U8 = NDArray[np.uint8]


def drawn_originals(count: int) -> list[Original]:
    """Drawn originals with captions, measured; each is called by its name instead of a hash."""
    found = []
    for person, native in zip(cast(count), portraits(count), strict=True):
        data, _ = measure_pixels(native)
        found.append(Original(person.name, Picture(f"/originals/{person.name}.png", native, data, person.caption)))
    return found


def recolored(original: Original, color: tuple[int, int, int]) -> U8:
    """An original on another background."""
    native = original.picture.native.copy()
    native[~original.picture.figure] = color
    return native


def noisy(native: U8, level: float, seed: int = 0) -> U8:
    """A picture whose every cell misses its color by so many 8-bit levels."""
    noise = np.random.default_rng(seed).normal(0, level, native.shape)
    return np.clip(native + noise, 0, 255).astype(np.uint8)


def learning_run(
    folder: Path,
    originals: Originals,
    prompts: Sequence[SamplePrompt],
    *,
    skill: Sequence[float],
    planned: int | None = None,
    seeds: Sequence[int] = (0, 1),
    build: str = "none",
    build_sha256: str = "",
) -> Run:
    """A run folder as a trainer leaves it, of a model that knows a share `skill[k]` of the prompts at checkpoint k.

    Which prompts are learned first is drawn once, so that what is learned stays. The others get a stranger's picture,
    and the noise of a model that is not done yet.
    """
    steps = spaced_steps(1000, planned or len(skill))
    record = RunRecord(
        folder.name, "native", build, build_sha256, "originals", *originals.size, len(originals.originals), 0, 0,
        steps[-1], 32, "cpu", steps, tuple(seeds), "0" * 64, len(prompts),
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    run = create_run(folder, record)
    for number, share in enumerate(skill):
        extend_run(run, originals, prompts, number, share)
    return run


def extend_run(run: Run, originals: Originals, prompts: Sequence[SamplePrompt], number: int, share: float) -> None:
    """One more checkpoint of a learning run, with its pictures."""
    step = run.record.checkpoint_steps[number]
    seen = step * run.record.batch_size
    name = checkpoint_name(seen)
    exposures = {"original": seen / len(originals.originals)}
    write_checkpoint(run, Checkpoint(name, step, seen, exposures, 1.0 - share, 1.0, "0" * 64), b"weights")
    difficulty = np.random.default_rng(7).permutation(len(prompts)) / len(prompts)
    pictures = []
    for place, prompt in enumerate(prompts):
        own = originals.place.get(prompt.reference or "", place % len(originals.originals))
        for seed in run.record.sample_seeds:
            right = difficulty[place] < share
            native = originals.natives[own if right else (own + 1 + seed) % len(originals.originals)]
            pictures.append((prompt, seed, native if right else noisy(native, 24 * (1 - share), place + 100 * seed)))
    write_samples(run.samples_folder(name), pictures)


def assessed_pool(root: Path, count: int) -> Pool:
    """A project's catalog with drawn originals, assessed."""
    pool = Pool(root)
    for person, native in zip(cast(count), portraits(count), strict=True):
        pool.original(person.name, native, person.caption)
    pool.take()
    return pool
