"""A process that trains runs of an experiment, one after another, as it is told on stdin: see `side_by_side`.

Each line on stdin is an order, each line on stdout what became of it, both JSON. When stdin ends, whoever gave the
orders is done or was killed: a run under way then stops as on SIGTERM, with everything reached kept.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from graftset.errors import UserError
from graftset.experiments import read_experiment, read_experiment_prompts
from graftset.files import lock_folder
from graftset.train import Outcome, load_backend
from graftset.train.job import Moment, unwatched
from graftset.workflows.training import open_training

_FREED = 30.0  # seconds that a run of a killed process may take to stop


@dataclass(frozen=True, slots=True)
class Order:
    """One run to train; everything else stands in the experiment's definition."""

    project: str
    experiment: str  # its name
    arm: str
    seed: int

    @property
    def folder(self) -> Path:
        """The experiment's folder."""
        return Path(self.project) / "experiments" / self.experiment


def carry_out(order: Order, watch: Any = unwatched) -> Outcome:
    """Train a run of an experiment, or go on with it.

    Raises:
        UserError: What the backend raises.
    """
    experiment = read_experiment(order.folder)
    arm = next(arm for arm in experiment.arms if arm.name == order.arm)
    project = Path(order.project)
    name = experiment.run_name(arm, order.seed)
    training = open_training(
        project,
        build=project / "builds" / arm.build,
        name=name,
        seed=order.seed,
        steps=experiment.steps,
        device=experiment.device,
        checkpoints=experiment.checkpoints,
        prompts=read_experiment_prompts(order.folder),
        sample_seeds=experiment.sample_seeds,
        watch=watch,
        backend=experiment.backend,
    )
    _wait_until_free(project / "runs" / name)
    return load_backend(experiment.backend).train(training.job)


def _wait_until_free(run: Path) -> None:
    """Let the process of an experiment that was killed a moment ago finish its step."""
    until = time.monotonic() + _FREED
    while run.is_dir() and time.monotonic() < until:
        with lock_folder(run) as is_free:
            if is_free:
                return
        time.sleep(0.2)


class _Orders:
    """Reads orders in a thread of its own, so that the end of stdin is seen while a run is trained."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = False
        self.training = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._source:
            self._waiting.put(line)
        self._ended = True
        self._waiting.put(None)
        if self.training:
            os.kill(os.getpid(), signal.SIGTERM)

    def next(self) -> Order | None:
        """The next order; None when there will be no more."""
        line = self._waiting.get()
        return None if line is None else Order(**json.loads(line))

    def watch(self, moment: Moment) -> None:
        """Called by the backend while it trains: one that began as stdin ended is stopped too."""
        if self._ended and self.training:
            self.training = False
            os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Carry orders out until stdin ends."""
    # Whatever a library prints goes to stderr: stdout is for answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    orders = _Orders(sys.stdin)
    while (order := orders.next()) is not None:
        answer: dict[str, Any]
        try:
            orders.training = True
            outcome = carry_out(order, orders.watch)
            answer = {"outcome": {**asdict(outcome), "folder": str(outcome.folder)}}
        except UserError as error:
            answer = error.as_json()
        except KeyboardInterrupt:
            return
        finally:
            orders.training = False
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
