"""What was built reads back to the same images, captions and weights, wherever it lies and however it came about."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graftset.build import PLANS, PlanSpec, build, read_build, verify
from graftset.build.package import one_line
from graftset.build.plans import StageSpec, Use, plans_from_settings
from graftset.errors import BuildError
from graftset.records import ImageView, Review
from sample_builds import folder_bytes, make_view, make_views, native_pixels

CELLS = (8, 6)
CAPTIONS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(one_line)
OWN = {
    "groups": PlanSpec(
        "several folders of one origin",
        (
            StageSpec("first", (Use("originals", repeats=2), Use("best", count=1, repeats=3), Use("admitted"))),
            StageSpec("last", (Use("originals", repeats=3), Use("admitted"))),
        ),
    ),
    "weights": PlanSpec(
        "weights that are no whole numbers",
        (StageSpec("all", (Use("originals", weight=Fraction("2.5")), Use("admitted", weight=Fraction(1)))),),
    ),
    "losses": PlanSpec("loss weights", (StageSpec("all", (Use("originals"), Use("admitted", loss_weight=0.25))),)),
}


def shown_by_config(folder: Path) -> list[dict[str, tuple[int, float]]]:
    """For every stage the repeats and the loss weight of each image folder, from the files that the trainer reads."""
    stages = []
    for path in sorted(folder.glob("**/dataset.toml")):
        (dataset,) = tomllib.loads(path.read_text(encoding="utf-8"))["datasets"]
        sections = tomllib.loads((path.parent / "train.toml").read_text(encoding="utf-8"))
        weight = sections["training"].get("prior_loss_weight", 1.0)
        stages.append(
            {s["image_dir"]: (s["num_repeats"], weight if s.get("is_reg") else 1.0) for s in dataset["subsets"]}
        )
    return stages


@settings(max_examples=25, deadline=None)
@given(
    originals=st.lists(CAPTIONS, min_size=1, max_size=6),
    generated=st.lists(CAPTIONS, min_size=1, max_size=5),
    plan=st.sampled_from([*PLANS, *OWN]),
    steps=st.one_of(st.none(), st.sampled_from([10, 70])),
    size=st.sampled_from([64, 72]),  # cells of 8 px, and of 9 by an uneven height
)
def test_a_build_reads_back_to_what_it_was_made_of(
    originals: list[str], generated: list[str], plan: str, steps: int | None, size: int
) -> None:
    views = [
        make_view(f"{number % 2}.png", origin, caption=caption, folder=f"/{number}", native=CELLS, content=f"{number}")
        for number, (origin, caption) in enumerate(
            [*(("original", caption) for caption in originals), *(("generated", caption) for caption in generated)]
        )
    ]
    by_content = {view.sha256: view for view in views}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "build"
        report = build(
            views,
            load_native=native_pixels,
            folder=folder,
            plan=plan,
            own_plans=OWN,
            steps=steps,
            size=size,
            override_real_mass="a test",
            prompts=(),
        )
        moved = Path(shutil.move(folder, Path(scratch) / "elsewhere" / "moved"))
        assert verify(moved).intact
        record = read_build(moved)
        assert record.plan == report.plan
        configs = shown_by_config(moved)
        assert len(configs) == len(record.plan.stages)
        used = {"original"} if plan == "originals" else {"original", "generated"}
        assert len(record.images) == report.images == sum(view.origin in used for view in views)
        for image in record.images:
            view = by_content[image.source_sha256]
            assert (image.origin, image.caption) == (view.origin, one_line(view.caption))
            assert image.caption_file is not None
            assert (moved / image.caption_file).read_text(encoding="utf-8") == image.caption
            with Image.open(moved / image.file) as picture:
                assert picture.mode == "RGB"
                pixels = np.asarray(picture)
            # The first pixel of a cell: nearest neighbor gives pixel y the native row floor(y * cells / height).
            rows = -(-np.arange(CELLS[1]) * pixels.shape[0] // CELLS[1])
            columns = -(-np.arange(CELLS[0]) * pixels.shape[1] // CELLS[0])
            assert np.array_equal(pixels[rows][:, columns], native_pixels(view))
        for subset in (subset for stage in record.plan.stages for subset in stage.subsets):
            in_folder = [image for image in record.images if image.folder == subset.folder]
            assert len(in_folder) == subset.images == len(list((moved / subset.folder).glob("*.png")))
        for number, (stage, config) in enumerate(zip(record.plan.stages, configs, strict=True)):
            assert {s.folder: (s.repeats, s.loss_weight) for s in stage.subsets} == config
            assert sum(image.repeats[number] for image in record.images) == stage.entries
        for image in record.images:
            planned = sum(stage.passes * n for stage, n in zip(record.plan.stages, image.repeats, strict=True))
            assert image.exposures == pytest.approx(planned, abs=1e-4)


SCRIPT = textwrap.dedent("""
    import sys
    from pathlib import Path
    from graftset.build import build
    from sample_builds import make_views, native_pixels
    views = make_views(90, 60)
    print("go", flush=True)
    build(views, load_native=native_pixels, folder=Path(sys.argv[1]), plan="weighted", force=True)
