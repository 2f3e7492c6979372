"""Progress, messages and errors on stderr; results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from graftset.errors import GraftsetError

Meter = Callable[[str], Callable[[int, int], None]]


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[Meter]:
    """Bars with rate and time left on stderr; nothing where stderr is no terminal or `quiet` is asked for."""
    if quiet or not sys.stderr.isatty():
        yield lambda label: lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        yield _Meter(bars)


class _Meter:
    """One bar for each label, made when the label first moves."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, label: str) -> Callable[[int, int], None]:
        def move(done: int, of: int) -> None:
            if of == 0:
                return
            if label not in self._tasks:
                self._tasks[label] = self._bars.add_task(label, total=of, rate="")
            speed = self._bars.tasks[self._tasks[label]].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            self._bars.update(self._tasks[label], completed=done, total=of, rate=rate)

        return move


def say(*lines: str) -> None:
    """A message for a person, on stderr."""
    for line in lines:
        print(line, file=sys.stderr)


def emit(document: Any) -> None:
    """One JSON document on one line of stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")


def show_error(error: GraftsetError, *, as_json: bool) -> None:
    """One sentence on stderr, and the error's JSON on stdout where JSON was asked for."""
    from graftset.errors import UserError

    print(f"graftset: {error}", file=sys.stderr)
    if as_json:
        emit(error.as_json() if isinstance(error, UserError) else {"error": {"message": str(error)}})
