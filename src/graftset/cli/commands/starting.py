"""Beginning a project, and all of it in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftset.cli.console import finish, progress_bars, say
from graftset.cli.options import (
    AsJson,
    Count,
    Every,
    Force,
    MinScore,
    Prompts,
    Seed,
    Size,
    Strict,
    WrongAccessory,
    WrongBackground,
    asked_policy,
)
from graftset.cli.registry import command


@command(("graftset init portraits --originals originals --candidates generated", "then see portraits/graftset.toml"))
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project folder; made where it is missing.")],
    originals: Annotated[Path, typer.Option(help="Folder of the originals with their captions.", metavar="PATH")],
    candidates: Annotated[
        list[Path], typer.Option(help="Folder of generated images; may be given again.", metavar="PATH")
    ],
    prompts: Prompts = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write graftset.toml with every default and what it means."""
    from graftset.workflows.starting import init as start

    path = start(folder, originals, candidates, prompts, force=force)
    finish({"settings": str(path)}, [f"wrote {path}"], as_json=as_json)


@command(
    ("graftset expand portraits --originals originals --candidates generated", "a new project, from two folders"),
    ("graftset expand portraits", "again: takes what is new and goes on where it was stopped"),
    ("graftset expand portraits --count 50 --min-score 8.5 --force", "fewer and better, in place of the last builds"),
)
def expand(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project folder; made where it is missing.")],
    originals: Annotated[
        Path | None,
        typer.Option(help="Folder of the originals with their captions. Needed once per project.", metavar="PATH"),
    ] = None,
    candidates: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of generated images; may be given again. Needed once per project.", metavar="PATH"),
    ] = None,
    prompts: Prompts = None,
    count: Count = None,
    every: Every = False,
    min_score: MinScore = None,
    wrong_background: WrongBackground = None,
    wrong_accessory: WrongAccessory = None,
    seed: Seed = None,
    size: Size = None,
    force: Force = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """From two folders to training sets and a report, in one.

    The same as init, ingest, assess, caption, select, build (every plan of graftset.toml) and report. A different
    build from before is not replaced without --force: the rest is done, and the exit code is 1.
    """
    from graftset.cli.show import expansion_fault, expansion_json, expansion_lines
    from graftset.workflows import steps
    from graftset.workflows.expand import expand as run
    from graftset.workflows.starting import init_or_agree

    init_or_agree(folder, originals, candidates or [], prompts)
    with progress_bars() as meter, steps.open_session(folder, strict=strict, meter=meter) as session:
        policy = asked_policy(
            session.project,
            count=count,
            every=every,
            min_score=min_score,
            wrong_background=wrong_background,
            wrong_accessory=wrong_accessory,
            seed=seed,
        )
        done = run(session, policy=policy, size=size, force=force)
    finish(expansion_json(done), expansion_lines(done), as_json=as_json, fault=expansion_fault(done, forced=force))


@command(
    ("graftset demo", "pictures, builds, a short experiment and its report in demo/"),
    ("graftset demo --no-experiment", "without training: half a minute"),
)
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the demonstration goes.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of the drawn pictures.", min=0, metavar="N")] = 0,
    no_experiment: Annotated[
        bool, typer.Option("--no-experiment", help="Draw and expand only; nothing is trained.")
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Draw a sample set, expand it, and try it out.

    203 originals and 203 candidates with planted faults; the same seed draws the same pictures. A short
    experiment then trains on originals alone, with corrected captions, and with captions as asked: a few minutes on
    two cores, and with two seeds a direction, no proof.
    """
    from graftset.cli.show import demo_json, demo_lines, expansion_fault
    from graftset.cli.show_experiments import fault as experiment_fault
    from graftset.workflows import steps
    from graftset.workflows.demo import can_train, prepare, try_out
    from graftset.workflows.expand import expand as run

    tried = None
    with progress_bars() as meter:
        prepare(folder, seed=seed, force=force, progress=meter("draw"))
        with steps.open_session(folder, meter=meter) as session:
            done = run(session, force=force)
            fault = expansion_fault(done, forced=force)
            if not can_train() and not no_experiment:
                say("no experiment: training needs torch, pip install 'graftset[train]'")
            elif not no_experiment and fault is None:
                tried = try_out(session, force=force, tell=say)
                fault = experiment_fault(tried.experimented)
    finish(demo_json(done, tried), demo_lines(done, tried), as_json=as_json, fault=fault)
