"""`graftset train --backend kohya` as its user runs it, with a stand-in for sd-scripts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from graftset.records import SamplePrompt
from graftset.runs import Run, open_run, read_samples
from graftset.train.kohya import driver
from graftset.train.kohya.collecting import sample_prompts
from graftset.trainerfiles import read_header
from graftset.workflows.training import stored_prompts
from running import COMMAND, ENVIRONMENT, Outcome, call, sentence
from sd_scripts_project import STAND_IN, flags_build, stand_in_toml


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose trainer is the stand-in, with a build of 6 originals and 3 generated: 3 epochs of 3 steps."""
    (tmp_path / "graftset.toml").write_text(stand_in_toml(tmp_path))
    for name in ("originals", "generated"):
        (tmp_path / name).mkdir()
    flags_build(tmp_path / "builds" / "equal", "equal")
    return tmp_path


def train(project: Path, plan: str = "equal", *options: object) -> Outcome:
    return call("train", "--project", project, "--plan", plan, *map(str, options))


def weights(run: Run) -> list[bytes]:
    """The tensors of every checkpoint, without the metadata, which holds times."""
    found = []
    for checkpoint in run.checkpoints():
        path = run.weights_file(checkpoint.name)
        header = read_header(path)
        content = path.read_bytes()
        found.append(b"".join(content[tensor.begin : tensor.end] for tensor in header.tensors.values()))
    return found


def test_a_run_leaves_checkpoints_pictures_and_losses(project: Path) -> None:
    done = train(project, "equal", "--json")
    assert done.code == 0
    assert (done.json["steps"], done.json["resumed_at"], done.json["unchanged"]) == (9, 0, False)
    assert "9 steps, 3 checkpoints with 2 pictures each; on cpu" in done.err
    assert "--mixed_precision no" in done.err
    run = open_run(project / "runs" / "equal-s0")
    assert (run.record.backend, run.record.plan, run.record.device) == ("kohya", "equal", "cpu")
    assert [c.step for c in run.checkpoints()] == [3, 6, 9] == list(run.record.checkpoint_steps)
    assert [c.images_seen for c in run.checkpoints()] == [9, 18, 27]
    assert [c.epoch for c in run.checkpoints()] == [1, 2, 3]
    assert [c.exposures for c in run.checkpoints()] == [{"original": n, "generated": n} for n in (1.0, 2.0, 3.0)]
    assert [line.step for line in run.metrics()] == list(range(1, 10))
    assert run.checkpoints()[-1].loss == pytest.approx(0.1)
    samples = read_samples(run.samples_folder("0000018"))
    assert [(s.prompt_id, s.prompt, s.seed) for s in samples] == [
        ("training-000", "the first prompt", 1000),
        ("generic-000", "the second prompt (with brackets)", 1001),
    ]
    assert all((run.samples_folder("0000018") / s.file).is_file() for s in samples)
    assert not list((run.folder / "trainer").rglob("*-state"))  # nothing goes on from a finished run
    again = train(project)
    assert again.out.startswith("unchanged ")


def test_more_samples_take_the_seeds_that_follow(project: Path) -> None:
    settings = project / "graftset.toml"
    settings.write_text(settings.read_text().replace("samples = 1", "samples = 2"))
    assert train(project).code == 0
    run = open_run(project / "runs" / "equal-s0")
    samples = read_samples(run.samples_folder("0000009"))
    assert [(s.prompt_id, s.seed) for s in samples] == [
        ("training-000", 1000),
        ("generic-000", 1001),
        ("training-000", 1002),
        ("generic-000", 1003),
    ]


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_builds_own_prompts_are_painted_by_its_own_lines(project: Path, seeds: int) -> None:
    build = project / "builds" / "equal"
    lines = (build / "sample_prompts.txt").read_text(encoding="utf-8")
    own = [line for line in lines.splitlines() if not line.startswith("#")]
    written = sample_prompts(lines, stored_prompts(build / "prompts.json"), seeds).splitlines()
    assert written[: len(own)] == own
    assert len(written) == seeds * len(own)


def test_prompts_that_are_not_the_builds_are_painted_as_it_says() -> None:
    asked = [SamplePrompt("a", "generic", "a (lad)", {}, None), SamplePrompt("b", "generic", "w 12", {}, None)]
    lines = "# comment\nother --n blur --w 64 --h 96 --d 40 --s 5 --l 7\n"
    assert sample_prompts(lines, asked, 1).splitlines() == [
        "a \\(lad\\) --n blur --w 64 --h 96 --d 40 --s 5 --l 7",
        "(w:1.0) 12 --n blur --w 64 --h 96 --d 41 --s 5 --l 7",
    ]


