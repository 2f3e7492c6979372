"""The commands and their options. Everything heavy is imported inside a command, so that `--help` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from graftset import __version__
from graftset.cli.console import emit, progress_bars, say, show_error
from graftset.errors import GraftsetError

app = typer.Typer(
    help="Grow a small image training set with generated images, with evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ProjectDir = Annotated[Path, typer.Option("--project", help="The project folder.", metavar="DIR")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Make input files that cannot be used an error.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what graftset wrote before and is different now.")]
Originals = Annotated[Path, typer.Option(help="Folder of the originals with their captions.", metavar="PATH")]
Candidates = Annotated[list[Path], typer.Option(help="Folder of generated images; may be given again.", metavar="PATH")]
Prompts = Annotated[
    Path | None, typer.Option(help="JSON or CSV file with the prompts of the candidates.", metavar="FILE")
]
Here = Path()


def _version(value: bool) -> None:
    if value:
        print(f"graftset {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Grow a small image training set with generated images, with evidence."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project folder; made where it is missing.")],
    originals: Originals,
    candidates: Candidates,
    prompts: Prompts = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write graftset.toml with every default and what it means."""
    from graftset.workflows import steps

    path = steps.init(folder, originals, candidates, prompts, force=force)
    _result({"settings": str(path)}, [f"wrote {path}"], as_json)


