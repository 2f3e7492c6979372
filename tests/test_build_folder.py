"""The build folder: the same bytes for the same input, complete or absent, and never over anything of the user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from graftset.build import FORMATS, BuildReport, MixingPlan, build, plan_mix, verify
from graftset.errors import BuildError, ExistsError, SkipFile, UserError
from graftset.records import ImageView
from sample_builds import folder_bytes, make_view, make_views, native_pixels, shuffled


def build_here(
    folder: Path, views: list[ImageView], plan: str | MixingPlan = "weighted", **options: Any
) -> BuildReport:
    return build(views, load_native=native_pixels, folder=folder, plan=plan, **options)


def test_the_same_images_give_the_same_bytes_anywhere_and_in_any_order(tmp_path: Path) -> None:
    build_here(tmp_path / "a" / "weighted", make_views(6, 3, folder="/home/one"), policy={"min_score": 8.0})
    moved = shuffled(make_views(6, 3, folder="/mnt/another place"), seed=3)
    build_here(tmp_path / "b" / "other name", moved, policy={"min_score": 8.0})
    first, second = folder_bytes(tmp_path / "a" / "weighted"), folder_bytes(tmp_path / "b" / "other name")
    assert first == second
    assert not any(str(tmp_path).encode() in content or b"/home/one" in content for content in first.values())


def test_images_are_enlarged_by_nearest_neighbor_and_captions_lie_beside_them(tmp_path: Path) -> None:
    views = make_views(2, 1)
    report = build_here(tmp_path / "build", views)
    assert (report.size.width, report.images, report.written) == (576, 3, True)
    with Image.open(tmp_path / "build" / "2_original" / "original_001.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (576, 576))
        pixels = np.asarray(picture)
    native = native_pixels(views[1])
    assert np.array_equal(pixels, np.kron(native, np.ones((24, 24, 1), dtype=np.uint8)))
    caption = (tmp_path / "build" / "2_original" / "original_001.txt").read_bytes()
    assert caption == b"pixel art, portrait of a lady, look 1, original background"
    assert (tmp_path / "build" / "1_generated" / "generated_000.txt").exists()


def test_at_512_every_native_pixel_comes_back_although_cells_are_uneven(tmp_path: Path) -> None:
    views = make_views(1, 0)
    report = build_here(tmp_path / "build", views, "originals", size=512)
    assert "21 or 22 px" in " ".join(report.warnings)
    with Image.open(tmp_path / "build" / "1_original" / "original_000.png") as picture:
        back = np.asarray(picture.resize((24, 24), Image.Resampling.NEAREST))
    assert np.array_equal(back, native_pixels(views[0]))


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    report = build_here(tmp_path / "build", make_views(4, 2), dry_run=True)
    assert report.plan.steps == 30  # (4 x 2 + 2) / 4 -> 3 steps, 10 epochs
    assert not report.written
    assert list(tmp_path.iterdir()) == []


def test_an_identical_rebuild_does_nothing(tmp_path: Path) -> None:
    first = build_here(tmp_path / "build", make_views(4, 2))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "build").rglob("*")}
    (tmp_path / "build" / "output").mkdir()
    (tmp_path / "build" / "output" / "weighted.safetensors").write_bytes(b"trained")
    again = build_here(tmp_path / "build", shuffled(make_views(4, 2), seed=1))
    assert (again.written, again.unchanged, again.warnings) == (False, True, ())
    assert again.build_sha256 == first.build_sha256
    assert all(path.stat().st_mtime_ns == then for path, then in before.items() if path != tmp_path / "build")
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_versions_of_measures_do_not_make_a_build_different(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(2, 1), versions={"quality": "1"})
    assert build_here(tmp_path / "build", make_views(2, 1), versions={"quality": "2"}).unchanged


def test_the_baseline_does_not_change_with_the_selection(tmp_path: Path) -> None:
    views = make_views(3, 2)
    build_here(tmp_path / "build", views, "originals", policy={"count": 2})
    assert build_here(tmp_path / "build", views[:-1], "originals", pool=views[-1:], policy={"count": 1}).unchanged


def test_a_different_build_asks_for_force(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(4, 2))
    before = folder_bytes(tmp_path / "build")
    with pytest.raises(ExistsError) as caught:
        build_here(tmp_path / "build", make_views(4, 3))
    assert "--force" in caught.value.remedy
    assert folder_bytes(tmp_path / "build") == before
    assert build_here(tmp_path / "build", make_views(4, 3), force=True).written
    assert (tmp_path / "build" / "3_generated").is_dir()
    assert not (tmp_path / "build" / "2_generated").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_a_build_whose_files_were_edited_is_not_called_identical(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(2, 1))
    (tmp_path / "build" / "train.toml").write_text("# my own settings")
    with pytest.raises(ExistsError, match="files of it were changed"):
        build_here(tmp_path / "build", make_views(2, 1))
    assert (tmp_path / "build" / "train.toml").read_text() == "# my own settings"


def test_force_never_loses_what_training_wrote(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(2, 1))
    weights = tmp_path / "build" / "output" / "weighted.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"hours of work")
    with pytest.raises(ExistsError, match=r"1 file that graftset did not write: output/weighted\.safetensors"):
        build_here(tmp_path / "build", make_views(2, 2), force=True)
    assert weights.read_bytes() == b"hours of work"
    assert (tmp_path / "build" / "1_generated").is_dir()


@pytest.mark.parametrize("manifest", [None, b"", b"[]", b'{"format_version": 99}', b"\xff"])
def test_a_folder_that_is_not_a_build_is_never_touched(tmp_path: Path, manifest: bytes | None) -> None:
    target = tmp_path / "build"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    if manifest is not None:
        (target / "manifest.json").write_bytes(manifest)
    before = folder_bytes(target)
    with pytest.raises(ExistsError):
        build_here(target, make_views(2, 1), force=True)
    assert folder_bytes(target) == before


def test_a_file_in_the_way_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("mine")
    with pytest.raises(ExistsError):
        build_here(tmp_path / "build", make_views(2, 1), force=True)
    assert (tmp_path / "build").read_text() == "mine"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    assert build_here(tmp_path / "build", make_views(2, 1)).written


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_build_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    calls = 0

    def load(view: ImageView) -> NDArray[np.uint8]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise failure
        return native_pixels(view)

    with pytest.raises(failure):
        build(make_views(4, 2), load_native=load, folder=tmp_path / "build", plan="equal")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_replacement_leaves_the_old_build(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(4, 2))
    before = folder_bytes(tmp_path / "build")

    def interrupt(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_here(tmp_path / "build", make_views(4, 3), force=True, progress=interrupt)
    assert folder_bytes(tmp_path / "build") == before
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_what_a_killed_build_left_is_removed_by_a_later_one(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from graftset.build import build
        from sample_builds import make_views, native_pixels
        kill = lambda done, total: os._exit(9) if done == 2 else None
        build(make_views(3, 0), load_native=native_pixels, folder=Path(sys.argv[1]), plan="originals", progress=kill)
    """)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "build")], env=environment, check=False)
    assert done.returncode == 9
    assert [path.name.startswith(".") for path in tmp_path.iterdir()] == [True]
    build_here(tmp_path / "build", make_views(3, 0), "originals")
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_a_build_that_is_under_way_is_not_taken_for_what_a_killed_one_left(tmp_path: Path) -> None:
    def build_another(done: int, total: int) -> None:
        if done == 1:
            build_here(tmp_path / "second", make_views(2, 0), "originals")

    assert build_here(tmp_path / "first", make_views(3, 0), "originals", progress=build_another).written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_verify_finds_what_is_missing_changed_and_extra(tmp_path: Path) -> None:
    report = build_here(tmp_path / "build", make_views(3, 1))
    whole = verify(tmp_path / "build")
    assert (whole.intact, whole.files, whole.extra) == (True, 4 * 2 + 5, ())
    assert whole.build_sha256 == report.build_sha256
    (tmp_path / "build" / "3_original" / "original_000.png").unlink()
    (tmp_path / "build" / "3_original" / "original_001.txt").write_text("another caption")
    (tmp_path / "build" / "3_original" / "mine.png").write_bytes(b"")
    (tmp_path / "build" / "notes.md").write_text("mine")
    found = verify(tmp_path / "build")
    assert found.missing == ("3_original/original_000.png",)
    assert found.changed == ("3_original/original_001.txt",)
    assert found.extra == ("3_original/mine.png", "notes.md")
    assert found.trained_on == ("3_original/mine.png",)
    assert not found.intact


