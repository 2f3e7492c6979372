"""`graftset runs import` and `graftset train --script` as their user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from PIL import Image
from tensorboardX import SummaryWriter

from graftset.runs import open_run, read_samples
from running import call, pictures, sentence
from sd_scripts_project import STAND_IN, stand_in_toml
from test_trainer_files import lora


@pytest.fixture(scope="module")
def trained(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a build, and what sd-scripts left of it by `train.sh`, outside of graftset, in `output`."""
    folder = tmp_path_factory.mktemp("trained")
    project = folder / "project"
    assert call("init", project, *pictures(sample)).code == 0
    toml = stand_in_toml(folder)
    settings = (project / "graftset.toml").read_text()
    settings = settings[: settings.index("[train]")] + toml[toml.index("[train]") :]
    settings = settings.replace("size = 0", "size = 64").replace("epochs = 10", "epochs = 3")
    for kind, count in (("training", 6), ("candidate", 4), ("generic", 6), ("unseen", 4)):
        settings = settings.replace(f"{kind} = {count}", f"{kind} = 1")
    (project / "graftset.toml").write_text(settings)
    for stage in (("ingest",), ("assess",), ("caption",), ("select", "--count", "8", "--min-score", "3")):
        assert call(*stage, "--project", project).code == 0
    assert call("build", "--project", project, "--plan", "equal").code == 0
    done = subprocess.run(
        [str(project / "builds" / "equal" / "train.sh"), "--seed", "5"],
        env=os.environ
        | {
            "MODEL": str(folder / "model"),
            "SD_SCRIPTS": str(STAND_IN),
            "PYTHON": str(folder / "python-of-the-trainer"),
            "OUTPUT": str(folder / "output"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # What the evaluator fits on the originals is remembered by the project; its copies find it there.
    options = ("--samples", folder / "output" / "sample", "--prompts", prompts_of(project), "--name", "first")
    assert call("evaluate", *options, "--project", project).code == 0
    return folder


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Path:
    """A copy of that project to import into."""
    return Path(shutil.copytree(trained / "project", tmp_path / "project"))


def prompts_of(project: Path) -> Path:
    return project / "builds" / "equal" / "sample_prompts.txt"


def test_a_past_run_of_sd_scripts_is_imported_and_evaluated(trained: Path, project: Path) -> None:
    done = call(
        "runs", "import", trained / "output", "--project", project, "--prompts", prompts_of(project),
        "--build", "equal", "--name", "past", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (done.json["checkpoints"], done.json["weights"], done.json["sampled"]) == (3, 3, 3)
    assert done.json["unit"] == "step"
    run = open_run(project / "runs" / "past")
    build = json.loads((project / "builds" / "equal" / "manifest.json").read_text())
    planned = build["plan"]["checkpoints"]
    assert [c.step for c in run.checkpoints()] == [point["step"] for point in planned]
    assert [c.images_seen for c in run.checkpoints()] == [point["images_seen"] for point in planned]
    assert [c.exposures["original"] for c in run.checkpoints()] == [point["exposures"] for point in planned]
    assert (run.record.seed, run.record.build_sha256) == (5, build["build_sha256"])
    samples = read_samples(run.samples_folder(run.checkpoints()[0].name))
    prompts = json.loads((project / "builds" / "equal" / "prompts.json").read_text())
    assert [s.prompt for s in samples] == [prompt["text"] for prompt in prompts]
    assert samples[0].kind == "training"
    assert samples[0].reference == prompts[0]["reference"]
    evaluated = call("evaluate", "past", "--project", project, "--json")
    assert len(evaluated.json["evaluated"]) == 3
    assert call("runs", "past", "--project", project).out.startswith("past: finished, 3 of 3 checkpoints, 3 evaluated")
    again = call("runs", "import", trained / "output", "--project", project, "--prompts", prompts_of(project),
                 "--build", "equal", "--name", "past")  # fmt: skip
    assert again.out.startswith("unchanged ")


def test_losses_that_tensorboard_logged_come_with_the_run(project: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    lora(old / "a-000001.safetensors", metadata={"ss_num_epochs": "2", "ss_num_batches_per_epoch": "4"})
    lora(old / "a.safetensors", metadata={"ss_num_epochs": "2", "ss_num_batches_per_epoch": "4", "ss_epoch": "2"})
    for start, steps in (("1", range(1, 7)), ("2", range(5, 9))):  # stopped after step 6, gone on after step 4
        with SummaryWriter(str(old / "logs" / start / "network_train")) as writer:
            for step in steps:
                writer.add_scalar("loss/current", 1 / step + (start == "2"), step, walltime=100 * int(start) + step)
                writer.add_scalar("lr/unet", 1e-4, step)
    events = next((old / "logs" / "2").rglob("events*"))
    events.write_bytes(events.read_bytes()[:-5])  # cut short by the kill of the trainer
    done = call("runs", "import", old, "--project", project, "--json")
    assert (done.json["unit"], done.json["checkpoints"]) == ("step", 2)
    lines = open_run(project / "runs" / "a").metrics()
    assert [line.step for line in lines] == list(range(1, 9))
    assert [line.loss for line in lines] == pytest.approx([1 / n + (n > 4) for n in range(1, 9)])
    assert lines[0].lr == pytest.approx(1e-4)
    assert [c.loss for c in open_run(project / "runs" / "a").checkpoints()] == pytest.approx([0.25, 1.125])


def test_without_prompts_or_build_what_is_not_known_is_said(trained: Path, project: Path) -> None:
    done = call("runs", "import", trained / "output", "--project", project)
    assert done.code == 0
    assert "Its pictures are left out: name the prompts" in done.out
    assert "Which build it was trained on is not known" in done.out
    run = open_run(project / "runs" / "equal")
    assert (run.record.build, run.record.originals, run.record.backend) == ("", 0, "imported")
    assert all(not checkpoint.exposures for checkpoint in run.checkpoints())
    assert run.record.notes


def test_a_build_that_the_metadata_contradicts_is_refused(trained: Path, project: Path) -> None:
    assert call("build", "--project", project, "--plan", "originals").code == 0
    said = sentence(call("runs", "import", trained / "output", "--project", project, "--build", "originals"))
    assert "The run was trained on another build" in said


def test_folders_of_pictures_by_epoch_are_a_run(trained: Path, project: Path, tmp_path: Path) -> None:
    for epoch in (2, 4, 10):
        folder = tmp_path / "pictures" / f"epoch_{epoch}"
        folder.mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (64, 64), (10 * epoch, 40 * number, 90)).save(folder / f"{number}.png")
    (tmp_path / "pictures" / "prompts.txt").write_text("a lady, red background\na lad, blue background\n")
    done = call("runs", "import", tmp_path / "pictures", "--project", project, "--json")
    assert (done.json["checkpoints"], done.json["weights"], done.json["unit"]) == (3, 0, "epoch")
    run = open_run(project / "runs" / "pictures")
    assert [(c.name, c.epoch, c.images_seen) for c in run.checkpoints()] == [
        ("epoch-000002", 2, 0),
        ("epoch-000004", 4, 0),
        ("epoch-000010", 10, 0),
    ]
    evaluated = call("evaluate", "pictures", "--project", project, "--json")
    places = evaluated.json["checkpoints_evaluated"]
    assert [(place["step"], place["epoch"], place["images_seen"]) for place in places] == [
        (None, 2, None),
        (None, 4, None),
        (None, 10, None),
    ]
    assert "Which build this run was trained on is not known" in " ".join(evaluated.json["notes"])


def test_files_that_cannot_be_used_are_left_out_with_a_reason(project: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "a-000001-state").mkdir(parents=True)
    lora(old / "a-000001.safetensors")
    lora(old / "a-000001-state" / "model.safetensors")
    whole = lora(old / "a-000002.safetensors").read_bytes()
    (old / "a-000002.safetensors").write_bytes(whole[:-7])
    lora(old / "a-000003.safetensors", value=float("nan"))
    (old / "a-000004.safetensors").write_bytes(b"<html>not found</html>")
    done = call("runs", "import", old, "--project", project, "--json")
    reasons = {Path(skip["path"]).name: skip["reason"] for skip in done.json["skipped"]}
    assert reasons["a-000002.safetensors"].startswith("it is cut short: ")
    assert reasons["a-000003.safetensors"] == "lora_unet_x.lora_down.weight holds numbers that are not finite"
    assert reasons["a-000004.safetensors"] == "it is no safetensors file"
    assert len(reasons) == 3
    assert done.json["checkpoints"] == 1


def test_several_runs_in_a_folder_are_told_apart(project: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("a-000001", "a", "b-000001"):
        lora(old / f"{name}.safetensors")
    assert "LoRA files of 2 runs here: a, b" in sentence(call("runs", "import", old, "--project", project))
    done = call("runs", "import", old, "--project", project, "--files", "b", "--json")
    assert (done.json["run"], done.json["checkpoints"]) == ("b", 1)


def test_what_cannot_be_imported_is_said_in_a_sentence(project: Path, tmp_path: Path) -> None:
    here = ("runs", "import")
    assert "There is no such folder or archive" in sentence(call(*here, tmp_path / "no", "--project", project))
    (tmp_path / "empty").mkdir()
    assert "There is no usable LoRA" in sentence(call(*here, tmp_path / "empty", "--project", project))
    (tmp_path / "x.tar.gz").write_bytes(b"nothing")
    assert "cannot be unpacked" in sentence(call(*here, tmp_path / "x.tar.gz", "--project", project))
    assert "What is to be imported?" in sentence(call("runs", "import", "--project", project))
    assert "A folder goes with the word import" in sentence(call("runs", "a", tmp_path / "empty", "--project", project))
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "pictures" / "0.png")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    assert "This is a run folder of graftset already" in sentence(call(*here, tmp_path / "run", "--project", project))
    assert "The prompts of these pictures are not known" in sentence(
        call(*here, tmp_path / "pictures", "--project", project)
    )


def run_sh(folder: Path, trained: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "run.sh")],
        env=os.environ
        | {
            "MODEL": str(trained / "model"),
            "SD_SCRIPTS": str(STAND_IN),
            "PYTHON": str(trained / "python-of-the-trainer"),
        }
        | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_trains_elsewhere_and_its_results_come_back(trained: Path, project: Path, tmp_path: Path) -> None:
    there = tmp_path / "rented" / "job"
    done = call("train", "--project", project, "--plan", "equal", "--seed", 3, "--script", there, "--json")
    assert (done.json["run"], Path(done.json["folder"])) == ("equal-s3", there)
    assert not (project / "runs" / "equal-s3").exists()
    assert "Something is there already" in sentence(
        call("train", "--project", project, "--plan", "equal", "--script", there)
    )
    for file in there.rglob("*"):  # nothing in it names a place on this machine
        if file.is_file() and file.suffix in (".json", ".sh", ".toml", ".txt"):
            assert str(tmp_path) not in file.read_text(encoding="utf-8"), file
    moved = shutil.move(there, tmp_path / "rented" / "moved")
    ended = run_sh(Path(moved), trained, STAND_IN="die@8")
    assert ended.returncode == 1
    archive = Path(moved) / "equal-s3-results.tar.gz"
    early = call("runs", "import", archive, "--project", project, "--json")
    assert early.json["kind"] == "results"
    assert "Training there ended at step" in early.json["notes"][0]
    first = early.json["checkpoints"]
    assert 0 < first < 3
    ended = run_sh(Path(moved), trained)
    assert ended.returncode == 0, ended.stderr
    assert "results: " in ended.stdout
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    assert not any("-state" in name for name in names)
    assert not any(name.endswith("_original") for name in names)  # the pictures stay there
    done = call("runs", "import", archive, "--project", project, "--json")
    assert (done.json["checkpoints"], done.json["sampled"]) == (3, 3)
    assert len(done.json["new"]) == 3 - first
    run = open_run(project / "runs" / "equal-s3")
    assert run.finished
    assert (run.record.backend, run.record.seed) == ("kohya", 3)
    assert call("runs", "import", archive, "--project", project).out.startswith("unchanged ")
    assert len(call("evaluate", "equal-s3", "--project", project, "--json").json["evaluated"]) == 3
    here = call("train", "--project", project, "--plan", "equal", "--seed", 3)
    assert here.out.startswith("unchanged "), here.err


def test_run_sh_says_what_it_needs(trained: Path, project: Path, tmp_path: Path) -> None:
    there = tmp_path / "job"
    assert call("train", "--project", project, "--plan", "equal", "--script", there).code == 0
    ended = run_sh(there, trained, MODEL="")
    assert (ended.returncode, ended.stderr) == (
        1,
        "run.sh: set MODEL to the base model, e.g. MODEL=/models/v1-5.safetensors\n",
    )
    ended = run_sh(there, trained, SD_SCRIPTS=str(tmp_path))
    assert "holds no train_network.py" in ended.stderr
    said = sentence(
        call("train", "--project", project, "--plan", "equal", "--backend", "native", "--script", tmp_path / "x")
    )
    assert "Only runs of sd-scripts are written as a script" in said
