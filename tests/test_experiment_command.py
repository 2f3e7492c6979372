"""`graftset experiment` and `graftset compare` as their user runs them, on a small set and a tiny model."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from graftset.build import read_build
from graftset.compare import read_comparisons
from graftset.experiments import known_experiments, read_experiment, read_experiment_prompts, write_experiment
from graftset.runs import open_run
from running import COMMAND, ENVIRONMENT, Outcome, call, sentence, told

TINY = """
[build]
plans = ["originals", "equal"]

[train]
samples = 1

[train.native]
precision = "float32"
width = 8
batch_size = 4
sampling_steps = 2

[experiment]
training = 6
candidate = 6
generic = 4
unseen = 2
"""
SMALL = ("--seeds", 2, "--steps", 8, "--checkpoints", 2)


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was expanded, without any run."""
    from graftset.drawn import draw_sample_set

    root = tmp_path_factory.mktemp("experiment")
    draw_sample_set(root / "set", originals=24, candidates=16, size=96, seed=3)
    project = root / "project"
    arguments = ("--originals", root / "set" / "originals", "--candidates", root / "set" / "candidates")
    assert call("init", project, *arguments).code == 0
    toml = project / "graftset.toml"
    text = toml.read_text()
    table = ""
    for line in TINY.strip().splitlines():
        if line.startswith("["):
            table = line
        elif line:
            at = text.index(f"\n{line.split(' = ')[0]} = ", text.index(f"\n{table}\n")) + 1
            text = text[:at] + line + text[text.index("\n", at) :]
    toml.write_text(text)
    assert call("expand", project, *arguments, "--min-score", 5).code == 0
    return project


@pytest.fixture(scope="module")
def done(expanded: Path) -> Path:
    """The project after an experiment of three arms, one of which cannot be had for want of prompts to correct."""
    outcome = call(
        "experiment", "mix", "--project", expanded, "--arms", "originals,equal,as-asked", *SMALL, "--jobs", 1
    )
    assert outcome.code == 0, outcome.err
    assert "directional only" in outcome.out
    return expanded


@pytest.fixture
def project(done: Path, tmp_path: Path) -> Path:
    """A copy of the project, to change."""
    return Path(shutil.copytree(done, tmp_path / "project"))


def test_an_experiment_is_defined_trained_evaluated_and_compared(done: Path) -> None:
    experiment = read_experiment(done / "experiments" / "mix")
    assert [arm.name for arm in experiment.arms] == ["originals", "equal", "as-asked"]
    for arm in experiment.arms:
        assert read_build(done / "builds" / arm.build).build_sha256 == arm.build_sha256
    runs = [open_run(done / "runs" / experiment.run_name(arm, seed)) for arm, seed in experiment.runs()]
    assert all(one.finished for one in runs)
    assert {one.record.prompts_sha256 for one in runs} == {experiment.prompts_sha256}
    assert {one.record.checkpoint_steps for one in runs} == {(4, 8)}
    assert {(one.record.build_sha256, one.record.seed) for one in runs} == {
        (arm.build_sha256, seed) for arm in experiment.arms for seed in (0, 1)
    }
    compared = read_comparisons(done / "experiments" / "mix" / "comparisons.json")
    assert [(one.arm.name, one.baseline.name, one.arm.seeds) for one in compared] == [
        ("equal", "originals", (0, 1)),
        ("as-asked", "originals", (0, 1)),
    ]
    assert all(one.directional and len(one.primary) == 3 for one in compared)
    for one in compared:
        for changed in one.changed:
            assert all((done / "runs" / path).is_file() for path in changed.pictures[0])


def test_its_prompts_are_more_than_a_builds_and_the_candidates_wordings_are_held_by_arms(done: Path) -> None:
    prompts = read_experiment_prompts(done / "experiments" / "mix")
    kinds = [prompt.kind for prompt in prompts]
    assert (kinds.count("training"), kinds.count("candidate")) == (6, 6)
    held = {image.caption for image in read_build(done / "builds" / "as-asked").images}
    assert {prompt.text for prompt in prompts if prompt.kind == "candidate"} <= held


def test_the_same_command_again_changes_nothing(done: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (done / "runs").rglob("*.safetensors")}
    document = call("experiment", "mix", "--project", done, "--json").json
    assert (document["trained"], len(document["unchanged"])) == ([], 6)
    assert "every run is finished" in call("experiment", "mix", "--project", done, "--dry-run").out
    assert {path: path.stat().st_mtime_ns for path in (done / "runs").rglob("*.safetensors")} == before
    assert document["comparisons"][0]["directional"] is True


def test_plain_runs_are_compared_by_the_start_of_their_names(done: Path) -> None:
    for name in ("mix-equal", "mix-equal-s", "mix-equal-s0"):
        document = call("compare", name, "mix-originals", "--project", done, "--json").json
        assert (document["arm"]["name"], document["arm"]["seeds"]) == ("mix-equal", [0, 1])
    again = call("compare", "--experiment", "mix", "--project", done, "--json").json
    assert [one["arm"]["name"] for one in again["comparisons"]] == ["equal", "as-asked"]
    for difference, other in zip(document["primary"], again["comparisons"][0]["primary"], strict=True):
        assert (difference["point"], difference["low"]) == (other["point"], other["low"])


