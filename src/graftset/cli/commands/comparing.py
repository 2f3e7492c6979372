"""Two arms held against each other."""

from __future__ import annotations

from typing import Annotated

import typer

from graftset.cli.console import finish, progress_bars
from graftset.cli.options import HERE, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset compare equal originals", "runs equal-s0, equal-s1 ... against originals-s0, originals-s1 ..."),
    ("graftset compare --experiment labels", "every arm of an experiment against its baseline, again"),
)
def compare(
    arm: Annotated[
        str | None,
        typer.Argument(help="An arm: the name of its runs without the seed.", metavar="ARM", show_default=False),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Argument(help="The arm it is held against, likewise.", metavar="BASELINE", show_default=False),
    ] = None,
    project: ProjectDir = HERE,
    experiment: Annotated[
        str | None,
        typer.Option(help="Compare every arm of this experiment with its baseline, and keep it.", metavar="NAME"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold an arm against another: what differs, and how surely.

    Paired by training seed, prompt and noise, at equal steps; original accuracy at equal exposures of the originals.
    Runs have to be evaluated. Fewer than five seeds are directional only.
    """
    from graftset.cli.show_experiments import comparison_json, comparison_lines
    from graftset.experiments import read_experiment
    from graftset.workflows import steps
    from graftset.workflows.comparing import compare_runs, runs_named
    from graftset.workflows.experimenting import compare_experiment

    if (experiment is None) != (arm is not None and baseline is not None):
        raise UserError(
            "Name two arms, or an experiment",
            field="ARM",
            value=arm,
            remedy="graftset compare ARM BASELINE, or graftset compare --experiment NAME",
        )
    with progress_bars() as meter, steps.open_session(project, meter=meter) as session:
        if experiment is not None:
            folder = session.project.experiments / steps.plain_name(experiment, "experiment")
            found, refused = compare_experiment(session, read_experiment(folder))
            fault = None
            if refused:
                name, reason = refused[0]
                fault = UserError(f"An arm cannot be compared: {reason}", field="arm", value=name, remedy="See above")
            document = {
                "experiment": experiment,
                "comparisons": [comparison_json(one) for one in found],
                "refused": [{"arm": name, "reason": reason} for name, reason in refused],
            }
            lines = [line for one in found for line in comparison_lines(one)]
            lines += [f"not compared: {name}: {reason}" for name, reason in refused]
            finish(document, lines, as_json=as_json, fault=fault)
            return
        one = compare_runs(session, runs_named(session, arm or ""), runs_named(session, baseline or ""))
    finish(comparison_json(one), comparison_lines(one), as_json=as_json)
