"""Writes losses and scorecards of runs to experiment trackers: one file for each, listed in `TRACKERS`.

job.py         what a tracker is given
trackers.py    the table of trackers
stage.py       what of a run is new to a tracker, and what was written before
tensorboard.py event files below the run folder
mlflow.py      MLflow, in an SQLite file or at a server
wandb.py       Weights & Biases, offline or online

Importing this package loads none of their libraries: a tracker is loaded when it is asked for.
"""

from __future__ import annotations

from graftset.tracking.job import Point, Tracked, Tracker, Where
from graftset.tracking.stage import LEDGER, points_of_card, points_of_metrics, track
from graftset.tracking.trackers import TRACKERS, TrackerKind, load_tracker

__all__ = [
    "LEDGER",
    "TRACKERS",
    "Point",
    "Tracked",
    "Tracker",
    "TrackerKind",
    "Where",
    "load_tracker",
    "points_of_card",
    "points_of_metrics",
    "track",
]