def test_what_cannot_be_compared_is_said_in_one_sentence(done: Path) -> None:
    assert "no runs of this name" in sentence(call("compare", "nothing", "mix-originals", "--project", done))
    assert "Name two arms" in sentence(call("compare", "mix-equal", "--project", done))
    assert "no such experiment" in sentence(call("compare", "--experiment", "other", "--project", done))


def test_an_experiment_cannot_be_changed_after_it_was_defined(done: Path) -> None:
    assert "is defined with 8" in sentence(call("experiment", "mix", "--project", done, "--steps", 9))
    assert "without this arm" in sentence(call("experiment", "mix", "--project", done, "--arms", "originals,weighted"))


def test_other_builds_or_settings_than_were_defined_are_refused(project: Path) -> None:
    toml = project / "graftset.toml"
    text = toml.read_text()
    toml.write_text(text.replace("tag_dropout = 0.1", "tag_dropout = 0.2"))
    assert "training settings are others" in sentence(call("experiment", "mix", "--project", project))
    toml.write_text(text)
    folder = project / "experiments" / "mix"
    experiment = read_experiment(folder)
    other = replace(experiment.arms[1], build_sha256="0" * 64)
    arms = (experiment.arms[0], other, *experiment.arms[2:])
    write_experiment(folder, replace(experiment, arms=arms), read_experiment_prompts(folder))
    assert "another one than when the experiment mix was defined" in sentence(
        call("experiment", "mix", "--project", project)
    )


def test_an_arm_that_cannot_be_had_is_named_and_left_out(project: Path) -> None:
    document = call(
        "experiment", "random", "--project", project, "--arms", "originals,equal,sparse", *SMALL, "--dry-run", "--json"
    )
    assert "No such mixing plan" in document.err
    toml = project / "graftset.toml"
    use = '[{ images = "originals" }, { images = "best", count = 999 }]'
    toml.write_text(toml.read_text() + f"\n[plans.sparse]\n[[plans.sparse.stages]]\nuse = {use}\n")
    arguments = ("--project", project, "--arms", "originals,equal,sparse", "--jobs", 1, *SMALL)
    document = call("experiment", "sparse", *arguments, "--json").json
    assert [one["name"] for one in document["experiment"]["left_out"]] == ["sparse"]
    assert "999" in document["experiment"]["left_out"][0]["reason"]
    assert [one["arm"]["name"] for one in document["comparisons"]] == ["equal"]


def test_a_dry_run_writes_nothing(expanded: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(expanded, tmp_path / "p"))
    shutil.rmtree(project / "experiments", ignore_errors=True)
    shutil.rmtree(project / "runs", ignore_errors=True)
    shutil.rmtree(project / "builds" / "as-asked", ignore_errors=True)
    document = call("experiment", "--project", project, *SMALL, "--dry-run", "--json").json
    assert (document["runs"], document["would_build"]) == (6, ["corrected", "as-asked"])
    assert document["seconds"] > 0
    assert not (project / "experiments").exists()
    assert not (project / "runs").exists()
    assert not (project / "builds" / "as-asked").exists()


def test_contradicting_options_are_refused(done: Path) -> None:
    assert "contradict" in sentence(
        call("experiment", "--project", done, "--arms", "originals,equal", "--standard", "--dry-run")
    )


def test_known_experiments_are_listed_and_folders_that_are_none_are_named(project: Path) -> None:
    (project / "experiments" / "empty").mkdir()
    found, notes = known_experiments(project / "experiments")
    assert [one.name for one in found] == ["mix"]
    assert "experiments/empty" in notes[0]


def test_a_run_that_is_missing_is_trained_again_and_one_of_another_experiment_is_not_touched(project: Path) -> None:
    shutil.rmtree(project / "runs" / "mix-equal-s1")
    document = call("experiment", "mix", "--project", project, "--json", "--jobs", 1).json
    assert document["trained"] == ["mix-equal-s1"]
    run_json = project / "runs" / "mix-equal-s0" / "run.json"
    content = json.loads(run_json.read_text())
    run_json.write_text(json.dumps({**content, "build_sha256": "0" * 64}))
    outcome = call("experiment", "mix", "--project", project)
    assert (outcome.code, outcome.out) == (1, "")
    assert "has the name of one" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_experiment_that_is_ended_half_way_goes_on_and_ends_as_if_undisturbed(
    project: Path, how: signal.Signals
) -> None:
    """Two processes side by side; whichever way the command ends, none of them goes on for long."""
    shutil.rmtree(project / "experiments")
    arguments = ("experiment", "mix2", "--project", project, "--arms", "originals,equal", "--seeds", 2)
    arguments += ("--steps", 80, "--checkpoints", 1, "--jobs", 2)
    command = [*COMMAND, *map(str, arguments), "--json"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics = [project / "runs" / f"mix2-{arm}-s0" / "metrics.jsonl" for arm in ("originals", "equal")]
    until = time.monotonic() + 240
    while not all(path.is_file() and path.stat().st_size for path in metrics) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(how)
    process.wait(120)
    assert not open_run(metrics[0].parent).finished
    again = subprocess.run(command, env=ENVIRONMENT, capture_output=True, encoding="utf-8", timeout=500, check=False)
    outcome = told(Outcome(again.returncode, again.stdout, again.stderr))
    assert outcome.code == 0, outcome.err
    assert len(outcome.json["trained"]) == 4
    lines = [json.loads(line)["step"] for line in metrics[0].read_text().splitlines()]
    assert lines == [*range(10, 81, 10)]
