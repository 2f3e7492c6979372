"""Who trains a run, told from outside: whether it goes on, was stopped, or nobody here can know.

While a run is trained, its process holds the lock of the run folder, and a trainer of a process of its own that of
trainer/lock. The kernel gives both back when the process ends, by kill -9 too. A free lock says nothing of another
machine, to which a folder may have been copied or mounted: training.json names the one that trained last.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from graftset.files import is_locked, lock_folder, write_whole
from graftset.runs.folder import Run
from graftset.runs.lines import to_json

TRAINING = "training.json"
TRAINER_LOCK = "trainer/lock"  # of a trainer that outlives the command that started it
_PATIENCE = 2.0  # seconds

# "stopped": this machine trained it last and trains it no more; "unfinished": nobody here can tell whether it goes on.
RunState = Literal["training", "stopped", "unfinished", "finished"]


@contextmanager
def hold_run(run: Run) -> Iterator[bool]:
    """Hold a run folder while it is trained, and note who does; gives False where another process holds it.

    Raises:
        UserError: The note cannot be written.
    """
    with lock_folder(run.folder, patience=_PATIENCE) as is_ours:
        if is_ours:
            note = {
                "host": platform.node(),
                "pid": os.getpid(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            write_whole(run.folder / TRAINING, to_json(note))
        yield is_ours


def run_state(run: Run) -> RunState:
    """Where a run stands, without a claim on what another machine does."""
    if run.finished:
        return "finished"
    held = is_locked(run.folder)
    if held or is_locked(run.folder / TRAINER_LOCK):
        return "training"
    return "stopped" if held is False and _trained_here(run) else "unfinished"


def _trained_here(run: Run) -> bool:
    """Whether this machine was the last to train a run."""
    try:
        note = json.loads((run.folder / TRAINING).read_bytes())
        return bool(note["host"] == platform.node())
    except (OSError, ValueError, KeyError, TypeError):
        return False
