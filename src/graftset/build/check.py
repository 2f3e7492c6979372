"""Whether a build folder would train as its plan says: files, configs, and images with captions, counted anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from graftset.build.folder import some_names
from graftset.build.formats import FORMATS
from graftset.build.manifest import VerifyReport, verify
from graftset.build.package import StageRead, SubsetRead
from graftset.build.plans import Stage, Subset
from graftset.build.reading import BuildRecord, read_build


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One image folder of one stage: what lies there and how often it is shown, beside what the plan says."""

    stage: str
    folder: str
    images: int
    captions: int  # that are not empty
    repeats: int
    planned_images: int
    planned_repeats: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found; `problems` and `warnings` are sentences without their full stop.

    Attributes:
        steps: Optimizer steps of all stages, counted from what lies in the folders.
        problems: The training would differ from the plan or fail.
        warnings: Worth knowing; the training would go as planned.
    """

    folder: Path
    plan: str
    rows: tuple[CheckRow, ...]
    steps: int
    planned_steps: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def check(folder: Path) -> CheckReport:
    """Compare a build folder with its manifest and its plan.

    Not asked: whether the base model, the trainer and the machine suit it.

    Raises:
        BuildError: The folder has no readable manifest.
    """
    found, record = verify(folder), read_build(folder)
    problems, warnings = _file_faults(found, record)
    rows: list[CheckRow] = []
    steps = 0
    if record.format not in FORMATS:
        problems.append(f"the format {record.format} is not known to this version")
        return CheckReport(folder, record.plan.name, (), 0, record.plan.steps, tuple(problems), tuple(warnings))
    stages = FORMATS[record.format].read_stages(folder, len(record.plan.stages), record.root)
    for stage, read in zip(record.plan.stages, stages, strict=True):
        problems += read.faults
        pairs = _pairs(stage.subsets, read.subsets)
        rows += [_row(stage, planned, there) for planned, there in pairs]
        problems += [fault for planned, there in pairs for fault in _subset_faults(read, planned, there)]
        problems += _stage_faults(stage, read)
        steps += read.steps
    if steps != record.plan.steps:
        problems.append(f"training would take {steps} steps, the plan has {record.plan.steps}")
    return CheckReport(
        folder, record.plan.name, tuple(rows), steps, record.plan.steps, tuple(problems), tuple(warnings)
    )


def _file_faults(found: VerifyReport, record: BuildRecord) -> tuple[list[str], list[str]]:
    """Problems and warnings from comparing the files with the manifest.

    A changed image or caption is a problem; a config may be tuned by hand, and is judged by what it says.
    """
    trained = {path for image in record.images for path in (image.file, image.caption_file)}
    changed = [path for path in found.changed if path in trained]
    edited = [path for path in found.changed if path not in trained]
    kinds = {
        "missing": found.missing,
        "changed since the build": changed,
        "not of the build, but beside its images": found.trained_on,
    }
    problems = [f"{what}: {some_names(paths)}" for what, paths in kinds.items() if paths]
    return problems, [f"edited since the build: {some_names(edited)}"] if edited else []


def _pairs(planned: Sequence[Subset], there: Sequence[SubsetRead]) -> list[tuple[Subset | None, SubsetRead | None]]:
    """Planned and found subsets by the origin their folder is named for, in the plan's order."""
    left = list(there)
    pairs: list[tuple[Subset | None, SubsetRead | None]] = []
    for subset in planned:
        named = [s for s in left if PurePosixPath(s.folder).name == subset.folder]
        like = [s for s in left if PurePosixPath(s.folder).name.endswith(f"_{subset.origin}")]
        match = next(iter([*named, *like]), None)
        if match is not None:
            left.remove(match)
        pairs.append((subset, match))
    return [*pairs, *((None, subset) for subset in left)]


def _row(stage: Stage, planned: Subset | None, there: SubsetRead | None) -> CheckRow:
    return CheckRow(
        stage=stage.name,
        folder=there.folder if there else f"({planned.origin if planned else ''})",
        images=there.images if there else 0,
        captions=there.captions if there else 0,
        repeats=there.repeats if there else 0,
        planned_images=planned.images if planned else 0,
        planned_repeats=planned.repeats if planned else 0,
    )


def _subset_faults(read: StageRead, planned: Subset | None, there: SubsetRead | None) -> Iterator[str]:
    if there is None:
        yield f"{read.config} shows no {planned.origin if planned else ''} images"
        return
    if planned is None:
        yield f"{read.config} also shows {there.folder}, which the plan does not have"
        return
    if there.images != planned.images:
        yield f"{there.folder} holds {there.images} images, the plan has {planned.images}"
    if there.captions != there.images:
        yield f"{there.folder} holds {there.images - there.captions} images without a caption"
    if there.repeats != planned.repeats:
        yield f"{read.config} shows {there.folder} {there.repeats} times an epoch, the plan {planned.repeats} times"


def _stage_faults(stage: Stage, read: StageRead) -> Iterator[str]:
    if read.epochs != stage.epochs:
        yield f"{read.config} is trained for {read.epochs} epochs, the plan has {stage.epochs}"
    if read.batch_size != stage.batch_size:
        yield f"{read.config} has batch size {read.batch_size}, the plan {stage.batch_size}"
