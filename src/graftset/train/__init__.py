"""Trains on a build and leaves a run folder behind: one file for each backend, listed in `BACKENDS`.

job.py       what a backend is given and gives back
schedule.py  which images each step shows
batches.py   what one step sees of them; all randomness follows from the step
learning.py  one optimizer step, and what must be kept to take the next one
native.py    the embedded backend: the diffusion model of this package, in this process
processor.py device, precision and threads
opening.py   the run folder of a job
kohya/       sd-scripts, in a process of its own

Importing this package loads no torch: a backend is loaded when it is asked for.
"""

from __future__ import annotations

from graftset.train.backends import BACKENDS, Backend, load_backend
from graftset.train.job import (
    BuildFiles,
    BuildStage,
    Estimate,
    Moment,
    Outcome,
    PlannedCheckpoint,
    TrainingError,
    TrainingJob,
    TrainingSet,
    TrainingStage,
)

__all__ = [
    "BACKENDS",
    "Backend",
    "BuildFiles",
    "BuildStage",
    "Estimate",
    "Moment",
    "Outcome",
    "PlannedCheckpoint",
    "TrainingError",
    "TrainingJob",
    "TrainingSet",
    "TrainingStage",
    "load_backend",
]
