"""What becomes of the colors of generated images in a build, and what a build says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from graftset.build import BuildReport, build, check, read_build, verify
from graftset.build.manifest import _digest, _without_review
from graftset.diffusion.palette import make_palette
from graftset.drawn import render
from graftset.errors import ExistsError
from graftset.measuring import measure_pixels
from graftset.pixels.merging import merge_colors
from graftset.records import ImageView
from graftset.workflows.training import training_set
from painted_pictures import NATIVE, drawn_originals
from running import call, pictures, sentence, status
from sample_builds import make_views

U8 = NDArray[np.uint8]
FOLDERS = {"original": "3_original", "generated": "2_generated"}  # so many of each


def painted(view: ImageView) -> U8:
    """The same for originals and generated ones: drawn, painted and read."""
    number = int(view.path.rpartition("_")[2].partition(".")[0])
    native = drawn_originals("classic")[number]
    read = measure_pixels(render(native, rng=np.random.default_rng(number)), (NATIVE, NATIVE))[1]
    assert read is not None
    return read


def build_here(folder: Path, plan: str = "equal", **options: Any) -> BuildReport:
    return build(make_views(3, 2), load_native=painted, folder=folder, plan=plan, **options)


def pixels(path: Path) -> U8:
    with Image.open(path) as picture:
        return np.asarray(picture)[::24, ::24]


def distinct(native: U8) -> int:
    return len(np.unique(native.reshape(-1, 3), axis=0))


def test_generated_images_are_merged_and_originals_are_never_touched(tmp_path: Path) -> None:
    report = build_here(tmp_path / "build")
    assert report.colors == "merged"
    for view in make_views(3, 2):
        built = pixels(tmp_path / "build" / FOLDERS[view.origin] / Path(view.path).name)
        own = painted(view)
        assert np.array_equal(built, merge_colors(own) if view.origin == "generated" else own)
        assert distinct(built) < 60 if view.origin == "generated" else distinct(built) > 250
    assert verify(tmp_path / "build").intact
    assert read_build(tmp_path / "build").colors == "merged"


def test_as_painted_is_another_build(tmp_path: Path) -> None:
    merged = build_here(tmp_path / "build")
    with pytest.raises(ExistsError):
        build_here(tmp_path / "build", colors="as-painted")
    as_painted = build_here(tmp_path / "build", colors="as-painted", force=True)
    assert as_painted.build_sha256 != merged.build_sha256
    assert read_build(tmp_path / "build").colors == "as-painted"
    assert verify(tmp_path / "build").intact
    for view in make_views(0, 2):
        assert np.array_equal(pixels(tmp_path / "build" / FOLDERS["generated"] / Path(view.path).name), painted(view))
    assert build_here(tmp_path / "build", colors="as-painted").unchanged


def test_a_build_of_originals_is_the_same_whatever_becomes_of_the_others(tmp_path: Path) -> None:
    report = build_here(tmp_path / "build", "originals")
    assert report.colors is None
    assert build_here(tmp_path / "build", "originals", colors="as-painted").unchanged
    assert "colors" not in json.loads((tmp_path / "build" / "manifest.json").read_text())


def test_a_manifest_that_says_otherwise_than_was_built_is_found(tmp_path: Path) -> None:
    build_here(tmp_path / "build")
    path = tmp_path / "build" / "manifest.json"
    path.write_text(path.read_text().replace('"colors": "merged"', '"colors": "as-painted"'))
    assert not verify(tmp_path / "build").intact


def test_the_check_counts_what_was_built(tmp_path: Path) -> None:
    build_here(tmp_path / "merged")
    build_here(tmp_path / "painted", colors="as-painted")
    for name, few in (("merged", True), ("painted", False)):
        colors = {row.folder: row.colors for row in check(tmp_path / name).rows}
        generated = colors[FOLDERS["generated"]]
        assert generated is not None
        assert (generated < 60) is few
        assert (colors[FOLDERS["original"]] or 0) > 250


def test_the_trainers_palette_fits_merged_pictures_better(tmp_path: Path) -> None:
    error = {}
    originals = drawn_originals("classic")[40:80]
    for colors in ("merged", "as-painted"):
        build_here(tmp_path / colors, colors=colors)
        data = training_set(tmp_path / colors)
        generated = [*data.pictures[data.generated]]
        error[colors] = make_palette(originals, generated).error(np.stack(generated))
    assert error["merged"] < error["as-painted"]


@pytest.fixture(scope="module")
def selected(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which most candidates are admitted and nothing is built."""
    project = tmp_path_factory.mktemp("colors") / "project"
    assert call("init", project, *pictures(sample)).code == 0
    toml = project / "graftset.toml"
    toml.write_text(toml.read_text().replace("min_score = 8.0", "min_score = 4.0"))
    for command in (("ingest",), ("assess",), ("caption", "--apply"), ("select",)):
        assert call(*command, "--project", project).code == 0
    return project


@pytest.fixture
def project(selected: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(selected, tmp_path / "project"))


def test_settings_decide_and_the_option_wins(project: Path) -> None:
    arguments = ("build", "--project", project, "--plan", "equal")
    assert call(*arguments, "--dry-run", "--json").json["colors"] == "merged"
    assert call(*arguments, "--colors", "as-painted", "--dry-run", "--json").json["colors"] == "as-painted"
    assert "colors of generated images: merged" in call(*arguments, "--dry-run").out
    toml = project / "graftset.toml"
    toml.write_text(toml.read_text().replace('colors = "merged"', 'colors = "as-painted"'))
    assert call(*arguments, "--dry-run", "--json").json["colors"] == "as-painted"
    assert call(*arguments, "--colors", "merged", "--dry-run", "--json").json["colors"] == "merged"
    assert "merged, as-painted" in sentence(call(*arguments, "--colors", "few"))
    toml.write_text(toml.read_text().replace('colors = "as-painted"', 'colors = "few"'))
    assert "build.colors" in sentence(call(*arguments))


def test_builds_of_an_earlier_version_still_verify_and_are_told_from_todays(project: Path) -> None:
    arguments = ("build", "--project", project, "--plan", "equal")
    folder = Path(call(*arguments, "--colors", "as-painted", "--json").json["folder"])
    assert [one["stale"] for one in status(project)["builds"]] == [False]
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["colors"]
    manifest["build_sha256"] = _digest(_without_review(manifest))
    path.write_text(json.dumps(manifest))
    assert call("build", "--verify", folder).code == 0
    assert read_build(folder).colors is None
    assert [one["stale"] for one in status(project)["builds"]] == [True]
    assert call(*arguments).code == 1
    assert call(*arguments, "--force").code == 0
    assert [one["stale"] for one in status(project)["builds"]] == [False]
