"""The command line: one short command per stage.

app.py       the commands and their options; imports nothing heavy, so that `--help` is quick
console.py   progress, messages and errors on stderr, results on stdout
show.py      what the stages report, as lines for people
"""

from graftset.cli.app import main

__all__ = ["main"]
