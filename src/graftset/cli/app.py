"""The whole command line: importing this lists every command."""

from __future__ import annotations

import graftset.cli.commands  # noqa: F401  # each file lists its commands
from graftset.cli.console import prepare_streams
from graftset.cli.registry import app

__all__ = ["app", "main"]


def main() -> None:
    """Run a command; see `ending` for how it ends."""
    prepare_streams()
    app(prog_name="graftset")
