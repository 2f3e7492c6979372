"""Progress, messages and errors on stderr; results on stdout; and how a command ends."""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from graftset.errors import GraftsetError, UserError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Meter = Callable[[str], Callable[[int, int], None]]

STOPPED = 130  # exit code of a command that Ctrl-C stopped, as shells have it: 128 + SIGINT
_UNTOLD = 20  # lines of one kind shown before "and N more"


class Terminated(KeyboardInterrupt):
    """The system asked the command to end (SIGTERM): it ends as after Ctrl-C, with a code of its own."""

    exit_code = 143  # 128 + SIGTERM


@contextmanager
def progress_bars() -> Iterator[Meter]:
    """Bars with rate and time left on stderr; nothing where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
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
        started = monotonic()

        def move(done: int, of: int) -> None:
            if of == 0:
                return
            if label not in self._tasks:
                self._tasks[label] = self._bars.add_task(label, total=of, rate="")
            # Results come in batches, so the speed of the last moment would jump; this is the mean since the start.
            rate = done / max(monotonic() - started, 1e-3)
            self._bars.update(self._tasks[label], completed=done, total=of, rate=f"{rate:,.0f}/s")

        return move


def printable(line: str) -> str:
    """A line as a terminal may show it: what a file name or caption brings of control characters is escaped."""
    return line if line.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def shown(path: Path) -> str:
    """A path as a person would type it here: relative where it lies below the present folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path)


def typed(command: str, project: Path) -> str:
    """A command of graftset as one types it where one stands now."""
    here = project.resolve() == Path.cwd()
    return f"graftset {command}" + ("" if here else f" --project {shlex.quote(str(project))}")


def say(*lines: str) -> None:
    """Messages for a person, on stderr."""
    for line in lines:
        print(printable(line), file=sys.stderr)


def emit(document: Any) -> None:
    """One JSON document on one line of stdout, in UTF-8 wherever it goes."""
    # Lone surrogates, which file names may hold, are written as \udcXX: that is valid JSON too.
    _reconfigure(sys.stdout, encoding="utf-8", errors="backslashreplace")
    print(json.dumps(document, ensure_ascii=False))


def show(lines: Iterable[str]) -> None:
    """Lines for a person, on stdout."""
    for line in lines:
        print(printable(line))


def finish(document: Mapping[str, Any], lines: Iterable[str], *, as_json: bool, fault: UserError | None = None) -> None:
    """The outcome of a command: JSON where it was asked for, else lines; with a fault it ends in exit code 1."""
    if as_json:
        emit({**document, **(fault.as_json() if fault else {})})
    else:
        show(lines)
    if fault is not None:
        say(f"graftset: {fault}")
        raise typer.Exit(1)


def some(lines: Iterable[str]) -> list[str]:
    """The first lines of many, and how many more there are."""
    every = list(lines)
    if len(every) <= _UNTOLD:
        return every
    return [*every[:_UNTOLD], f"... and {len(every) - _UNTOLD} more: --json lists all"]


def show_error(error: GraftsetError, *, as_json: bool) -> None:
    """One sentence on stderr, and the error's JSON on stdout where JSON was asked for."""
    say(f"graftset: {error}")
    if as_json:
        emit(error.as_json() if isinstance(error, UserError) else {"error": {"message": str(error)}})


@contextmanager
def ending(*, as_json: bool) -> Iterator[None]:
    """End a command as its caller expects: user errors in a sentence and exit code 1, Ctrl-C in a line and 130.

    A reader that had enough (`graftset images | head`) is no error.
    """
    try:
        with _telling(as_json=as_json):
            yield
            _flush()
    except BrokenPipeError as error:
        _discard_stdout()
        raise typer.Exit(0) from error
    except OSError as error:  # stdout took not even the error
        _discard_stdout()
        raise typer.Exit(1) from error


@contextmanager
def _telling(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        say("stopped: what was finished is kept, and the same command goes on from there")
        raise typer.Exit(getattr(stop, "exit_code", STOPPED)) from stop
    except BrokenPipeError:
        raise
    except (GraftsetError, OSError) as error:
        show_error(error if isinstance(error, GraftsetError) else _told(error), as_json=as_json)
        _flush()
        raise typer.Exit(1) from error


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _told(error: OSError) -> UserError:
    """A system error that no stage expected, as a sentence."""
    return UserError(
        f"The system refuses: {error.strerror or error}",
        field="file",
        value=error.filename,
        remedy="Check that it is there, that you may read and write it, and that there is space left.",
    )


def prepare_streams() -> None:
    """Let the outputs write any text, and let SIGTERM end a command as Ctrl-C does, without a library's traceback."""
    for stream in (sys.stdout, sys.stderr):
        _reconfigure(stream, errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    # A stop may fall into the moment when a database connection is put back: what SQLAlchemy logs of it helps nobody.
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _reconfigure(stream: object, **settings: str) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(**settings)


def _discard_stdout() -> None:
    """Send what is still buffered nowhere: Python would try once more at its end, and complain."""
    with suppress(OSError, AttributeError):  # not a file, or closed from the start
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
