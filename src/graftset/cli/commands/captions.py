"""Captions: what they should say, and what is wrong with them."""

from __future__ import annotations

from typing import Annotated

import typer

from graftset.cli.console import finish
from graftset.cli.options import HERE, AsJson, ProjectDir
from graftset.cli.registry import command
from graftset.errors import UserError
from graftset.phrases import counted


@command(
    ("graftset caption --diff", "what came in and what is proposed instead"),
    ("graftset caption --apply", "make the proposals the captions"),
    ("graftset caption --undo", "take back what was applied last"),
)
def caption(
    project: ProjectDir = HERE,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the proposals the current captions. Builds use them either way.")
    ] = False,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Take back the captions that were applied last; again, those before. Nothing else."
        ),
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show every proposal beside what it corrects.")] = False,
    as_json: AsJson = False,
) -> None:
    """Propose captions that say what is in the pictures.

    Nothing that was written is lost: the history of every caption is kept in the catalog.
    """
    from graftset.caption import apply_proposals, undo_applied
    from graftset.cli.show import caption_diff, caption_diff_lines, caption_json, caption_lines
    from graftset.workflows import steps

    if undo and (apply or diff):
        raise UserError(
            "--undo stands alone", field="--undo", value="--apply" if apply else "--diff", remedy="Drop one."
        )
    with steps.open_session(project) as session:
        if undo:
            count = undo_applied(session.catalog)
            finish({"undone": count}, [f"took back {counted(count, 'caption')}"], as_json=as_json)
            return
        report = steps.caption(session)
        applied = {"applied": apply_proposals(session.catalog)} if apply else {}
        proposals = {"diff": caption_diff(session.catalog.views())} if diff else {}
    lines = [
        *caption_diff_lines(proposals.get("diff", [])),
        *caption_lines(report),
        *(f"applied {counted(count, 'caption')}" for count in applied.values()),
    ]
    finish({**caption_json(report), **applied, **proposals}, lines, as_json=as_json)


@command(
    ("graftset audit", "everything that is wrong with the captions, or worth a look"),
    ("graftset audit --rule glued --rule misspelled --apply", "mend what two rules find and can mend"),
    ("graftset audit --undo", "take back what --apply changed last"),
    ("graftset audit --dismiss 1a2b3c4d5e6f", "never show this finding again while its picture and words stay"),
    ("graftset audit --vocabulary", "what captions are read by: slots, terms, and the captions that taught them"),
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
    restore: Annotated[
        list[str] | None,
        typer.Option("--restore", help="Show a dismissed finding again; may be given again.", metavar="ID"),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what the last --apply changed.")] = False,
    vocabulary: Annotated[
        bool, typer.Option("--vocabulary", help="Show what was learned from the captions, and from which, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for faults in captions, originals' as much as candidates'.

    Nothing changes without --apply, and --undo takes that back. Caption files are never written.
    """
    if apply and undo:
        raise typer.BadParameter("--apply and --undo exclude each other", param_hint="--undo")
    from graftset.assess import known_reliability
    from graftset.audit import apply_fixes, undo_fixes
    from graftset.cli.show_audit import audit_json, audit_lines, vocabulary_json, vocabulary_lines
    from graftset.cli.show_traits import reliability_json, reliability_lines
    from graftset.workflows import auditing, steps

    with steps.open_session(project) as session:
        if vocabulary:
            knows = auditing.learned(session)
            trust = known_reliability(session.catalog)
            finish(
                {**vocabulary_json(knows), "reliability": reliability_json(trust)},
                [*vocabulary_lines(knows), *reliability_lines(trust)],
                as_json=as_json,
            )
            return
        if restore:
            auditing.restore(session, restore)
        if dismiss:
            auditing.dismiss(session, dismiss)
        undone = {"undone": undo_fixes(session.catalog)} if undo else {}
        report = auditing.audit(session, rule or ())
        applied = {"applied": apply_fixes(session.catalog, report.findings)} if apply else {}
    lines = audit_lines(report)
    if undo:  # the list would bury the answer
        lines = [f"took back {counted(undone['undone'], 'caption')}"]
    elif applied:
        lines.append(f"applied {counted(applied['applied'], 'caption')}")
    finish({**audit_json(report), **undone, **applied}, lines, as_json=as_json)
