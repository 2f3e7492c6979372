"""Trains the runs of an experiment side by side: a process each, one thread each, fed from a queue.

A run is a long piece of work that writes files of its own, stops between two steps when asked to, and goes on later: it
is told to stop by SIGTERM, and by the end of its orders where this process is killed. Where a run stands is read from
its folder, so that any backend that keeps metrics.jsonl shows progress.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from graftset.errors import UserError
from graftset.runs import METRICS
from graftset.workflows.training_process import Order

_POLL = 1.0  # seconds between two looks at how far the runs are
_TAIL = 4096  # bytes of metrics.jsonl that hold its last line; one takes some 130
_GRACE = 60.0  # seconds a process has to finish its step
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order: `error` is None where the run is finished."""

    order: Order
    error: str | None


@dataclass(slots=True)
class _Process:
    process: subprocess.Popen[str]
    order: Order | None = None

    @property
    def answers(self) -> IO[str]:
        assert self.process.stdout is not None  # it was asked for
        return self.process.stdout

    def give(self, order: Order) -> None:
        self.order = order
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it died: its answers end, and that is told
            self.process.stdin.write(json.dumps(asdict(order)) + "\n")
            self.process.stdin.flush()


def train_all(orders: Sequence[Order], *, jobs: int, progress: Callable[[Sequence[Order]], None]) -> Iterator[Answer]:
    """Carry orders out in `jobs` processes; answers come as runs end.

    Args:
        orders: Runs, in the order they are begun.
        jobs: Processes.
        progress: Called every second with the orders under way.
    """
    waiting = deque(orders)
    with _processes(min(jobs, len(orders))) as workers, selectors.DefaultSelector() as selector:
        for worker in workers:
            worker.give(waiting.popleft())
            selector.register(worker.answers, selectors.EVENT_READ, worker)
        while selector.get_map():
            for key, _ in selector.select(_POLL):
                worker = key.data
                answer = _read(worker)
                if worker.process.poll() is None and waiting:
                    worker.give(waiting.popleft())
                else:
                    selector.unregister(worker.answers)
                    worker.order = None
                yield answer
            progress([worker.order for worker in workers if worker.order is not None])
        for order in waiting:
            yield Answer(order, "every training process ended before its turn")


def _read(worker: _Process) -> Answer:
    order = worker.order
    assert order is not None
    line = worker.answers.readline()
    if not line:
        code = worker.process.wait()
        return Answer(order, f"its process ended with code {code}; memory may have run out, try fewer --jobs")
    told: dict[str, Any] = json.loads(line)
    fault = told.get("error")
    return Answer(order, None if fault is None else f"{fault['message']}. {fault['remedy']}")


def _start(environment: Mapping[str, str]) -> _Process:
    return _Process(
        subprocess.Popen(
            [sys.executable, "-m", "graftset.workflows.training_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            # Ctrl-C goes to this process alone, which then asks the others to stop.
            start_new_session=True,
        )
    )


@contextmanager
def _processes(count: int) -> Iterator[list[_Process]]:
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    workers: list[_Process] = []
    try:
        while len(workers) < count:
            workers.append(_start(environment))
        yield workers
    finally:
        for worker in workers:
            if worker.order is not None:
                worker.process.terminate()
            with suppress(OSError):
                if worker.process.stdin is not None:
                    worker.process.stdin.close()
        for worker in workers:
            try:
                worker.process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.answers.close()


def steps_taken(run: Path) -> int:
    """The last step that a run has logged; 0 before its first."""
    try:
        with (run / METRICS).open("rb") as stream:
            stream.seek(-min(_TAIL, stream.seek(0, os.SEEK_END)), os.SEEK_END)
            whole = stream.read().split(b"\n")[:-1]  # a last line without an end is being written
        return int(json.loads(whole[-1])["step"]) if whole else 0
    except (OSError, ValueError, KeyError, TypeError, UserError):
        return 0
