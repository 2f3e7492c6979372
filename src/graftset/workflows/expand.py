"""Ingest to report in one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from graftset.assess import AssessReport
from graftset.build import BuildReport
from graftset.caption import CaptionReport
from graftset.errors import BuildError, ExistsError, UserError
from graftset.ingest import IngestReport
from graftset.records import Selection
from graftset.selection import Policy
from graftset.workflows import steps
from graftset.workflows.builds import known_builds
from graftset.workflows.prompting import project_prompts
from graftset.workflows.steps import Session


@dataclass(frozen=True, slots=True)
class NotBuilt:
    """A plan without the build that was asked for."""

    plan: str
    error: UserError
    differences: str = ""  # where another build lies in its place: what would change, as a phrase

    @property
    def in_the_way(self) -> bool:
        """Whether something lies where the build would go."""
        return isinstance(self.error, ExistsError)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What every stage said, and where the report lies."""

    ingest: IngestReport
    assess: AssessReport
    caption: CaptionReport
    selection: Selection
    builds: tuple[BuildReport, ...]
    not_built: tuple[NotBuilt, ...]
    report: Path


def expand(
    session: Session, *, policy: Policy | None = None, size: int | None = None, force: bool = False
) -> Expansion:
    """Run every stage; each takes up where a killed run left off.

    A plan that cannot be carried out (nothing was admitted, say), or in whose place a different build lies, costs
    neither the other plans nor the report.
    """
    taken = steps.ingest(session)
    assessed = steps.assess(session)
    proposed = steps.caption(session)
    selection = steps.choose(session, policy)
    builds, not_built = _build_all(session, size=size, force=force)
    notes = (
        *taken.notes,
        *assessed.notes,
        *proposed.notes,
        *(f"{one.plan} was not built: {one.error}" for one in not_built if not one.in_the_way),
    )
    page = steps.report(session, notes)
    return Expansion(taken, assessed, proposed, selection, builds, not_built, page)


def _build_all(
    session: Session, *, size: int | None, force: bool
) -> tuple[tuple[BuildReport, ...], tuple[NotBuilt, ...]]:
    builds: list[BuildReport] = []
    not_built: list[NotBuilt] = []
    prompts = project_prompts(session.project, session.catalog.views())
    for plan in session.project.settings.build.plans:
        try:
            builds.append(steps.build(session, plan, size=size, force=force, prompts=prompts))
        except (BuildError, ExistsError) as error:
            not_built.append(NotBuilt(plan, error))
    if any(one.in_the_way for one in not_built):
        known, _ = known_builds(session.project, session.catalog.views(), session.catalog.selection())
        differences = {str(build.folder): build.differences for build in known}
        not_built = [replace(one, differences=differences.get(str(one.error.value), "")) for one in not_built]
    return tuple(builds), tuple(not_built)
