"""Projects that train by the stand-in for sd-scripts, and builds to train on."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from graftset.build import build
from graftset.records import Grid, SamplePrompt
from sample_builds import make_views
from training_sets import COLORS, flag

STAND_IN = Path(__file__).with_name("sd_scripts_stand_in")
TOML = """
[project]
originals = "originals"
candidates = "generated"

[train]
backend = "kohya"
samples = 1

[train.kohya]
sd_scripts = "{checkout}"
python = "{python}"
model = "{model}"
launcher = "{launcher}"
"""


def stand_in_python(folder: Path) -> Path:
    """An interpreter that has what sd-scripts needs, as far as the stand-in goes."""
    path = folder / "python-of-the-trainer"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{STAND_IN / "packages"}" exec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


def base_model(folder: Path, kind: str = "StableDiffusionPipeline") -> Path:
    """A diffusers folder, as far as the checks look."""
    model = folder / "model"
    model.mkdir()
    (model / "model_index.json").write_text(f'{{"_class_name": "{kind}"}}')
    return model


def stand_in_toml(folder: Path, *, launcher: str = "python", more: str = "") -> str:
    """A graftset.toml whose trainer is the stand-in."""
    return (
        TOML.format(checkout=STAND_IN, python=stand_in_python(folder), model=base_model(folder), launcher=launcher)
        + more
    )


PROMPTS = (
    SamplePrompt("training-000", "training", "the first prompt", {}, None),
    SamplePrompt("generic-000", "generic", "the second prompt (with brackets)", {}, None),
)


def flags_build(
    folder: Path,
    plan: str = "equal",
    *,
    epochs: int = 3,
    steps: int | None = None,
    prompts: tuple[SamplePrompt, ...] = PROMPTS,
) -> Path:
    """A build of flags for sd-scripts: 6 originals and 3 generated at batch 4, with two prompts."""
    grid = Grid(8, 12, 1.0, 1.0, 0.0, 0.0, 1.0)
    views = [replace(view, grid=grid) for view in make_views(6, 3)]
    build(
        views,
        load_native=lambda view: flag(list(COLORS)[len(view.path) % 4], int(view.path[-7:-4])),
        folder=folder,
        plan=plan,
        epochs=epochs,
        steps=steps,
        size=64,
        prompts=prompts,
    )
    return folder
