"""A build folder's manifest as typed values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graftset.build.manifest import MANIFEST, read_manifest
from graftset.build.package import Colors
from graftset.build.plans import MixingPlan
from graftset.build.sizes import Base
from graftset.errors import BuildError
from graftset.records import Origin


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """One training image: its files relative to the build folder, and what it was made from."""

    file: str
    caption_file: str | None
    caption: str
    origin: Origin
    source_sha256: str
    folder: str = ""
    repeats: tuple[int, ...] = ()  # in one epoch of every stage
    exposures: float = 0.0  # over all stages
    loss_weights: tuple[float, ...] = ()  # in every stage; 0 where it does not show the image
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Cells:
    """A width and a height: of training images in px, of native ones in cells."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """What a build says of itself."""

    build_sha256: str
    format: str
    plan: MixingPlan
    size: Cells  # px
    native: Cells  # cells
    root: str | None
    reviewed: str | float | dict[str, Any]  # "none", or where the review stood: plan, n, wrong, bound, sentence
    images: tuple[BuiltImage, ...]
    base: Base = "sd15"
    colors: Colors | None = None  # None: there are no generated images, or an earlier version built them as painted
    policy: dict[str, Any] = field(default_factory=dict)  # the selection's, and how many of its ranking were taken

    @property
    def budget(self) -> int | None:
        """Optimizer steps that were asked for in place of epochs; None where epochs decide."""
        return self.plan.steps if self.plan.stages[0].budget is not None else None


_RECORD = TypeAdapter(BuildRecord)


def read_build(folder: Path) -> BuildRecord:
    """What the manifest of a build folder says.

    Raises:
        BuildError: The folder has no manifest, or one that is damaged or of a later version.
    """
    manifest = read_manifest(folder)
    try:
        return _RECORD.validate_python(manifest)
    except ValidationError as error:
        first = error.errors()[0]
        raise BuildError(
            f"The manifest cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            field="manifest",
            value=str(folder / MANIFEST),
            remedy="Move the folder away and build it again",
        ) from error
