"""Experiment trackers."""

from __future__ import annotations

from typing import Annotated

import typer

from graftset.cli.console import finish
from graftset.cli.options import HERE, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset track", "every run, to the trackers that graftset.toml names"),
    ("graftset track arm-a --to tensorboard", "one run, to runs/arm-a/tensorboard"),
)
def track(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names of runs. Default: all.", metavar="RUN", show_default=False)
    ] = None,
    project: ProjectDir = HERE,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="tensorboard, mlflow or wandb; may be given several times. Default: what graftset.toml says.",
            metavar="TRACKER",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write losses and scorecards of runs to experiment trackers.

    `graftset train` and `graftset evaluate` do so as they go on, where [tracking] in graftset.toml names trackers; this
    writes what is missing.
    """
    from graftset.config import open_project
    from graftset.workflows.tracking import runs_to_track, track_run

    opened = open_project(project)
    names = tuple(dict.fromkeys(to or opened.settings.tracking.to))
    if not names:
        raise UserError(
            "No tracker is named", field="--to", remedy="graftset track --to tensorboard, or `to` under [tracking]"
        )
    written = {run.record.name: track_run(opened, run, names) for run in runs_to_track(opened, runs or ())}
    lines = [f"{name}: {count} new figures in {', '.join(names)}" for name, count in written.items()]
    finish({"trackers": list(names), "written": written}, lines, as_json=as_json)
