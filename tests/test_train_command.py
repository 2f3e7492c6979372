"""`graftset train` as its user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from graftset.runs import open_run, read_samples, run_state
from graftset.train import native
from running import COMMAND, ENVIRONMENT, Outcome, call, sentence, told
from test_train_native import traces
from training_sets import make_build

TOML = """
[project]
originals = "originals"
candidates = "generated"

[train]
samples = 1

[train.native]
precision = "float32"
width = 8
batch_size = 4
sampling_steps = 2
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a build that trains in a moment."""
    (tmp_path / "graftset.toml").write_text(TOML)
    for name in ("originals", "generated"):
        (tmp_path / name).mkdir()
    make_build(tmp_path / "builds" / "mixed", "weighted")
    return tmp_path


def test_a_plan_finds_its_build_and_a_second_call_changes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call("train", "--project", project, "--plan", "weighted", "--steps", 12, "--json")
    assert done.code == 0
    assert done.json["folder"] == str(project / "runs" / "mixed-s0")
    assert (done.json["steps"], done.json["resumed_at"], done.json["unchanged"]) == (12, 0, False)
    prompts = json.loads((project / "builds" / "mixed" / "prompts.json").read_text())
    assert f"12 steps, 10 checkpoints with {len(prompts)} pictures each" in done.err
    record = open_run(project / "runs" / "mixed-s0").record
    assert (record.plan, record.originals, record.generated, record.width, record.height) == ("weighted", 6, 3, 8, 12)
    monkeypatch.setattr(native, "estimate", lambda job: pytest.fail("the machine was timed for nothing"))
    again = call("train", "--project", project, "--plan", "weighted", "--steps", 12)
    assert again.out.startswith("unchanged ")
    assert again.err == ""


def test_arms_of_a_project_share_palette_prompts_and_first_weights(project: Path) -> None:
    make_build(project / "builds" / "originals", "originals")
    for plan in ("weighted", "originals"):
        assert call("train", "--project", project, "--plan", plan, "--steps", 1, "--seed", 4).code == 0
    runs = [open_run(project / "runs" / name) for name in ("mixed-s4", "originals-s4")]
    assert len({run.record.settings["palette"] for run in runs}) == 1
    assert len({run.record.prompts_sha256 for run in runs}) == 1
    samples = [read_samples(run.samples_folder(run.checkpoints()[0].name)) for run in runs]
    assert samples[0] == samples[1]


def test_a_dry_run_says_how_long_and_writes_nothing(project: Path) -> None:
    done = call("train", "--project", project, "--plan", "weighted", "--steps", 500, "--dry-run", "--json")
    assert done.json["steps"] == 500
    assert done.json["seconds"] > 0
    assert done.json["prompts"] == len(json.loads((project / "builds" / "mixed" / "prompts.json").read_text()))
    assert not (project / "runs").exists()


def test_a_build_outside_of_any_project_is_trained_too(tmp_path: Path) -> None:
    build = make_build(tmp_path / "elsewhere" / "equal")
    done = call("train", "--project", tmp_path, "--build", build, "--steps", 1, "--name", "alone", "--device", "cpu")
    assert done.code == 0
    assert open_run(tmp_path / "runs" / "alone").finished


def test_what_cannot_be_trained_is_said_in_a_sentence(project: Path) -> None:
    here = ("train", "--project", project)
    assert "Give one of --plan and --build" in sentence(call(*here))
    assert "there is mixed (--plan: 'equal')" in sentence(call(*here, "--plan", "equal"))
    assert "There is no such training backend" in sentence(call(*here, "--plan", "weighted", "--backend", "magic"))
    assert "There is no such kind of device" in sentence(call(*here, "--plan", "weighted", "--device", "abacus"))
    assert "Use one of: auto, cpu" in sentence(call(*here, "--plan", "weighted", "--device", "mps"))
    assert "plain folder name" in sentence(call(*here, "--plan", "weighted", "--name", "../x"))


def test_without_torch_the_error_says_how_to_install_it(project: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    path = os.pathsep.join([str(hidden), ENVIRONMENT["PYTHONPATH"]])
    done = subprocess.run(
        [*COMMAND, "train", "--project", str(project), "--plan", "weighted"],
        env=ENVIRONMENT | {"PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    told_of = sentence(told(Outcome(done.returncode, done.stdout, done.stderr)))
    assert "needs torch, which is not installed" in told_of
    assert "pip install 'graftset[train]'" in told_of


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_command_that_is_stopped_or_killed_goes_on_to_the_same_weights(
    project: Path, number: signal.Signals, code: int
) -> None:
    options = ["train", "--project", str(project), "--plan", "weighted", "--steps", "40"]
    process = subprocess.Popen(
        [*COMMAND, *options, "--name", "run"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(project.glob("runs/run/checkpoints/*.json"))[2:] and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    assert run_state(open_run(project / "runs" / "run")) == "training"
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert err.splitlines()[-1].startswith("stopped: what was finished is kept")
    (listed,) = call("runs", "--project", project, "--json").json["runs"]
    assert listed["state"] == "stopped"
    assert listed["resume"] == f"graftset train --plan mixed --steps 40 --name run --project {project}"
    assert listed["resume"] in call("runs", "--project", project).out
    (known,) = call("status", "--project", project, "--json").json["runs"]
    assert (known["state"], known["finished"], known["resume"]) == ("stopped", False, listed["resume"])
    done = call(*options, "--name", "run", "--json")
    assert done.json["resumed_at"] > 0
    (project / "runs" / "run").rename(project / "runs" / "stopped")
    assert call(*options, "--name", "run").code == 0
    assert traces(project / "runs" / "stopped") == traces(project / "runs" / "run")
