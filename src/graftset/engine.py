"""Map a pure function over many inputs: in this process, or on this machine's cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from threadpoolctl import threadpool_limits

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

    batch = max(1, min(16, len(inputs) // (4 * workers)))
    groups = [inputs[i : i + batch] for i in range(0, len(inputs), batch)]
    with Parallel(n_jobs=workers, return_as="generator", pre_dispatch=4 * workers, batch_size=1) as pool:
        for results in pool(delayed(_apply)(function, group) for group in groups):
            yield from results


def _apply(function: Callable[[A], B], group: Iterable[A]) -> list[B]:
    """One batch in a worker, with one thread: as many processes as cores leave none for a numeric library's threads."""
    with threadpool_limits(1):
        return [function(item) for item in group]
