"""Carries a native run out: steps, metrics, checkpoints, pictures, and what it takes to go on later."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graftset.diffusion.checkpoint import PainterRecord, load_painter, painter_bytes
from graftset.diffusion.painting import Wish, paint
from graftset.errors import UserError
from graftset.files import write_whole
from graftset.runs import (
    SAMPLES,
    Checkpoint,
    MetricsLine,
    Run,
    append_metrics,
    checkpoint_name,
    forget_metrics,
    sha256_hex,
    write_checkpoint,
    write_samples,
)
from graftset.train.batches import Batches
from graftset.train.job import Moment, Outcome, TrainingError, TrainingJob
from graftset.train.learning import Learner
from graftset.train.opening import ended_early
from graftset.train.schedule import Schedule
from graftset.train.stopping import Stop, stopping

LOG_EVERY = 10  # steps
SAVE_EVERY = 60.0  # seconds between two resume files; one takes a few tenths of a second


class Training:
    """One run under way.

    Args:
        job: What was asked for.
        run: Its folder.
        learner: Network and optimizer as they begin.
        batches: What each step shows.
        schedule: Which images each step shows.
        painter: What the header of its checkpoints says.
    """

    def __init__(
        self,
        job: TrainingJob,
        run: Run,
        *,
        learner: Learner,
        batches: Batches,
        schedule: Schedule,
        painter: PainterRecord,
    ) -> None:
        self._job = job
        self._run = run
        self._learner = learner
        self._batches = batches
        self._schedule = schedule
        self._painter = painter
        self._since_line: list[float] = []  # losses of each step since the last logged line
        self._since_checkpoint: list[float] = []  # and since the last checkpoint
        self._loss = math.nan  # of the last logged line
        self._seconds = 0.0  # of training, without painting
        self._saved_at = time.monotonic()
        self._unread: list[Any] = []  # losses still on the device

    def carry_out(self) -> Outcome:
        """Go on to the last step; see `native.train` for how it may end."""
        resumed = self._resume()
        steps = self._run.record.steps
        with self._keeping(), stopping() as stop:
            self._paint_missing(stop)
            begun = time.perf_counter()
            while self._learner.step_number < steps and not stop.asked:
                self._unread.append(self._learner.learn(self._batches.batch(self._learner.step_number)))
                step = self._learner.step_number
                reached = step in self._run.record.checkpoint_steps
                due = time.monotonic() - self._saved_at > SAVE_EVERY
                if step % LOG_EVERY == 0 or reached or due or stop.asked:
                    self._read_losses()
                    self._seconds += time.perf_counter() - begun
                    begun = time.perf_counter()
                    if step % LOG_EVERY == 0 or step == steps:
                        self._log()
                    if reached:
                        self._keep_checkpoint()
                    if reached or due or stop.asked:
                        self._save()
                    if reached:
                        self._paint_missing(stop)
                        begun = time.perf_counter()
        return Outcome(
            folder=self._run.folder,
            steps=self._learner.step_number,
            resumed_at=resumed,
            unchanged=resumed == steps,
            loss=self._loss,
            seconds=self._seconds,
        )

    def _resume(self) -> int:
        """Go on from resume.safetensors where there is one; returns the step it stands at."""
        file = self._run.resume_file
        if file.exists():
            try:
                position = self._learner.load(str(file))
            except ValueError as error:
                raise UserError(
                    f"The run cannot go on: {file.name} is damaged ({error})",
                    field="run",
                    value=str(self._run.folder),
                    remedy="Remove that file to train the run from its beginning, or give another --name",
                ) from error
            self._since_line = [float(loss) for loss in position["since_line"]]
            self._since_checkpoint = [float(loss) for loss in position["since_checkpoint"]]
            self._seconds = float(position["seconds"])
        forget_metrics(self._run, self._learner.step_number)
        self._loss = next((line.loss for line in reversed(self._run.metrics())), math.nan)
        return self._learner.step_number

    def _read_losses(self) -> None:
        """Fetch the losses from the device, all at once: each reading makes it wait.

        Raises:
            TrainingError: One of them is no finite number.
        """
        first = self._learner.step_number - len(self._unread)
        losses = [float(loss) for loss in self._unread]
        self._unread = []
        for number, loss in enumerate(losses, start=first + 1):
            if not math.isfinite(loss):
                raise self._ended(f"The loss of step {number} is not a finite number", "Lower the learning rate")
        self._since_line += losses
        self._since_checkpoint += losses

    def _log(self) -> None:
        step = self._learner.step_number
        self._loss, self._since_line = fmean(self._since_line), []
        line = MetricsLine(
            step=step,
            images_seen=step * self._run.record.batch_size,
            exposures=self._exposures()["original"],
            loss=self._loss,
            lr=self._learner.rates.learning_rate,
            seconds=round(self._seconds, 3),
        )
        append_metrics(self._run, line)
        self._job.watch(Moment(step, self._run.record.steps, self._loss))

    def _exposures(self) -> dict[str, float]:
        """Mean times an image of each origin was shown so far."""
        shown = self._schedule.exposures(self._learner.step_number)
        generated = self._job.data.generated
        return {
            origin: float(shown[chosen].mean()) if chosen.any() else 0.0
            for origin, chosen in (("original", ~generated), ("generated", generated))
        }

    def _keep_checkpoint(self) -> None:
        if not self._learner.healthy():
            raise self._ended("Some weights are not finite numbers any more", "Lower the learning rate")
        step = self._learner.step_number
        images_seen = step * self._run.record.batch_size
        weights = painter_bytes(self._painter, self._learner.averaged())
        checkpoint = Checkpoint(
            name=checkpoint_name(images_seen),
            step=step,
            images_seen=images_seen,
            exposures=self._exposures(),
            loss=fmean(self._since_checkpoint),
            seconds=round(self._seconds, 3),
            weights_sha256=sha256_hex(weights),
        )
        write_checkpoint(self._run, checkpoint, weights)
        self._since_checkpoint = []

    def _save(self) -> None:
        position = {
            "since_line": self._since_line,
            "since_checkpoint": self._since_checkpoint,
            "seconds": self._seconds,
        }
        write_whole(self._run.resume_file, self._learner.save(position))
        self._saved_at = time.monotonic()

    def _paint_missing(self, stop: Stop) -> None:
        """Paint the prompts with every checkpoint that has no pictures yet."""
        wishes = [Wish(p.text, p.id, seed) for p in self._job.prompts for seed in self._job.sample_seeds]
        subjects = [(p, seed) for p in self._job.prompts for seed in self._job.sample_seeds]
        for checkpoint in self._run.checkpoints():
            folder = self._run.samples_folder(checkpoint.name)
            if stop.asked or not wishes or (folder / SAMPLES).is_file() or checkpoint.step > self._learner.step_number:
                continue
            pictures = self._paint(checkpoint.name, wishes, stop)
            if pictures is not None:
                painted = zip(subjects, pictures, strict=True)
                write_samples(folder, ((prompt, seed, picture) for (prompt, seed), picture in painted))

    def _paint(self, checkpoint: str, wishes: list[Wish], stop: Stop) -> NDArray[np.uint8] | None:
        """The pictures of one checkpoint; None where a stop was asked for meanwhile."""
        painter = load_painter(self._run.weights_file(checkpoint), self._learner.device, self._learner.dtype)
        steps = self._run.record.steps

        def progress(done: int, of: int) -> None:
            self._job.watch(Moment(self._learner.step_number, steps, self._loss, f"paint {done} of {of}"))
            if stop.asked:
                raise _StopPaintingError

        try:
            return paint(painter, wishes, progress=progress)
        except _StopPaintingError:
            return None

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """Say of whatever ends the run early what is kept."""
        try:
            yield
        except TrainingError:
            raise
        except UserError as error:
            raise self._ended(error.message, error.remedy) from error

    def _ended(self, why: str, remedy: str) -> TrainingError:
        return ended_early(self._run, self._learner.step_number, why, remedy)


class _StopPaintingError(Exception):
    """Ends a painting half way; never leaves this module."""
