"""The backend kohya: trains a LoRA of SD 1.5 or SDXL by kohya sd-scripts, in a process of its own.

checking.py    checkout, interpreter, base model, disk, before anything is started
base_model.py  whether the base model is there, whole, and of the kind that is meant
driver.py      a script of its own: takes the trainer through the stages of a run and resumes it
carrying.py    starts the driver or watches one that is there, and says how it ended
logs.py        what the trainer prints
collecting.py  checkpoints, pictures and losses into the run folder, as they land
recording.py   what run.json says of a run
script.py      a folder to train on another machine

The driver and the trainer outlive this process: where it is killed, training goes on, and the same command watches it
again. Where all of them are killed, the same command goes on from the newest whole state.
"""

from __future__ import annotations

import math
from dataclasses import replace

from graftset import __version__
from graftset.runs import hold_run
from graftset.train.job import Estimate, Outcome, TrainingJob
from graftset.train.kohya.carrying import TRAINER, Carrying, going_on
from graftset.train.kohya.checking import check, kohya_settings
from graftset.train.kohya.recording import run_record
from graftset.train.opening import MAY_DIFFER, in_use, known_run, nothing_left, open_or_create

_MAY_DIFFER = (*MAY_DIFFER, "device")  # a run may go on elsewhere


def train(job: TrainingJob) -> Outcome:
    """Train, or go on training, until the last step of the build's plan.

    Raises:
        ExistsError: Another run has this name, or another process trains it.
        TrainingError: The trainer ended before its time; everything finished is kept.
        UserError: What is needed is missing or of another version.
        KeyboardInterrupt: It was asked to stop; everything finished is kept.
    """
    settings, build = kohya_settings(job)
    run = known_run(job.folder, run_record(job, settings, build), may_differ=_MAY_DIFFER)
    if run is not None and run.complete:
        return nothing_left(run)
    setup = check(job)
    run = run or open_or_create(
        job.folder, replace(run_record(job, settings, build), device=setup.device, versions=_versions(setup.versions))
    )
    with hold_run(run) as is_ours:
        if not is_ours:
            raise in_use(run.folder)
        return Carrying(job, run, setup).carry_out()


def unchanged(job: TrainingJob) -> Outcome | None:
    """What there is to say of a complete run; None of any other.

    Raises:
        ExistsError: Another run has this name.
    """
    settings, build = kohya_settings(job)
    run = known_run(job.folder, run_record(job, settings, build), may_differ=_MAY_DIFFER)
    return nothing_left(run) if run is not None and run.complete else None


def estimate(job: TrainingJob) -> Estimate:
    """Look at everything that can be looked at; how long a step takes is known after the first ones only."""
    settings, build = kohya_settings(job)
    run = known_run(job.folder, run_record(job, settings, build), may_differ=_MAY_DIFFER)
    setup = check(job)
    told = (
        f"sd-scripts {setup.commit[:8] or 'of unknown version'}, {setup.script}, torch {setup.versions['torch']}",
        f"about {setup.needed_bytes / 1e9:.1f} GB on disk",
        *setup.notes,
    )
    on = "" if run is None else going_on(job, run.folder / TRAINER)[1]
    return Estimate(math.nan, math.nan, math.nan, 0, setup.device, (*told, *([on] if on else [])))


def _versions(found: object) -> dict[str, str]:
    return {"graftset": __version__, **(dict(found) if isinstance(found, dict) else {})}
