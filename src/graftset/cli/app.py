"""The commands. Everything heavy is imported inside a command, so that `--help` is quick."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from graftset import __version__
from graftset.cli.console import emit, ending, finish, prepare_streams, progress_bars, show, shown
from graftset.cli.options import (
    HERE,
    KEPT,
    AsJson,
    Count,
    Every,
    Force,
    MinScore,
    ProjectDir,
    Prompts,
    Seed,
    Size,
    Strict,
    WrongBackground,
    asked_policy,
)
from graftset.errors import UserError

app = typer.Typer(
    help="Grow a small image training set with generated images, with evidence.",
    epilog="Begin with `graftset demo`, or with your own pictures: `graftset expand DIR --originals PATH "
    "--candidates PATH`. Exit codes: 0 done, 1 something you can mend, 2 wrong usage, 130 stopped by Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)

Run = TypeVar("Run", bound=Callable[..., None])


def command(*examples: tuple[str, str]) -> Callable[[Run], Run]:
    """List a function as a command, with examples (a command line and what it does) at the end of its help.

    However the function ends, `ending` turns it into an exit code.
    """
    # \b keeps the lines as they are.
    epilog = "\b\n" + "\n".join(["Examples:", *(f"  {line}\n      {what}" for line, what in examples)])

    def register(run: Run) -> Run:
        @app.command(epilog=epilog if examples else None)
        @wraps(run)
        def ended(**options: Any) -> None:
            with ending(as_json=options["as_json"]):
                run(**options)

        return run

    return register


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
            seed=seed,
        )
        done = run(session, policy=policy, size=size, force=force)
    finish(expansion_json(done), expansion_lines(done), as_json=as_json, fault=expansion_fault(done, forced=force))


@command(("graftset demo", "pictures, builds and report in demo/"))
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the demonstration goes.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of the drawn pictures.", min=0, metavar="N")] = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Draw a sample set with planted faults, and expand it.

    203 originals and 203 candidates of which everything is known; the same seed draws the same pictures.
    """
    from graftset.cli.show import expansion_fault, expansion_json, expansion_lines
    from graftset.workflows import steps
    from graftset.workflows.demo import prepare
    from graftset.workflows.expand import expand as run

    with progress_bars() as meter:
        prepare(folder, seed=seed, force=force, progress=meter("draw"))
        with steps.open_session(folder, meter=meter) as session:
            done = run(session, force=force)
    finish(expansion_json(done), expansion_lines(done), as_json=as_json, fault=expansion_fault(done, forced=force))


@command()
def ingest(project: ProjectDir = HERE, strict: Strict = False, as_json: AsJson = False) -> None:
    """Take new and changed images and captions into the catalog."""
    from graftset.cli.show import ingest_json, ingest_lines
    from graftset.workflows import steps

    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.ingest(session)
    finish(ingest_json(report), ingest_lines(report), as_json=as_json)


@command()
def assess(project: ProjectDir = HERE, strict: Strict = False, as_json: AsJson = False) -> None:
    """Measure every image: grid, background, nearest original, quality."""
    from graftset.cli.show import assess_json, assess_lines
    from graftset.workflows import steps

    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.assess(session)
    finish(assess_json(report), assess_lines(report), as_json=as_json)


@command(
    ("graftset caption --diff", "what came in and what is proposed instead"),
    ("graftset caption --apply", "make the proposals the captions"),
)
def caption(
    project: ProjectDir = HERE,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the proposals the current captions. Builds use them either way.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show every proposal beside what it corrects.")] = False,
    as_json: AsJson = False,
) -> None:
    """Propose captions that say what is in the pictures.

    Nothing that was written is lost: the history of every caption is kept in the catalog.
    """
    from graftset.caption import apply_proposals
    from graftset.cli.show import caption_diff, caption_diff_lines, caption_json, caption_lines
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        report = steps.caption(session)
        applied = {"applied": apply_proposals(session.catalog)} if apply else {}
        proposals = {"diff": caption_diff(session.catalog.views())} if diff else {}
    lines = [
        *caption_diff_lines(proposals.get("diff", [])),
        *caption_lines(report),
        *(f"applied {count} captions" for count in applied.values()),
    ]
    finish({**caption_json(report), **applied, **proposals}, lines, as_json=as_json)


