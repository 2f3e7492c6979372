"""What kohya sd-scripts itself reads from our builds. Needs a checkout, and an interpreter with its requirements:

SD_SCRIPTS=/path/to/sd-scripts SD_SCRIPTS_PYTHON=/path/to/its/python pytest tests/test_build_with_sd_scripts.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graftset.build import PLANS, PlanSpec, build
from graftset.build.plans import StageSpec, Use
from graftset.records import ImageView
from sample_builds import make_view, make_views, native_pixels

CHECKOUT = os.environ.get("SD_SCRIPTS")
PYTHON = os.environ.get("SD_SCRIPTS_PYTHON", sys.executable)

pytestmark = pytest.mark.skipif(CHECKOUT is None, reason="needs SD_SCRIPTS, a checkout of kohya-ss/sd-scripts")


def views_with_traps() -> list[ImageView]:
    """Names and captions that sd-scripts is known to stumble over."""
    return [
        *make_views(9, 5),
        make_view("lad_001.png", caption="the caption that a fallback would steal"),
        make_view("lad_001_0_1_2_3.png", caption="a caption of its own,\nand a second line"),
        make_view("Zoë [猫] #1.png", caption="a portrait (short hair) of Zoë, [old], 50% \\ off"),
        make_view("-dash & 'quote'.png", caption="word " * 120),
        make_view(".hidden.png", caption="not hidden any more"),
    ]


def read_by_sd_scripts(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, str(Path(__file__).with_name("sd_scripts_reading.py")), str(CHECKOUT), "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout[done.stdout.index('{"') :])
    return result


@pytest.mark.parametrize("plan", PLANS)
def test_sd_scripts_reads_what_the_plan_says(tmp_path: Path, plan: str) -> None:
    views = views_with_traps()
    report = build(views, load_native=native_pixels, folder=tmp_path / "build", plan=plan)
    manifest = json.loads((tmp_path / "build" / "manifest.json").read_text(encoding="utf-8"))
    stages = read_by_sd_scripts(tmp_path / "build")
    assert len(stages) == len(report.plan.stages)
    for number, (found, stage) in enumerate(zip(stages.values(), report.plan.stages, strict=True)):
        assert found["faults"] == {"train_network": {}, "sdxl_train_network": {}}
        assert found["batches_per_epoch"] == stage.steps_per_epoch
        assert found["epochs"] == stage.epochs
        assert found["num_train_images"] == stage.entries
        expected = {
            image["file"]: [image["caption"], image["repeats"][number], [576, 576], [576, 576], [576, 576]]
            for image in manifest["images"]
            if image["repeats"][number]
        }
        assert found["images"] == expected
        listed = json.loads((tmp_path / "build" / "prompts.json").read_text(encoding="utf-8"))
        assert [prompt["plain"] for prompt in found["prompts"]] == [prompt["text"] for prompt in listed]
        for seed, prompt in enumerate(found["prompts"], start=1000):
            assert prompt["emphasis"] == [1.0]
            assert (prompt["width"], prompt["height"], prompt["seed"]) == (576, 576, seed)
            assert "negative_prompt" not in prompt


@pytest.mark.parametrize("generated", [2, 5, 30])
def test_sd_scripts_balances_weighted_losses_as_the_plan_says(tmp_path: Path, generated: int) -> None:
    weighted = StageSpec("all", (Use("originals"), Use("admitted", repeats=2, loss_weight=0.5)))
    build(
        make_views(9, generated),
        load_native=native_pixels,
        folder=tmp_path / "build",
        plan="mine",
        own_plans={"mine": PlanSpec("mine", (weighted,))},
        steps=50,
        override_real_mass="a test",
    )
    manifest = json.loads((tmp_path / "build" / "manifest.json").read_text(encoding="utf-8"))
    (found,) = read_by_sd_scripts(tmp_path / "build").values()
    assert found["faults"] == {"train_network": {}, "sdxl_train_network": {}}
    assert found["batches_per_epoch"] == manifest["plan"]["stages"][0]["steps_per_epoch"]
    repeats = {image["file"]: image["repeats"][0] for image in manifest["images"] if image["repeats"][0]}
    assert {file: image[1] for file, image in found["images"].items()} == repeats
    assert (found["max_train_steps"], found["prior_loss_weight"]) == (50, 0.5)


def test_sd_scripts_knows_every_key_for_sdxl(tmp_path: Path) -> None:
    build(make_views(5, 2), load_native=native_pixels, folder=tmp_path / "b", plan="equal", base="sdxl", steps=20)
    (found,) = read_by_sd_scripts(tmp_path / "b").values()
    assert found["faults"]["sdxl_train_network"] == {}
    assert {tuple(image[3]) for image in found["images"].values()} == {(960, 960)}


def test_sd_scripts_reads_absolute_paths_and_other_shapes(tmp_path: Path) -> None:
    views = [make_view(f"{number}.png", native=(24, 32), caption=f"portrait {number}") for number in range(5)]
    folder = tmp_path / "it's a build"
    build(views, load_native=native_pixels, folder=folder, plan="originals", root=str(folder))
    (found,) = read_by_sd_scripts(folder).values()
    assert found["faults"]["train_network"] == {}
    assert set(found["images"]) == {f"{folder}/5_original/{number}.png" for number in range(5)}
    assert {tuple(image[3]) for image in found["images"].values()} == {(576, 768)}
