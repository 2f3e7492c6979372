"""Looking at what is admitted, and what may be said of all of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graftset.cli.console import finish
from graftset.cli.options import HERE, KEPT, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError
from graftset.phrases import counted

if TYPE_CHECKING:
    from graftset.workflows.reviewing import PlanWish
    from graftset.workflows.steps import Session


@command(
    ("graftset review", "open the review in the browser"),
    ("graftset review --plan fixed --allowed 2 --dry-run", "how many that would be, and what it would show"),
    ("graftset review --plan sequential", "review until 90 % are shown to be right; the number may be watched"),
    ("graftset review --status", "how far the review is, and what may be said"),
    ("graftset review --export verdicts.csv", "every verdict, for a table or another machine"),
)
def review(
    project: ProjectDir = HERE,
    plan: Annotated[
        str | None,
        typer.Option(
            help="Begin a sampling plan: fixed (a number fixed before, with errors it may find) or sequential (until "
            "the target is shown). A plan that is open goes on where it is the same, else it is closed.",
            metavar="KIND",
        ),
    ] = None,
    allowed: Annotated[
        int | None, typer.Option(help=f"Errors that a fixed plan may find. {KEPT}, else 2.", min=0, metavar="N")
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(help=f"Share right that is to be shown, 0 to 1. {KEPT}, else 0.90.", metavar="SHARE"),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(help=f"One-sided confidence, 0.5 to 1. {KEPT}, else 0.95.", metavar="SHARE"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Seed of the draw. {KEPT}, else 0.", min=0, metavar="N")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, fix nothing, start nothing.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Print the numbers and stop.")] = False,
    take: Annotated[
        Path | None,
        typer.Option(
            "--import", help="Read verdicts from a .csv or .jsonl file and stop. Bad rows are skipped.", metavar="FILE"
        ),
    ] = None,
    give: Annotated[
        Path | None,
        typer.Option("--export", help="Write every verdict to a .csv or .jsonl file and stop.", metavar="FILE"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any but this machine's own needs --token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535, metavar="N")
    ] = 8765,
    token: Annotated[str | None, typer.Option(help="A secret that browsers must bring along.", metavar="TEXT")] = None,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the address in the browser of this machine.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Review the admitted candidates in the browser.

    Without a plan verdicts are labels; with one they also show how many of all are right. Rejected pictures are never
    deleted: the next `graftset select` leaves them out.
    """
    from graftset.workflows import steps
    from graftset.workflows.reviewing import PlanWish

    wish = PlanWish(plan, allowed, target, confidence, seed)
    with steps.open_session(project) as session:
        if dry_run or status or take is not None or give is not None:
            document, lines = _without_browser(session, wish, dry_run=dry_run, status=status, take=take, give=give)
            finish(document, lines, as_json=as_json)
            return
        if not wish.says_nothing:
            _begin(session, wish)
        _serve()(session, host=host, port=port, token=token, open_browser=open_browser, as_json=as_json)


def _without_browser(
    session: Session, wish: PlanWish, *, dry_run: bool, status: bool, take: Path | None, give: Path | None
) -> tuple[dict[str, Any], list[str]]:
    """Everything that needs no browser, in the order one would want it."""
    from graftset.cli import show_review as show
    from graftset.workflows import reviewing

    document: dict[str, Any] = {}
    lines: list[str] = []
    if take is not None:
        taken = reviewing.take_in(session, take)
        document["imported"] = show.import_json(taken)
        lines += show.import_lines(taken)
    if give is not None:
        written = reviewing.export(session, give)
        document["exported"] = {"verdicts": written, "file": str(give)}
        lines.append(f"exported    {counted(written, 'verdict')} to {give}")
    if dry_run:
        planned = reviewing.preview(session, reviewing.open_desk(session), wish)
        document["plan"] = show.plan_json(planned)
        lines += show.plan_lines(planned)
    elif not wish.says_nothing:
        _begin(session, wish)
    if status:
        numbers = reviewing.open_desk(session).numbers()
        document |= show.numbers_json(numbers)
        lines += show.numbers_lines(numbers)
    return document, lines


def _begin(session: Session, wish: PlanWish) -> None:
    """Fix the plan that is asked for, or go on with it, and say so."""
    from graftset.cli.console import say
    from graftset.cli.show_review import plan_lines
    from graftset.workflows import reviewing

    desk = reviewing.open_desk(session)
    before = desk.plan
    begun = reviewing.begin(session, desk, wish)
    if before is not None and before.number != begun.number:
        say(f"closed plan {before.number}; its verdicts stay as labels")
    say(*plan_lines(begun))


def _serve() -> Any:
    """The web application's entry, by name: the two shells do not import each other, and this is their one door.

    Raises:
        UserError: The web application is not part of this installation.
    """
    try:
        return import_module("graftset.web").serve
    except ModuleNotFoundError as error:
        raise UserError(
            "The review in the browser is not part of this installation",
            field="review",
            value=error.name,
            remedy="Install graftset again with what it needs; --status, --import and --export work without it.",
        ) from error
