"""The run folder of a past run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.errors import ExistsError, UserError
from graftset.pastruns.finding import Found
from graftset.pastruns.placing import Point, Unit
from graftset.records import SamplePrompt
from graftset.runs import (
    METRICS,
    RUN,
    SAMPLES,
    Checkpoint,
    MetricsLine,
    Run,
    RunRecord,
    append_metrics,
    checkpoint_name,
    create_run,
    open_run,
    prompts_hash,
    record_checkpoint,
    record_place,
    take_samples,
)
from graftset.trainerfiles.losses import LoggedLoss

BACKEND = "imported"
_SAME = ("backend", "build_sha256", "seed", "unit")  # of two imports of one run; the rest may have grown


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a past run from elsewhere than its files.

    Attributes:
        build: Name of the build it was trained on; empty where nobody says.
        width, height: Native grid of the originals, cells.
        originals, generated: Different images trained on; 0 where it is not known.
        shown: Times an image of each origin is shown in one epoch, where that is known.
    """

    build: str = ""
    build_sha256: str = ""
    plan: str = ""
    width: int = 0
    height: int = 0
    originals: int = 0
    generated: int = 0
    shown: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did."""

    run: Run
    new: tuple[str, ...]  # checkpoints
    lines: int  # of losses


def take_run(
    folder: Path,
    found: Found,
    unit: Unit,
    points: Sequence[Point],
    prompts: Sequence[SamplePrompt],
    *,
    facts: Facts,
    losses: Sequence[LoggedLoss] = (),
    notes: Sequence[str] = (),
    at: str,
) -> Taken:
    """Write the run folder of a past run, or add what an earlier import did not have.

    Args:
        folder: The run folder.
        found: Its weights and what they tell.
        unit, points: As `place_all` put them.
        prompts: What was painted.
        facts: What else is known.
        losses: Logged ones.
        notes: Sentences to keep with the run.
        at: When, ISO 8601 UTC.

    Raises:
        ExistsError: Another run has this name.
        UserError: The disk is too small, or the folder cannot be written.
    """
    record = _record(folder.name, found, unit, points, prompts, facts, notes, at)
    if (folder / RUN).exists():
        there = open_run(folder)
        if any(getattr(there.record, name) != getattr(record, name) for name in _SAME):
            raise ExistsError(
                "A different run has this name", field="--name", value=folder.name, remedy="Give another --name"
            )
    _check_disk(folder, points)
    run = create_run(folder, record)
    known = {checkpoint.name for checkpoint in run.checkpoints()}
    losses_by_step = {line.step: line for line in losses}
    new = []
    for point in points:
        checkpoint = _checkpoint(point, unit, found, facts, losses_by_step)
        if checkpoint.name not in known:
            if point.weights is None:
                record_place(run, checkpoint)
            else:
                record_checkpoint(run, checkpoint, point.weights)
            new.append(checkpoint.name)
        samples = run.samples_folder(checkpoint.name)
        if point.pictures and not (samples / SAMPLES).is_file():
            take_samples(samples, point.pictures)
            if checkpoint.name not in new:
                new.append(checkpoint.name)
    lines = _write_losses(run, losses, found) if unit == "step" else 0
    return Taken(run, tuple(new), lines)


def _record(
    name: str,
    found: Found,
    unit: Unit,
    points: Sequence[Point],
    prompts: Sequence[SamplePrompt],
    facts: Facts,
    notes: Sequence[str],
    at: str,
) -> RunRecord:
    told = found.told
    settings: dict[str, bool | int | float | str] = {}
    if told is not None:
        settings |= dict(told.settings)
        settings |= {"network_dim": told.rank} if told.rank is not None else {}
        settings |= {"folders": ", ".join(f"{f.name} x {f.repeats}" for f in told.folders)} if told.folders else {}
    return RunRecord(
        name=name,
        backend=BACKEND,
        build=facts.build,
        build_sha256=facts.build_sha256,
        plan=facts.plan,
        width=facts.width,
        height=facts.height,
        originals=facts.originals,
        generated=facts.generated,
        seed=(told.seed if told is not None else None) or 0,
        steps=points[-1].at,
        batch_size=(told.batch_size if told is not None else None) or 0,
        device="",
        checkpoint_steps=tuple(point.at for point in points),
        sample_seeds=tuple(sorted({seed for point in points for _, seed, _ in point.pictures})),
        prompts_sha256=prompts_hash(prompts),
        prompts=len(prompts),
        settings=settings,
        versions={"sd-scripts": told.commit} if told is not None and told.commit else {},
        created=at,
        unit=unit,
        notes=tuple(notes),
    )


def _checkpoint(point: Point, unit: Unit, found: Found, facts: Facts, losses: Mapping[int, LoggedLoss]) -> Checkpoint:
    told = found.told
    epochs: float | None = point.epoch
    if epochs is None and unit == "step" and told is not None and told.steps_per_epoch:
        epochs = point.at / told.steps_per_epoch
    seen = 0
    if told is not None and told.entries and epochs is not None:
        seen = round(epochs * told.entries)
    elif told is not None and told.batch_size and unit == "step":
        seen = point.at * told.batch_size
    line = losses.get(point.at) if unit == "step" else None
    shown = facts.shown or {}
    return Checkpoint(
        name=checkpoint_name(seen) if seen else f"{unit}-{point.at:06d}",
        step=point.at,
        images_seen=seen,
        exposures={origin: round(epochs * times, 4) for origin, times in shown.items()} if epochs is not None else {},
        loss=line.loss if line is not None else None,
        seconds=round(line.seconds, 1) if line is not None else None,
        weights_sha256="",
        epoch=point.epoch,
    )


def _write_losses(run: Run, losses: Sequence[LoggedLoss], found: Found) -> int:
    """Write the logged losses in place of those of an earlier import; returns how many."""
    if not losses:
        return 0
    told = found.told
    each = 0.0
    if told is not None and told.entries and told.steps_per_epoch:
        each = told.entries / told.steps_per_epoch
    elif told is not None and told.batch_size:
        each = told.batch_size
    (run.folder / METRICS).unlink(missing_ok=True)
    for line in losses:
        seen = round(line.step * each)
        append_metrics(run, MetricsLine(line.step, seen, None, line.loss, line.lr, round(line.seconds, 1)))
    return len(losses)


def _check_disk(folder: Path, points: Sequence[Point]) -> None:
    files = [point.weights for point in points if point.weights is not None]
    files += [path for point in points for _, _, path in point.pictures]
    needed = sum(path.stat().st_size for path in files)
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise UserError(
            f"The disk is too small: the run's files take {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free",
            field="runs",
            value=str(folder),
            remedy="Make room, or keep the project on a larger disk",
        )
