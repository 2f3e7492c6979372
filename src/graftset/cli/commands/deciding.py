"""What to do with what experiments found: decide, and suggest what to try next."""

from __future__ import annotations

from typing import Annotated

import typer

from graftset.cli.console import finish
from graftset.cli.options import HERE, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError


@command(
    ("graftset decide", "the newest experiment, by the rules of [decide]"),
    ("graftset decide --experiment mix", "another one"),
    (
        'graftset decide --override adopt --by Ada --reason "shown to ten customers"',
        "a person's word, kept beside what the rules say",
    ),
)
def decide(
    project: ProjectDir = HERE,
    experiment: Annotated[
        str | None, typer.Option(help="Decide on this one. Default: the newest.", metavar="NAME")
    ] = None,
    override: Annotated[
        str | None,
        typer.Option(help="Decide otherwise: adopt, 'try next', reject or undecided.", metavar="VERDICT"),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; an override needs one.", metavar="TEXT", show_default=False)] = "",
    by: Annotated[
        str, typer.Option(help="Who decides; an override needs one.", metavar="NAME", show_default=False)
    ] = "",
    scenario: Annotated[
        str | None,
        typer.Option(
            help="The row of the matrix that the override is about: 'use all', 'high-quality subset', 'originals "
            "first', 'do not use yet'. Default: the leading one.",
            metavar="ROW",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide whether to use the generated images.

    The decision is kept: four scenarios with measured risk and reward, five success metrics, and what is missing.
    Nothing is adopted without a finished run on the originals alone, on fewer than five seeds, or before the review
    shows enough.
    """
    from graftset.cli.show_deciding import decision_json, decision_lines
    from graftset.decide import WORDS
    from graftset.workflows import steps
    from graftset.workflows.deciding import Overriding, decide_now

    if override is None and (reason or by or scenario):
        raise UserError(
            "--reason, --by and --scenario belong to an override",
            field="--override",
            remedy="Say what is decided instead: --override adopt, for example",
        )
    if override is not None and override not in WORDS:
        raise UserError(
            "There is no such verdict", field="--override", value=override, remedy=f"Use {', '.join(WORDS)}"
        )
    said = None if override is None else Overriding(override, reason, by, scenario)
    with steps.open_session(project) as session:
        done = decide_now(session, experiment, said)
    finish(decision_json(done), decision_lines(done), as_json=as_json)


@command(("graftset suggest", "the five most worthwhile"), ("graftset suggest --limit 20", "all of them"))
def suggest(
    project: ProjectDir = HERE,
    limit: Annotated[int, typer.Option(help="How many to show in full.", min=1, metavar="N")] = 5,
    as_json: AsJson = False,
) -> None:
    """Say which experiment to run next, and why.

    Each with hypothesis, reasons from this project's record, expected effect with interval, confidence, cost, when it
    counts as a success, and what to run. See docs/suggestions.md.
    """
    from graftset.cli.show_deciding import suggestion_lines, suggestions_json
    from graftset.workflows import steps
    from graftset.workflows.suggesting import suggestions

    with steps.open_session(project) as session:
        found = suggestions(session)
    finish(suggestions_json(found), suggestion_lines(found, limit), as_json=as_json)
