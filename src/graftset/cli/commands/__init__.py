"""The commands, a file for each group of them.

Everything heavy is imported inside a command, so that `--help` is quick. The order here is the order `--help` lists.
"""

from graftset.cli.commands import starting, measuring, captions, selecting, building, training, looking  # isort: skip

__all__ = ["building", "captions", "looking", "measuring", "selecting", "starting", "training"]
