"""The application, and how a function becomes a command of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from graftset import __version__
from graftset.cli.console import ending

app = typer.Typer(
    help="Grow a small image training set with generated images, with evidence.",
    epilog="Begin with `graftset demo`, or with your own pictures: `graftset expand DIR --originals PATH "
    "--candidates PATH`. Exit codes: 0 done, 1 something you can mend, 2 wrong usage, 130 stopped by Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)

Run = TypeVar("Run", bound=Callable[..., None])


def command(*examples: tuple[str, str]) -> Callable[[Run], Run]:
    """List a function as a command, with examples (a command line and what it does) at the end of its help.

    However the function ends, `ending` turns it into an exit code.
    """
    # \b keeps the lines as they are.
    epilog = "\b\n" + "\n".join(["Examples:", *(f"  {line}\n      {what}" for line, what in examples)])

    def register(run: Run) -> Run:
        @app.command(epilog=epilog if examples else None)
        @wraps(run)
        def ended(**options: Any) -> None:
            with ending(as_json=options["as_json"]):
                run(**options)

        return run

    return register


def _version(value: bool) -> None:
    if value:
        print(f"graftset {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Grow a small image training set with generated images, with evidence."""
