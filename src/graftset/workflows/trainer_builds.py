"""Builds and settings as a trainer of its own process needs them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from graftset.build import ORIGINS, read_build, with_epochs
from graftset.config import Project, TrainSettings
from graftset.errors import UserError
from graftset.phrases import counted
from graftset.train import BuildFiles, BuildStage, PlannedCheckpoint


def backend_settings(settings: TrainSettings, backend: str, project: Project | None) -> dict[str, Any]:
    """The settings of a backend, with paths that start at the project folder made absolute."""
    if backend != "kohya":
        return settings.native.model_dump()
    table = settings.kohya.model_dump()
    for key in ("sd_scripts", "model", "python"):
        path = os.path.expanduser(table[key])
        # A bare word is a command or, like owner/name, a name on a hub, unless a file of that name is there.
        here = path if project is None else str(project.path(path))
        if path and (path.startswith(("/", ".")) or path != table[key] or os.path.exists(here)):
            table[key] = os.path.abspath(here)
    return table


def build_files(folder: Path, *, epochs: int = 0) -> BuildFiles:
    """A build as a trainer of its own process reads it.

    Args:
        folder: The build folder.
        epochs: Over all stages, in proportion to the plan's; 0: as built.

    Raises:
        UserError: The build has a budget of steps, which decides in place of epochs.
    """
    record = read_build(folder)
    plan = record.plan
    if epochs:
        if record.budget is not None:
            raise UserError(
                f"This build has a budget of {counted(record.budget, 'step')}, which decides in place of epochs",
                field="train.kohya.epochs",
                value=epochs,
                remedy="Set it to 0, or build without a budget",
            )
        plan = with_epochs(plan, epochs)
    several = len(plan.stages) > 1
    images = {origin: plan.images(origin) for origin in ORIGINS}
    return BuildFiles(
        folder=folder.absolute(),
        format=record.format,
        base=record.base,
        stages=tuple(
            BuildStage(
                name=stage.name,
                config=f"stage{number}/train.toml" if several else "train.toml",
                epochs=stage.epochs,
                steps=stage.steps,
                steps_per_epoch=stage.steps_per_epoch,
                save_every=stage.save_every,
                by_steps=stage.budget is not None,
                batch_size=stage.batch_size,
            )
            for number, stage in enumerate(plan.stages, start=1)
        ),
        checkpoints=tuple(
            PlannedCheckpoint(
                point.step,
                point.images_seen,
                {
                    "original": point.exposures,
                    "generated": (point.images_seen - point.exposures * images["original"]) / images["generated"]
                    if images["generated"]
                    else 0.0,
                },
            )
            for point in plan.checkpoints()
        ),
        as_built=not epochs,
    )


def planned_steps(files: BuildFiles, steps: int | None) -> int:
    """The steps of a build; others cannot be asked for."""
    planned = files.checkpoints[-1].step
    if steps not in (None, planned):
        raise UserError(
            f"sd-scripts takes the {counted(planned, 'step')} of the build",
            field="--steps",
            value=steps,
            remedy="Leave it out, or build with a budget of steps",
        )
    return planned
