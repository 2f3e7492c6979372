"""Carries a run of sd-scripts out: starts the driver or watches one, takes in what lands, says how it ended."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from graftset.config import KohyaSettings
from graftset.files import write_whole
from graftset.phrases import counted
from graftset.runs import Run, forget_metrics
from graftset.train.job import BuildFiles, Moment, Outcome, TrainingError, TrainingJob
from graftset.train.kohya import driver
from graftset.train.kohya.checking import SCRIPTS, Setup
from graftset.train.kohya.collecting import Collector, sample_prompts
from graftset.train.kohya.logs import AttemptLog, why_ended
from graftset.train.opening import ended_early
from graftset.train.stopping import Stop, stopping

TRAINER = "trainer"  # folder of a run
PROMPTS = "sample_prompts.txt"
_POLL = 0.25  # seconds
_PATIENCE = 40.0  # seconds between asking driver and trainer to end and ending them


def job_table(job: TrainingJob, settings: KohyaSettings, build: BuildFiles) -> dict[str, object]:
    """What job.json says to the driver."""
    return {
        "build": str(build.folder),
        "sd_scripts": str(Path(settings.sd_scripts).absolute()),
        "script": SCRIPTS[build.base],
        "python": settings.python,
        "launcher": settings.launcher,
        "cpu_threads": settings.cpu_threads,
        "model": settings.model,
        "name": job.data.plan,
        "seed": job.seed,
        "arguments": list(settings.arguments),
        "environment": {},
        "sample_prompts": PROMPTS,
        "pictures": len(job.prompts) * len(job.sample_seeds),
        "epochs": 0 if build.as_built else sum(stage.epochs for stage in build.stages),
        "stages": [asdict(stage) for stage in build.stages],
    }


def write_trainer_folder(folder: Path, job: TrainingJob, table: dict[str, object]) -> None:
    """Write what the driver reads: job.json and the prompts to paint."""
    assert job.build is not None
    folder.mkdir(parents=True, exist_ok=True)
    given = job.build.folder / PROMPTS
    lines = given.read_text(encoding="utf-8") if given.is_file() else ""
    write_whole(folder / PROMPTS, sample_prompts(lines, job.prompts, len(job.sample_seeds)))
    write_whole(folder / driver.JOB, json.dumps(table, indent=1, ensure_ascii=False) + "\n")


def going_on(job: TrainingJob, trainer: Path) -> tuple[int, str]:
    """The step that a run would go on from, and what the state there brings back as a sentence; 0 and "" at first."""
    assert job.build is not None
    before, found = 0, 0
    for number, stage in enumerate(job.build.stages, start=1):
        folder = driver.stage_folder(trainer, number)
        if driver.read_json(folder / driver.FINISHED):
            found = before + stage.steps
        else:
            kept = driver.states(
                {"by_steps": stage.by_steps, "steps_per_epoch": stage.steps_per_epoch}, job.data.plan, folder
            )
            if kept:
                again = "" if stage.by_steps else f" (epoch {kept[-1][0] // stage.steps_per_epoch} of {stage.epochs})"
                anew = (
                    "the epoch under way begins anew, so some of its images are shown again and others less; "
                    if stage.by_steps and kept[-1][0] % stage.steps_per_epoch
                    else ""
                )
                return before + kept[-1][0], (
                    f"goes on after step {before + kept[-1][0]}{again}: weights, Adam's moments and the place in the "
                    f"learning rate's schedule come back from the state there; {anew}noise and the order of images are "
                    "others than without the stop"
                )
            return found, f"goes on with stage {stage.name}, from the weights of the one before" if found else ""
        before += stage.steps
    return found, ""


class Carrying:
    """One run under way.

    Args:
        job: What was asked for.
        run: Its folder.
        setup: What it is trained with.
    """

    def __init__(self, job: TrainingJob, run: Run, setup: Setup) -> None:
        self._job, self._run, self._setup = job, run, setup
        self._trainer = run.folder / TRAINER
        self._process: subprocess.Popen[bytes] | None = None

    def carry_out(self) -> Outcome:
        """Train to the end.

        Raises:
            TrainingError: The trainer ended before its time; everything finished is kept.
            KeyboardInterrupt: It was asked to stop; everything finished is kept.
        """
        resumed = self._start()
        collector = Collector(self._run, self._setup.build, self._job.prompts, self._trainer, keep=False)
        with stopping() as stop:
            self._watch(collector, stop)
            if self._process is None and not (self._trainer / driver.ENDED).exists() and not stop.asked:
                # The driver of the call before was killed, and its trainer has ended by now: there may be more to do.
                self._start()
                self._watch(collector, stop)
        return self._end(collector, resumed)

    def _start(self) -> int:
        """Start the driver, where none is at work from a call that was killed; returns the step it goes on from."""
        resumed, _ = going_on(self._job, self._trainer)
        if driver.is_busy(self._trainer):
            return resumed
        setup = self._setup
        table = job_table(self._job, setup.settings, setup.build)
        table |= {"arguments": list(setup.arguments), "environment": dict(setup.environment)}
        write_trainer_folder(self._trainer, self._job, table)
        (self._trainer / driver.ENDED).unlink(missing_ok=True)
        forget_metrics(self._run, resumed)
        with (self._trainer / "driver.log").open("ab") as stream:
            # In a session of its own: Ctrl-C reaches this process only, and a kill of this process leaves training be.
            self._process = subprocess.Popen(
                [sys.executable, driver.__file__, str(self._trainer)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return resumed

    def _watch(self, collector: Collector, stop: Stop) -> None:
        """Take in what lands until nobody works any more or a stop is asked for."""
        steps, shown = self._run.record.steps, None
        try:
            while self._at_work():
                if stop.asked:
                    self._stop()
                    break
                collector.collect()
                step, log = collector.standing()
                if log is not None and (told := (step, log.painting, log.epoch)) != shown:
                    shown = told
                    doing = "paint" if log.painting else "train"
                    self._job.watch(Moment(step, steps, log.loss, doing, log.epoch))
                time.sleep(_POLL)
        except BaseException:
            self._stop()  # the disk is full, or a second Ctrl-C: nothing is left at work behind the user's back
            raise
        collector.collect(ended=True)

    def _at_work(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        return driver.is_busy(self._trainer)

    def _stop(self) -> None:
        """Ask driver and trainer to end, and end them where they do not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            # While the lock is held, one of the two that were started to hold it lives. The driver ends the trainer;
            # where it cannot, the trainer is asked as well.
            for name in (driver.DRIVER_PID, driver.TRAINER_PID):
                if not self._at_work():
                    return
                with contextlib.suppress(OSError, ValueError):
                    pid = int((self._trainer / name).read_text())
                    if os.getpgid(pid) == pid:  # a leader, as both are; nobody else's process of that number is likely
                        driver.end_group(pid, number)
            deadline = time.monotonic() + _PATIENCE
            while self._at_work() and time.monotonic() < deadline:
                time.sleep(_POLL / 5)

    def _end(self, collector: Collector, resumed: int) -> Outcome:
        ended = driver.read_json(self._trainer / driver.ENDED)
        step, log = collector.standing()
        kept = self._run.checkpoints()
        steps = self._run.record.steps
        if ended.get("reason") != "finished":
            raise self._early(step, log, int(ended.get("code", 0)), str(ended.get("reason", "")))
        if not kept or kept[-1].step < steps:
            name, fault = next(iter(collector.faults.items()), ("the last checkpoint", "it is missing"))
            raise ended_early(
                self._run,
                step,
                f"{name} cannot be used: {fault}",
                f"See {self._trainer}, and train under another --name",
            )
        notes = [f"{name} is left out: {fault}" for name, fault in collector.faults.items()]
        unpainted = len(kept) - len(self._run.sampled()) if self._job.prompts else 0
        if unpainted:
            notes.append(f"{counted(unpainted, 'checkpoint')} without pictures: see {self._trainer}")
        return Outcome(
            folder=self._run.folder,
            steps=steps,
            resumed_at=resumed,
            unchanged=False,
            loss=log.loss if log is not None else math.nan,
            seconds=max((line.seconds for line in self._run.metrics()), default=0.0),
            notes=tuple(notes),
        )

    def _early(self, step: int, log: AttemptLog | None, code: int, reason: str) -> TrainingError:
        path = log.path if log is not None else self._trainer / "driver.log"
        why, remedy = why_ended(path, code, reason)
        if shutil.disk_usage(self._run.folder).free < self._setup.checkpoint_bytes and reason != "nan":
            why, remedy = (
                "the disk is full",
                "Make room and run the same command again; it goes on from the last whole state",
            )
        return ended_early(self._run, step, why, remedy)
