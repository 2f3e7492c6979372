"""The builds that lie in a project's folder, and how they differ from what would be built now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.build import BuildRecord, choose_size, read_build
from graftset.build.package import Member
from graftset.build.plans import plan_named, plans_from_settings
from graftset.build.supply import Budget, Wishes, members_by_plan, sort_out
from graftset.config import Project
from graftset.errors import BuildError, UserError
from graftset.records import ImageView, Origin, Selection

BUILD_COUNT = "build_count"  # in a build's policy: how many of the selection's ranking were taken


@dataclass(frozen=True, slots=True)
class KnownBuild:
    """One build folder of the project, and what it says of itself."""

    folder: Path
    record: BuildRecord
    differences: str  # from what would be built now, as a phrase; empty where there are none

    @property
    def name(self) -> str:
        """Name of the build, unique in the project."""
        return self.folder.name

    @property
    def usual_size(self) -> bool:
        """Whether the training size is the one that is chosen where none is asked for."""
        native = self.record.native
        return choose_size(native.width, native.height, base=self.record.base).width == self.record.size.width

    @property
    def count(self) -> int | None:
        """How many of the admitted it was asked to use; None for all."""
        return self.record.policy.get(BUILD_COUNT)


def known_builds(
    project: Project, views: Sequence[ImageView], selection: Selection | None = None
) -> tuple[list[KnownBuild], list[str]]:
    """The builds in `builds/` by name, and a note on every folder there that is none."""
    found, notes = [], []
    folders = sorted(project.builds.iterdir()) if project.builds.is_dir() else []
    for folder in folders:
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            record = read_build(folder)
        except BuildError as error:
            notes.append(f"The folder builds/{folder.name} is left out: {error.message}")
            continue
        found.append(KnownBuild(folder, record, differences(project, record, views, selection)))
    return found, notes


def ranks_of(selection: Selection | None) -> dict[str, int]:
    """The selection's ranking of what passes its gates, 0 for the first, by path."""
    choices = selection.choices if selection else ()
    return {choice.path: choice.rank for choice in choices if choice.rank is not None}


def differences(
    project: Project, record: BuildRecord, views: Sequence[ImageView], selection: Selection | None = None
) -> str:
    """What the same plan would take now beside what it took, as "pictures: 3 more, 1 fewer"; empty where the same."""
    try:
        members = _members_now(project, record, views, selection)
    except UserError as error:
        return f"it cannot be built any more: {error.message}"
    wanted = Counter((member.view.origin, member.view.sha256, member.caption) for member in members)
    had = Counter((image.origin, image.source_sha256, image.caption) for image in record.images)
    more = (_pictures(wanted) - _pictures(had)).total()
    fewer = (_pictures(had) - _pictures(wanted)).total()
    counts = {"more": more, "fewer": fewer, "with another caption": (wanted - had).total() - more}
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    phrases = [f"pictures: {told}"] if told else []
    # Like its size, how a build treats colors may have been asked for; what has no record of it is older than that.
    if record.colors is None and any(image.origin == "generated" for image in record.images):
        phrases.append("colors: left as painted by an earlier version")
    return "; ".join(phrases)


def _members_now(
    project: Project, record: BuildRecord, views: Sequence[ImageView], selection: Selection | None
) -> list[Member]:
    """The images and captions that the plan of a build would be given now."""
    settings = project.settings
    spec = plan_named(record.plan.name, plans_from_settings(settings.plans))
    images = [view for view in views if view.origin == "original" or view.selected]
    supply = sort_out(
        images,
        [view for view in views if view.origin == "generated" and not view.selected],
        Wishes(spec.uses_generated, spec.draws_from_pool, spec.captions, spec.only_asked),
        unmeasurable={view.path: "" for view in views if view.grid is None},
        max_generation=settings.select.max_generation,
    )
    native = (record.native.width, record.native.height)
    pool = [view for view in supply.pool if view.grid is not None and (view.grid.width, view.grid.height) == native]
    # How long it trains decides nothing about what it shows; the reason for its real mass was given once.
    budget = Budget(record.plan.epochs, None, record.plan.stages[0].batch_size, record.plan.override)
    count = record.policy.get(BUILD_COUNT)
    _, members = members_by_plan(
        record.plan.name, spec, supply, pool, budget, ranks=ranks_of(selection), count=count, seed=settings.build.seed
    )
    return members


def _pictures(captioned: Counter[tuple[Origin, str, str]]) -> Counter[tuple[Origin, str]]:
    """How often each picture occurs, whatever its caption."""
    pictures: Counter[tuple[Origin, str]] = Counter()
    for (origin, sha256, _), count in captioned.items():
        pictures[origin, sha256] += count
    return pictures
