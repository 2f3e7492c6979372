"""The preflight reads what kohya sd-scripts itself reads: every case of `sd_scripts_cases.py`, as recorded from it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graftset.build import PLANS, build
from graftset.build.kohya.preflight import Options, Run, run_preflight, run_source, stage_source
from graftset.build.kohya.preflight.arguments import flat, from_command_line, settle
from graftset.build.kohya.preflight.disk import Disk
from graftset.build.kohya.preflight.looks import Task
from graftset.build.kohya.preflight.reading import DatasetRead, ImageRead
from graftset.build.kohya.preflight.resizing import seen
from graftset.build.kohya.preflight.sources import read_config
from graftset.imageio import plain_rgb
from sample_builds import make_views, native_pixels
from sd_scripts_cases import CASES, Case, digest_of, write_real

RECORD = json.loads(Path(__file__).with_name("sd_scripts_cases.json").read_text(encoding="utf-8"))
RECORDED: Mapping[str, Any] = RECORD["cases"]
NEEDED = {"SD_SCRIPTS", "SD_SCRIPTS_PYTHON", "CLIP_TOKENIZER"}
NEAR = ("bilinear", "bicubic", "area")  # OpenCV's arithmetic, written anew: levels may differ by one


def preflight(case: Case, folder: Path) -> Run:
    """The preflight of a case, started as its command line starts the trainer."""
    case.write(folder)
    over: dict[str, object] = {}
    words = list(case.arguments)
    while words:
        name = words.pop(0).removeprefix("--")
        over[name] = from_command_line(name, words.pop(0) if words and not words[0].startswith("--") else "")
    config = over.pop("config_file", None)
    disk = Disk(folder)
    values = flat(read_config(disk.at(str(config)))) if config else {}
    source = run_source("config", "train.toml", disk, settle(values, over, sdxl=case.sdxl))
    return run_preflight(source, Options(sdxl=case.sdxl))


def as_recorded(dataset: DatasetRead) -> dict[str, Any]:
    """A dataset in the shape of the record, without the pixels."""
    subsets = dataset.settings.subsets
    images = {}
    for image in dataset.images:
        if not image.repeats:
            continue
        assert image.placement is not None
        assert image.size is not None
        images[image.path] = {
            "repeats": image.repeats,
            "is_reg": subsets[image.subset].is_reg,
            "caption": image.caption.caption,
            "size": list(image.size),
            "bucket": list(image.placement.bucket),
            "resized": list(image.placement.resized),
        }
    return {
        "train_entries": dataset.train_entries,
        "reg_entries": dataset.reg_found,
        "subsets": sorted([each.settings.image_dir, each.found] for each in dataset.subsets if each.outcome == "read"),
        "batches": dataset.batches,
        "images": images,
    }


def comparable(recorded: Mapping[str, Any], *, training: bool) -> dict[str, Any]:
    """A recorded dataset with what `as_recorded` has."""
    keys = ("repeats", "is_reg", "caption", "size", "bucket", "resized")
    return {
        **{key: recorded[key] for key in ("train_entries", "reg_entries", "batches")},
        "subsets": sorted(subset[:2] for subset in recorded["subsets"]),
        "images": {path: {key: image[key] for key in keys} for path, image in recorded["images"].items()},
    }


def test_253_real_images_are_read_as_sd_scripts_reads_them(tmp_path: Path, shared: Path) -> None:
    write_real(shared / "data" / "portraits", tmp_path)
    disk = Disk(tmp_path)
    source = run_source("config", "train.toml", disk, settle(flat(read_config(tmp_path / "train.toml")), {}))
    run = run_preflight(source, Options())
    assert run.reading is not None
    (dataset,) = run.reading.datasets
    rows = []
    for image in dataset.images:
        assert image.placement is not None
        read = min(image.tokens, run.reading.token_limit)
        look, placed = run.looks[image.path], image.placement
        words = [image.caption.caption, image.tokens, read]
        sizes = [list(size or ()) for size in (image.size, placed.bucket, placed.resized)]
        rows.append([image.path, image.repeats, *words, *sizes, look.colors_seen, digest(run, image)])
    assert {
        "images": len(rows),
        "batches": run.reading.batches,
        "steps": run.reading.schedule.steps,
        "over_75_tokens": sum(image.tokens > 75 for image in dataset.images),
        "sha256": digest_of(rows),
    } == RECORD["real"]


@pytest.mark.skipif(
    not os.environ.keys() >= NEEDED, reason="needs a checkout of kohya-ss/sd-scripts and CLIP's tokenizer"
)
def test_our_own_builds_are_read_as_a_checkout_reads_them(tmp_path: Path) -> None:
    from record_sd_scripts import read_by_sd_scripts

    folders = []
    for plan in PLANS:
        place = tmp_path / plan
        build(make_views(9, 5), load_native=native_pixels, folder=place, plan=plan)
        folders += [(place, file.relative_to(place)) for file in sorted(place.rglob("train.toml"))]
    started = [{"folder": str(p), "arguments": ["--config_file", str(c)], "sdxl": False} for p, c in folders]
    for (place, config), recorded in zip(folders, read_by_sd_scripts(started), strict=True):
        run = run_preflight(stage_source(place, str(config), None), Options())
        assert run.reading is not None
        assert [as_recorded(each) for each in run.reading.datasets] == [
            comparable(each, training=True) for each in recorded["datasets"]
        ]
        assert (run.reading.batches, run.reading.schedule.steps) == (recorded["batches"], recorded["steps"])
        for image in run.reading.datasets[0].images:
            there = recorded["datasets"][0]["images"][image.path]
            assert (image.tokens, run.looks[image.path].colors_seen) == (there["tokens"], there["colors"])


def test_every_case_is_recorded_from_the_version_that_is_documented() -> None:
    assert RECORDED.keys() == CASES.keys()
    page = (Path(__file__).parents[1] / "docs" / "kohya.md").read_text(encoding="utf-8")
    assert RECORD["commit"] in page


@pytest.mark.parametrize("name", CASES)
def test_the_preflight_reads_what_sd_scripts_reads(tmp_path: Path, name: str) -> None:
    recorded = RECORDED[name]
    run = preflight(CASES[name], tmp_path)
    stops = [each.sentence() for each in run.findings if each.kind.stops]
    assert bool(stops) == ("refused" in recorded), (stops, recorded.get("refused"))
    if "refused" in recorded:
        return
    assert run.reading is not None
    assert (run.reading.batches == 0) == ("nothing" in recorded)
    if "nothing" in recorded:
        assert "nothing-to-train" in {each.kind.code for each in run.findings}
        return
    assert run.reading.batches == recorded["batches"]
    assert (run.reading.schedule.steps, run.reading.schedule.epochs) == (recorded["steps"], recorded["epochs"])
    read = [as_recorded(dataset) for dataset in run.reading.datasets]
    assert read == [comparable(each, training=True) for each in recorded["datasets"]]
    validation = [as_recorded(dataset) for dataset in run.reading.validation]
    assert validation == [comparable(each, training=False) for each in recorded["validation"]]


@pytest.mark.parametrize("name", CASES)
def test_texts_and_tokens_are_those_of_sd_scripts(tmp_path: Path, name: str) -> None:
    run = preflight(CASES[name], tmp_path)
    if run.reading is None or "datasets" not in RECORDED[name]:
        pytest.skip("sd-scripts reads nothing of it")
    for dataset, recorded in zip(run.reading.datasets, RECORDED[name]["datasets"], strict=True):
        for image in dataset.images:
            there = recorded["images"].get(image.path)
            if there is None or there["chance"]:
                continue
            assert image.text == (there["caption"] if there["text"] is None else there["text"])
            assert image.tokens == there["tokens"], image.text
            assert min(image.tokens, run.reading.token_limit) == there["tokens_read"]
            assert bool(image.lost) == (there["tokens"] > there["tokens_read"])


@pytest.mark.parametrize("name", CASES)
def test_pictures_become_what_sd_scripts_makes_of_them(tmp_path: Path, name: str) -> None:
    run = preflight(CASES[name], tmp_path)
    if run.reading is None or "datasets" not in RECORDED[name]:
        pytest.skip("sd-scripts reads nothing of it")
    for dataset, recorded in zip(run.reading.datasets, RECORDED[name]["datasets"], strict=True):
        for path, there in recorded["images"].items():
            image = next(image for image in dataset.images if image.path == path)
            if there["colors"] is None:
                continue
            _compare_colors(run, image, there)


def _compare_colors(run: Run, image: ImageRead, there: Mapping[str, Any]) -> None:
    look = run.looks[image.path]
    if image.method in NEAR:
        assert look.colors_seen == pytest.approx(there["colors"], rel=0.1, abs=2)
    else:
        assert look.colors_seen == there["colors"]
        assert digest(run, image) == there["pixels"]


def digest(run: Run, image: ImageRead) -> str:
    """Of the pixels that the encoder is given, as the record has it."""
    assert image.placement is not None
    task = Task(run.source.disk.at(image.path), image.placement, image.method)
    pixels = seen(plain_rgb(task.file).rgb, image.placement, image.method)
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16]
