"""The command line: one short command per stage.

app.py             the whole of it
registry.py        how a function becomes a command
commands/          the commands, a file for each group; they import nothing heavy, so that `--help` is quick
options.py         the options that several commands share
console.py         progress, messages and errors on stderr, results on stdout, exit codes
show.py            what the stages report, as lines for people and as JSON
show_builds.py     the same for builds, their check and their verification
show_standing.py   the same for where a project stands
"""

from graftset.cli.app import main

__all__ = ["main"]
