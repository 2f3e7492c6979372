"""Whether training would do what a folder says: a build of ours against its plan, any other against its own intent.

A build's files are compared with its manifest, what its trainer would read with its plan. A folder or config that
graftset did not write has no plan: there everything counts that would stop the trainer or go wrong in silence.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from graftset.build.folder import some_names
from graftset.build.formats import FORMATS
from graftset.build.kohya.checking import stage_read
from graftset.build.kohya.preflight import Finding, Options, Run, finding, in_order, run_preflight, source_of
from graftset.build.manifest import MANIFEST, VerifyReport, verify
from graftset.build.package import StageRead, SubsetRead
from graftset.build.plans import Stage, Subset
from graftset.build.reading import BuildRecord, read_build
from graftset.errors import UserError
from graftset.phrases import counted

# What a build of ours means to do: a plan with weighted losses goes by regularization images and says what becomes of
# them (entries are compared below), and keep_tokens lies ready for whoever turns shuffling on, as dataset.toml says.
_PLANNED = frozenset({"reg-unused", "reg-repeated", "reg-weight", "keep-tokens-idle"})


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One image folder of one stage: what is read there, beside what the plan says.

    Attributes:
        captions: Images with a caption file of their own that has words.
        entries: Images shown in one epoch, repeats counted; for regularization images after balancing.
        cut: Captions that are longer than what is read.
        buckets: Sizes the images are trained at, "576x576", each with its images.
        colors: Median of the pictures that were opened; None where none was.
        colors_seen: The same after resizing and cropping.
    """

    stage: str
    folder: str
    images: int
    captions: int
    repeats: int
    planned_images: int | None
    planned_repeats: int | None
    entries: int = 0
    cut: int = 0
    buckets: Mapping[str, int] | None = None
    colors: int | None = None
    colors_seen: int | None = None


@dataclass(frozen=True, slots=True)
class ImageFate:
    """What one image will get."""

    stage: str
    path: str
    repeats: int
    text: str  # what the text encoder is shown
    caption_from: str | None  # a file; None: class tokens or nothing
    tokens: int
    lost: str  # words that are cut off
    size: tuple[int, int] | None  # px, in the file
    bucket: tuple[int, int] | None
    resized: tuple[int, int] | None
    resize: str | None  # interpolation; None where the size stays
    colors: int | None  # None where the picture was not opened
    colors_seen: int | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found.

    Attributes:
        plan: The build's plan; None for what graftset did not write.
        steps: Optimizer steps of all stages, counted from what would be read.
        hours: At the given seconds per step; None without.
        findings: By severity.
    """

    folder: Path
    plan: str | None
    rows: tuple[CheckRow, ...]
    images: tuple[ImageFate, ...]
    steps: int
    planned_steps: int | None
    batches_per_epoch: tuple[int, ...]  # of each stage
    epochs: tuple[int, ...]
    hours: float | None
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences without their full stop: training would stop, or not do what is planned."""
        return self._of("problem")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Worth a thought."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[str, ...]:
        """Explanations."""
        return self._of("note")

    def _of(self, severity: str) -> tuple[str, ...]:
        return tuple(each.sentence() for each in self.findings if each.kind.severity == severity)


def check(path: Path, options: Options | None = None, arguments: Mapping[str, object] | None = None) -> CheckReport:
    """Say what the trainer would read and what would go wrong.

    Not asked: whether the base model and the machine suit it.

    Args:
        path: A build folder, any folder of training images, or a TOML of sd-scripts.
        options: How closely to look.
        arguments: The trainer's command line, for what graftset did not write.

    Raises:
        BuildError: The folder has a manifest that cannot be read.
        UserError: There is nothing to look at.
    """
    options = options or Options()
    if (path / MANIFEST).exists():
        return _check_build(path, options)
    run = run_preflight(source_of(path, arguments or {}, sdxl=options.sdxl), options)
    if (
        run.source.kind == "folder"
        and not run.source.folders
        and not any(each.kind.code == "image-folder-itself" for each in run.findings)
    ):
        raise UserError(
            "There is nothing to train on here: no image, no folder of images, no config of sd-scripts",
            field="--check",
            value=str(path),
            remedy="Give a build folder, the parent of folders such as 10_name, or a TOML of sd-scripts.",
        )
    return _report(path, None, [("", run)], [stage_read(run)], run.findings, None, options)


def _check_build(folder: Path, options: Options) -> CheckReport:
    found, record = verify(folder), read_build(folder)
    findings = list(_file_findings(found, record))
    trainer = FORMATS.get(record.format)
    if trainer is None:
        findings.append(finding("format-unknown", f"the format {record.format} is not known to this version"))
        return CheckReport(folder, record.plan.name, (), (), 0, record.plan.steps, (), (), None, in_order(findings))
    names, runs = [stage.name for stage in record.plan.stages], []
    if trainer.preflight is not None:
        closely = dataclasses.replace(options, sdxl=record.base == "sdxl")
        runs = list(trainer.preflight(folder, len(names), record.root, closely))
        reads: Sequence[StageRead] = [stage_read(run) for run in runs]
        findings += [each for run in runs for each in run.findings if each.kind.code not in _PLANNED]
    else:
        reads = trainer.read_stages(folder, len(names), record.root)
        findings += [finding("plan-differs", fault) for read in reads for fault in read.faults]
    for stage, read in zip(record.plan.stages, reads, strict=True):
        findings += [finding("plan-differs", fault) for fault in _plan_faults(stage, read)]
    for stage, run in zip(record.plan.stages, runs, strict=False):
        if run.reading is not None and run.reading.entries != stage.entries:
            message = f"{run.source.name} shows {run.reading.entries} entries an epoch, the plan {stage.entries}"
            findings.append(finding("plan-differs", message))
    steps = sum(read.steps for read in reads)
    if steps != record.plan.steps:
        findings.append(
            finding("plan-differs", f"training would take {counted(steps, 'step')}, the plan has {record.plan.steps}")
        )
    return _report(folder, record, list(zip(names, runs, strict=bool(runs))), reads, findings, steps, options)


