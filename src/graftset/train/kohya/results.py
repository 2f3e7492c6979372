"""Takes back what was trained elsewhere from a folder that `script.py` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from graftset import __version__
from graftset.phrases import counted
from graftset.records import SamplePrompt, Skip
from graftset.runs import Run, RunRecord
from graftset.train.job import BuildFiles
from graftset.train.kohya import driver
from graftset.train.kohya.collecting import Collector
from graftset.train.kohya.logs import why_ended
from graftset.train.opening import MAY_DIFFER, known_run, open_or_create

MACHINE = "machine.json"  # what run.sh says of where it ran


def take_results(
    folder: Path, record: RunRecord, build: BuildFiles, prompts: Sequence[SamplePrompt], trainer: Path
) -> tuple[Run, tuple[str, ...], list[str], tuple[Skip, ...]]:
    """Bring a run folder up to what a trainer elsewhere has left; what is there already stays.

    Args:
        folder: The run folder.
        record: Its run.json.
        build: What was trained on.
        prompts: What was painted.
        trainer: The trainer's folder, which stays as it is.

    Returns:
        The run, the checkpoints that are new, notes, and files that cannot be used.

    Raises:
        ExistsError: Another run has this name.
        UserError: The run folder cannot be written.
    """
    machine = driver.read_json(trainer / MACHINE)
    versions = {key: str(machine[key]) for key in ("sd-scripts", "torch", "python", "gpu") if machine.get(key)}
    record = replace(
        record,
        device=str(machine.get("device", record.device)),
        versions={"graftset": __version__, **versions},
    )
    may_differ = (*MAY_DIFFER, "device")
    run = known_run(folder, record, may_differ=may_differ) or open_or_create(folder, record)
    before = {checkpoint.name for checkpoint in run.checkpoints()}
    collector = Collector(run, build, prompts, trainer, keep=True)
    collector.collect(ended=True)
    new = tuple(checkpoint.name for checkpoint in run.checkpoints() if checkpoint.name not in before)
    return run, new, _notes(run, trainer, collector), tuple(Skip(*fault) for fault in collector.faults.items())


def _notes(run: Run, trainer: Path, collector: Collector) -> list[str]:
    notes = []
    ended = driver.read_json(trainer / driver.ENDED)
    step, log = collector.standing()
    if ended.get("reason") != "finished":
        path = log.path if log is not None else trainer / driver.LOG
        why, _ = why_ended(path, int(ended.get("code", 0)), str(ended.get("reason", "")))
        notes.append(f"Training there ended at step {step} of {run.record.steps}: {why}. run.sh goes on from there")
    unpainted = len(run.checkpoints()) - len(run.sampled()) if run.record.prompts else 0
    if unpainted:
        notes.append(f"{counted(unpainted, 'checkpoint')} without pictures")
    return notes
