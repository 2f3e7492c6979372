"""Looking at what training paints: scorecards, and the runs of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftset.cli.console import finish, progress_bars, say, shown
from graftset.cli.options import HERE, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset evaluate arm-a", "every checkpoint of runs/arm-a that has pictures and no card yet"),
    ("graftset evaluate arm-a --watch", "the same while it trains, until it is finished"),
    (
        "graftset evaluate --samples output/sample --prompts sample_prompts.txt",
        "what kohya's sd-scripts painted, by epoch",
    ),
)
def evaluate(
    run: Annotated[
        str | None, typer.Argument(help="A run's name in runs/, or its folder.", metavar="RUN", show_default=False)
    ] = None,
    project: ProjectDir = HERE,
    samples: Annotated[
        Path | None,
        typer.Option(
            help="A folder of pictures that any trainer painted, at any size. Kohya's file names tell epoch and "
            "prompt; else every subfolder is a checkpoint.",
            metavar="DIR",
        ),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            help="The prompts they were painted from: kohya's sample_prompts.txt, a prompt a line, JSON or CSV.",
            metavar="FILE",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What the pictures of --samples are called. Default: the folder's name.", metavar="NAME"),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on while the run trains: a card for each checkpoint as it comes.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Evaluate checkpoints again whose card is up to date.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at what a run painted, and keep a scorecard of it.

    Each checkpoint gets a card. Training captions (what is remembered) and other wordings (what is obeyed) are told
    apart. The page is reports/run-NAME.html.
    """
    from graftset.cli.show_runs import evaluation_json, evaluation_lines
    from graftset.workflows import evaluating, known_runs, steps

    if (run is None) == (samples is None):
        raise UserError(
            "Name a run, or a folder of pictures with --samples",
            field="RUN",
            value=run,
            remedy="graftset evaluate RUN, or graftset evaluate --samples DIR --prompts FILE.",
        )
    if (samples is None) != (prompts is None):
        raise UserError(
            "Pictures and their prompts go together",
            field="--prompts" if prompts is None else "--samples",
            remedy="Give both --samples DIR and --prompts FILE.",
        )
    with progress_bars() as meter, steps.open_session(project, meter=meter) as session:
        if samples is not None and prompts is not None:
            if watch:
                raise UserError(
                    "Only runs can be watched",
                    field="--watch",
                    value=str(samples),
                    remedy="Run it again later instead.",
                )
            done = evaluating.evaluate_samples(session, samples, prompts, name=name, force=force)
        else:
            found = known_runs.find_run(session, run or "")
            if watch:
                for done in evaluating.watch(session, found, force=force):
                    say(*evaluation_lines(done, shown))
                if not found.finished:
                    say(f"{found.record.name} is trained no more: `graftset runs` tells how it goes on")
            else:
                done = evaluating.evaluate_run(session, found, force=force)
    finish(evaluation_json(done), [] if watch else evaluation_lines(done, shown), as_json=as_json)


@command(
    ("graftset runs", "a line for each run"),
    ("graftset runs arm-a", "everything known of one"),
    ("graftset runs import weighted-s0-results.tar.gz", "what run.sh of `graftset train --script` packed"),
    ("graftset runs import ~/old/output --prompts ~/old/prompts.txt", "LoRA files, samples and logs of a past run"),
)
def runs(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A run's name, for everything known of it; or the word import.", metavar="NAME", show_default=False
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="With import: a folder, or the archive that run.sh packed.", metavar="FOLDER", show_default=False
        ),
    ] = None,
    project: ProjectDir = HERE,
    prompts: Annotated[
        Path | None,
        typer.Option(
            help="With import: the prompts its pictures were painted from, as for `evaluate`. Default: a "
            "sample_prompts.txt or prompt.txt that lies there.",
            metavar="FILE",
        ),
    ] = None,
    build: Annotated[
        str | None,
        typer.Option(help="With import: the build of the project that it was trained on.", metavar="NAME"),
    ] = None,
    files: Annotated[
        str | None,
        typer.Option(
            help="With import: base name of the LoRA files, where there are those of several runs.", metavar="NAME"
        ),
    ] = None,
    run_name: Annotated[
        str | None,
        typer.Option("--name", help="With import: what the run is called here. Default: as there.", metavar="NAME"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List training runs, how far each came, and its best.

    With the word import, a run that was trained elsewhere is taken in.
    """
    from graftset.cli.show_runs import import_json, import_lines, run_json, run_lines, runs_lines
    from graftset.workflows import importing, known_runs, steps

    if folder is not None:
        if name != "import":
            raise UserError(
                "A folder goes with the word import",
                field="FOLDER",
                value=str(folder),
                remedy="graftset runs import FOLDER",
            )
        with steps.open_session(project) as session:
            done = importing.import_run(session, folder, name=run_name, prompts=prompts, build=build, files=files)
        finish(import_json(done), import_lines(done, shown), as_json=as_json)
        return
    with steps.open_session(project) as session:
        known, notes = known_runs.list_runs(session)
    if name is None:
        say(*notes)
        lines = runs_lines(known, project) or ["No runs yet: `graftset train --help` tells how to make one."]
        finish({"runs": [run_json(run, project) for run in known], "notes": notes}, lines, as_json=as_json)
        return
    found = next((run for run in known if run.name == name), None)
    if found is None and name == "import":
        raise UserError("What is to be imported?", field="FOLDER", remedy="Name it: graftset runs import FOLDER")
    if found is None:
        raise UserError(
            "There is no such run",
            field="NAME",
            value=name,
            remedy=f"Name one of these: {', '.join(run.name for run in known) or 'none yet'}.",
        )
    finish(run_json(found, project), run_lines(found, shown, project), as_json=as_json)
