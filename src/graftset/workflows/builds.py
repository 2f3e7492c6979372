"""The builds that lie in a project's folder, and how they differ from what would be built now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.build import BuildRecord, choose_size, read_build
from graftset.build.package import one_line
from graftset.config import Project
from graftset.errors import BuildError
from graftset.records import ImageView, Origin


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
        return choose_size(native.width, native.height).width == self.record.size.width


def known_builds(project: Project, views: Sequence[ImageView]) -> tuple[list[KnownBuild], list[str]]:
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
        found.append(KnownBuild(folder, record, differences(record, views)))
    return found, notes


def differences(record: BuildRecord, views: Sequence[ImageView]) -> str:
    """What the same plan would take now beside what it took: "pictures: 3 more, 1 fewer"; empty where the same."""
    uses_generated = record.plan.images("generated") > 0
    wanted = Counter(
        (view.origin, view.sha256, one_line(view.training_caption))
        for view in views
        if (view.origin == "original" or (uses_generated and view.selected))
        and view.grid is not None
        and one_line(view.training_caption)
    )
    had = Counter((image.origin, image.source_sha256, image.caption) for image in record.images)
    more = (_pictures(wanted) - _pictures(had)).total()
    fewer = (_pictures(had) - _pictures(wanted)).total()
    counts = {"more": more, "fewer": fewer, "with another caption": (wanted - had).total() - more}
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"pictures: {told}" if told else ""


def _pictures(captioned: Counter[tuple[Origin, str, str]]) -> Counter[tuple[Origin, str]]:
    """How often each picture occurs, whatever its caption."""
    pictures: Counter[tuple[Origin, str]] = Counter()
    for (origin, sha256, _), count in captioned.items():
        pictures[origin, sha256] += count
    return pictures