def _report(
    path: Path,
    record: BuildRecord | None,
    runs: Sequence[tuple[str, Run]],
    reads: Sequence[StageRead],
    findings: Sequence[Finding],
    steps: int | None,
    options: Options,
) -> CheckReport:
    if steps is None:
        steps = sum(run.reading.schedule.steps for _, run in runs if run.reading is not None)
    stages: Sequence[Stage | None] = record.plan.stages if record else [None] * len(reads)
    rows = [
        row
        for index, (stage, read) in enumerate(zip(stages, reads, strict=True))
        for row in _rows(stage, read, runs[index][1] if runs else None)
    ]
    readings = [run.reading for _, run in runs if run.reading is not None]
    seconds = options.seconds_per_step
    return CheckReport(
        folder=path,
        plan=record.plan.name if record else None,
        rows=tuple(rows),
        images=tuple(fate for stage, run in runs for fate in _fates(stage, run)),
        steps=steps,
        planned_steps=record.plan.steps if record else None,
        batches_per_epoch=tuple(reading.batches for reading in readings),
        epochs=tuple(reading.schedule.epochs for reading in readings),
        hours=None if seconds is None else steps * seconds / 3600,
        findings=in_order(findings),
    )


def _file_findings(found: VerifyReport, record: BuildRecord) -> Iterator[Finding]:
    """From comparing the files with the manifest.

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
    for what, paths in kinds.items():
        if paths:
            yield finding("build-files", f"{what}: {some_names(paths)}")
    if edited:
        yield finding("build-edited", f"edited since the build: {some_names(edited)}")


def _pairs(planned: Sequence[Subset], there: Sequence[SubsetRead]) -> list[tuple[Subset | None, SubsetRead | None]]:
    """Planned and found subsets by their folder's name, else by the origin it is named for, in the plan's order."""
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


def _plan_faults(stage: Stage, read: StageRead) -> Iterator[str]:
    for planned, there in _pairs(stage.subsets, read.subsets):
        yield from _subset_faults(read, planned, there)
    if read.epochs != stage.epochs:
        yield f"{read.config} is trained for {counted(read.epochs, 'epoch')}, the plan has {stage.epochs}"
    if read.batch_size != stage.batch_size:
        yield f"{read.config} has batch size {read.batch_size}, the plan {stage.batch_size}"


def _subset_faults(read: StageRead, planned: Subset | None, there: SubsetRead | None) -> Iterator[str]:
    if there is None:
        yield f"{read.config} shows no {planned.origin if planned else ''} images"
        return
    if planned is None:
        yield f"{read.config} also shows {there.folder}, which the plan does not have"
        return
    if there.images != planned.images:
        yield f"{there.folder} holds {counted(there.images, 'image')}, the plan has {planned.images}"
    if there.captions != there.images:
        yield f"{there.folder} holds {counted(there.images - there.captions, 'image')} without a caption"
    if there.repeats != planned.repeats:
        yield f"{read.config} shows {there.folder} {there.repeats} times an epoch, the plan {planned.repeats} times"


def _rows(stage: Stage | None, read: StageRead, run: Run | None) -> Iterator[CheckRow]:
    details = _details(run) if run is not None else [{} for _ in read.subsets]
    pairs = _pairs(stage.subsets if stage else (), read.subsets)
    for planned, there in pairs:
        yield CheckRow(
            stage=stage.name if stage else "",
            folder=there.folder if there else f"({planned.origin if planned else ''})",
            images=there.images if there else 0,
            captions=there.captions if there else 0,
            repeats=there.repeats if there else 0,
            planned_images=(planned.images if planned else 0) if stage else None,
            planned_repeats=(planned.repeats if planned else 0) if stage else None,
            **(details[read.subsets.index(there)] if there else {}),  # type: ignore[arg-type]
        )


def _details(run: Run) -> list[dict[str, object]]:
    """What a simulation adds to each row, in the order of `stage_read`."""
    details: list[dict[str, object]] = []
    for dataset in run.reading.datasets if run.reading is not None else ():
        for index, subset in enumerate(dataset.subsets):
            images = [image for image in dataset.images if image.subset == index and image.repeats]
            looks = [run.looks[image.path] for image in images if image.path in run.looks]
            sizes = Counter(_size(image.placement.bucket) for image in images if image.placement is not None)
            details.append(
                {
                    "entries": subset.entries,
                    "cut": sum(bool(image.lost) for image in images),
                    "buckets": dict(sizes),
                    "colors": _median([look.colors for look in looks]),
                    "colors_seen": _median([look.colors_seen for look in looks]),
                }
            )
    return details


def _fates(stage: str, run: Run) -> Iterator[ImageFate]:
    for dataset in run.reading.datasets if run.reading is not None else ():
        for image in dataset.images:
            look, placement = run.looks.get(image.path), image.placement
            yield ImageFate(
                stage=stage,
                path=run.source.disk.name(image.path),
                repeats=image.repeats,
                text=image.text,
                caption_from=image.caption.file and run.source.disk.name(image.caption.file),
                tokens=image.tokens,
                lost=image.lost,
                size=image.stored,
                bucket=placement.bucket if placement else None,
                resized=placement.resized if placement else None,
                resize=image.method,
                colors=look.colors if look else None,
                colors_seen=look.colors_seen if look else None,
            )


def _median(values: Sequence[int]) -> int | None:
    known = [value for value in values if value]
    return int(statistics.median_high(known)) if known else None


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
