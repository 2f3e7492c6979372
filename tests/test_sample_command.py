"""`graftset sample` as its user runs it: what is finished is kept, whatever happens."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graftset.imageio import embedded_text, read_rgb
from graftset.runs import open_run, read_samples
from graftset.workflows.steps import open_session
from painting_servers import WebUi, as_json, serving
from running import COMMAND, ENVIRONMENT, Outcome, call, sentence
from test_sample_servers import small_lora

PROMPTS = ("a lady, brown hair, green background", "a lad with a crown, blue background")
NAMES = ("punk-000001", "punk-000002", "punk")
TXT2IMG = "/sdapi/v1/txt2img"


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assessed project of drawn pictures."""
    from graftset.drawn import draw_sample_set

    root = tmp_path_factory.mktemp("sampling")
    draw_sample_set(root / "set", originals=12, candidates=4, size=192, seed=3)
    options = ("--originals", root / "set" / "originals", "--candidates", root / "set" / "candidates")
    for words in (("init", root / "project", *options), ("ingest",), ("assess",)):
        inside = () if words[0] == "init" else ("--project", root / "project")
        assert call(*words, *inside).code == 0
    return root / "project"


@pytest.fixture
def project(assessed: Path, tmp_path: Path) -> Path:
    """A copy of it, with prompts and three LoRA files beside it."""
    project = Path(shutil.copytree(assessed, tmp_path / "project"))
    (project / "prompts.txt").write_text("\n".join(PROMPTS))
    for name in NAMES:
        add_lora(project, name)
    return project


@pytest.fixture
def server() -> Iterator[tuple[WebUi, str]]:
    """A web UI that knows the LoRA files, and its address."""
    painting = WebUi([*NAMES, "punk-000003", "arm-0000002"])
    with serving(painting) as url:
        yield painting, url


def add_lora(project: Path, name: str) -> Path:
    """One more LoRA file in `loras/`, unlike the others."""
    (project / "loras").mkdir(exist_ok=True)
    file = small_lora(project / "loras" / f"{name}.safetensors")
    data = bytearray(file.read_bytes())
    data[-1] ^= len(list((project / "loras").iterdir()))
    file.write_bytes(data)
    return file


def options(project: Path, url: str) -> list[str]:
    """The command line that paints the LoRA files with the web UI."""
    return [
        "sample", "arm", "--project", str(project), "--generator", "a1111", "--url", url, "--size", "96",
        "--loras", str(project / "loras"), "--prompts", str(project / "prompts.txt"), "--seeds", "2",
    ]  # fmt: skip


def painted(project: Path) -> dict[str, bytes]:
    """Every file of the samples by its path in the run."""
    folder = project / "runs" / "arm" / "samples"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_lora_files_become_a_run_with_samples_that_evaluation_reads(project: Path, server: tuple[WebUi, str]) -> None:
    painting, url = server
    done = call(*options(project, url), "--json")
    assert done.code == 0
    names = ["0000001", "0000002", "0000003"]
    assert (done.json["painted"], done.json["unchanged"], done.json["left_out"]) == (names, [], [])
    assert (done.json["prompts"], done.json["seeds"], done.json["pictures"]) == (2, 2, 12)
    run = open_run(project / "runs" / "arm")
    assert run.finished
    assert [checkpoint.name for checkpoint in run.sampled()] == names
    folder = run.samples_folder("0000002")
    samples = read_samples(folder)
    assert [(s.prompt, s.seed) for s in samples] == [(text, seed) for text in PROMPTS for seed in (0, 1)]
    assert {s.kind for s in samples} <= {"generic", "unseen"}
    assert samples[0].expects["background"] == "green"
    assert read_rgb(folder / samples[0].file).rgb.shape == (96, 96, 3)
    assert read_rgb(folder / "native" / samples[0].file).rgb.shape[:2] == (run.record.height, run.record.width)
    told = embedded_text((folder / samples[0].file).read_bytes())
    assert (told["prompt"], told["seed"], told["generator"], told["size"]) == (PROMPTS[0], "0", "a1111", "96x96")
    tags = [body["prompt"].rpartition(" ")[2] for body in painting.jobs]
    assert tags == [f"<lora:{name}:1>" for name in NAMES for _ in range(4)]
    cards = call("evaluate", "arm", "--project", project, "--json")
    assert cards.json["evaluated"] == names