@command(
    ("graftset audit", "everything that is wrong with the captions, or worth a look"),
    ("graftset audit --rule glued --rule misspelled --apply", "mend what two rules find and can mend"),
    ("graftset audit --dismiss 1a2b3c4d5e6f", "never show this finding again while its picture and words stay"),
)
def audit(
    project: ProjectDir = HERE,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the mended captions the current ones. Caption files stay as they are.")
    ] = False,
    rule: Annotated[
        list[str] | None, typer.Option("--rule", help="Only this rule; may be given again.", metavar="NAME")
    ] = None,
    dismiss: Annotated[
        list[str] | None, typer.Option("--dismiss", help="Dismiss a finding; may be given again.", metavar="ID")
    ] = None,
    vocabulary: Annotated[
        bool, typer.Option("--vocabulary", help="Show what was learned from the captions, and from which, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for faults in captions, originals' as much as candidates'.

    Nothing changes without --apply.
    """
    from graftset.audit import apply_fixes, learned
    from graftset.cli.show_audit import audit_json, audit_lines, vocabulary_json, vocabulary_lines
    from graftset.workflows import auditing, steps

    with steps.open_session(project) as session:
        if vocabulary:
            knows = learned(session.catalog.views())
            finish(vocabulary_json(knows), vocabulary_lines(knows), as_json=as_json)
            return
        if dismiss:
            auditing.dismiss(session, dismiss)
        report = auditing.audit(session, rule or ())
        applied = {"applied": apply_fixes(session.catalog, report.findings)} if apply else {}
    lines = [*audit_lines(report), *(f"applied {count} captions" for count in applied.values())]
    finish({**audit_json(report), **applied}, lines, as_json=as_json)


@command(
    ("graftset select", "all that pass the gates of graftset.toml"),
    ("graftset select --count 50 --min-score 8.5", "the 50 most diverse of those that score 8.5 or more"),
    ("graftset select --all --wrong-background drop", "all that pass and show the background asked for"),
)
def select(
    project: ProjectDir = HERE,
    count: Count = None,
    every: Every = False,
    min_score: MinScore = None,
    wrong_background: WrongBackground = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Choose the candidates to admit, with a reason for each.

    `graftset images` shows the reasons. Fewer come out than --count asks for where fewer pass.
    """
    from graftset.cli.show import selection_json, selection_lines
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        policy = asked_policy(
            session.project,
            count=count,
            every=every,
            min_score=min_score,
            wrong_background=wrong_background,
            seed=seed,
        )
        selection = steps.choose(session, policy)
    finish(selection_json(selection), selection_lines(selection), as_json=as_json)


@command(
    ("graftset build --plan weighted", "builds/weighted, originals shown at least twice as often"),
    ("graftset build --plan equal --size 512 --name equal512", "another size beside it"),
    ("graftset build --plan sequential --dry-run", "print the plan, write nothing"),
    ("graftset build --check builds/weighted", "would it train as planned?"),
)
def build(
    project: ProjectDir = HERE,
    plan: Annotated[
        str | None,
        typer.Option(
            help="originals: without the generated; equal: every picture as often; weighted: originals at least twice "
            "as often; sequential: originals first, then all. Needed to build.",
            metavar="PLAN",
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
            help="Build nothing; compare a build's files, configs, images and captions with its plan. Base model and "
            "trainer are not looked at yet.",
            metavar="DIR",
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify", help="Build nothing; compare a build's files with its manifest, by hash.", metavar="DIR"
        ),
    ] = None,
    force: Force = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Build a training set that a trainer reads, or check one.

    An identical build is left alone; a different one of the same name is replaced with --force only.
    """
    from graftset.cli import show_builds
    from graftset.workflows import steps

    if sum(option is not None for option in (plan, check, verify)) != 1:
        raise UserError(
            "Give one of --plan, --check and --verify",
            field="--plan",
            value=plan,
            remedy="For a training set: graftset build --plan weighted",
        )
    if check is not None:
        show_builds.check_and_tell(check, as_json=as_json)
        return
    if verify is not None:
        show_builds.verify_and_tell(verify, as_json=as_json)
        return
    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.build(
            session, plan or "", format=format, size=size, name=name, root=root, force=force, dry_run=dry_run
        )
    lines = [*(report.plan.describe().splitlines() if dry_run else []), *show_builds.build_lines(report)]
    finish(show_builds.build_json(report), lines, as_json=as_json)


@command()
def report(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Write the HTML report to reports/expansion.html."""
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        path = steps.report(session)
    finish({"report": str(path)}, [f"report: {shown(path)}"], as_json=as_json)


@command()
def status(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Where the project stands, and what to run next.

    Also which files cannot be used and why, and what is out of date.
    """
    from graftset.cli.show_standing import standing_json, standing_lines
    from graftset.workflows import steps
    from graftset.workflows.standing import standing

    with steps.open_session(project) as session:
        stands = standing(session)
    finish(standing_json(stands, project), standing_lines(stands, project), as_json=as_json)


@command(
    ("graftset images", "a line for each"),
    ("graftset images --json | head -1", "everything known of the first"),
)
def images(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """List every image with what is known of it.

    With --json one object per line, with everything.
    """
    from graftset.catalog.contract import image_json
    from graftset.cli.show import image_line
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        views = session.catalog.views()
    for view in views:
        if as_json:
            emit(image_json(view))
        else:
            show([image_line(view)])


def main() -> None:
    """Run a command; see `ending` for how it ends."""
    prepare_streams()
    app(prog_name="graftset")
