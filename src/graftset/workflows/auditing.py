"""The audit of a project's captions: what it finds, what is dismissed, what is applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from graftset.assess import load_native
from graftset.audit import AuditReport, Learned, read_sidecar
from graftset.audit import audit as audit_stage
from graftset.audit import learned as learn_stage
from graftset.catalog import Dismissal
from graftset.errors import UserError
from graftset.records import ImageView
from graftset.workflows.steps import Session
from graftset.workflows.words import named_words

PERSON = "command line"


def audit(session: Session, rules: Collection[str] = ()) -> AuditReport:
    """Read every caption and say what is wrong with it."""
    return audit_views(session, session.catalog.views(), rules, session.catalog.dismissals())


def audit_views(
    session: Session, views: Sequence[ImageView], rules: Collection[str] = (), dismissed: Collection[str] = ()
) -> AuditReport:
    """The same of images that were read already."""
    return audit_stage(
        views,
        native=lambda view: load_native(session.catalog, view.sha256, view.grid),
        sidecar=read_sidecar,
        trigger=session.project.settings.audit.trigger or None,
        rules=rules,
        dismissed=dismissed,
        named=named_words(session.project.settings.vocabulary),
    )


def learned(session: Session) -> Learned:
    """What was learned from the originals' captions, and from which."""
    return learn_stage(session.catalog.views(), named_words(session.project.settings.vocabulary))


def dismiss(session: Session, ids: Sequence[str], author: str = PERSON) -> int:
    """Remember findings as dismissed; returns how many were not before.

    Raises:
        UserError: A name that no finding has.
    """
    report = audit(session)
    found = {finding.id: finding for finding in (*report.findings, *report.dismissed)}
    unknown = [name for name in ids if name not in found]
    if unknown:
        raise UserError(
            "No finding has this name",
            field="--dismiss",
            value=unknown[0],
            remedy="Take the names from the list that `graftset audit` prints.",
        )
    entries = [Dismissal(f.id, f.rule, f.sha256, f.words) for f in (found[name] for name in ids)]
    return session.catalog.dismiss(entries, author)


def restore(session: Session, ids: Sequence[str]) -> int:
    """Let dismissed findings be shown again; returns how many.

    Raises:
        UserError: A name that was not dismissed.
    """
    dismissed = session.catalog.dismissals()
    unknown = [name for name in ids if name not in dismissed]
    if unknown:
        raise UserError(
            "No finding of this name is dismissed",
            field="--restore",
            value=unknown[0],
            remedy="Take the names from `dismissed` in the output of `graftset audit --json`.",
        )
    return session.catalog.restore(ids)