@pytest.mark.parametrize(("plan", "steps"), [("weighted", [4, 8, 12]), ("sequential", [2, 5, 8])])
def test_plans_train_as_they_are_built(project: Path, plan: str, steps: list[int]) -> None:
    flags_build(project / "builds" / plan, plan)
    assert train(project, plan).code == 0
    run = open_run(project / "runs" / f"{plan}-s0")
    assert [c.step for c in run.checkpoints()] == steps
    assert len(run.sampled()) == 3
    assert run.finished
    commands = [json.loads(path.read_text())["command"] for path in sorted(run.folder.rglob(f"*/{driver.ATTEMPT}"))]
    if plan == "sequential":
        assert "--network_weights" not in commands[0]
        at = commands[1].index("--network_weights")
        assert commands[1][at + 1].endswith("stage1/attempt1/sequential.safetensors")
        assert "--dim_from_weights" in commands[1]


def test_the_seed_and_the_epochs_asked_for_reach_the_trainer(project: Path) -> None:
    settings = project / "graftset.toml"
    settings.write_text(settings.read_text() + 'epochs = 2\narguments = ["--network_dropout", "0.1"]\n')
    assert train(project, "equal", "--seed", 7).code == 0
    run = open_run(project / "runs" / "equal-s7")
    assert [c.step for c in run.checkpoints()] == [3, 6]
    metadata = read_header(run.weights_file("0000018")).metadata
    assert (metadata["ss_seed"], metadata["ss_num_epochs"]) == ("7", "2")


def test_accelerate_launches_it_in_one_process(project: Path) -> None:
    settings = project / "graftset.toml"
    settings.write_text(settings.read_text().replace('launcher = "python"', 'launcher = "accelerate"'))
    assert train(project).code == 0
    run = open_run(project / "runs" / "equal-s0")
    command = json.loads((run.folder / "trainer/stage1/attempt1" / driver.ATTEMPT).read_text())["command"]
    assert command[1:5] == ["-m", "accelerate.commands.launch", "--num_processes", "1"]
    assert run.finished


