"""The run folder of a job: the one that is there if it is of the same job, else a new one; and how it ends early."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

from graftset.errors import ExistsError
from graftset.runs import RUN, Run, RunRecord, create_run, open_run
from graftset.train.job import Outcome, TrainingError

MAY_DIFFER = ("created", "versions", "build")  # between a run and its resumption


def known_run(folder: Path, record: RunRecord, *, may_differ: Collection[str] = MAY_DIFFER) -> Run | None:
    """The run that is there; None where there is none.

    Raises:
        ExistsError: It is another one.
    """
    if not (folder / RUN).exists():
        return None
    run = open_run(folder)
    different = [
        field.name
        for field in fields(RunRecord)
        if field.name not in may_differ and getattr(run.record, field.name) != getattr(record, field.name)
    ]
    if different:
        raise ExistsError(
            f"A different run has this name: its {', '.join(different)} differ",
            field="run",
            value=str(folder),
            remedy="Give another --name, or move that run away",
        )
    return run


def open_or_create(folder: Path, record: RunRecord) -> Run:
    """The run folder of a job.

    Raises:
        ExistsError: Another run has this name.
        UserError: It cannot be written.
    """
    return known_run(folder, record) or create_run(folder, record)


def nothing_left(run: Run) -> Outcome:
    """What a call of a backend did with a run that was complete before."""
    lines = run.metrics()
    return Outcome(
        folder=run.folder,
        steps=run.record.steps,
        resumed_at=run.record.steps,
        unchanged=True,
        loss=lines[-1].loss if lines else math.nan,
        seconds=lines[-1].seconds if lines else 0.0,
    )


def in_use(folder: Path) -> ExistsError:
    """What to say where another process holds the run's folder."""
    return ExistsError(
        "Another process trains this run", field="run", value=str(folder), remedy="Wait for it, or give another --name"
    )


def ended_early(run: Run, step: int, why: str, remedy: str) -> TrainingError:
    """What to say of a training that ended before its time: why, and what is kept."""
    kept = run.checkpoints()
    last = f"the last good checkpoint, {kept[-1].name} (step {kept[-1].step}), is kept" if kept else ""
    return TrainingError(
        f"Training ended at step {step}: {why}; {last or 'no checkpoint was reached yet'}",
        field="run",
        value=str(run.folder),
        remedy=remedy,
    )