def test_files_that_training_adds_do_not_break_a_build(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(2, 1))
    (tmp_path / "build" / "notes.md").write_text("mine")
    assert verify(tmp_path / "build").intact


def test_an_image_added_beside_the_training_images_is_pointed_out(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(2, 1))
    (tmp_path / "build" / "2_original" / "mine.png").write_bytes(b"")
    again = build_here(tmp_path / "build", make_views(2, 1))
    assert again.unchanged
    assert "2_original/mine.png" in " ".join(again.warnings)


@pytest.mark.parametrize(
    "damage",
    [
        {"files": {"../outside.txt": "00"}},
        {"files": {"/etc/hostname": "00"}},
        {"files": []},
        {"images": [{}]},
        {"images": ["none"]},
        {"images": "none"},
    ],
)
def test_a_damaged_manifest_is_one_clear_error(tmp_path: Path, damage: dict[str, object]) -> None:
    build_here(tmp_path / "build", make_views(2, 1))
    path = tmp_path / "build" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(BuildError, match="manifest"):
        verify(tmp_path / "build")


def test_the_manifest_tells_where_every_image_comes_from(tmp_path: Path) -> None:
    views = make_views(2, 1)
    build_here(tmp_path / "build", views, "sequential", policy={"min_score": 8.0}, reviewed=0.9)
    manifest = json.loads((tmp_path / "build" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["format"], manifest["reviewed"], manifest["policy"]) == ("kohya", 0.9, {"min_score": 8.0})
    assert manifest["plan"]["name"] == "sequential"
    image = manifest["images"][-1]
    assert image["file"] == "1_generated/generated_000.png"
    assert image["source_file"] == "generated_000.png"
    assert image["source_sha256"] == views[2].sha256
    assert (image["origin"], image["generation"], image["score"]) == ("generated", 1, 8.25)
    assert (image["repeats"], image["exposures"]) == ([0, 1], 5)


def test_an_unreviewed_build_says_so(tmp_path: Path) -> None:
    build_here(tmp_path / "build", make_views(2, 1))
    assert json.loads((tmp_path / "build" / "manifest.json").read_text())["reviewed"] == "none"


def test_a_policy_that_json_cannot_hold_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="policy"):
        build_here(tmp_path / "build", make_views(2, 1), policy={"folder": Path("x")})
    assert list(tmp_path.iterdir()) == []


