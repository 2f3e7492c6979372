"""The commands, a file for each group of them.

Everything heavy is imported inside a command, so that `--help` is quick. The order here is the order `--help` lists.
"""

from graftset.cli.commands import starting, measuring, captions, reviewing, selecting, building, evaluating, looking  # isort: skip

__all__ = ["building", "captions", "evaluating", "looking", "measuring", "reviewing", "selecting", "starting"]
