"""One function a stage, over an open project: what the command line and the web application call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graftset import __version__
from graftset.assess import AssessReport, load_native, native_png
from graftset.assess import assess as assess_stage
from graftset.assess.stage import RELATED as ASSESS_VERSION
from graftset.build import PLANS, BuildReport
from graftset.build import build as build_stage
from graftset.caption import CaptionReport, propose
from graftset.catalog import Catalog
from graftset.config import Project, open_project
from graftset.errors import EmptyInputError, UserError
from graftset.ingest import IngestReport
from graftset.ingest import ingest as ingest_stage
from graftset.measuring import VERSION as MEASURES_VERSION
from graftset.pixels.color import srgb_to_oklab
from graftset.records import ImageView, Selection, Skip
from graftset.report import BuildSummary, expansion_page, write_report
from graftset.review.standing import ReviewState, review_state
from graftset.selection import Policy, outdated, policy_from_settings, select
from graftset.workflows.builds import KnownBuild, known_builds
from graftset.workflows.starting import refuse_around

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
        strict=session.strict,
        progress=progress,
    )


def caption(session: Session) -> CaptionReport:
    """Propose captions."""
    return propose(session.catalog)


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


def build(
    session: Session,
    plan: str,
    *,
    format: str = "kohya",
    size: int | None = None,
    name: str | None = None,
    root: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> BuildReport:
    """Build a training set from all originals and the selected candidates."""
    settings = session.project.settings.build
    selection = session.catalog.selection()
    everyone = session.catalog.views()
    views = [view for view in everyone if view.origin == "original" or view.selected]
    _check_images(views, plan, selected=selection is not None)
    wanted = size or settings.size or None
    done = build_stage(
        views,
        load_native=lambda view: _native(session.catalog, view),
        folder=session.project.builds / plain_name(name or settings.name.format(plan=plan, size=wanted or "auto")),
        plan=plan,
        format=format,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        size=wanted,
        root=root,
        strict=session.strict,
        force=force,
        dry_run=dry_run,
        policy=selection.policy if selection else {},
        reviewed="none" if (state := review_state_of(session, everyone)) is None else state.as_dict(),
        versions={"measures": MEASURES_VERSION, "assess": ASSESS_VERSION},
        unmeasurable=unmeasurable(session, views),
        progress=session.meter(f"build {plan}"),
    )
    if selection is None or not done.plan.images("generated"):
        return done
    candidates = [view for view in everyone if view.origin == "generated"]
    why = [f"The selection is outdated: {phrase}. Run select." for phrase in outdated(selection, candidates)]
    return replace(done, warnings=(*done.warnings, *why))


def review_state_of(session: Session, views: Sequence[ImageView]) -> ReviewState | None:
    """Where the review of the admitted stands; None where nobody looked yet."""
    return review_state(views, session.catalog.verdicts(), session.catalog.plans())


def unmeasurable(session: Session, views: Sequence[ImageView]) -> dict[str, str]:
    """Why images could not be measured, by path; those that were not assessed yet are not among them."""
    assessments = session.catalog.assessments()
    return {
        view.path: assessments[view.path].notes[0].removeprefix("unreadable: ")
        for view in views
        if view.grid is None and view.path in assessments and assessments[view.path].notes
    }


def plain_name(name: str, what: str = "build") -> str:
    """The name of a build or a run, which must be a plain folder name: nothing is written outside of its folder."""
    if not name.isprintable() or name.startswith((".", "-", " ")) or set(name) & set('/\\:*?"<>|'):
        raise UserError(
            f"A {what}'s name is a plain folder name",
            field="--name",
            value=name,
            remedy="Use letters, digits, dashes and underscores.",
        )
    return name


def _check_images(views: Sequence[ImageView], plan: str, *, selected: bool) -> None:
    if not any(view.origin == "original" for view in views):
        raise EmptyInputError(
            "There are no originals to build from", field="originals", remedy="Run `graftset ingest`."
        )
    if plan in PLANS and PLANS[plan].uses_generated and not selected:
        raise UserError("Nothing was selected yet", field="--plan", value=plan, remedy="Run `graftset select` first.")


def _native(catalog: Catalog, view: ImageView) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    native = load_native(catalog, view.sha256, view.grid)
    if native is None:
        raise UserError(
            "This image was not measured", field="image", value=view.path, remedy="Run `graftset assess` first."
        )
    return native


def report(session: Session, notes: Sequence[str] = ()) -> Path:
    """Write the expansion's page; returns its path."""
    views = session.catalog.views()
    skips = [Skip(path, reason) for path, (_, _, reason) in session.catalog.known_skips().items()]
    # Of candidates that could not be measured the page tells among those that were dropped.
    originals = [view for view in views if view.origin == "original"]
    skips += [Skip(path, reason) for path, reason in unmeasurable(session, originals).items()]
    builds, build_notes = known_builds(session.project, views)
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