def started(project: Path, *options: str, seconds: float = 0.15) -> subprocess.Popen[str]:
    """Training in a process of its own, slowly."""
    return subprocess.Popen(
        [*COMMAND, "train", "--project", str(project), *options],
        env=ENVIRONMENT | {"STAND_IN_SECONDS": str(seconds)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 60
    while not list(folder.glob(pattern)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("by", ["epochs", "steps", "stages"])
def test_killed_with_its_trainer_it_goes_on_to_the_weights_of_a_run_never_stopped(project: Path, by: str) -> None:
    plan = {"stages": "sequential", "steps": "budget", "epochs": "equal"}[by]
    if by == "steps":
        flags_build(project / "builds" / plan, "equal", steps=20)
    if by == "stages":
        flags_build(project / "builds" / plan, plan)
    assert train(project, plan, "--name", "whole").code == 0
    folder = project / "runs" / "killed"
    process = started(project, "--plan", plan, "--name", "killed")
    wait_for(
        process, folder, "trainer/stage2/attempt1/*-000001-state/random*" if by == "stages" else "checkpoints/*8.json"
    )
    trainer = folder / "trainer"
    process.kill()
    for name in (driver.DRIVER_PID, driver.TRAINER_PID):
        driver.end_group(int((trainer / name).read_text()), signal.SIGKILL)
    process.communicate(timeout=60)
    assert not driver.is_busy(trainer)
    done = train(project, plan, "--name", "killed", "--json")
    assert done.code == 0, done.err
    assert done.json["resumed_at"] > 0
    assert "goes on after step" in done.err
    whole, killed = (open_run(project / "runs" / name) for name in ("whole", "killed"))
    assert [c.name for c in killed.checkpoints()] == [c.name for c in whole.checkpoints()]
    assert len(killed.sampled()) == len(whole.sampled())
    assert [line.step for line in killed.metrics()] == [line.step for line in whole.metrics()]
    if by != "steps":  # an epoch that is begun anew shows its first images again
        assert weights(killed) == weights(whole)


def test_a_budget_ends_at_its_step_after_a_resumption(project: Path) -> None:
    flags_build(project / "builds" / "budget", "equal", steps=20)  # checkpoints every 2 steps, epochs of 3
    os.environ["STAND_IN"] = "die@9"
    try:
        assert "Training ended at step" in sentence(quiet(train(project, "budget")))
    finally:
        del os.environ["STAND_IN"]
    assert train(project, "budget").code == 0
    run = open_run(project / "runs" / "budget-s0")
    assert [c.step for c in run.checkpoints()] == list(range(2, 21, 2))
    attempt = json.loads((run.folder / "trainer/stage1/attempt2" / driver.ATTEMPT).read_text())
    assert attempt["from_step"] == 8
    assert attempt["command"][attempt["command"].index("--initial_step") + 1] == "8"


def quiet(outcome: Outcome) -> Outcome:
    """An outcome without what was said before the error."""
    return Outcome(outcome.code, outcome.out, outcome.err.splitlines(keepends=True)[-1])


def test_a_second_resumption_goes_on_where_the_first_one_was(project: Path) -> None:
    flags_build(project / "builds" / "long", "equal", epochs=5)
    assert train(project, "long", "--name", "whole").code == 0
    for step in (8, 5):  # each counted from its own start: steps 8 and 11 of the run
        os.environ["STAND_IN"] = f"die@{step}"
        try:
            assert train(project, "long").code == 1
        finally:
            del os.environ["STAND_IN"]
    assert train(project, "long").code == 0
    run = open_run(project / "runs" / "long-s0")
    assert [json.loads(p.read_text())["from_step"] for p in sorted(run.folder.rglob(driver.ATTEMPT))] == [0, 6, 9]
    assert weights(run) == weights(open_run(project / "runs" / "whole"))


def test_pictures_that_a_kill_prevented_are_painted_first(project: Path) -> None:
    os.environ["STAND_IN"] = "die@7"
    try:
        assert train(project).code == 1
    finally:
        del os.environ["STAND_IN"]
    run = open_run(project / "runs" / "equal-s0")
    shutil.rmtree(run.samples_folder("0000018"))
    for picture in (run.folder / "trainer").rglob("*_e000002_01_*.png"):
        picture.write_bytes(picture.read_bytes()[:50])  # cut short by the kill
    assert train(project).code == 0
    attempt = json.loads((run.folder / "trainer/stage1/attempt2" / driver.ATTEMPT).read_text())
    assert "--sample_at_first" in attempt["command"]
    assert len(run.sampled()) == 3


def test_a_kill_of_this_process_leaves_training_be(project: Path) -> None:
    process = started(project, "--plan", "equal")
    wait_for(process, project / "runs/equal-s0", "trainer/stage1/attempt1/*000001.safetensors")
    process.kill()
    process.communicate(timeout=60)
    assert driver.is_busy(project / "runs/equal-s0/trainer")
    assert train(project).code == 0
    run = open_run(project / "runs" / "equal-s0")
    assert run.finished
    assert len(list(run.folder.rglob(driver.ATTEMPT))) == 1  # it was watched, not begun again


def test_a_trainer_whose_driver_was_killed_is_waited_for(project: Path) -> None:
    flags_build(project / "builds" / "sequential", "sequential")
    process = started(project, "--plan", "sequential")
    trainer = project / "runs/sequential-s0/trainer"
    wait_for(process, trainer, "stage1/attempt1/log.txt")
    process.kill()
    os.kill(int((trainer / driver.DRIVER_PID).read_text()), signal.SIGKILL)
    process.communicate(timeout=60)
    assert driver.is_busy(trainer)
    assert train(project, "sequential").code == 0
    run = open_run(project / "runs" / "sequential-s0")
    assert run.finished
    assert len(list(run.folder.rglob(driver.ATTEMPT))) == 2  # one for each stage: nothing was trained twice


def test_a_build_without_prompts_trains_without_pictures(project: Path) -> None:
    flags_build(project / "builds" / "silent", "equal", prompts=())
    assert train(project, "silent").code == 0
    run = open_run(project / "runs" / "silent-s0")
    assert (run.finished, run.record.prompts, len(run.sampled())) == (True, 0, 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_ends_the_trainer_too(project: Path, number: signal.Signals, code: int) -> None:
    process = started(project, "--plan", "equal")
    wait_for(process, project / "runs/equal-s0", "checkpoints/0000009.json")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("stopped: what was finished is kept")
    assert not driver.is_busy(project / "runs/equal-s0/trainer")
    assert train(project).code == 0


FAILURES = [
    ("die@4", "the trainer ended with code 1: ValueError: something in the trainer is wrong", "See "),
    ("oom@4", "it ran out of memory", "--gradient_checkpointing"),
    ("nan@5", "the loss is no number any more", "Lower the learning rates"),
    ("full@4", "the disk is full", "Make room"),
    ("killed@4", "the trainer was killed, which the system does where memory runs out", "Run the same command again"),
]


@pytest.mark.parametrize(("failure", "why", "remedy"), FAILURES)
def test_what_ends_a_trainer_is_said_in_a_sentence_and_what_is_finished_is_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch, failure: str, why: str, remedy: str
) -> None:
    monkeypatch.setenv("STAND_IN", failure)
    monkeypatch.setenv("STAND_IN_SECONDS", "0.05")
    said = sentence(quiet(train(project)))
    assert why in said
    assert remedy in said
    assert "the last good checkpoint, 0000009 (step 3), is kept" in said
    run = open_run(project / "runs" / "equal-s0")
    assert [c.name for c in run.checkpoints()] == ["0000009"]
    assert [c.name for c in run.sampled()] == ["0000009"]


@pytest.mark.parametrize(
    ("failure", "why"), [("cut@9", "it is cut short: "), ("alien@9", "it is no LoRA: it holds tensors such as")]
)
def test_a_last_checkpoint_that_is_no_lora_is_no_success(
    project: Path, monkeypatch: pytest.MonkeyPatch, failure: str, why: str
) -> None:
    monkeypatch.setenv("STAND_IN", failure)
    said = sentence(quiet(train(project)))
    assert why in said or "the trainer ended with code" in said
    assert "the last good checkpoint, 0000018 (step 6), is kept" in said


def change(project: Path, old: str, new: str) -> None:
    settings = project / "graftset.toml"
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new))


def test_what_is_missing_is_said_before_anything_is_started(project: Path, tmp_path: Path) -> None:
    text = (project / "graftset.toml").read_text()

    def said(old: str, new: str) -> str:
        (project / "graftset.toml").write_text(text)
        change(project, old, new)
        return sentence(train(project))

    assert "There is no sd-scripts here: train_network.py is missing" in said(str(STAND_IN), "nowhere")
    assert "Training with kohya needs sd-scripts" in said(str(STAND_IN), "")
    assert "interpreter cannot be started" in said("python-of-the-trainer", "no-python")
    assert "There is no base model here" in said(f"{tmp_path}/model", f"{tmp_path}/nothing")
    assert "decided by the build" in said('launcher = "python"', 'arguments = ["--max_train_steps", "4"]')
    assert "is no checkpoint" not in said(f"{tmp_path}/model", f"{tmp_path}/cut.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    assert "The base model cannot be read: it is cut short" in said(f"{tmp_path}/model", f"{tmp_path}/cut.safetensors")
    (tmp_path / "model" / "model_index.json").write_text('{"_class_name": "StableDiffusionXLPipeline"}')
    (project / "graftset.toml").write_text(text)
    assert "This base model is SDXL, and the build is for SD 1.5" in sentence(train(project))
    assert not (project / "runs" / "equal-s0").exists()


def test_another_version_of_sd_scripts_is_told_by_what_it_lacks(project: Path, tmp_path: Path) -> None:
    older = shutil.copytree(STAND_IN, tmp_path / "older")
    schema = older / "library" / "config_util.py"
    schema.write_text(schema.read_text().replace("resize_interpolation", ""))
    change(project, str(STAND_IN), str(older))
    said = sentence(train(project))
    assert "This sd-scripts is another version: it does not know resize_interpolation" in said
    assert "git checkout 48d368fa" in said


def test_an_interpreter_without_the_requirements_is_told_by_name(project: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(STAND_IN, tmp_path / "bare")
    (bare / "packages" / "voluptuous.py").unlink()
    (tmp_path / "python-of-the-trainer").write_text(
        (tmp_path / "python-of-the-trainer").read_text().replace(str(STAND_IN), str(bare))
    )
    said = sentence(train(project))
    assert "The trainer's interpreter lacks voluptuous" in said
    assert "requirements.txt" in said


def test_a_disk_that_is_too_small_is_told_before(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(project)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000_000))
    said = sentence(train(project))
    assert "The disk is too small for this run: about" in said
    assert "0.1 GB are free" in said


def test_options_that_do_not_go_with_it_are_refused(project: Path) -> None:
    assert "sd-scripts takes the 9 steps of the build (--steps: 4)" in sentence(train(project, "equal", "--steps", 4))
    flags_build(project / "builds" / "budget", "equal", steps=20)
    change(project, 'launcher = "python"', "epochs = 4")
    assert "This build has a budget of 20 steps" in sentence(train(project, "budget"))


def test_a_dry_run_looks_at_everything_and_writes_nothing(project: Path) -> None:
    done = train(project, "equal", "--dry-run", "--json")
    assert (done.json["seconds"], done.json["steps"], done.json["checkpoints"]) == (None, 9, 3)
    assert not (project / "runs" / "equal-s0").exists()