@app.command()
def expand(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project folder; made where it is missing.")],
    originals: Annotated[Path | None, typer.Option(help="Folder of the originals.", metavar="PATH")] = None,
    candidates: Annotated[
        list[Path] | None, typer.Option(help="Folder of generated images; may be given again.", metavar="PATH")
    ] = None,
    prompts: Prompts = None,
    size: Annotated[
        int | None, typer.Option(help="Training size in px instead of the one chosen.", metavar="PX")
    ] = None,
    force: Force = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """From two folders to training sets and a report, in one."""
    from graftset.cli.show import expansion_json, expansion_lines
    from graftset.config import FILE_NAME
    from graftset.errors import UserError
    from graftset.workflows import steps
    from graftset.workflows.expand import expand as run

    if originals is not None and candidates:
        steps.init(folder, originals, candidates, prompts, force=force)
    elif not (folder / FILE_NAME).exists():
        raise UserError(
            "A new project needs its pictures",
            field="--originals, --candidates",
            remedy="Name both folders; they are remembered in graftset.toml.",
        )
    with progress_bars() as meter, steps.open_session(folder, strict=strict, meter=meter) as session:
        done = run(session, size=size, force=force)
    _result(expansion_json(done), expansion_lines(done), as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the demonstration goes.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of the drawn pictures.")] = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Draw 203 portraits and 203 candidates with planted faults, and expand them."""
    from graftset.cli.show import expansion_json, expansion_lines
    from graftset.workflows import steps
    from graftset.workflows.demo import prepare
    from graftset.workflows.expand import expand as run

    say(f"drawing the sample set into {folder}")
    prepare(folder, seed=seed, force=force)
    with progress_bars() as meter, steps.open_session(folder, meter=meter) as session:
        done = run(session, force=force)
    _result(expansion_json(done), expansion_lines(done), as_json)


@app.command()
def ingest(project: ProjectDir = Here, strict: Strict = False, as_json: AsJson = False) -> None:
    """Take new and changed images and captions into the catalog."""
    from graftset.cli.show import ingest_json, ingest_lines
    from graftset.workflows import steps

    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.ingest(session)
    _result(ingest_json(report), ingest_lines(report), as_json)


@app.command()
def assess(project: ProjectDir = Here, strict: Strict = False, as_json: AsJson = False) -> None:
    """Measure every image: grid, background, nearest original, quality."""
    from graftset.cli.show import assess_json, assess_lines
    from graftset.workflows import steps

    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.assess(session)
    _result(assess_json(report), assess_lines(report), as_json)


@app.command()
def caption(
    project: ProjectDir = Here,
    apply: Annotated[bool, typer.Option("--apply", help="Make the proposals the current captions.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show every proposal beside what it corrects.")] = False,
    as_json: AsJson = False,
) -> None:
    """Propose captions that say what is in the pictures."""
    from graftset.caption import apply_proposals
    from graftset.cli.show import caption_diffs, caption_json, caption_lines
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        report = steps.caption(session)
        applied = apply_proposals(session.catalog) if apply else 0
        views = session.catalog.views() if diff else []
    lines = caption_lines(report) + ([f"applied {applied} captions"] if apply else [])
    document = {**caption_json(report), **({"applied": applied} if apply else {})}
    if diff and as_json:
        document["diff"] = [
            {"path": v.path, "old": v.prompt, "new": v.proposed_caption, "composed": v.composed}
            for v in views
            if v.origin == "generated" and v.proposed_caption != v.prompt
        ]
    _result(document, caption_diffs(views) + lines, as_json)


@app.command()
def select(
    project: ProjectDir = Here,
    count: Annotated[int | None, typer.Option("--count", help="Admit at most this many.", min=1, metavar="N")] = None,
    every: Annotated[bool, typer.Option("--all", help="Admit all that pass.")] = False,
    min_score: Annotated[float | None, typer.Option(help="Lowest quality score.", min=0, max=10)] = None,
    wrong_background: Annotated[str | None, typer.Option(help="recaption or drop.", metavar="WHAT")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random draw.")] = None,
    as_json: AsJson = False,
) -> None:
    """Choose the candidates to admit, with a reason for each."""
    from dataclasses import replace

    from graftset.cli.show import selection_json, selection_lines
    from graftset.errors import UserError
    from graftset.selection import policy_from_settings
    from graftset.workflows import steps

    if count is not None and every:
        raise UserError("Both were asked for", field="--count and --all", remedy="Give one of them.")
    if wrong_background not in (None, "recaption", "drop"):
        raise UserError(
            "No such way with a wrong background",
            field="--wrong-background",
            value=wrong_background,
            remedy="Use recaption or drop.",
        )
    wishes: dict[str, Any] = {"min_score": min_score, "wrong_background": wrong_background, "seed": seed}
    with steps.open_session(project) as session:
        policy = policy_from_settings(session.project.settings.select)
        policy = replace(policy, **{key: value for key, value in wishes.items() if value is not None})
        if count is not None or every:
            policy = replace(policy, count=count)
        selection = steps.choose(session, policy)
    _result(selection_json(selection), selection_lines(selection), as_json)


@app.command()
def build(
    project: ProjectDir = Here,
    plan: Annotated[str | None, typer.Option(help="originals, equal, weighted or sequential.")] = None,
    format: Annotated[str, typer.Option(help="The trainer that will read it.")] = "kohya",
    size: Annotated[int | None, typer.Option(help="Training size in px.", min=1, metavar="PX")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the build folder.")] = None,
    root: Annotated[str | None, typer.Option(help="Write absolute paths below this folder.", metavar="PATH")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Work the plan out and write nothing.")] = False,
    check: Annotated[
        Path | None, typer.Option("--verify", help="Check a build's files instead.", metavar="DIR")
    ] = None,
    force: Force = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Build a training set that a trainer reads."""
    from graftset.cli.show import build_json, build_lines
    from graftset.errors import UserError
    from graftset.workflows import steps

    if check is not None:
        _verify(check, as_json)
        return
    if plan is None:
        raise UserError("A build needs a mixing plan", field="--plan", remedy="Give --plan equal, for example.")
    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.build(
            session, plan, format=format, size=size, name=name, root=root, force=force, dry_run=dry_run
        )
    _result(build_json(report), build_lines(report), as_json)


def _verify(folder: Path, as_json: bool) -> None:
    """Compare a build's files with its manifest; exit 1 where they differ."""
    from graftset.build import verify

    found = verify(folder)
    problems = {"missing": found.missing, "changed": found.changed, "trained_on": found.trained_on}
    lines = [f"{kind}: {path}" for kind, paths in problems.items() for path in paths]
    lines.append(f"{found.files} files, build {found.build_sha256[:16]}: {'not as built' if lines else 'as built'}")
    _result(
        {"folder": str(folder), "files": found.files, "ok": len(lines) == 1, "extra": list(found.extra)}
        | {kind: list(paths) for kind, paths in problems.items()},
        lines,
        as_json,
    )
    if len(lines) > 1:
        raise typer.Exit(1)


@app.command()
def report(project: ProjectDir = Here, as_json: AsJson = False) -> None:
    """Write the HTML report."""
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        path = steps.report(session)
    _result({"report": str(path)}, [f"report: {path}"], as_json)


@app.command()
def status(project: ProjectDir = Here, as_json: AsJson = False) -> None:
    """Where the project stands, and which files were skipped for what."""
    from graftset.cli.show import status_json, status_lines
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        document = status_json(session.catalog.views(), session.catalog.known_skips(), session.catalog.selection())
    _result(document, status_lines(document), as_json)


@app.command()
def images(project: ProjectDir = Here, as_json: AsJson = False) -> None:
    """List every image with what is known of it; with --json one object per line."""
    from graftset.catalog.contract import image_json
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        views = session.catalog.views()
    for view in views:
        if as_json:
            emit(image_json(view))
        else:
            background = view.traits.background
            score = "-" if view.score is None else f"{view.score:4.1f}"
            seen = "-" if background is None else f"{background.kind} {background.value}"
            state = {None: "", True: "admitted", False: "dropped"}[view.selected]
            print(f"{view.origin:9} {score:>5} {seen:20} {state:9} {view.path}")


def _result(document: dict[str, Any], lines: list[str], as_json: bool) -> None:
    """The outcome: JSON on stdout where it was asked for, else lines for people."""
    if as_json:
        emit(document)
    else:
        for line in lines:
            print(line)


def main() -> None:
    """Run a command; user errors end in one sentence and exit code 1, wrong usage in 2."""
    try:
        app()
    except GraftsetError as error:
        show_error(error, as_json="--json" in sys.argv)
        sys.exit(1)
    except KeyboardInterrupt:
        say("", "stopped; what was finished is kept, and the same command goes on from there")
        sys.exit(130)
    except BrokenPipeError:  # `graftset images | head`
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
