"""One function a stage, over an open project: what the command line and the web application call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftset import __version__
from graftset.assess import AssessReport, known_reliability, load_native, native_png
from graftset.assess import assess as assess_stage
from graftset.caption import CaptionReport, propose
from graftset.catalog import Catalog
from graftset.config import Project, open_project
from graftset.errors import EmptyInputError
from graftset.ingest import IngestReport
from graftset.ingest import ingest as ingest_stage
from graftset.pixels.color import srgb_to_oklab
from graftset.records import Selection, Skip
from graftset.report import BuildSummary, expansion_page, write_report
from graftset.selection import Policy, policy_from_settings, select
from graftset.workflows.building import build as build
from graftset.workflows.building import plain_name as plain_name
from graftset.workflows.building import review_state_of as review_state_of
from graftset.workflows.building import unmeasurable as unmeasurable
from graftset.workflows.building import verify as verify
from graftset.workflows.builds import KnownBuild, known_builds
from graftset.workflows.starting import refuse_around
from graftset.workflows.words import named_words

Progress = Callable[[int, int], None]
Meter = Callable[[str], Progress]  # a label -> the callback that moves its bar


def silent(label: str) -> Progress:
    """A meter that shows nothing."""
    return lambda done, of: None


@dataclass(frozen=True, slots=True)
class Session:
    """An open project: its settings and its catalog."""

    project: Project
    catalog: Catalog
    strict: bool = False
    meter: Meter = silent


@contextmanager
def open_session(folder: Path, *, strict: bool = False, meter: Meter = silent) -> Iterator[Session]:
    """Open a project and its catalog, and close the catalog afterwards."""
    project = open_project(folder)
    catalog = Catalog.open(project.catalog_url)
    try:
        yield Session(project, catalog, strict, meter)
    finally:
        catalog.close()


def ingest(session: Session) -> IngestReport:
    """Take what is new in the project's folders."""
    project = session.project
    for field, path in [("originals", project.originals), *(("candidates", c) for c in project.candidates)]:
        refuse_around(path, project.root, field)
    return ingest_stage(
        session.catalog,
        originals=project.originals,
        candidates=project.candidates,
        prompts=project.prompts,
        strict=session.strict,
        progress=session.meter("ingest"),
    )


def assess(session: Session) -> AssessReport:
    """Measure and score what is new."""
    bars: dict[str, Progress] = {}

    def progress(label: str, done: int, of: int) -> None:
        bars.setdefault(label, session.meter(f"assess {label}"))(done, of)

    return assess_stage(
        session.catalog,
        workers=session.project.settings.assess.workers,
        named=named_words(session.project.settings.vocabulary),
        strict=session.strict,
        progress=progress,
    )


def caption(session: Session) -> CaptionReport:
    """Propose captions."""
    return propose(session.catalog, named_words(session.project.settings.vocabulary))


def choose(session: Session, policy: Policy | None = None) -> Selection:
    """Select candidates under a policy (the project's where none is given) and store the selection."""
    views = session.catalog.views()
    candidates = [view for view in views if view.origin == "generated"]
    if not candidates:
        raise EmptyInputError(
            "There are no candidates to select from",
            field="candidates",
            remedy="Run `graftset ingest` with a folder of generated images.",
        )
    features = {}
    for view in views:
        native = load_native(session.catalog, view.sha256, view.grid)
        if native is not None:
            features[view.sha256] = srgb_to_oklab(native).reshape(-1)
    selection = select(
        candidates,
        [view for view in views if view.origin == "original"],
        features=features,
        policy=policy or policy_from_settings(session.project.settings.select),
    )
    session.catalog.save_selection(selection)
    return selection


def report(session: Session, notes: Sequence[str] = ()) -> Path:
    """Write the expansion's page; returns its path."""
    views = session.catalog.views()
    skips = [Skip(path, reason) for path, (_, _, reason) in session.catalog.known_skips().items()]
    # Of candidates that could not be measured the page tells among those that were dropped.
    originals = [view for view in views if view.origin == "original"]
    skips += [Skip(path, reason) for path, reason in unmeasurable(session, originals).items()]
    builds, build_notes = known_builds(session.project, views, session.catalog.selection())
    build_notes += [
        f"The build {build.name} is not what would be built now ({build.differences})"
        for build in builds
        if build.differences
    ]

    views = session.catalog.views()
    grids = {view.sha256: view.grid for view in views}

    page = expansion_page(
        views,
        selection=session.catalog.selection(),
        builds=[_summary(build) for build in builds],
        skips=skips,
        native_png=lambda sha256: native_png(session.catalog, sha256, grids.get(sha256)),
        project=session.project.root.name,
        version=__version__,
        notes=[*notes, *build_notes],
        reviewed="none" if (state := review_state_of(session, views)) is None else state.sentence,
        reliability=known_reliability(session.catalog),
    )
    path = session.project.reports / "expansion.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_report(page, path)
    return path


def _summary(build: KnownBuild) -> BuildSummary:
    record = build.record
    return BuildSummary(
        name=build.name,
        plan=record.plan.name,
        images=len(record.images),
        steps=record.plan.steps,
        real_mass=record.plan.real_mass,
        size=record.size.width,
        folder=f"builds/{build.name}",
        reviewed=_reviewed(record.reviewed),
    )


def _reviewed(state: str | float | dict[str, Any]) -> str:
    """What a build's manifest says of its review, for a person."""
    if isinstance(state, dict):
        return str(state.get("sentence", "none"))
    return state if isinstance(state, str) else f"at least {state:.0%} are right"
