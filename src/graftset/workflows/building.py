"""Training sets of a project: what the settings and the selection say, handed to the build stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graftset.assess import load_native
from graftset.assess.stage import RELATED as ASSESS_VERSION
from graftset.build import BuildReport, PlanSpec, VerifyReport
from graftset.build import build as build_stage
from graftset.build import verify as verify_build
from graftset.build.manifest import PROMPTS
from graftset.build.package import COLORS, Colors, Sampling
from graftset.build.plans import plan_named, plans_from_settings
from graftset.build.sizes import SIDES, Base
from graftset.catalog import Catalog
from graftset.catalog.opening import REVISION as CATALOG_VERSION
from graftset.config import SampleSettings
from graftset.errors import EmptyInputError, UserError
from graftset.measuring import VERSION as MEASURES_VERSION
from graftset.records import ImageView, Selection
from graftset.review.standing import ReviewState, review_state
from graftset.selection import outdated
from graftset.workflows.builds import BUILD_COUNT, ranks_of
from graftset.workflows.prompting import ProjectPrompts, project_prompts
from graftset.workflows.sources import check_sources

if TYPE_CHECKING:
    from graftset.workflows.steps import Session


def build(
    session: Session,
    plan: str,
    *,
    format: str = "kohya",
    size: int | None = None,
    name: str | None = None,
    root: str | None = None,
    steps: int | None = None,
    count: int | None = None,
    base: str | None = None,
    colors: str | None = None,
    override_real_mass: str = "",
    force: bool = False,
    dry_run: bool = False,
    prompts: ProjectPrompts | None = None,
) -> BuildReport:
    """Build a training set from all originals and the selected candidates.

    Args:
        session: The open project.
        plan: A built-in plan or one of the settings. None in place of an option leaves it to the settings.
        format: A key of `FORMATS`.
        size: Width of the training images, px.
        name: Of the folder in `builds/`.
        root: Absolute path where the folder will lie on the machine that trains.
        steps: Optimizer steps in all, in place of epochs.
        count: How many of the admitted to use, the first by the selection's ranking.
        base: The base model that is trained.
        colors: Whether the colors of generated images are merged.
        override_real_mass: Why fewer than half originals are accepted.
        force: Replace a different build of that name.
        dry_run: Work everything out, write nothing.
        prompts: The project's sample prompts, for those who build several plans; None makes them.
    """
    settings = session.project.settings.build
    own_plans = plans_from_settings(session.project.settings.plans)
    spec = plan_named(plan, own_plans)
    selection = session.catalog.selection()
    everyone = session.catalog.views()
    views = [view for view in everyone if view.origin == "original" or view.selected]
    _check_images(views, plan, spec, selected=selection is not None)
    sources = check_sources(session.catalog, [v for v in views if v.origin == "original" or spec.uses_generated])
    if session.strict:
        sources.refuse()
    if prompts is None:
        prompts = project_prompts(session.project, everyone, keep=not dry_run)
    wanted = size or settings.size or None
    name = name or settings.name.format(plan=plan, size=wanted or "auto")
    done = build_stage(
        views,
        load_native=lambda view: _native(session.catalog, view),
        folder=session.project.builds / plain_name(name),
        plan=plan,
        pool=[view for view in everyone if view.origin == "generated" and not view.selected],
        own_plans=own_plans,
        ranks=ranks_of(selection),
        count=count,
        seed=settings.seed,
        format=format,
        base=_base(base or settings.base),
        epochs=settings.epochs,
        steps=steps or settings.budget or None,
        batch_size=settings.batch_size,
        override_real_mass=override_real_mass,
        max_generation=session.project.settings.select.max_generation,
        size=wanted,
        flip=settings.flip,
        colors=_colors(colors or settings.colors),
        prompts=prompts.prompts,
        sampling=_sampling(settings.samples),
        root=root,
        strict=session.strict,
        force=force,
        dry_run=dry_run,
        policy=_build_policy(selection, count),
        reviewed="none" if (state := review_state_of(session, everyone)) is None else state.as_dict(),
        versions=_versions(),
        unmeasurable=unmeasurable(session, everyone),
        progress=session.meter(f"build {plan}"),
    )
    done = replace(
        done,
        warnings=(*done.warnings, *sources.warnings(), *prompts.warnings, *_other_prompts(session, done)),
    )
    if selection is None or not done.plan.images("generated"):
        return done
    candidates = [view for view in everyone if view.origin == "generated"]
    why = [f"The selection is outdated: {phrase}. Run select." for phrase in outdated(selection, candidates)]
    return replace(done, warnings=(*done.warnings, *why))


def review_state_of(session: Session, views: Sequence[ImageView]) -> ReviewState | None:
    """Where the review of the admitted stands; None where nobody looked yet."""
    return review_state(views, session.catalog.verdicts(), session.catalog.plans())


def verify(folder: Path) -> VerifyReport:
    """Compare a build with its manifest, and the versions it was made with with those in use."""
    return verify_build(folder, _versions())


def _other_prompts(session: Session, done: BuildReport) -> list[str]:
    """A sentence on builds of the project that paint other sample prompts: their pictures cannot be compared."""
    mine = done.folder / PROMPTS
    if not mine.is_file():
        return []
    text = mine.read_bytes()
    others = sorted(
        folder.parent.name
        for folder in session.project.builds.glob(f"[!.]*/{PROMPTS}")
        if folder.parent != done.folder and folder.read_bytes() != text
    )
    if not others:
        return []
    return [
        f"Other sample prompts than in this build are in {', '.join(others)}: originals or settings changed since. "
        "Build them again with --force before their pictures are compared"
    ]


def unmeasurable(session: Session, views: Sequence[ImageView]) -> dict[str, str]:
    """Why images could not be measured, by path; those that were not assessed yet are not among them."""
    assessments = session.catalog.assessments()
    return {
        view.path: assessments[view.path].notes[0].removeprefix("unreadable: ")
        for view in views
        if view.grid is None and view.path in assessments and assessments[view.path].notes
    }


def _versions() -> dict[str, str]:
    """Versions of what leads to a build."""
    return {"assess": ASSESS_VERSION, "catalog": CATALOG_VERSION, "measures": MEASURES_VERSION}


def _build_policy(selection: Selection | None, count: int | None) -> dict[str, object]:
    policy = dict(selection.policy) if selection else {}
    return policy if count is None else policy | {BUILD_COUNT: count}


def _sampling(samples: SampleSettings) -> Sampling:
    return Sampling(samples.steps, samples.scale, samples.negative, samples.seed)


def _base(name: str) -> Base:
    """A base model by its name."""
    for base in SIDES:
        if base == name:
            return base
    raise UserError("No such base model", field="--base", value=name, remedy=f"Use one of: {', '.join(SIDES)}")


def _colors(name: str) -> Colors:
    """What becomes of the colors of generated images, by its name."""
    for colors in COLORS:
        if colors == name:
            return colors
    raise UserError(
        "No such treatment of colors", field="--colors", value=name, remedy=f"Use one of: {', '.join(COLORS)}"
    )


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


def _check_images(views: Sequence[ImageView], plan: str, spec: PlanSpec, *, selected: bool) -> None:
    if not any(view.origin == "original" for view in views):
        raise EmptyInputError(
            "There are no originals to build from", field="originals", remedy="Run `graftset ingest`."
        )
    if spec.uses_generated and not selected:
        raise UserError("Nothing was selected yet", field="--plan", value=plan, remedy="Run `graftset select` first.")


def _native(catalog: Catalog, view: ImageView) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    native = load_native(catalog, view.sha256, view.grid)
    if native is None:
        raise UserError(
            "This image was not measured", field="image", value=view.path, remedy="Run `graftset assess` first."
        )
    return native
