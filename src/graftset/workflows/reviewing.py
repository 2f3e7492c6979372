"""The review of a project: its desk, its plan as settings and command line ask for it, its verdicts as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graftset.errors import UserError
from graftset.records import ReviewPlan
from graftset.review import Desk, ImportReport, export_verdicts, import_verdicts
from graftset.review.plans import allowed_of
from graftset.workflows.steps import Session


@dataclass(frozen=True, slots=True)
class PlanWish:
    """What is asked of a plan; None: what graftset.toml says."""

    kind: str | None = None
    allowed: int | None = None
    target: float | None = None
    confidence: float | None = None
    seed: int | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether no plan was asked for."""
        return self == PlanWish()


def open_desk(session: Session) -> Desk:
    """The desk of a project."""
    return Desk(session.catalog)


def preview(session: Session, desk: Desk, wish: PlanWish) -> ReviewPlan:
    """The plan that `begin` would fix, without fixing it."""
    settings = session.project.settings.review
    kind = wish.kind or settings.plan
    if kind == "sequential" and wish.allowed is not None:
        raise UserError(
            "A sequential plan has no number of errors it allows",
            field="--allowed",
            value=wish.allowed,
            remedy="Leave it out, or use --plan fixed.",
        )
    target = settings.target if wish.target is None else wish.target
    usual = allowed_of(len(desk.pool()), settings.allowed, target)
    return desk.propose_plan(
        kind,
        allowed=usual if wish.allowed is None else wish.allowed,
        target=target,
        confidence=settings.confidence if wish.confidence is None else wish.confidence,
        seed=settings.seed if wish.seed is None else wish.seed,
        by="command line",
    )


def begin(session: Session, desk: Desk, wish: PlanWish) -> ReviewPlan:
    """Fix the plan that is asked for, or go on with the open one where it is the same.

    Raises:
        UserError: What `preview` raises.
    """
    wanted, present = preview(session, desk, wish), desk.plan
    if present is not None and _terms(present) == _terms(wanted):
        return present
    return desk.fix(wanted)


def _terms(plan: ReviewPlan) -> tuple[object, ...]:
    return (
        plan.kind, plan.n, plan.allowed, plan.target, plan.confidence, plan.seed, tuple(i.sha256 for i in plan.drawn)
    )  # fmt: skip


def export(session: Session, path: Path) -> int:
    """Write every verdict to a CSV or JSONL file; returns how many."""
    return export_verdicts(session.catalog, path)


def take_in(session: Session, path: Path) -> ImportReport:
    """Read verdicts from a CSV or JSONL file."""
    return import_verdicts(session.catalog, path)