def test_images_without_a_caption_are_left_out_with_a_reason(tmp_path: Path) -> None:
    views = [*make_views(2, 1), make_view("bare.png", caption=None), make_view("blank.png", "generated", caption=" \n")]
    report = build_here(tmp_path / "build", views, "equal")
    assert [(skip.path, skip.reason) for skip in report.skipped] == [
        ("bare.png", "original without a caption"),
        ("blank.png", "generated without a caption"),
    ]
    assert (tmp_path / "build" / "2_original").is_dir(), "folders are named for the images that are in them"
    with pytest.raises(BuildError, match=r"2 images without a caption: bare\.png, blank\.png"):
        build_here(tmp_path / "strict", views, "equal", strict=True)


def test_the_proposed_caption_is_used_where_there_is_no_current_one(tmp_path: Path) -> None:
    view = make_view("one.png", caption=None)
    proposed = ImageView(**{name: getattr(view, name) for name in view.__slots__} | {"proposed_caption": "a proposal"})
    build_here(tmp_path / "build", [proposed], "originals")
    assert (tmp_path / "build" / "1_original" / "one.txt").read_text() == "a proposal"


@pytest.mark.parametrize(
    ("caption", "written"),
    [
        ("first\nsecond", "first second"),
        ("first,\r\n\r\n  second\u2028third", "first, second third"),
        ("\ufeffwith BOM", "with BOM"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("  two  spaces stay inside  ", "two  spaces stay inside"),
        ("lone \udce9 surrogate", "lone ? surrogate"),
        ("naïve 猫", "naïve 猫"),
    ],
)
def test_a_caption_becomes_one_line_of_utf8(tmp_path: Path, caption: str, written: str) -> None:
    build_here(tmp_path / "build", [make_view("one.png", caption=caption)], "originals")
    assert (tmp_path / "build" / "1_original" / "one.txt").read_bytes() == written.encode()


def test_images_of_the_same_name_from_two_folders_are_both_built(tmp_path: Path) -> None:
    views = [make_view("lady.png", folder="/a", content="1"), make_view("Lady.png", folder="/b", content="2")]
    build_here(tmp_path / "build", views, "originals")
    names = sorted(path.name for path in (tmp_path / "build" / "2_original").glob("*.png"))
    assert names == sorted(f"{name}-{view.sha256[:8]}.png" for name, view in zip(("lady", "Lady"), views, strict=True))


def test_different_native_sizes_are_one_clear_error(tmp_path: Path) -> None:
    views = [*make_views(3, 0), make_view("tall.png", native=(24, 32))]
    with pytest.raises(BuildError) as caught:
        build_here(tmp_path / "build", views, "originals")
    assert "24 x 24: 3" in caught.value.message
    assert "24 x 32: 1 (tall.png)" in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_plan_may_be_given_as_a_value(tmp_path: Path) -> None:
    plan = plan_mix("equal", originals=2, generated=1, epochs=3, batch_size=2)
    assert build_here(tmp_path / "build", make_views(2, 1), plan).plan == plan
    with pytest.raises(BuildError, match="counts on 2 original images and 3"):
        build_here(tmp_path / "other", make_views(3, 1), plan)


def test_no_original_with_a_caption_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no original with a caption"):
        build_here(tmp_path / "build", [make_view("bare.png", caption=None), *make_views(0, 2)], "equal")


def test_an_image_that_vanished_is_named(tmp_path: Path) -> None:
    def vanished(view: ImageView) -> NDArray[np.uint8]:
        raise SkipFile(view.path, "not found")

    with pytest.raises(BuildError, match=r"original_000\.png"):
        build(make_views(1, 0), load_native=vanished, folder=tmp_path / "build", plan="originals")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(24, 24), (24, 25, 3), (24, 24, 4)])
def test_native_pixels_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    def load(view: ImageView) -> NDArray[np.uint8]:
        return np.zeros(shape, dtype=np.uint8)

    with pytest.raises(BuildError, match="as measured before"):
        build(make_views(1, 0), load_native=load, folder=tmp_path / "build", plan="originals")


def test_a_folder_that_cannot_be_written_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        build_here(tmp_path / "file" / "build", make_views(1, 0), "originals")
    assert caught.value.field == "folder"


def test_an_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=", ".join(FORMATS)):
        build_here(tmp_path / "build", make_views(1, 0), "originals", format="paper")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_keeps_images_captions_and_texts_apart(tmp_path: Path, format: str) -> None:
    build_here(tmp_path / "build", make_views(3, 2), "weighted", format=format)
    manifest = json.loads((tmp_path / "build" / "manifest.json").read_text())
    assert len({image["file"] for image in manifest["images"]}) == 5
    assert not manifest["files"].keys() & {image["file"] for image in manifest["images"]}
    assert verify(tmp_path / "build").intact
    assert FORMATS[format].summary
