"""What training says while it goes on and when it ends, as lines for people and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isnan
from time import monotonic
from typing import TYPE_CHECKING, Any

from graftset.cli.console import say, shown
from graftset.phrases import counted

if TYPE_CHECKING:
    from pathlib import Path

    from graftset.train import Estimate, Moment, Outcome, TrainingJob

_LINES = 10  # of progress over a whole run, where stderr is no terminal


@contextmanager
def watching() -> Iterator[Callable[[Moment], None]]:
    """A bar with rate, time left and loss on stderr; a line now and then where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("loss {task.fields[loss]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        pace = _Pace()
        task = None

        def move(moment: Moment) -> None:
            nonlocal task
            rate, loss = f"{pace(moment):.2g} steps/s", f"{moment.loss:.3f}"
            doing = f"{moment.doing}, {moment.epoch}" if moment.epoch else moment.doing
            if task is None:
                task = bars.add_task(doing, total=moment.steps, rate=rate, loss=loss)
            bars.update(task, completed=moment.step, description=doing, rate=rate, loss=loss)

        yield move


def both(first: Callable[[Moment], None], second: Callable[[Moment], None]) -> Callable[[Moment], None]:
    """Tell two watchers of every moment."""

    def watch(moment: Moment) -> None:
        first(moment)
        second(moment)

    return watch


class _Pace:
    """Steps per second since the first moment that was shown."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, moment: Moment) -> float:
        now = monotonic()
        if self._first is None:
            self._first = (now, moment.step)
        seconds, steps = now - self._first[0], moment.step - self._first[1]
        return steps / seconds if seconds > 0 else 0.0


class _Lines:
    """A line of progress for every tenth of a run."""

    def __init__(self) -> None:
        self._pace = _Pace()
        self._shown = -1

    def __call__(self, moment: Moment) -> None:
        rate = self._pace(moment)
        part = moment.step * _LINES // moment.steps
        if moment.doing == "train" and part > self._shown and rate > 0:
            self._shown = part
            left = duration((moment.steps - moment.step) / rate)
            where = f"{moment.epoch}, " if moment.epoch else ""
            pace = f"{rate:.1f} steps/s" if rate >= 1 else f"{1 / rate:.1f} s a step"
            say(f"{where}step {moment.step} of {moment.steps}, loss {moment.loss:.3f}, {pace}, {left} left")


def announce(job: TrainingJob, estimate: Estimate) -> None:
    """What begins, on stderr."""
    say(*estimate_lines(job, estimate))


def estimate_json(job: TrainingJob, estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON; what is not known is null."""
    checkpoints = _checkpoints(job, estimate)
    return {
        "run": str(job.folder),
        "build": job.data.build,
        "plan": job.data.plan,
        "images": len(job.data.captions),
        "steps": job.steps,
        "seed": job.seed,
        "prompts": len(job.prompts),
        "checkpoints": checkpoints,
        **{
            key: None if isinstance(value, float) and isnan(value) else value for key, value in asdict(estimate).items()
        },
    }


def estimate_lines(job: TrainingJob, estimate: Estimate) -> list[str]:
    """An estimate for people."""
    height, width = job.data.pictures.shape[1:3]
    pictures = len(job.prompts) * len(job.sample_seeds)
    tried = not isnan(estimate.seconds)
    weights = f"{estimate.parameters / 1e6:.2f} million weights on " if tried else "on "
    lines = [
        f"{job.folder.name}: {counted(len(job.data.captions), 'image')} of {width} x {height} cells "
        f"from build {job.data.build}, "
        f"plan {job.data.plan}, seed {job.seed}",
        f"{counted(job.steps, 'step')}, {counted(_checkpoints(job, estimate), 'checkpoint')} with "
        f"{counted(pictures, 'picture')} each; "
        f"{weights}{estimate.device}",
    ]
    if tried:
        lines.append(
            f"a whole run takes about {duration(estimate.seconds)} here now "
            f"({estimate.step_seconds:.3f} s a step, {estimate.picture_seconds:.3f} s a picture)"
        )
    return [*lines, *(f"note: {note}" for note in estimate.notes)]


def _checkpoints(job: TrainingJob, estimate: Estimate) -> int:
    """How many checkpoints there will be: as the build plans them where its own files are trained on."""
    planned = job.build is not None and estimate.parameters == 0
    return len(job.build.checkpoints) if planned and job.build is not None else len(job.checkpoint_steps)


def script_json(job: TrainingJob, folder: Path) -> dict[str, Any]:
    """A folder to train on another machine, as JSON."""
    return {"run": job.folder.name, "build": job.data.build, "plan": job.data.plan, "folder": str(folder.absolute())}


def script_lines(folder: Path) -> list[str]:
    """A folder to train on another machine, for people."""
    return [
        f"wrote {shown(folder)}: copy it to the machine that trains, and there: MODEL=/models/... ./run.sh",
        "back here: graftset runs import NAME-results.tar.gz",
    ]


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """What a call of train did, as JSON."""
    return {**asdict(outcome), "folder": str(outcome.folder)}


def outcome_lines(outcome: Outcome) -> list[str]:
    """What a call of train did, for people."""
    if outcome.unchanged:
        return [f"unchanged {shown(outcome.folder)}: all {counted(outcome.steps, 'step')} were trained before"]
    since = f" from step {outcome.resumed_at}" if outcome.resumed_at else ""
    return [
        f"trained {shown(outcome.folder)}{since}: {counted(outcome.steps, 'step')} in {duration(outcome.seconds)}, "
        f"loss {outcome.loss:.3f}",
        *(f"note: {note}" for note in outcome.notes),
    ]


def duration(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
