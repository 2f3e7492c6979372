"""init to report in one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graftset.assess import AssessReport
from graftset.build import BuildReport
from graftset.caption import CaptionReport
from graftset.errors import BuildError
from graftset.ingest import IngestReport
from graftset.records import Selection
from graftset.selection import Policy
from graftset.workflows import steps
from graftset.workflows.steps import Session


@dataclass(frozen=True, slots=True)
class Expansion:
    """What every stage said, and where the report lies."""

    ingest: IngestReport
    assess: AssessReport
    caption: CaptionReport
    selection: Selection
    builds: tuple[BuildReport, ...]
    not_built: tuple[tuple[str, str], ...]  # (plan, reason)
    report: Path


def expand(
    session: Session, *, policy: Policy | None = None, size: int | None = None, force: bool = False
) -> Expansion:
    """Run every stage; each takes up where a killed run left off."""
    taken = steps.ingest(session)
    assessed = steps.assess(session)
    proposed = steps.caption(session)
    selection = steps.choose(session, policy)
    builds: list[BuildReport] = []
    not_built: list[tuple[str, str]] = []
    for plan in session.project.settings.build.plans:
        try:
            builds.append(steps.build(session, plan, size=size, force=force))
        except BuildError as error:
            # A plan that cannot be carried out (nothing was admitted, say) must not cost the others or the report.
            not_built.append((plan, str(error)))
    notes = (
        *taken.notes,
        *assessed.notes,
        *proposed.notes,
        *(f"{plan} was not built: {why}" for plan, why in not_built),
    )
    page = steps.report(session, builds, notes)
    return Expansion(taken, assessed, proposed, selection, tuple(builds), tuple(not_built), page)