""")


def test_killed_at_random_moments_and_run_again_it_gives_the_same_bytes(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def start(folder: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # from here on it builds
        return process

    began = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    took = time.monotonic() - began
    expected = folder_bytes(tmp_path / "whole")
    moments = random.Random(5)
    killed = 0
    for number in range(6):
        project = tmp_path / f"killed{number}"
        project.mkdir()
        process = start(project / "build")
        time.sleep(moments.uniform(0, took / 2))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if (project / "build").exists():
            assert folder_bytes(project / "build") == expected, "what is there under its name is whole"
        build(make_views(90, 60), load_native=native_pixels, folder=project / "build", plan="weighted")
        assert folder_bytes(project / "build") == expected
        assert [path.name for path in project.iterdir()] == ["build"]
    assert killed, "at least one was killed before it ended"


def tampered(folder: Path, change: str) -> None:
    """Edit a manifest in one place, as somebody might who wants other weights."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    match change:
        case "weight":
            manifest["images"][0]["repeats"] = [7]
        case "caption":
            manifest["images"][0]["caption"] = "another"
        case "generation":
            manifest["images"][-1]["generation"] = 0
        case "policy":
            manifest["policy"]["min_score"] = 1.0
        case "prompts":
            manifest["prompts"]["sha256"] = "0" * 64
        case "plan":
            del manifest["plan"]["stages"]
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("weight", "repeats 7 and loss weight 1.0, the plan has (2, 1.0)"),
        ("caption", "2_original/original_000.png: the caption it lists is not that of"),
        ("generation", "not the one that build_sha256 was made of"),
        ("policy", "not the one that build_sha256 was made of"),
        ("prompts", "prompts: the hash is not that of prompts.json"),
        ("plan", "the plan or the weights are not as graftset writes them"),
    ],
)
def test_a_manifest_that_was_edited_does_not_verify(tmp_path: Path, change: str, named: str) -> None:
    build(
        make_views(2, 1), load_native=native_pixels, folder=tmp_path / "b", plan="weighted", policy={"min_score": 8.0}
    )
    assert verify(tmp_path / "b").contradictions == ()
    tampered(tmp_path / "b", change)
    found = verify(tmp_path / "b")
    assert not found.intact
    assert any(named in phrase for phrase in found.contradictions), found.contradictions


