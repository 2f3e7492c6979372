"""`graftset build` as its user meets it: plans, budgets, control arms, dry runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from running import call, copy_of, pictures, sentence, status

OWN = """
[plans.half]
summary = "the better half twice as often"
[[plans.half.stages]]
name = "combined"
use = [
  { images = "originals", repeats = 3 },
  { images = "best", count = 2, repeats = 2 },
  { images = "admitted" },
]
[plans.too_many]
[[plans.too_many.stages]]
use = [{ images = "originals" }, { images = "best", count = 900 }, { images = "admitted", where = { hair = "plaid" } }]
"""


@pytest.fixture(scope="module")
def expanded(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a low gate, so that most candidates are admitted; nothing is built but the baseline."""
    project = tmp_path_factory.mktemp("built") / "project"
    assert call("init", project, *pictures(sample)).code == 0
    path = project / "graftset.toml"
    text = path.read_text(encoding="utf-8").replace("min_score = 8.0", "min_score = 4.0")
    path.write_text(
        text.replace('plans = ["originals", "equal", "weighted", "sequential"]', 'plans = ["originals"]') + OWN
    )
    assert call("expand", project).code == 0
    return project


@pytest.fixture
def project(expanded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(expanded, tmp_path / "project"))


def built(project: Path, plan: str, *options: str) -> Any:
    outcome = call("build", "--project", project, "--plan", plan, *options, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_a_dry_run_tells_everything_and_writes_nothing(project: Path) -> None:
    (project / ".graftset" / "prompts.json").unlink()
    before = sorted(project.rglob("*"))
    outcome = call("build", "--project", project, "--plan", "equal", "--steps", "40", "--dry-run")
    assert outcome.code == 0
    for part in (
        "plan equal",
        "each shown",
        "in all:",
        "baseline's nearest checkpoint",
        "sample prompts:",
        "would build",
    ):
        assert part in outcome.out
    document = built(project, "equal", "--steps", "40", "--dry-run")
    assert document["plan"]["steps"] == 40
    assert [point["step"] for point in document["plan"]["checkpoints"]] == list(range(4, 41, 4))
    assert len(document["baseline"]) == 10
    assert sorted(project.rglob("*")) == before


def test_arms_of_one_budget_take_equal_steps_and_paint_equal_prompts(project: Path) -> None:
    plans = ("originals", "equal", "weighted", "sequential", "as-asked")
    arms = [built(project, plan, "--steps", "60", "--name", f"{plan}60") for plan in plans]
    assert {arm["plan"]["steps"] for arm in arms} == {60}
    assert len({(Path(arm["folder"]) / "prompts.json").read_bytes() for arm in arms}) == 1
    assert len({(Path(arm["folder"]) / "sample_prompts.txt").read_bytes() for arm in arms}) == 1


def test_random_is_drawn_from_the_pool_in_the_number_of_the_admitted(project: Path) -> None:
    equal, random = built(project, "equal", "--dry-run"), built(project, "random")
    assert random["images"] == equal["images"]
    assert "drawn at random from" in " ".join(random["plan"]["notes"])
    assert built(project, "random")["unchanged"]


def test_count_takes_the_first_of_the_ranking(project: Path) -> None:
    two = built(project, "equal", "--count", "2", "--name", "two")
    manifest = json.loads((Path(two["folder"]) / "manifest.json").read_text())
    assert manifest["policy"]["build_count"] == 2
    assert sum(image["origin"] == "generated" for image in manifest["images"]) == 2
    assert {build["name"]: build["stale"] for build in status(project)["builds"]}["two"] is False


def test_a_plan_of_ones_own_is_built_checked_and_known(project: Path) -> None:
    half = built(project, "half")
    folders = {path.name for path in Path(half["folder"]).iterdir() if path.is_dir()}
    assert "2_generated_x2" in folders
    assert call("build", "--check", half["folder"]).code == 0
    assert call("build", "--verify", half["folder"]).code == 0
    assert {build["name"]: build["stale"] for build in status(project)["builds"]}["half"] is False


def test_a_plan_that_asks_for_too_much_names_all_of_it(project: Path) -> None:
    text = sentence(call("build", "--project", project, "--plan", "too_many"))
    assert "uses 900 admitted candidates" in text
    assert "with hair plaid and there are none" in text
    assert "half, too_many, originals" in sentence(call("build", "--project", project, "--plan", "nope"))


def test_base_and_steps_are_checked(project: Path) -> None:
    assert "sd15, sdxl" in sentence(call("build", "--project", project, "--plan", "equal", "--base", "flux"))
    assert call("build", "--project", project, "--plan", "equal", "--steps", "9").code == 2
    sdxl = built(project, "equal", "--base", "sdxl", "--dry-run")
    assert (sdxl["base"], sdxl["size"]["width"]) == ("sdxl", 960)


def test_files_that_are_gone_or_changed_since_are_named(sample: Path, tmp_path: Path) -> None:
    mine, project = copy_of(sample, tmp_path / "mine"), tmp_path / "project"
    assert call("expand", project, *pictures(mine)).code == 0
    first, second, third = sorted((mine / "originals").glob("*.png"))[:3]
    os.utime(third)  # of another time only: the same picture
    assert "no longer" not in call("build", "--project", project, "--plan", "originals").out
    first.unlink()
    second.write_bytes(third.read_bytes())
    told = call("build", "--project", project, "--plan", "originals")
    assert told.code == 0
    assert f"warning: 1 file no longer where it was: {first.name}. " in told.out
    assert f"warning: 1 file changed since it was taken in: {second.name}. " in told.out
    assert third.name not in told.out
    refused = sentence(call("build", "--project", project, "--plan", "originals", "--strict"))
    assert f"(images: '{first.name}, {second.name}')" in refused


def test_an_edited_build_names_each_difference(project: Path) -> None:
    folder = Path(built(project, "equal")["folder"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["images"][0]["repeats"] = [9]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "prompts.json").write_text("[]")
    outcome = call("build", "--verify", folder)
    assert outcome.code == 1
    assert "changed: prompts.json" in outcome.out
    assert "manifest: " in outcome.out
    assert "repeats 9 and loss weight 1.0, the plan has" in outcome.out
