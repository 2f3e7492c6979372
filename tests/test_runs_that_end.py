"""Whether a run is trained at this moment, was stopped, or nobody here can tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from graftset.files import is_locked, lock_folder
from graftset.runs import (
    Checkpoint,
    MetricsLine,
    Run,
    RunRecord,
    append_metrics,
    create_run,
    hold_run,
    run_state,
    write_checkpoint,
)
from graftset.runs.trainer import TRAINER_LOCK, TRAINING
from graftset.workflows.side_by_side import steps_taken


@pytest.fixture
def run(tmp_path: Path) -> Run:
    record = RunRecord(
        "a-s0", "native", "a", "b" * 64, "equal", 24, 24, 8, 3, 0, 20, 32, "cpu", (10, 20), (0,), "0" * 64, 4
    )
    return create_run(tmp_path / "a-s0", record)


def test_a_run_is_trained_while_its_folder_is_held_and_stopped_afterwards(run: Run) -> None:
    assert run_state(run) == "unfinished"
    with hold_run(run) as is_ours:
        assert is_ours
        assert run_state(run) == "training"
        with lock_folder(run.folder) as again:
            assert not again
    assert run_state(run) == "stopped"
    checkpoint = Checkpoint("0000640", 20, 640, {"original": 1.0}, 0.5, 1.0, "")
    write_checkpoint(run, checkpoint, b"weights")
    assert run_state(run) == "finished"


def test_a_killed_process_holds_nothing(run: Run) -> None:
    code = (
        "import sys, time; from pathlib import Path; from graftset.runs import hold_run, open_run\n"
        "with hold_run(open_run(Path(sys.argv[1]))):\n print('held', flush=True); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code, str(run.folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert run_state(run) == "training"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run_state(run) == "stopped"


def test_what_another_machine_trained_last_is_not_said_to_be_stopped(run: Run) -> None:
    with hold_run(run):
        pass
    note = json.loads((run.folder / TRAINING).read_text())
    (run.folder / TRAINING).write_text(json.dumps(note | {"host": "a-rented-gpu"}))
    assert run_state(run) == "unfinished"
    for damaged in ("", "[]", "{}", "null"):
        (run.folder / TRAINING).write_text(damaged)
        assert run_state(run) == "unfinished"


def test_a_trainer_that_outlived_its_command_still_trains(run: Run) -> None:
    with hold_run(run):
        pass
    lock = run.folder / TRAINER_LOCK
    lock.parent.mkdir()
    lock.touch()
    assert run_state(run) == "stopped"
    with lock_folder(lock):  # a file is locked like a folder
        assert run_state(run) == "training"
    assert run_state(run) == "stopped"


def test_those_who_ask_do_not_see_one_another(tmp_path: Path) -> None:
    assert is_locked(tmp_path) is False
    assert is_locked(tmp_path / "nothing") is None
    with lock_folder(tmp_path):
        assert is_locked(tmp_path) is True
    assert is_locked(tmp_path) is False


def test_how_far_a_run_is_follows_from_the_end_of_its_metrics(run: Run) -> None:
    assert steps_taken(run.folder) == 0
    for step in range(10, 1010, 10):
        append_metrics(run, MetricsLine(step, 32 * step, 0.1, 0.5, 1e-3, 0.1))
        assert steps_taken(run.folder) == step
    with (run.folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 1010, "ima')  # cut short by a kill
    assert steps_taken(run.folder) == 1000
    (run.folder / "metrics.jsonl").write_text("damaged\n")
    assert steps_taken(run.folder) == 0
