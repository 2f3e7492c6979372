"""The commands, a file for each group of them.

Everything heavy is imported inside a command, so that `--help` is quick. The order here is the order `--help` lists.
"""

from graftset.cli.commands import (  # isort: skip
    starting, measuring, captions, reviewing, selecting, building, training, sampling, evaluating, comparing,
    experiments, deciding, tracking, looking,
)  # fmt: skip

__all__ = [
    "building",
    "captions",
    "comparing",
    "deciding",
    "evaluating",
    "experiments",
    "looking",
    "measuring",
    "reviewing",
    "sampling",
    "selecting",
    "starting",
    "tracking",
    "training",
]
