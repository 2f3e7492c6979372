"""The kohya sd-scripts format: configs its parsers accept, and a script that starts it from anywhere."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.build import PLANS, build, choose_size, plan_mix
from graftset.build.kohya import schema_faults
from graftset.build.kohya.dataset import shared_leading_parts
from graftset.build.kohya.sampling import sample_prompts as kohya_prompts
from graftset.build.kohya.schema import DATASET_KEYS, SUBSET_KEYS
from graftset.build.package import Package, Sampling, one_line
from graftset.errors import BuildError
from graftset.prompts import sample_prompts
from graftset.records import ImageView, SamplePrompt
from sample_builds import make_view, make_views, native_pixels


def built(folder: Path, plan: str = "weighted", views: list[ImageView] | None = None, **options: Any) -> Path:
    build(views or make_views(7, 3), load_native=native_pixels, folder=folder, plan=plan, **options)
    return folder


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def flattened(path: Path) -> dict[str, Any]:
    """A training TOML as sd-scripts reads it: sections do not matter."""
    return {key: value for section in read_toml(path).values() for key, value in section.items()}


def uncommented(path: Path) -> str:
    """A file as one line without the marks of its comments, to find sentences in."""
    return " ".join(line.removeprefix("# ") for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("plan", PLANS)
def test_every_dataset_toml_holds_only_keys_of_the_strict_schema(tmp_path: Path, plan: str) -> None:
    folder = built(tmp_path / "build", plan)
    datasets = sorted(folder.rglob("dataset.toml"))
    assert len(datasets) == (2 if plan == "sequential" else 1)
    for path in datasets:
        config = read_toml(path)
        assert schema_faults(config) == []
        (dataset,) = config["datasets"]
        assert config["general"]["caption_extension"] == ".txt"
        assert dataset["enable_bucket"] is False
        assert dataset["resize_interpolation"] == "nearest"
        for subset in dataset["subsets"]:
            images = sorted((folder / subset["image_dir"]).glob("*.png"))
            assert len(images) == int(subset["image_dir"].split("_")[0])
            assert all(image.with_suffix(".txt").exists() for image in images)


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"datasets": [{"resolutoin": 576, "subsets": []}]}, "datasets[0].resolutoin: unknown key"),
        ({"datasets": [{"resolution": "576", "subsets": []}]}, "datasets[0].resolution: '576' is not int or list"),
        ({"datasets": [{"batch_size": True}]}, "datasets[0].batch_size: True is not int"),
        ({"datasets": [{"subsets": [{"num_repeats": 2}]}]}, "datasets[0].subsets[0].image_dir: missing"),
        ({"datasets": [{"subsets": [{"image_dir": "a", "batch_size": 4}]}]}, "subsets[0].batch_size: unknown key"),
        ({"general": {"prior_loss_weight": 0.5}}, "general.prior_loss_weight: unknown key"),
        ({"training": {}}, "training: unknown table"),
    ],
)
def test_the_schema_refuses_what_sd_scripts_refuses(config: dict[str, object], fault: str) -> None:
    assert any(found.endswith(fault) for found in schema_faults(config))


def test_the_schema_is_the_one_of_the_format_notes(shared: Path) -> None:
    notes = (shared / "trainer-formats.md").read_text(encoding="utf-8")
    quoted = re.search(r"Dataset keys: `([^`]*)`. Subset keys: `([^`]*)`", notes)
    assert quoted is not None
    assert set(quoted[1].split()) <= DATASET_KEYS.keys()
    assert set(quoted[2].split()) == SUBSET_KEYS.keys()


def test_weighted_repeats_are_written(tmp_path: Path) -> None:
    (dataset,) = read_toml(built(tmp_path / "build") / "dataset.toml")["datasets"]
    assert dataset["resolution"] == 576
    assert dataset["subsets"] == [
        {"image_dir": "7_original", "num_repeats": 2},
        {"image_dir": "3_generated", "num_repeats": 1},
    ]


def test_pictures_that_are_not_square_get_both_sides(tmp_path: Path) -> None:
    folder = built(tmp_path / "build", "originals", [make_view("tall.png", native=(24, 32))])
    assert read_toml(folder / "dataset.toml")["datasets"][0]["resolution"] == [576, 768]


def test_the_folder_name_trap_is_written_where_it_bites(tmp_path: Path) -> None:
    text = (built(tmp_path / "build") / "dataset.toml").read_text()
    assert "Never point --train_data_dir at this folder" in text
    assert "7_original 7 times an epoch" in text


def test_the_training_toml_is_what_an_expert_would_choose(tmp_path: Path) -> None:
    settings = flattened(built(tmp_path / "build") / "train.toml")
    expected = {
        "dataset_config": "dataset.toml",
        "network_dim": 32,
        "network_alpha": 16,
        "min_snr_gamma": 5.0,
        "max_train_epochs": 10,
        "save_every_n_epochs": 1,
        "save_state": True,
        "sample_every_n_epochs": 1,
        "sample_prompts": "sample_prompts.txt",
        "seed": 42,
    }
    assert expected.items() <= settings.items()
    assert "max_token_length" not in settings
    assert "pretrained_model_name_or_path" not in settings


def test_every_setting_is_explained(tmp_path: Path) -> None:
    for path in built(tmp_path / "build", "sequential").rglob("*.toml"):
        lines = path.read_text().splitlines()
        for above, line in itertools.pairwise(lines):
            assert len(line) <= 120
            if path.name == "train.toml" and "=" in line and not line.startswith("#"):
                assert above.startswith("# "), line


@pytest.mark.parametrize(
    ("words", "limit"), [(1, None), (75, None), (76, 150), (150, 150), (151, 225), (225, 225), (400, 225)]
)
def test_long_captions_get_the_token_limit_they_need(tmp_path: Path, words: int, limit: int | None) -> None:
    views = [make_view("short.png"), make_view("long.png", caption="word " * words)]
    settings_file = built(tmp_path / "build", "originals", views) / "train.toml"
    assert flattened(settings_file).get("max_token_length") == limit
    text = uncommented(settings_file)
    said = f"Captions of more than 75 tokens: 1 of 2; the longest has {words}."
    assert (said in text) == (limit is not None)
    assert ("Still cut: 1." in text) == (words > 225)


def test_both_stages_read_captions_to_the_same_length(tmp_path: Path) -> None:
    views = [make_view("one.png"), make_view("two.png", "generated", caption="word " * 80)]
    folder = built(tmp_path / "build", "sequential", views)
    limits = [flattened(folder / stage / "train.toml")["max_token_length"] for stage in ("stage1", "stage2")]
    assert limits == [150, 150]


@pytest.mark.parametrize("dry_run", [False, True])
def test_captions_that_no_limit_holds_are_named_with_what_they_lose(tmp_path: Path, dry_run: bool) -> None:
    views = [
        make_view("fits.png", caption="word " * 225),
        make_view("long.png", caption="word " * 224 + "green eyes"),
        make_view("longer.png", caption="word " * 225 + "and so on " * 20),
    ]
    report = build(
        views, load_native=native_pixels, folder=tmp_path / "build", plan="originals", size=576, dry_run=dry_run
    )
    (warning,) = report.warnings
    assert warning.startswith("2 of 3 captions are longer than the 225 tokens that sd-scripts reads")
    assert "long.png loses 'eyes'" in warning
    assert "longer.png loses 'and so on and so on and so on and so on ...'" in warning
    assert "fits.png" not in warning
    fitting = build(views[:1], load_native=native_pixels, folder=tmp_path / "fits", plan="originals", size=576)
    assert fitting.warnings == ()


def test_the_real_captions_need_150_tokens(tmp_path: Path, shared: Path) -> None:
    files = sorted((shared / "data" / "portraits" / "originals").glob("*.txt"))
    views = [make_view(f"{file.stem}.png", caption=file.read_text(encoding="utf-8")) for file in files]
    settings_file = built(tmp_path / "build", "originals", views) / "train.toml"
    assert flattened(settings_file)["max_token_length"] == 150
    assert "Captions of more than 75 tokens: 84 of 203; the longest has 137." in uncommented(settings_file)


def test_sequential_goes_on_from_the_weights_of_the_first_stage(tmp_path: Path) -> None:
    folder = built(tmp_path / "build", "sequential")
    first, second = (flattened(folder / stage / "train.toml") for stage in ("stage1", "stage2"))
    assert [first["max_train_epochs"], second["max_train_epochs"]] == [5, 5]
    assert "network_weights" not in first
    assert second["network_weights"] == f"{first['output_dir']}/{first['output_name']}.safetensors"
    assert second["dim_from_weights"] is True
    assert second["network_alpha"] == first["network_alpha"]
    assert (first["dataset_config"], second["dataset_config"]) == ("stage1/dataset.toml", "stage2/dataset.toml")
    folders = [
        [subset["image_dir"] for subset in read_toml(folder / stage / "dataset.toml")["datasets"][0]["subsets"]]
        for stage in ("stage1", "stage2")
    ]
    assert folders == [["7_original"], ["7_original", "3_generated"]]


def test_a_root_makes_every_path_absolute(tmp_path: Path) -> None:
    folder = built(tmp_path / "build", "sequential", root="/work space/it's")
    dataset, training = read_toml(folder / "stage2" / "dataset.toml"), flattened(folder / "stage2" / "train.toml")
    assert dataset["datasets"][0]["subsets"][0]["image_dir"] == "/work space/it's/7_original"
    for key in ("dataset_config", "output_dir", "logging_dir", "sample_prompts", "network_weights"):
        assert training[key].startswith("/work space/it's/")


@pytest.mark.parametrize("root", ["builds/x", "", "/with\nnewline"])
def test_a_root_that_is_no_absolute_path_is_refused(tmp_path: Path, root: str) -> None:
    with pytest.raises(BuildError) as caught:
        built(tmp_path / "build", root=root)
    assert caught.value.field == "root"


def prompt_lines(folder: Path) -> list[str]:
    """The prompts that a build's sample_prompts.txt holds."""
    lines = (folder / "sample_prompts.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_sample_prompts_are_the_same_for_every_plan(tmp_path: Path) -> None:
    views = make_views(9, 4)
    prompts = sample_prompts(views)
    for plan in PLANS:
        folder = built(tmp_path / plan, plan, views, prompts=prompts)
        lines = prompt_lines(folder)
        listed = json.loads((folder / "prompts.json").read_text(encoding="utf-8"))
        assert [line.split(" --")[0] for line in lines] == [prompt["text"] for prompt in listed]
        assert [int(line.split("--d ")[1].split()[0]) for line in lines] == list(range(1000, 1000 + len(lines)))
        assert all(re.fullmatch(r".+ --w 576 --h 576 --d \d+ --s 28 --l 7", line) for line in lines)
        assert {prompt["kind"] for prompt in listed} >= {"training", "candidate", "generic"}


def test_a_negative_prompt_is_written_where_there_is_one(tmp_path: Path) -> None:
    folder = built(tmp_path / "build", sampling=Sampling(20, 5.5, "blurry (soft)", 7))
    assert prompt_lines(folder)[0].endswith(r" --n blurry \(soft\) --w 576 --h 576 --d 7 --s 20 --l 5.5")


def read_as_sd_scripts_does(line: str) -> dict[str, str]:
    """A line of sample prompts, read by the rules of `line_to_prompt_dict` in sd-scripts."""
    parts = line.split(" --")
    found = {"prompt": parts[0]}
    for part in parts:
        for key in ("w", "h", "d", "s", "l", "g", "n", "ss", "cn", "ctr", "rcfg", "fs"):
            value = {"l": r"[\d.]+", "g": r"[\d.]+"}.get(key, r"\d+" if key in "whds" else ".+")
            match = re.match(rf"{key} ({value})", part, re.IGNORECASE)
            if match:
                found[key] = match[1]
                break
    return found


def as_sampled(prompt: str) -> str:
    """What sampling makes of emphasis of weight 1 and of escapes."""
    return re.sub(r"\\(.)", r"\1", re.sub(r"\((.):1\.0\)", r"\1", prompt))


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
        st.lists(st.sampled_from(["n foo", "--n", "-", "#", " ", "w 12", "(a)", "[b]", "\\", "l 7", "ss x", "c,"])).map(
            " ".join
        ),
    )
)
def test_whatever_a_prompt_holds_sampling_reads_the_prompt(text: str) -> None:
    text = one_line(text)
    if not text:
        return
    plan = plan_mix("originals", originals=1, generated=0)
    package = Package(plan, choose_size(24, 24), (), prompts=(SamplePrompt("training-001", "training", text),))
    (line,) = [line for line in kohya_prompts(package).splitlines() if not line.startswith("#")]
    assert line == line.strip()
    read = read_as_sd_scripts_does(line)
    assert as_sampled(read.pop("prompt")) == text
    assert read == {"w": "576", "h": "576", "d": "1000", "s": "28", "l": "7"}


