"""Map a pure function over many inputs: in this process, or on this machine's cores."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TypeVar

from threadpoolctl import threadpool_limits

from graftset.errors import UserError

A = TypeVar("A")
B = TypeVar("B")

_WORTH_A_POOL = 48  # pictures per core under which starting processes costs more than it saves


def available_cores() -> int:
    """Cores this process may use (a container's limit counts, not the machine's number)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_each(function: Callable[[A], B], inputs: Sequence[A], *, workers: int = 0, each_worth: int = 1) -> Iterator[B]:
    """`function` of every input, in order, lazily: memory stays flat however many there are.

    Args:
        function: Pure, importable, with picklable argument and result.
        inputs: What to map over.
        workers: Processes; 0 takes every core this process may use, 1 stays in this process.
        each_worth: Pictures in one input, where inputs are blocks of them.
    """
    workers = min(workers or available_cores(), max(1, len(inputs) * each_worth // _WORTH_A_POOL), max(1, len(inputs)))
    if workers == 1:
        for item in inputs:
            yield function(item)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    batch = max(1, min(16, len(inputs) // (4 * workers)))
    groups = [inputs[i : i + batch] for i in range(0, len(inputs), batch)]
    # With more under way than the workers' queue holds (2 per worker), joblib's thread dies with a traceback on Ctrl-C.
    pool = Parallel(n_jobs=workers, return_as="generator", pre_dispatch=2 * workers, batch_size=1)
    with ExitStack() as at_end:
        with _without_ctrl_c():
            outputs = pool(delayed(_apply)(function, group) for group in groups)
            at_end.callback(_throw_away, outputs)
        try:
            for results in outputs:
                yield from results
        except TerminatedWorkerError as error:
            raise UserError(
                "A process that measures pictures was killed",
                field="workers",
                remedy="Memory may have run out: set `workers = 1` under [assess] in graftset.toml and run it again.",
            ) from error


def _throw_away(outputs: Generator[object, None, None]) -> None:
    """Stop what is still under way; nothing is where all results were taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # joblib warns that results are lost
        outputs.close()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Start processes that never see Ctrl-C, which a terminal sends to all of them: this process stops them itself.

    A Ctrl-C in between is not lost: it comes when the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # before the block: on Python 3.11 starting it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _apply(function: Callable[[A], B], group: Iterable[A]) -> list[B]:
    """One batch in a worker, with one thread: as many processes as cores leave none for a numeric library's threads."""
    with threadpool_limits(1):
        return [function(item) for item in group]
