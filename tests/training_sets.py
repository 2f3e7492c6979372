"""Small training sets, builds and jobs for the tests of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graftset.build import build
from graftset.records import Grid, SamplePrompt
from graftset.train import TrainingJob, TrainingSet, TrainingStage
from sample_builds import make_views

COLORS = {"red": (200, 30, 30), "green": (20, 160, 60), "blue": (30, 60, 200), "yellow": (240, 220, 60)}


def flag(word: str, number: int, height: int = 12, width: int = 8) -> NDArray[np.uint8]:
    """A dark figure, different for each number, before a background of one color: `uint8 [height, width, 3]`."""
    picture = np.full((height, width, 3), COLORS[word], dtype=np.uint8)
    picture[height // 3 :, 2 : 3 + number % 4] = (40 + 10 * number, 30, 20)
    return picture


def flags(count: int = 8, height: int = 12, width: int = 8, generated: int = 0) -> TrainingSet:
    """So many flags with their captions; the last `generated` of them count as generated images."""
    words = [list(COLORS)[number % len(COLORS)] for number in range(count)]
    return TrainingSet(
        build="flags",
        build_sha256="0" * 64,
        plan="equal",
        pictures=np.stack([flag(word, number, height, width) for number, word in enumerate(words)]),
        captions=tuple(f"pixel art, person {number}, {word} background" for number, word in enumerate(words)),
        generated=np.arange(count) >= count - generated,
        stages=(TrainingStage("all", 1.0, np.ones(count, dtype=np.int64)),),
        sources=tuple(f"{number:064x}" for number in range(count)),
    )


def prompts(data: TrainingSet, count: int = 3) -> tuple[SamplePrompt, ...]:
    """The first captions of a set as prompts."""
    return tuple(
        SamplePrompt(f"training-{number:03d}", "training", data.captions[number], {}, data.sources[number])
        for number in range(count)
    )


def job(
    folder: Path, data: TrainingSet | None = None, *, steps: int = 20, seed: int = 0, **settings: Any
) -> TrainingJob:
    """A short run of a narrow network in float32, which all processors round nearly alike, with 4 pictures a step."""
    data = flags() if data is None else data
    return TrainingJob(
        folder=folder,
        data=data,
        prompts=prompts(data),
        sample_seeds=(0,),
        seed=seed,
        steps=steps,
        device="cpu",
        settings={"precision": "float32", "width": 8, "batch_size": 4, "sampling_steps": 2, **settings},
    )


def make_build(folder: Path, plan: str = "equal", *, originals: int = 6, generated: int = 3) -> Path:
    """A build of flags on disk."""
    grid = Grid(8, 12, 1.0, 1.0, 0.0, 0.0, 1.0)
    views = [replace(view, grid=grid) for view in make_views(originals, generated)]
    build(
        views,
        load_native=lambda view: flag(list(COLORS)[len(view.path) % 4], int(view.path[-7:-4])),
        folder=folder,
        plan=plan,
    )
    return folder