def test_what_is_there_stays_and_what_came_since_is_added(project: Path, server: tuple[WebUi, str]) -> None:
    painting, url = server
    (project / "loras" / "punk.safetensors").unlink()
    assert call(*options(project, url)).code == 0
    before, count = painted(project), len(painting.jobs)
    again = call(*options(project, url))
    assert again.out.startswith("unchanged: 2 checkpoints")
    assert (painted(project), len(painting.jobs)) == (before, count)
    add_lora(project, "punk-000003")
    done = call(*options(project, url), "--json")
    assert (done.json["painted"], done.json["unchanged"]) == (["0000003"], ["0000001", "0000002"])
    assert len(painting.jobs) == count + 4
    assert before.items() <= painted(project).items()
    without = [word for word in options(project, url) if word not in ("--loras", str(project / "loras"))]
    assert call(*without, "--json").json["unchanged"] == ["0000001", "0000002", "0000003"]


def test_samples_that_were_painted_otherwise_are_replaced_by_force_only(
    project: Path, server: tuple[WebUi, str]
) -> None:
    painting, url = server
    assert call(*options(project, url)).code == 0
    before = painted(project)
    other = [*options(project, url), "--sampler", "Euler a"]
    told = sentence(call(*other))
    assert "Checkpoint 0000001 has samples that were painted otherwise: its sampler differ" in told
    assert painted(project) == before
    done = call(*other, "--checkpoint", "0000002", "--force", "--json")
    assert done.json["painted"] == ["0000002"]
    assert {name for name, data in painted(project).items() if before[name] != data} >= {"0000002/sampling.json"}
    assert painting.jobs[-1]["sampler_name"] == "Euler a"


def test_a_cut_lora_is_left_out_and_painted_when_it_is_whole(project: Path, server: tuple[WebUi, str]) -> None:
    _, url = server
    file = project / "loras" / "punk-000002.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    done = call(*options(project, url))
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "damaged or cut short" in done.err
    assert "left out punk-000002" in done.out
    assert len(open_run(project / "runs" / "arm").sampled()) == 2
    file.write_bytes(whole)
    assert call(*options(project, url)).code == 0
    assert len(open_run(project / "runs" / "arm").sampled()) == 3
    for other in NAMES:
        (project / "loras" / f"{other}.safetensors").write_bytes(b"<html>not found</html>")
    assert "damaged or cut short" in sentence(call(*options(project, url)))


def test_a_server_that_dies_leaves_whole_checkpoints_and_nothing_is_painted_twice(
    project: Path, server: tuple[WebUi, str]
) -> None:
    painting, url = server
    painting.misbehave = lambda path, number: as_json({}, 500) if path == TXT2IMG and len(painting.jobs) > 6 else None
    told = sentence(call(*options(project, url)))
    assert "answered 500 to /sdapi/v1/txt2img" in told
    run = open_run(project / "runs" / "arm")
    assert [checkpoint.name for checkpoint in run.sampled()] == ["0000001"]
    painting.misbehave = lambda path, number: None
    painting.calls.clear()
    assert call(*options(project, url)).code == 0
    assert len(painting.jobs) == 6
    assert len(run.sampled()) == 3
    assert not [name for name in painted(project) if name.startswith(".")]