def test_leading_parts_that_most_captions_share_are_kept() -> None:
    style = "pixel art, 24x24, portrait of a"
    assert shared_leading_parts([f"{style} lady, red hair", f"{style} lady, bald", f"{style} lad, hat"]) == 3
    assert shared_leading_parts(["a, b", "c, d", "e, f"]) == 0
    assert shared_leading_parts([]) == 0


STAND_IN = """\
import json, os, pathlib, sys
options = sys.argv[1:]
with open(os.environ["LOG"], "a") as log:
    log.write(json.dumps({"cwd": os.getcwd(), "argv": sys.argv}) + "\\n")
output = pathlib.Path(options[options.index("--output_dir") + 1])
output.mkdir(parents=True, exist_ok=True)
(output / (options[options.index("--output_name") + 1] + ".safetensors")).touch()
"""


@pytest.fixture
def launch(tmp_path: Path) -> Any:
    """Run a build's train.sh with a stand-in for sd-scripts; gives the finished process and what was started."""
    scripts = tmp_path / "my scripts"
    scripts.mkdir()
    for name in ("train_network.py", "sdxl_train_network.py"):
        (scripts / name).write_text(STAND_IN)
    log = tmp_path / "log"

    def run(folder: Path, *options: str, **variables: str) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
        log.unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "LOG": str(log), "PYTHON": sys.executable, "MODEL": "hub/model"}
        environment |= {"SD_SCRIPTS": str(scripts), "CDPATH": str(tmp_path / "elsewhere")} | variables
        done = subprocess.run(
            [str(folder / "train.sh"), *options],
            cwd=tmp_path,
            env={name: value for name, value in environment.items() if value},
            capture_output=True,
            text=True,
            check=False,
        )
        return done, [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    return run


def test_the_script_starts_training_in_its_own_folder_from_anywhere(tmp_path: Path, launch: Any) -> None:
    folder = built(tmp_path / "my builds" / "weighted")
    done, (run,) = launch(folder, "--max_train_epochs", "1")
    assert done.returncode == 0, done.stderr
    assert Path(run["cwd"]) == folder.resolve()
    assert run["argv"][0].endswith("my scripts/train_network.py")
    assert run["argv"][1:3] == ["--pretrained_model_name_or_path", "hub/model"]
    assert run["argv"][3:5] == ["--config_file", "train.toml"]
    assert run["argv"][-2:] == ["--max_train_epochs", "1"]
    assert (folder / "output" / "weighted.safetensors").exists()


def test_the_script_is_found_by_a_relative_path_too(tmp_path: Path, launch: Any) -> None:
    built(tmp_path / "weighted")
    (tmp_path / "models").mkdir()
    done, (run,) = launch(Path("weighted"), MODEL="models", SD_SCRIPTS="my scripts", OUTPUT="out", NAME="mine")
    assert done.returncode == 0, done.stderr
    assert Path(run["cwd"]) == (tmp_path / "weighted").resolve()
    assert run["argv"][2] == str(tmp_path / "models")
    assert (tmp_path / "out" / "mine.safetensors").exists()


def test_sequential_trains_both_stages_and_a_finished_one_only_once(tmp_path: Path, launch: Any) -> None:
    folder = built(tmp_path / "sequential", "sequential")
    done, runs = launch(folder)
    assert done.returncode == 0, done.stderr
    assert [run["argv"][4] for run in runs] == ["stage1/train.toml", "stage2/train.toml"]
    weights = runs[1]["argv"][runs[1]["argv"].index("--network_weights") + 1]
    assert weights == "output/stage1/sequential.safetensors"
    assert "--network_weights" not in runs[0]["argv"]
    (folder / "output" / "stage2" / "sequential.safetensors").unlink()
    done, runs = launch(folder)
    assert [run["argv"][4] for run in runs] == ["stage2/train.toml"]
    assert "stage 1 is done" in done.stdout


def test_sdxl_has_a_script_a_size_and_settings_of_its_own(tmp_path: Path, launch: Any) -> None:
    folder = built(tmp_path / "build", base="sdxl")
    _, (run,) = launch(folder)
    assert run["argv"][0].endswith("/sdxl_train_network.py")
    settings = flattened(folder / "train.toml")
    expected = {"no_half_vae": True, "network_train_unet_only": True, "mixed_precision": "bf16", "network_dim": 32}
    assert expected.items() <= settings.items()
    assert not {"clip_skip", "text_encoder_lr"} & settings.keys()
    assert read_toml(folder / "dataset.toml")["datasets"][0]["resolution"] == 960  # 40 px a cell, nearest to 1024 px


def test_a_build_for_sd15_does_not_train_sdxl(tmp_path: Path, launch: Any) -> None:
    done, runs = launch(built(tmp_path / "build"), SDXL="1")
    assert (done.returncode, runs) == (1, [])
    assert "--base sdxl" in done.stderr


def test_a_budget_is_saved_and_painted_ten_times(tmp_path: Path) -> None:
    settings = flattened(built(tmp_path / "build", "equal", make_views(7, 3), steps=90) / "train.toml")
    expected = {"max_train_steps": 90, "save_every_n_steps": 9, "sample_every_n_steps": 9, "save_state": True}
    assert expected.items() <= settings.items()
    # sd-scripts lets either of these win over the keys for steps
    assert not {"max_train_epochs", "save_every_n_epochs", "sample_every_n_epochs"} & settings.keys()


def test_both_stages_share_a_budget(tmp_path: Path) -> None:
    folder = built(tmp_path / "build", "sequential", steps=100)
    stages = [flattened(folder / stage / "train.toml") for stage in ("stage1", "stage2")]
    assert [(stage["max_train_steps"], stage["save_every_n_steps"]) for stage in stages] == [(50, 10), (50, 10)]


def test_twenty_epochs_are_saved_ten_times(tmp_path: Path) -> None:
    settings = flattened(built(tmp_path / "build", epochs=20) / "train.toml")
    assert (settings["save_every_n_epochs"], settings["sample_every_n_epochs"]) == (2, 2)


def test_pictures_are_mirrored_only_on_request(tmp_path: Path) -> None:
    assert read_toml(built(tmp_path / "plain") / "dataset.toml")["general"]["flip_aug"] is False
    assert read_toml(built(tmp_path / "flipped", flip=True) / "dataset.toml")["general"]["flip_aug"] is True


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MODEL": ""}, "set MODEL"),
        ({"SD_SCRIPTS": ""}, "set SD_SCRIPTS"),
        ({"SD_SCRIPTS": "/nowhere"}, "holds no train_network.py"),
        ({"PYTHON": "no-such-python"}, "cannot find no-such-python"),
    ],
)
def test_what_the_script_needs_it_asks_for(
    tmp_path: Path, launch: Any, variables: dict[str, str], message: str
) -> None:
    done, runs = launch(built(tmp_path / "build"), **variables)
    assert (done.returncode, runs) == (1, [])
    assert message in done.stderr


def test_the_script_does_not_train_without_one_of_its_folders(tmp_path: Path, launch: Any) -> None:
    folder = built(tmp_path / "build")
    (folder / "3_generated").rename(folder / "moved")
    done, runs = launch(folder)
    assert (done.returncode, runs) == (1, [])
    assert "image folder missing: 3_generated" in done.stderr