def test_how_far_it_was_reviewed_is_beside_the_hash(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    report = build(make_views(2, 1), load_native=native_pixels, folder=folder, plan="equal")
    views = [replace(view, review=Review("approved", "Ann", "2026-01-01T00:00:00Z")) for view in make_views(2, 1)]
    again = build(views, load_native=native_pixels, folder=folder, plan="equal", reviewed={"bound": 0.9})
    assert (again.unchanged, again.build_sha256) == (True, report.build_sha256)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["reviewed"] == {"bound": 0.9}
    assert [image["review"] for image in manifest["images"]] == ["approved"] * 3
    assert verify(folder).intact


def test_other_versions_are_told_and_no_fault(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    build(make_views(2, 1), load_native=native_pixels, folder=folder, plan="equal", versions={"measures": "3"})
    found = verify(folder, {"measures": "4"})
    assert (found.intact, found.versions) == (True, ("measures: 3 then, 4 now",))


def test_captions_as_asked_are_the_prompts(tmp_path: Path) -> None:
    views = [*make_views(2, 0), make_view("a.png", "generated", caption="corrected", prompt="as asked")]
    build(views, load_native=native_pixels, folder=tmp_path / "b", plan="as-asked")
    assert (tmp_path / "b" / "1_generated" / "a.txt").read_text() == "as asked"
    bare = [*views, make_view("bare.png", "generated", caption="composed", prompt=None)]
    report = build(bare, load_native=native_pixels, folder=tmp_path / "c", plan="as-asked")
    assert [skip.reason for skip in report.skipped] == ["generated without a prompt, which this plan trains under"]
    assert "1 admitted candidates came without a prompt" in " ".join(report.warnings)
    with pytest.raises(BuildError, match="None of the 1 admitted candidates came with a prompt"):
        build([*views[:2], bare[-1]], load_native=native_pixels, folder=tmp_path / "d", plan="as-asked")


def test_arms_that_test_captions_hold_the_same_pictures_and_differ_in_words(tmp_path: Path) -> None:
    views = [
        *make_views(2, 0),
        make_view("wrong.png", "generated", caption="corrected", prompt="as asked"),
        make_view("right.png", "generated", caption="right", prompt="right"),
        make_view("bare.png", "generated", caption="composed", prompt=None),
    ]
    captions = {}
    for plan in ("corrected", "as-asked", "relabeled", "mislabeled"):
        build(views, load_native=native_pixels, folder=tmp_path / plan, plan=plan, own_plans=plans_from_settings({}))
        captions[plan] = {
            image.source_sha256: image.caption
            for image in read_build(tmp_path / plan).images
            if image.origin == "generated"
        }
    wrong, right, _ = (view.sha256 for view in views[2:])
    assert captions == {
        "corrected": {wrong: "corrected", right: "right"},
        "as-asked": {wrong: "as asked", right: "right"},
        "relabeled": {wrong: "corrected"},
        "mislabeled": {wrong: "as asked"},
    }
    with pytest.raises(BuildError, match="whose caption was corrected and there are none"):
        build(
            views[:2] + views[3:4],
            load_native=native_pixels,
            folder=tmp_path / "none",
            plan="relabeled",
            own_plans=plans_from_settings({}),
        )


def generations(*of: int) -> list[ImageView]:
    return [make_view(f"g{number}.png", "generated", generation=value) for number, value in enumerate(of)]


def test_generations_above_the_cap_stay_out_with_a_reason(tmp_path: Path) -> None:
    views = [*make_views(4, 0), *generations(1, 2, 3)]
    report = build(
        views, load_native=native_pixels, folder=tmp_path / "b", plan="equal", max_generation=2, dry_run=True
    )
    assert [(skip.path, skip.reason) for skip in report.skipped] == [
        ("g1.png", "generation 2 and approved by nobody"),
        ("g2.png", "generation 3, [select] max_generation is 2"),
    ]
    with pytest.raises(BuildError, match="too high a generation"):
        build(
            views,
            load_native=native_pixels,
            folder=tmp_path / "b",
            plan="equal",
            max_generation=1,
            strict=True,
        )


def test_an_override_is_kept_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="--override-real-mass"):
        build(make_views(2, 5), load_native=native_pixels, folder=tmp_path / "b", plan="equal")
    build(
        make_views(2, 5),
        load_native=native_pixels,
        folder=tmp_path / "b",
        plan="equal",
        override_real_mass="reviewed in full",
    )
    assert json.loads((tmp_path / "b" / "manifest.json").read_text())["plan"]["override"] == "reviewed in full"
