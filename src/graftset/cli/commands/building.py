"""Training sets: building, checking and verifying them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftset.cli.console import finish, progress_bars
from graftset.cli.options import HERE, KEPT, AsJson, Force, ProjectDir, Size, Strict
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset build --plan weighted", "builds/weighted, originals shown at least twice as often"),
    ("graftset build --plan equal --size 512 --name equal512", "another size beside it"),
    ("graftset build --plan sequential --dry-run", "print the plan, write nothing"),
    ("graftset build --plan equal --steps 510 --name equal510", "as many steps as 203 originals take in ten epochs"),
    ("graftset build --plan as-asked --steps 510", "a control arm: the same pictures under the prompts as asked"),
    ("graftset build --check builds/weighted", "would it train as planned?"),
    (
        "graftset build --check ~/kohya/train --set resolution=512,512 --set caption_extension=.txt",
        "what would kohya read in a folder of yours?",
    ),
)
def build(
    project: ProjectDir = HERE,
    plan: Annotated[
        str | None,
        typer.Option(
            help="originals: without the generated; equal: every picture as often; weighted: originals at least twice "
            "as often; sequential: originals first, then all. Control arms: as-asked trains the generated under their "
            "prompts, random draws them past all gates. Or a plan of graftset.toml. Needed to build.",
            metavar="PLAN",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Training steps in all, in place of epochs, so that plans are compared at equal steps; ten "
            f"checkpoints, evenly spaced. {KEPT}, else as the epochs come out.",
            min=10,
            metavar="N",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            help="Use only the first N of the ranking of select; random draws as many. Default: all admitted.",
            min=1,
            metavar="N",
        ),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help=f"Base model, sd15 or sdxl. {KEPT}, else sd15.", metavar="MODEL")
    ] = None,
    colors: Annotated[
        str | None,
        typer.Option(
            help="Colors of generated images. merged: those told apart by render noise alone become one; as-painted: "
            f"as they are. {KEPT}, else merged.",
            metavar="WHICH",
        ),
    ] = None,
    override_real_mass: Annotated[
        str | None,
        typer.Option(
            "--override-real-mass",
            help="Accept a plan that shows fewer than half originals; the reason is kept in the build.",
            metavar="REASON",
        ),
    ] = None,
    format: Annotated[str, typer.Option(help="The trainer that will read it.", metavar="FORMAT")] = "kohya",
    size: Size = None,
    name: Annotated[
        str | None, typer.Option(help=f"Name of the folder in builds/. {KEPT}, else the plan's.", metavar="NAME")
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(
            help="Write absolute paths, for a build that will lie in this folder of another machine. Default: relative "
            "ones, so that it can be moved.",
            metavar="PATH",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and write nothing.")] = False,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check",
            help="Build nothing; say what kohya's sd-scripts would read in a build, any folder for train_data_dir or "
            "a TOML of its own, and what would go wrong in silence. Base model and machine are not looked at.",
            metavar="DIR",
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify", help="Build nothing; compare a build's files with its manifest, by hash.", metavar="DIR"
        ),
    ] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="With --check: an argument of the trainer's command line, which wins over a config file. Repeatable; "
            "not for builds of graftset, whose train.sh says all.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    sdxl: Annotated[bool, typer.Option("--sdxl", help="With --check: sdxl_train_network.py will train.")] = False,
    seconds_per_step: Annotated[
        float | None,
        typer.Option(help="With --check: speed of your machine, to say how long training takes.", min=0, metavar="S"),
    ] = None,
    pixels: Annotated[
        int,
        typer.Option(
            help="With --check: open at most so many pictures, evenly spread, to count colors and find damage.",
            min=0,
            metavar="N",
        ),
    ] = 1000,
    verbose: Annotated[bool, typer.Option("--verbose", help="With --check: list what each image will get.")] = False,
    force: Force = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Build a training set that a trainer reads, or check one.

    An identical build is left alone; a different one of the same name is replaced with --force only.
    """
    from graftset.cli import show_builds
    from graftset.workflows import steps as workflow

    if sum(option is not None for option in (plan, check, verify)) != 1:
        raise UserError(
            "Give one of --plan, --check and --verify",
            field="--plan",
            value=plan,
            remedy="For a training set: graftset build --plan weighted",
        )
    if check is not None:
        from graftset.cli import show_check

        with progress_bars() as meter:
            options = show_check.Options(pixels, sdxl, seconds_per_step, meter)
            found = show_check.checked(check, options, arguments or [])
        show_check.tell(found, as_json=as_json, verbose=verbose)
        return
    if verify is not None:
        show_builds.verify_and_tell(verify, as_json=as_json)
        return
    with progress_bars() as meter, workflow.open_session(project, strict=strict, meter=meter) as session:
        report = workflow.build(
            session,
            plan or "",
            format=format,
            size=size,
            name=name,
            root=root,
            steps=steps,
            count=count,
            base=base,
            colors=colors,
            override_real_mass=override_real_mass or "",
            force=force,
            dry_run=dry_run,
        )
    lines = [*(show_builds.plan_lines(report) if dry_run else []), *show_builds.build_lines(report)]
    finish(show_builds.build_json(report), lines, as_json=as_json)
