"""Every finding of the preflight, from the smallest folder that triggers it; and none where all is well."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graftset.build import PLANS, CheckReport, build, check
from graftset.build.kohya.preflight import KINDS, SEVERITIES, Options, finding, in_order
from graftset.build.kohya.preflight.arguments import from_command_line, known_arguments
from graftset.errors import BuildError, UserError
from sample_builds import make_views, native_pixels
from sd_scripts_cases import CONFIG, Case, Picture, buckets, captioned, configured, dataset_toml, folder, together

PLAIN = CONFIG.replace("cache_latents = true", "")
OWN_CACHE = {"set/pic000_0064x0064_sd.npz": (8, 8)}
ANOTHERS_CACHE = {"set/pic0001_0128x0064_sd.npz": (8, 8)}
TO_DISK = CONFIG + "cache_latents_to_disk = true\n"


def set_of(count: int = 2, subset: str = "", **options: Any) -> Case:
    """A folder of captioned pictures with both configs."""
    picture = {
        key: options.pop(key) for key in ("width", "height", "cells", "colors", "mode", "words") if key in options
    }
    return together(captioned("set", count, **picture), texts=configured(folder("set", 1, subset), **options))


def with_texts(texts: dict[str, str | bytes], subset: str = "", *, count: int = 2, **options: Any) -> Case:
    """The same, with some captions replaced."""
    return together(captioned("set", count), texts=configured(folder("set", 1, subset), **options) | texts)


def bare(count: int = 2, **options: Any) -> Case:
    """Pictures without captions."""
    return Case({f"set/pic{number}.png": Picture() for number in range(count)}, configured(folder("set", **options)))


def split_set(more: str) -> Case:
    """Seven pictures with a validation split."""
    return set_of(7, dataset=f"resolution = 64\nbatch_size = 4\n{more}")


# What `--check` is given, below the case's folder, and the case.
SMALLEST: dict[str, tuple[str, Case]] = {
    "nothing-to-train": ("train.toml", Case(texts=configured(folder("set")) | {"set/notes.md": ""})),
    "image-folder-itself": ("1_set", together(captioned("1_set", 2))),
    "folder-ignored": (".", together(captioned("1_a", 2), captioned("b", 2))),
    "folder-name-trap": (".", together(captioned("20_original", 20))),
    "repeats-from-names": (".", together(captioned("2_a", 1))),
    "folder-missing": ("train.toml", together(captioned("a", 1), texts=configured(folder("a"), folder("b")))),
    "folder-empty": (
        "train.toml",
        together(captioned("a", 1), texts=configured(folder("a"), folder("b")) | {"b/notes.md": ""}),
    ),
    "no-repeats": (
        "train.toml",
        together(captioned("a", 1), captioned("b", 1), texts=configured(folder("a"), folder("b", 0))),
    ),
    "folder-twice": ("train.toml", together(captioned("a", 1), texts=configured(folder("a"), folder("a", 2)))),
    "folder-alias": ("train.toml", together(captioned("a", 1), texts=configured(folder("a"), folder("a/", 2)))),
    "image-ignored": ("train.toml", Case({"set/a.png": Picture(), "set/b.Png": Picture()}, configured(folder("set")))),
    "image-loose": (".", together(captioned("1_a", 1), captioned(".", 1))),
    "nested-ignored": (
        "train.toml",
        together(captioned("set", 1), captioned("set/more", 1), texts=configured(folder("set"))),
    ),
    "config-unreadable": ("train.toml", Case(texts={"train.toml": CONFIG})),
    "key-refused": ("train.toml", set_of(subset="prior_loss_weight = 0.5")),
    "key-ignored": ("train.toml", set_of(train=CONFIG + "bucket_resolution = 5\n")),
    "value-mistyped": ("train.toml", set_of(train=CONFIG + 'learning_rate = "1e-4"\n')),
    "value-refused": ("train.toml", set_of(dataset='resolution = 64\nresize_interpolation = "sharp"')),
    "resolution-missing": ("train.toml", set_of(dataset="batch_size = 4")),
    "defaults-assumed": (".", together(captioned("2_a", 1))),
    "key-without-effect": ("train.toml", set_of(train=CONFIG + "train_batch_size = 8\n")),
    "starts-elsewhere": ("train.toml", set_of()),
    "outside": ("dataset.toml", Case(texts={"dataset.toml": dataset_toml('metadata_file = "meta.json"')})),
    "steps-by-default": ("dataset.toml", set_of()),
    "last-epoch-cut": ("train.toml", set_of(9, train=PLAIN.replace("max_train_epochs", "max_train_steps"))),
    "caption-missing": ("train.toml", bare()),
    "caption-from-name": (".", Case({"2_punk/a.png": Picture()})),
    "caption-extension": (".", together(captioned("2_a", 1))),
    "caption-borrowed": (
        "train.toml",
        Case({"s/a.png": Picture(), "s/a_1_2_3_4.png": Picture()}, {"s/a.txt": "a"} | configured(folder("s"))),
    ),
    "caption-refused": ("train.toml", with_texts({"set/pic000.txt": ""})),
    "caption-blank": ("train.toml", with_texts({"set/pic000.txt": "\nlater"})),
    "caption-lines": ("train.toml", with_texts({"set/pic000.txt": "one\ntwo"})),
    "caption-mark": ("train.toml", with_texts({"set/pic000.txt": "\ufeffone"})),
    "caption-cut": ("train.toml", with_texts({"set/pic000.txt": "word " * 76})),
    "caption-cut-anyway": (
        "train.toml",
        with_texts({"set/pic000.txt": "word " * 226}, train=CONFIG + "max_token_length = 225\n"),
    ),
    "caption-without-image": ("train.toml", with_texts({"set/other.txt": "alone"})),
    "caption-cache": (
        "train.toml",
        with_texts(
            {"set/metadata_cache.json": json.dumps({"set/pic000.png": {"caption": "old", "resolution": [64, 64]}})},
            "cache_info = true",
        ),
    ),
    "shuffle-moves-trigger": ("train.toml", set_of(subset="shuffle_caption = true")),
    "keep-tokens-idle": ("train.toml", set_of(subset="keep_tokens = 1")),
    "prefix-glued": ("train.toml", set_of(subset='caption_prefix = "punk"')),
    "separator-shown": ("train.toml", with_texts({"set/pic000.txt": "punk ||| lady"})),
    "caption-dropout": ("train.toml", set_of(subset="caption_dropout_rate = 0.1")),
    "caption-drawn": ("train.toml", with_texts({"set/pic000.txt": "a {red|blue} hat"}, "enable_wildcard = true")),
    "image-refused": ("train.toml", with_texts({"set/broken.png": b"no picture", "set/broken.txt": "one"})),
    "size-refused": ("train.toml", set_of(width=96, train=PLAIN)),
    "augmentation-refused": ("train.toml", set_of(subset="random_crop = true")),
    "face-name-refused": (
        "train.toml",
        Case(
            {"s/lady_a_b_c_d.png": Picture()},
            configured(folder("s", 1, "face_crop_aug_range = [1.0, 2.0]"), train=PLAIN),
        ),
    ),
    "colors-multiplied": ("train.toml", set_of(width=24, height=24, cells=24)),
    "cells-uneven": (
        "train.toml",
        set_of(width=24, height=24, dataset='resolution = 64\nresize_interpolation = "nearest"'),
    ),
    "cropped": ("train.toml", set_of(width=128, height=64)),
    "alpha-dropped": ("train.toml", set_of(mode="RGBA")),
    "orientation-ignored": (
        "train.toml",
        Case({"set/a.jpg": Picture(orientation=6)}, {"set/a.txt": "one"} | configured(folder("set"))),
    ),
    "flip": ("train.toml", with_texts({"set/pic000.txt": "looks left"}, "flip_aug = true")),
    "color-aug": ("train.toml", set_of(subset="color_aug = true", train=PLAIN)),
    "face-crop": (
        "train.toml",
        Case(
            {"s/lady_8_8_4_4.png": Picture()},
            configured(folder("s", 1, "face_crop_aug_range = [1.0, 2.0]"), train=PLAIN),
        ),
    ),
    "pixels-sampled": ("train.toml", set_of(5)),
    "cache-stale": (
        "train.toml",
        together(captioned("set", 1), texts=configured(folder("set"), train=TO_DISK), latents=OWN_CACHE),
    ),
    "cache-idle": (
        "train.toml",
        together(captioned("set", 1), texts=configured(folder("set")), latents=OWN_CACHE),
    ),
    "size-from-cache": (
        "train.toml",
        together(captioned("set", 1), texts=configured(folder("set")), latents=ANOTHERS_CACHE),
    ),
    "reg-unused": (
        "train.toml",
        together(captioned("a", 1), captioned("r", 3), texts=configured(folder("a"), folder("r", 1, "is_reg = true"))),
    ),
    "reg-repeated": (
        "train.toml",
        together(captioned("a", 4), captioned("r", 1), texts=configured(folder("a"), folder("r", 1, "is_reg = true"))),
    ),
    "reg-weight": (
        "train.toml",
        together(captioned("a", 1), captioned("r", 1), texts=configured(folder("a"), folder("r", 1, "is_reg = true"))),
    ),
    "reg-nothing": ("train.toml", set_of(subset="is_reg = true")),
    "batches-partial": (
        "train.toml",
        together(
            captioned("a", 1),
            captioned("b", 1, width=256),
            texts=configured(folder("a"), folder("b"), dataset=buckets(128, low=64, high=256)),
        ),
    ),
    "validation-overlap": ("train.toml", split_set("validation_split = 0.2")),
    "validation-share": ("train.toml", split_set("validation_split = 20.0")),
    "validation-silent": ("train.toml", split_set("validation_split = 0.2\nvalidation_seed = 1")),
}
OF_BUILDS = {"plan-differs", "build-files", "build-edited", "format-unknown"}
OF_SDXL = {"text-cache-stale"}  # see test_a_cache_of_texts_is_stale_by_age_or_damage


def checked(place: Path, given: str, case: Case, **options: Any) -> CheckReport:
    case.write(place)
    return check(place / given, Options(**options))


def codes(report: CheckReport) -> set[str]:
    return {each.kind.code for each in report.findings}


@pytest.mark.parametrize("code", SMALLEST)
def test_each_finding_has_a_smallest_folder(tmp_path: Path, code: str) -> None:
    given, case = SMALLEST[code]
    report = checked(tmp_path, given, case, pictures=2)
    assert code in codes(report), [each.sentence() for each in report.findings]


def test_every_finding_of_the_table_has_one() -> None:
    assert KINDS.keys() - SMALLEST.keys() == OF_BUILDS | OF_SDXL
    assert {kind.severity for kind in KINDS.values()} == set(SEVERITIES)
    assert all(kind.severity == "problem" for kind in KINDS.values() if kind.stops)
    assert all(kind.remedy for kind in KINDS.values() if kind.severity != "note")


def test_a_folder_without_faults_has_no_problem_and_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = checked(tmp_path, "train.toml", set_of(8))
    assert (report.problems, report.warnings) == ((), ())
    assert (report.steps, report.batches_per_epoch, report.epochs) == (20, (2,), (10,))
    (row,) = report.rows
    assert (row.images, row.captions, row.entries, row.cut, row.buckets) == (8, 8, 8, 0, {"64x64": 8})
    assert row.colors == row.colors_seen


def test_findings_come_by_severity_and_once() -> None:
    note, problem = finding("reg-weight", "n"), finding("no-repeats", "p")
    assert in_order([note, problem, note]) == (problem, note)


def test_what_is_told_of_evidence_is_short() -> None:
    told = finding("no-repeats", "Left out", ["a", "b", "c", "d", "e"]).sentence()
    assert told == "Left out (a, b, c and 2 more)"


def test_the_trap_says_what_it_costs(tmp_path: Path) -> None:
    report = checked(tmp_path, ".", together(captioned("20_original", 20)))
    (trap,) = [each for each in report.findings if each.kind.code == "folder-name-trap"]
    assert trap.message == "The folder 20_original shows each of its 20 images 20 times an epoch: 400 entries"


def test_the_words_that_are_cut_are_shown(tmp_path: Path) -> None:
    report = checked(tmp_path, "train.toml", with_texts({"set/pic000.txt": "word " * 75 + "green eyes"}))
    (cut,) = [each for each in report.findings if each.kind.code == "caption-cut"]
    assert cut.evidence == ("pic000.png loses 'green eyes'",)
    assert "1 of 2, the longest has 77" in cut.message


@pytest.mark.parametrize(("height", "width", "why"), [(8, 8, "the image was changed"), (4, 4, "it holds 32 x 32 px")])
def test_a_cache_is_stale_by_age_or_by_size(tmp_path: Path, height: int, width: int, why: str) -> None:
    case = together(
        captioned("set", 1),
        texts=configured(folder("set"), train=TO_DISK),
        latents={"set/pic000.npz": (height, width)},
    )
    case.write(tmp_path)
    if height == 4:
        (tmp_path / "set" / "pic000.npz").touch()
    (stale,) = [each for each in check(tmp_path / "train.toml").findings if each.kind.code == "cache-stale"]
    assert why in stale.evidence[0]


def test_a_cache_that_is_newer_and_of_the_right_size_is_true(tmp_path: Path) -> None:
    case = together(
        captioned("set", 1), texts=configured(folder("set"), train=TO_DISK), latents={"set/pic000.npz": (8, 8)}
    )
    case.write(tmp_path)
    (tmp_path / "set" / "pic000.npz").touch()
    assert "cache-stale" not in codes(check(tmp_path / "train.toml"))


@pytest.mark.parametrize(
    ("arrays", "newer", "why"),
    [
        (("hidden_state1", "hidden_state2", "pool2"), False, "pic000.txt was changed after it was made"),
        (("hidden_state1", "hidden_state2", "pool2"), True, None),
        (("hidden_state1",), False, None),  # the trainer makes it anew
        ((), True, "it cannot be read"),
    ],
)
def test_a_cache_of_texts_is_stale_by_age_or_damage(
    tmp_path: Path, arrays: tuple[str, ...], newer: bool, why: str | None
) -> None:
    train = CONFIG + "cache_text_encoder_outputs = true\ncache_text_encoder_outputs_to_disk = true\n"
    together(captioned("set", 1), texts=configured(folder("set"), train=train)).write(tmp_path)
    cache = tmp_path / "set" / "pic000_te_outputs.npz"
    if arrays:
        np.savez(cache, **{name: np.zeros(2) for name in arrays})
    else:
        cache.write_bytes(b"PK")
    made = (tmp_path / "set" / "pic000.txt").stat().st_mtime_ns + (1 if newer else -1) * 10**9
    os.utime(cache, ns=(made, made))
    told = [each for each in check(tmp_path / "train.toml", Options(sdxl=True)).findings if each.kind.code in OF_SDXL]
    assert [each.evidence for each in told] == ([] if why is None else [(f"pic000_te_outputs.npz: {why}",)])


def test_a_mask_makes_transparency_harmless(tmp_path: Path) -> None:
    assert "alpha-dropped" not in codes(
        checked(tmp_path, "train.toml", set_of(mode="RGBA", subset="alpha_mask = true"))
    )


def test_a_config_may_lie_in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_of(3).write(tmp_path)
    (tmp_path / "configs").mkdir()
    shutil.move(tmp_path / "train.toml", tmp_path / "configs" / "train.toml")
    report = check(tmp_path / "configs" / "train.toml")
    assert f"started in {tmp_path}" in " ".join(report.warnings)
    assert report.steps == 10
    monkeypatch.chdir(tmp_path)
    assert check(Path("configs/train.toml")).warnings == ()


def test_a_folder_with_one_config_is_read_by_it_and_with_two_is_asked_about(tmp_path: Path) -> None:
    set_of(3).write(tmp_path)
    assert check(tmp_path).steps == 10
    shutil.copy(tmp_path / "train.toml", tmp_path / "other.toml")
    with pytest.raises(UserError, match=r"2 configs of sd-scripts: other\.toml, train\.toml"):
        check(tmp_path)


@pytest.mark.parametrize("make", [lambda place: place / "nowhere", lambda place: place, lambda place: place / "a.png"])
def test_what_nothing_can_be_said_of_is_one_sentence(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(UserError) as caught:
        check(make(tmp_path))
    assert caught.value.field == "--check"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("resolution", "64,64", "64,64"),
        ("train_batch_size", "4", 4),
        ("cache_latents", "", True),
        ("cache_latents", "false", False),
        ("validation_split", "0.2", 0.2),
        ("lr_warmup_steps", "0.05", 0.05),
        ("text_encoder_lr", "1e-4 1e-5", [1e-4, 1e-5]),
    ],
)
def test_arguments_are_read_as_the_command_line_reads_them(name: str, text: str, value: object) -> None:
    assert from_command_line(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train_batch_sise", "4", "no argument train_batch_sise; train_batch_size is near"),
        ("batch_size", "4", "train_batch_size is near"),
        ("train_batch_size", "four", "takes int, not 'four'"),
        ("cache_latents", "maybe", "is a switch"),
        ("max_token_length", "100", "is one of 150, 225"),
        ("cache_text_encoder_outputs", "", "has no argument"),
    ],
)
def test_arguments_the_command_line_refuses_are_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_command_line(name, text)


def test_the_table_of_arguments_has_those_of_both_scripts() -> None:
    known = known_arguments()
    assert known["max_token_length"].choices == (None, 150, 225)
    assert known["cache_text_encoder_outputs"].scripts == ("sdxl",)
    assert len(known) > 190


class TestABuildOfOurs:
    """A build passes wherever it lies, and each thing that is changed in it is found."""

    @pytest.fixture
    def built(self, tmp_path: Path) -> Path:
        build(make_views(5, 2), load_native=native_pixels, folder=tmp_path / "build", plan="weighted", size=48)
        return tmp_path / "build"

    @pytest.mark.parametrize("plan", PLANS)
    def test_it_passes_after_it_was_moved(self, tmp_path: Path, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
        build(make_views(5, 2), load_native=native_pixels, folder=tmp_path / "here" / "build", plan=plan, size=48)
        there = tmp_path / "a_b_c_d_e_f it's there"
        there.mkdir()
        moved = Path(shutil.move(tmp_path / "here" / "build", there / "renamed"))
        monkeypatch.chdir(tmp_path / "here")
        report = check(moved)
        assert (report.problems, report.warnings) == ((), ())
        assert "keep-tokens-idle" not in codes(report)  # meant so, and said in dataset.toml
        assert report.steps == report.planned_steps
        assert all(row.images == row.captions == row.planned_images for row in report.rows)
        assert {image.colors for image in report.images} == {image.colors_seen for image in report.images}

    def test_it_passes_where_it_was_written_for_another_machine(self, tmp_path: Path) -> None:
        place = tmp_path / "build"
        views = make_views(5, 2)
        build(views, load_native=native_pixels, folder=place, plan="sequential", size=48, root="/workspace/x_y_z")
        report = check(place)
        assert (report.problems, report.warnings) == ((), ())
        assert {image.path.split("/")[0] for image in report.images} == {"5_original", "2_generated"}

    def test_a_picture_of_another_size_is_found(self, built: Path) -> None:
        Picture(96, 48).draw(built / "5_original" / "original_000.png", 0)
        report = check(built)
        assert {"build-files", "cropped"} <= codes(report)

    def test_an_unknown_key_in_its_config_is_found(self, built: Path) -> None:
        config = built / "train.toml"
        config.write_text(config.read_text() + "\nnetwork_dimm = 8\n")
        report = check(built)
        assert codes(report) >= {"key-ignored", "build-edited"}
        assert "network_dim is meant perhaps" in report.problems[0]

    def test_a_format_of_a_later_version_is_said_to_be_unknown(self, built: Path) -> None:
        manifest = json.loads((built / "manifest.json").read_text())
        (built / "manifest.json").write_text(json.dumps(manifest | {"format": "paper"}))
        assert "format-unknown" in codes(check(built))

    def test_another_plan_than_its_own_is_found(self, built: Path) -> None:
        config = built / "dataset.toml"
        config.write_text(config.read_text().replace("num_repeats = 2", "num_repeats = 3"))
        assert "plan-differs" in codes(check(built))

    def test_a_damaged_manifest_is_an_error(self, built: Path) -> None:
        (built / "manifest.json").write_text("{")
        with pytest.raises(BuildError):
            check(built)
