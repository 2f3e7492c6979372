"""Takes what sd-scripts leaves into a run folder, as it lands: checkpoints, their pictures, losses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graftset.records import SamplePrompt
from graftset.runs import (
    SAMPLES,
    Checkpoint,
    MetricsLine,
    Run,
    append_metrics,
    checkpoint_name,
    record_checkpoint,
    take_samples,
)
from graftset.train.job import BuildFiles, BuildStage, PlannedCheckpoint
from graftset.train.kohya import driver
from graftset.train.kohya.logs import AttemptLog
from graftset.trainerfiles import NotWholeError, first_unfinite, lora_fault, read_header, sample_of
from graftset.trainerfiles.prompts import escaped

LOG_EVERY = 10  # steps
_FEW = 200  # steps of a run that is logged step by step
_SEED = re.compile(r"--d (\d+)")
_OPTIONS = " --d 1000 --s 28 --l 7"  # where a build has no prompts; the trainer's own size


def sample_prompts(lines: str, prompts: Sequence[SamplePrompt], seeds: int) -> str:
    """The `--sample_prompts` file of a run: its prompts, once for each seed, painted as the build says.

    Args:
        lines: The build's file: size, steps, scale and negative prompt are those of its first line, and the seeds
            begin there. Where the prompts are the build's, so are the lines.
        prompts: What is painted.
        seeds: Pictures of each prompt; the seeds of the next round begin after the last of the round before.
    """
    first = next((line for line in lines.splitlines() if line.strip() and not line.startswith("#")), "")
    options = first[first.index(" --") :] if " --" in first else _OPTIONS
    found = _SEED.search(options)
    begin = int(found[1]) if found else 0
    texts = [escaped(prompt.text) for _ in range(seeds) for prompt in prompts]
    return "".join(f"{text}{_SEED.sub(f'--d {begin + number}', options)}\n" for number, text in enumerate(texts))


@dataclass(frozen=True, slots=True)
class Place:
    """A planned checkpoint with where its stage left it."""

    planned: PlannedCheckpoint
    number: int  # of the stage, from 1
    stage: BuildStage
    step: int  # of the stage
    epoch: int | None  # over all stages; None with a budget of steps


def places(build: BuildFiles) -> Iterator[Place]:
    """Every planned checkpoint of a run, in order."""
    before, epochs = 0, 0
    planned = list(build.checkpoints)
    for number, stage in enumerate(build.stages, start=1):
        while planned and planned[0].step <= before + stage.steps:
            step = planned[0].step - before
            epoch = None if stage.by_steps else epochs + -(-step // stage.steps_per_epoch)
            yield Place(planned.pop(0), number, stage, step, epoch)
        before, epochs = before + stage.steps, epochs + stage.epochs


class Collector:
    """Brings a run folder up to what its trainer has left so far.

    Args:
        run: The run folder; its plan is the base name of the trainer's files.
        build: What the trainer reads.
        prompts: What it paints at every checkpoint, once for each of the run's sample seeds.
        trainer: Its folder.
        keep: Whether checkpoints stay there too. Without it they are taken away, but for a stage's last one.
    """

    def __init__(
        self, run: Run, build: BuildFiles, prompts: Sequence[SamplePrompt], trainer: Path, *, keep: bool
    ) -> None:
        self._run, self._build, self._prompts, self._keep = run, build, prompts, keep
        self._trainer, self._name = trainer, run.record.plan
        self._logs: dict[Path, AttemptLog] = {}
        self._places = list(places(build))
        self._points = np.array(
            [(0, 0, 0.0), *((p.step, p.images_seen, p.exposures["original"]) for p in build.checkpoints)]
        )
        self._logged = max((line.step for line in run.metrics()), default=0)
        self.faults: dict[str, str] = {}  # checkpoint's file name -> why it is left out

    def collect(self, *, ended: bool = False) -> None:
        """Take what is new.

        Args:
            ended: No trainer writes any more, so that what is not whole never will be.
        """
        self._read_logs()
        self._log(ended=ended)
        there = {checkpoint.name for checkpoint in self._run.checkpoints()}
        for place in self._places:
            name = checkpoint_name(place.planned.images_seen)
            if name not in there:
                there |= {name} if self._take(place, name, ended) else set()
            if name in there and not (self._run.samples_folder(name) / SAMPLES).is_file():
                self._take_pictures(place, name)

    def standing(self) -> tuple[int, AttemptLog | None]:
        """The step of the run that the newest attempt stands at, and its log."""
        before = 0
        found: tuple[int, AttemptLog | None] = (0, None)
        for number, stage in enumerate(self._build.stages, start=1):
            tried = driver.attempts(driver.stage_folder(self._trainer, number))
            if tried:
                log = self._logs.setdefault(tried[-1], AttemptLog(tried[-1] / driver.LOG))
                found = before + min(self._began(tried[-1]) + log.step, stage.steps), log
            before += stage.steps
        return found

    def _folder(self, place: Place) -> Path:
        return driver.stage_folder(self._trainer, place.number)

    def _began(self, attempt: Path) -> int:
        return int(driver.read_json(attempt / driver.ATTEMPT).get("from_step", 0))

    def _files(self, place: Place) -> Iterator[Path]:
        """Where a checkpoint would lie, the newest attempt first."""
        for attempt in reversed(driver.attempts(self._folder(place))):
            if place.stage.by_steps:
                step = place.step - self._began(attempt)
                if step > 0:
                    yield attempt / f"{self._name}-step{step:08d}.safetensors"
            elif place.step == place.stage.steps:
                yield attempt / f"{self._name}.safetensors"
            else:
                yield attempt / f"{self._name}-{place.step // place.stage.steps_per_epoch:06d}.safetensors"

    def _take(self, place: Place, name: str, ended: bool) -> bool:
        """Take in one checkpoint where it is whole."""
        for file in self._files(place):
            if not file.is_file():
                continue
            try:
                header = read_header(file)
            except NotWholeError as error:
                if ended:
                    self.faults[file.name] = str(error)
                continue
            fault = lora_fault(header)
            if fault is None and (bad := first_unfinite(file, header)) is not None:
                fault = f"{bad} holds numbers that are not finite"
            if fault is not None:
                self.faults[file.name] = fault
                continue
            loss, seconds = self._loss_at(place)
            checkpoint = Checkpoint(
                name=name,
                step=place.planned.step,
                images_seen=place.planned.images_seen,
                exposures=dict(place.planned.exposures),
                loss=loss,
                seconds=seconds,
                weights_sha256="",
                epoch=place.epoch,
            )
            record_checkpoint(self._run, checkpoint, file)
            self.faults.pop(file.name, None)
            if not self._keep and place.step < place.stage.steps:
                file.unlink()  # the next stage begins with a stage's last one
            return True
        return False

    def _take_pictures(self, place: Place, name: str) -> None:
        """Take in the pictures of one checkpoint where all of them are whole."""
        stage = {"by_steps": place.stage.by_steps, "steps_per_epoch": place.stage.steps_per_epoch}
        found = driver.pictures_of(stage, self._name, self._folder(place), place.step)
        prompts = self._prompts
        if not prompts or len(found) != len(prompts) * len(self._run.record.sample_seeds):
            return
        pictures = []
        for path in found:
            told = sample_of(path.stem)
            if told is not None:
                pictures.append((prompts[told.prompt % len(prompts)], told.seed or 0, path))
        take_samples(self._run.samples_folder(name), pictures)

    def _read_logs(self) -> None:
        for number in range(1, len(self._build.stages) + 1):
            for attempt in driver.attempts(driver.stage_folder(self._trainer, number)):
                self._logs.setdefault(attempt, AttemptLog(attempt / driver.LOG)).look()

    def _losses(self) -> dict[int, tuple[float, float]]:
        """Loss and seconds of training by step of the run; a later attempt over the steps it trained again."""
        found: dict[int, tuple[float, float]] = {}
        before, spent = 0, 0.0
        for number, stage in enumerate(self._build.stages, start=1):
            own: dict[int, tuple[float, float]] = {}
            for attempt in driver.attempts(driver.stage_folder(self._trainer, number)):
                log, began = self._logs[attempt], self._began(attempt)
                own = {step: line for step, line in own.items() if step <= began}
                since = max((seconds for _, seconds in own.values()), default=spent)
                own |= {began + step: (loss, since + seconds) for step, (loss, seconds) in log.losses.items()}
            # A resumed budget may have taken a step beyond its end before it was stopped there.
            found |= {before + step: line for step, line in own.items() if step <= stage.steps}
            spent = max((seconds for _, seconds in own.values()), default=spent)
            before += stage.steps
        return found

    def _loss_at(self, place: Place) -> tuple[float | None, float | None]:
        """The loss printed at a checkpoint or the step before: by steps, a checkpoint lands before its loss does."""
        self._read_logs()  # the file may have landed after the last look
        found = self._losses()
        last = max((step for step in found if step <= place.planned.step), default=None)
        return (None, None) if last is None else found[last]

    def _log(self, *, ended: bool) -> None:
        """Add the lines of metrics.jsonl that are due."""
        losses = self._losses()
        steps = self._run.record.steps
        every = 1 if steps <= _FEW else LOG_EVERY
        newest = max(losses, default=0)
        for step in sorted(losses):
            # The bar of the newest step may still show the loss of the step before.
            if step <= self._logged or step % every or (step == newest and not ended and step < steps):
                continue
            loss, seconds = losses[step]
            if not np.isfinite(loss):
                continue
            seen, exposures = (float(np.interp(step, self._points[:, 0], self._points[:, column])) for column in (1, 2))
            append_metrics(
                self._run, MetricsLine(step, round(seen), round(exposures, 4), loss, None, round(seconds, 1))
            )
            self._logged = step