def test_a_command_that_is_killed_goes_on_to_the_same_pictures(project: Path, server: tuple[WebUi, str]) -> None:
    painting, url = server
    painting.misbehave = lambda path, number: time.sleep(0.05)
    process = subprocess.Popen(
        [*COMMAND, *options(project, url)], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(painting.jobs) < 7 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    painting.misbehave = lambda path, number: None
    done = call(*options(project, url), "--json")
    assert (done.code, len(open_run(project / "runs" / "arm").sampled())) == (0, 3)
    assert done.json["pictures"] < 12
    found = painted(project)
    shutil.rmtree(project / "runs")
    assert call(*options(project, url)).code == 0
    assert painted(project) == found


def test_a_run_of_ours_is_painted_from_its_own_checkpoints(project: Path, server: tuple[WebUi, str]) -> None:
    from graftset.runs import Checkpoint, RunRecord, create_run, write_checkpoint

    _, url = server
    record = RunRecord("arm", "kohya", "none", "", "equal", 24, 24, 12, 0, 0, 2, 1, "cpu", (1, 2), (5,), "", 1)
    run = create_run(project / "runs" / "arm", record)
    lora = (project / "loras" / "punk.safetensors").read_bytes()
    for number in (1, 2):
        write_checkpoint(run, Checkpoint(f"{number:07d}", number, number, {}, 0.0, 0.0, ""), lora)
    words = ["sample", "arm", "--project", str(project), "--generator", "a1111", "--url", url, "--size", "96"]
    done = call(*words, "--json")
    assert (done.code, done.json["painted"]) == (1, ["0000002"])
    assert done.json["left_out"][0]["message"] == "The web UI has no LoRA of the name arm-0000001"
    with open_session(project) as session:
        from graftset.workflows.prompting import project_prompts

        texts = [prompt.text for prompt in project_prompts(session.project, session.catalog.views()).prompts]
    samples = read_samples(run.samples_folder("0000002"))
    assert [(s.prompt, s.seed) for s in samples] == [(text, 5) for text in texts]
    for file in (project / "loras").iterdir():
        file.unlink()
    for number in range(4):
        add_lora(project, f"x-{number:06d}")
    told = sentence(call(*words, "--loras", project / "loras"))
    assert "There are 4 LoRA files and 2 checkpoints" in told


def test_what_cannot_be_painted_is_a_sentence(project: Path, tmp_path: Path) -> None:
    def told(*words: str | Path) -> str:
        return sentence(call("sample", *words, "--project", project))

    loras = ("--loras", project / "loras")
    assert "There is no such generator" in told("arm", "--generator", "magic")
    assert "There is no such run" in told("arm")
    assert "The base model is not named" in told("arm", *loras)
    assert not list((project / "runs").glob("*/samples/*"))
    assert "the hub is not asked" in told("arm", *loras, "--model", "someone/model")
    assert "There is no such checkpoint" in told("arm", "--checkpoint", "9", "--model", "x")
    assert "There is no such folder" in told("new", "--loras", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "There is no LoRA file" in told("new", "--loras", tmp_path / "empty")
    add_lora(project, "other-000001")
    assert "are of several trainings: other, punk" in told("new", *loras)


def test_diffusers_paints_a_run_from_end_to_end(project: Path) -> None:
    import torch

    from tiny_pipelines import load, lora_layers, make_lora, make_pipeline

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    make_pipeline(project / "models" / "tiny")
    layers = lora_layers(load(project / "models" / "tiny"))
    for name in NAMES:
        (project / "loras" / f"{name}.safetensors").unlink()
    for epoch in (1, 2):
        said = {"ss_epoch": str(epoch), "ss_steps": str(10 * epoch), "ss_num_train_images": "40", "ss_seed": "7"}
        make_lora(project / "loras" / f"arm-{epoch:06d}.safetensors", layers, seed=epoch, said=said)
    settings = (project / "graftset.toml").read_text()
    settings = settings.replace('model = ""', 'model = "models/tiny"').replace("steps = 28", "steps = 2")
    (project / "graftset.toml").write_text(settings)
    words = ("sample", "arm", "--project", project, "--size", "96", "--device", "cpu")
    words = (*words, "--loras", project / "loras", "--prompts", project / "prompts.txt", "--seeds", "1")
    done: Outcome = call(*words)
    assert done.code == 0, done.err
    assert "2 checkpoints of 2 prompts x 1 seed" in done.out
    run = open_run(project / "runs" / "arm")
    assert [(c.name, c.step, c.images_seen) for c in run.sampled()] == [("0000040", 10, 40), ("0000080", 20, 80)]
    assert run.record.seed == 7
    assert json.loads((run.samples_folder("0000040") / "sampling.json").read_text())["steps"] == "2"
    assert call(*words, "--batch", "1").out.startswith("unchanged: 2 checkpoints")
    torch.set_num_threads(threads)
