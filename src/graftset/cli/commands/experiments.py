"""Experiments: arms trained side by side and compared."""

from __future__ import annotations

from typing import Annotated

import typer

from graftset.cli.console import finish, progress_bars, say, shown
from graftset.cli.options import HERE, KEPT, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset experiment --dry-run", "three arms, five seeds: how long would that take?"),
    ("graftset experiment labels --labels --steps 400", "what wrong words do: experiments/labels"),
    ("graftset experiment mix --arms originals,equal:50,weighted:50", "the best 50, mixed in two ways"),
    ("graftset experiment mix", "go on where it was stopped, or compare again"),
)
def experiment(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of the folder in experiments/. Default: that of the set of arms.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    project: ProjectDir = HERE,
    arms: Annotated[
        str | None,
        typer.Option(
            help="Arms with commas between them, the baseline first: plans, PLAN:COUNT for the best COUNT, or names of "
            "builds. Default: originals,corrected,as-asked.",
            metavar="A,B,...",
        ),
    ] = None,
    standard: Annotated[
        bool, typer.Option("--standard", help="The ways of mixing: originals, the best 50 in three ways, all admitted.")
    ] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="The best 50 corrected, the same as asked, and 50 drawn past all gates.")
    ] = False,
    labels: Annotated[
        bool, typer.Option("--labels", help="Only candidates whose caption was corrected: corrected, and as asked.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(help=f"Training seeds of every arm; under 5 is directional. {KEPT}, else 5.", min=2, metavar="N"),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help=f"Training steps of every run. {KEPT}, else 1000.", min=1, metavar="N")
    ] = None,
    checkpoints: Annotated[
        int | None, typer.Option(help="Checkpoints of every run. Default: 10.", min=1, max=1000, metavar="N")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help=f"What trains. {KEPT}, else native, the embedded model.", metavar="BACKEND")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help=f"auto, cpu, cuda or mps. {KEPT}, else auto.", metavar="DEVICE")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Runs side by side, a thread each. Default: as many as cores.", min=1, metavar="N"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained and how long it takes; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train several arms with several seeds, and say what helped.

    What is asked is written down first (experiments/NAME/experiment.json); missing builds are made. The same command
    goes on where an earlier one was stopped, whichever way. See docs/experiments.md.
    """
    from graftset.cli import show_experiments
    from graftset.workflows import experimenting
    from graftset.workflows import steps as workflow
    from graftset.workflows.arms import ARM_SETS
    from graftset.workflows.experiment_pages import write_experiment_page

    chosen = [key for key, given in (("standard", standard), ("controls", controls), ("labels", labels)) if given]
    if arms is not None and chosen:
        raise UserError(
            f"--arms and --{chosen[0]} contradict each other", field="--arms", value=arms, remedy="Give one of them"
        )
    listed = [arm for key in chosen for arm in ARM_SETS[key]] if arms is None else arms.split(",")
    wanted = tuple(arm.strip() for arm in listed if arm.strip()) or None
    asked = experimenting.Asked(
        name or "-".join(chosen) or ("default" if arms is None else "-".join(wanted or ()).replace(":", "-")),
        wanted or (ARM_SETS["default"] if name is None else None),
        seeds,
        steps,
        checkpoints,
        backend,
        device,
    )
    with progress_bars() as meter, workflow.open_session(project, meter=meter) as session:
        planned = experimenting.plan(session, asked, dry_run=dry_run)
        if dry_run:
            finish(
                show_experiments.planned_json(planned, jobs),
                show_experiments.planned_lines(planned, jobs),
                as_json=as_json,
            )
            return
        say(*show_experiments.planned_lines(planned, jobs))
        done = experimenting.run(session, planned.experiment, jobs=jobs or 0, tell=say)
        page = write_experiment_page(session, planned.experiment.name) if done.comparisons else None
    finish(
        {**show_experiments.done_json(done, planned), "report": None if page is None else str(page)},
        [*show_experiments.done_lines(done), *([] if page is None else [f"report: {shown(page)}"])],
        as_json=as_json,
        fault=show_experiments.fault(done),
    )
