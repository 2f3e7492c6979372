"""Training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftset.cli.console import finish, say
from graftset.cli.options import HERE, KEPT, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset train --plan weighted", "train on builds/weighted, into runs/weighted-s0"),
    ("graftset train --plan originals --seed 3", "another seed, into runs/originals-s3"),
    ("graftset train --build builds/equal --steps 400 --dry-run", "how long would that take?"),
    ("graftset train --plan weighted --backend kohya", "a LoRA, by the sd-scripts that [train.kohya] names"),
    ("graftset train --plan weighted --script ~/to-rent", "a folder to copy to a rented GPU"),
)
def train(
    project: ProjectDir = HERE,
    plan: Annotated[
        str | None,
        typer.Option(help="Train on the project's build of this plan, or of this name.", metavar="PLAN"),
    ] = None,
    build: Annotated[
        Path | None, typer.Option("--build", help="Train on this build folder instead.", metavar="DIR")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help=f"Seed of everything random; arms are compared seed by seed. {KEPT}, else 0.", min=0),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help=f"Training steps, the same for every arm. {KEPT}, else 1000.", min=1, metavar="N"),
    ] = None,
    checkpoints: Annotated[
        int | None,
        typer.Option(
            help="How many checkpoints, evenly spaced in images seen. Default: 10.", min=1, max=1000, metavar="N"
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help=f"auto, cpu, cuda or mps. {KEPT}, else auto: cuda where it is, else cpu.", metavar="DEVICE"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the folder in runs/. Default: build and seed.", metavar="NAME")
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help=f"What trains: native, the embedded model, or kohya, sd-scripts. {KEPT}, else native.",
            metavar="BACKEND",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Try a few steps, say how long the run would take, write nothing; kohya only looks at what it needs.",
        ),
    ] = False,
    script: Annotated[
        Path | None,
        typer.Option(
            "--script",
            help="Write a folder to train on another machine with sd-scripts, and train nothing here; its results are "
            "taken back by `runs import`.",
            metavar="DIR",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on a build, painting the same prompts as it goes.

    The embedded model has ten checkpoints (or --checkpoints), evenly spaced in images seen; sd-scripts those of the
    build. Each paints every sample prompt. The same command goes on where an earlier one was stopped.
    """
    from dataclasses import replace

    from graftset.cli import show_training
    from graftset.train import load_backend
    from graftset.workflows.tracking import tracked_training
    from graftset.workflows.training import open_training, write_training_script

    if (plan is None) == (build is None):
        raise UserError(
            "Give one of --plan and --build", field="--plan", value=plan, remedy="graftset train --plan weighted"
        )
    if script is not None:
        training = open_training(
            project, plan=plan, build=build, name=name, seed=seed, steps=steps, keep=False, backend=backend or "kohya"
        )
        written = write_training_script(training, script)
        finish(show_training.script_json(training.job, written), show_training.script_lines(written), as_json=as_json)
        return
    with show_training.watching() as watch:
        training = open_training(
            project,
            plan=plan,
            build=build,
            name=name,
            seed=seed,
            steps=steps,
            device=device,
            checkpoints=checkpoints,
            keep=not dry_run,
            watch=watch,
            backend=backend,
        )
        module = load_backend(training.backend)
        done = None if dry_run else module.unchanged(training.job)
        if done is not None:
            with tracked_training(project, training.job.folder, say):
                finish(show_training.outcome_json(done), show_training.outcome_lines(done), as_json=as_json)
            return
        estimate = module.estimate(training.job)
        if dry_run:
            finish(
                show_training.estimate_json(training.job, estimate),
                show_training.estimate_lines(training.job, estimate),
                as_json=as_json,
            )
            return
        show_training.announce(training.job, estimate)
        with tracked_training(project, training.job.folder, say) as look:
            outcome = module.train(replace(training.job, watch=show_training.both(watch, look)))
    finish(show_training.outcome_json(outcome), show_training.outcome_lines(outcome), as_json=as_json)
