"""Folders of images are found whole, in order, with every file that cannot be used named and explained."""

from __future__ import annotations

import io
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from graftset.errors import EmptyInputError, UserError
from graftset.ingest import ingest
from ingest_helpers import Project, tiny_png

NO_CHANGE = {"original": 0, "generated": 0}


def test_images_at_any_depth_are_taken_with_origin_and_generation(project: Project) -> None:
    project.image("originals/a.png", "a lady")
    project.image("originals/deep/er/b.png")
    project.image("generated/c.png", "a lady, green background")
    report = project.ingest()
    assert report.added == {"original": 2, "generated": 1}
    assert report.changed == report.unchanged == report.moved == report.missing == NO_CHANGE
    assert (report.skips, report.notes) == ((), ())
    a, c = project.record("originals/a.png"), project.record("generated/c.png")
    assert (a.origin, a.generation, a.text, a.text_source) == ("original", 0, "a lady", "a.txt")
    assert (c.origin, c.generation, c.text, c.text_source) == ("generated", 1, "a lady, green background", "c.txt")
    assert (a.width, a.height, a.format, a.size_bytes) == (4, 4, "PNG", (project.originals / "a.png").stat().st_size)
    assert project.record("originals/deep/er/b.png").text is None


def test_every_image_format_is_taken_under_any_suffix(project: Project) -> None:
    project.image("generated/c.png")
    for name, kind in {
        "a.PNG": "PNG",
        "b.jpg": "JPEG",
        "c.JPEG": "JPEG",
        "d.webp": "WEBP",
        "e.bmp": "BMP",
        "f.tif": "TIFF",
        "g.tiff": "TIFF",
        "really_a_jpeg.png": "JPEG",
    }.items():
        Image.new("RGB", (6, 3)).save(project.originals / name, kind)
        project.ingest()
        assert project.record(f"originals/{name}").format == kind
        assert (project.record(f"originals/{name}").width, project.record(f"originals/{name}").height) == (6, 3)


def test_hidden_files_and_leavings_of_other_systems_are_passed_over(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    for path in (".hidden.png", "._a.png", ".graftset/x.png", "__MACOSX/a.png", "Thumbs.db", "deep/.git/a.png"):
        project.image(f"originals/{path}")
    report = project.ingest()
    assert project.taken() == ["generated/c.png", "originals/a.png"]
    assert report.skips == ()


def test_a_loop_of_links_ends_and_linked_folders_count_once(project: Project) -> None:
    project.image("originals/sub/a.png")
    project.image("generated/c.png")
    (project.originals / "sub" / "loop").symlink_to(project.originals)
    (project.originals / "zz_same").symlink_to(project.originals / "sub")
    (project.originals / "into_candidates").symlink_to(project.generated)
    report = project.ingest()
    assert report.added == {"original": 1, "generated": 1}
    assert project.taken() == ["generated/c.png", "originals/sub/a.png"]


def test_images_come_in_the_order_of_their_paths(project: Project) -> None:
    for name in ("b.png", "a/z.png", "a.png", "B.png", "a b.png"):
        project.image(f"originals/{name}")
    project.image("generated/c.png")
    project.ingest()
    saved = next(paths for call, paths in project.catalog.calls if call == "save_images")
    names = [Path(path).relative_to(project.root).as_posix() for path in saved]
    expected = ["originals/" + name for name in ("B.png", "a b.png", "a.png", "a/z.png", "b.png")]
    assert names == [*expected, "generated/c.png"]


@pytest.mark.parametrize(
    "name",
    [
        "日本 lady.png",
        "emoji 👑.png",
        "line\nbreak.png",
        "-rf.png",
        "--help.png",
        " lead and trail .png",
        "quote'\".png",
        "back\\slash.png",
        "*?[a].png",
        "a" * 200 + ".png",
        unicodedata.normalize("NFD", "crème.png"),
    ],
)
def test_odd_names_are_taken_with_their_captions(project: Project, name: str) -> None:
    project.image(f"originals/{name}", "an odd one")
    project.image("generated/c.png")
    assert project.ingest().skips == ()
    assert project.record(f"originals/{name}").text == "an odd one"


def test_a_caption_whose_name_is_composed_otherwise_still_belongs(project: Project) -> None:
    project.image("originals/" + unicodedata.normalize("NFC", "crème.png"))
    project.file("originals/" + unicodedata.normalize("NFD", "crème.txt"), "a lady")
    project.image("generated/c.png")
    assert project.ingest().skips == ()
    assert project.record("originals/" + unicodedata.normalize("NFC", "crème.png")).text == "a lady"


def test_a_name_that_is_not_utf_8_is_skipped_with_that_reason(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    with open(os.fsencode(project.originals) + b"/caf\xe9.png", "wb") as stream:
        stream.write(tiny_png(9))
    os.mkdir(os.fsencode(project.originals) + b"/\xff")
    skips = project.ingest().skips
    assert [skip.reason for skip in skips] == ["has a name that is not valid UTF-8"] * 2
    assert [skip.path.encode() for skip in skips]  # can be stored and printed
    assert skips[0].path.endswith("caf\\udce9.png")
    assert project.ingest().skips == skips


def test_files_that_cannot_be_used_are_skipped_with_their_reason_and_the_rest_is_taken(project: Project) -> None:
    project.image("originals/a.png", "a lady")
    project.image("generated/c.png")
    whole = tiny_png(7)
    jpeg = io.BytesIO()
    Image.new("RGB", (9, 9)).save(jpeg, "JPEG")
    project.file("originals/empty.png", b"")
    project.file("originals/cut.png", whole[:-20])
    project.file("originals/cut.jpg", jpeg.getvalue()[:-20])
    project.file("originals/text.png", "not an image")
    project.file("originals/bad.webp", b"RIFF\x04\0\0\0WEBP")
    project.file("originals/alone.txt", "a caption without an image")
    os.mkfifo(project.originals / "pipe.png")
    os.mkfifo(project.originals / "a.caption")
    (project.originals / "dead.png").symlink_to("nowhere.png")
    (project.originals / "folder.png").mkdir()
    report = project.ingest()
    assert project.skipped() == {
        "originals/empty.png": "is empty (0 bytes)",
        "originals/cut.png": "is cut short: a PNG chunk ends after the file does",
        "originals/cut.jpg": "is cut short: the end of the JPEG is missing",
        "originals/text.png": "is not a PNG, JPEG, WebP, BMP or TIFF image",
        "originals/bad.webp": report.skips[1].reason,
        "originals/alone.txt": "is a caption without an image",
        "originals/pipe.png": "is a pipe, socket or device, not an image file",
        "originals/dead.png": "is a link to nothing",
    }
    assert {skip.path: skip.reason for skip in report.skips} == {
        path: reason for path, (_, _, reason) in project.catalog.skips.items()
    }
    assert project.taken() == ["generated/c.png", "originals/a.png"]


def test_the_caption_of_an_image_that_is_skipped_is_not_skipped_as_well(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    project.file("originals/empty.png", b"")
    project.file("originals/empty.txt", "a lady")
    assert [Path(skip.path).name for skip in project.ingest().skips] == ["empty.png"]


def test_a_folder_that_cannot_be_listed_is_skipped(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.image("originals/a.png")
    project.image("originals/locked/b.png")
    project.image("generated/c.png")
    scandir = os.scandir

    def deny(folder: Path) -> Any:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", deny)
    report = project.ingest()
    assert [(Path(skip.path).name, skip.reason) for skip in report.skips] == [
        ("locked", "cannot be listed: Permission denied")
    ]


def test_strict_makes_skips_an_error_after_taking_the_rest(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    for number in range(5):
        project.file(f"generated/empty{number}.png", b"")
    with pytest.raises(UserError, match=r"Files that cannot be used \(5\): empty0.png is empty .* and 2 more") as error:
        project.ingest(strict=True)
    assert "--strict" in error.value.remedy
    assert project.taken() == ["generated/c.png", "originals/a.png"]
    assert len(project.catalog.skips) == 5


def test_candidates_inside_the_originals_folder_are_candidates_only(project: Project) -> None:
    project.image("originals/a.png")
    project.image("originals/made/c.png")
    report = project.ingest(candidates=project.originals / "made")
    assert (project.record("originals/a.png").origin, project.record("originals/made/c.png").origin) == (
        "original",
        "generated",
    )
    assert report.added == {"original": 1, "generated": 1}
    assert report.notes == ("Candidates inside the originals folder count as candidates only: made",)


def test_originals_inside_the_candidates_folder_are_originals_only(project: Project) -> None:
    project.image("generated/mine/a.png")
    project.image("generated/c.png")
    report = project.ingest(originals=project.generated / "mine")
    assert report.added == {"original": 1, "generated": 1}
    assert report.notes == ("Originals inside the candidates folder count as originals only: mine",)


def test_several_candidate_folders_are_taken_each_image_once(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    project.image("generated/round2/d.png")
    project.image("more/e.png")
    folders = [project.generated, project.root / "more", project.generated / "round2", project.root / "more"]
    assert project.ingest(candidates=folders).added == {"original": 1, "generated": 3}


def test_no_candidate_folder_and_a_single_original_are_enough(project: Project) -> None:
    project.image("originals/a.png")
    assert project.ingest(candidates=[]).added == {"original": 1, "generated": 0}


def test_a_relative_folder_gives_absolute_paths(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    monkeypatch.chdir(project.root)
    ingest(project.catalog, originals=Path("originals"), candidates=Path("./generated"), prompts=None)
    assert project.taken() == ["generated/c.png", "originals/a.png"]


def test_candidates_that_are_originals_are_remarked(project: Project) -> None:
    data = project.image("originals/a.png").read_bytes()
    project.file("generated/c.png", data)
    assert project.ingest().notes == ("Candidates that are the very file of an original: c.png",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "The originals folder holds no image, nor any other file"),
        (["a.gif", "b.gif", "c.txt", "noext"], "only other files: 2 .gif, 1 .txt, 1 without a suffix"),
        (["empty.png"], "No image of the originals folder can be used: empty.png is empty"),
    ],
)
def test_a_folder_of_originals_without_an_image_says_what_is_there(
    project: Project, files: list[str], message: str
) -> None:
    project.image("generated/c.png")
    for name in files:
        project.file(f"originals/{name}", b"")
    with pytest.raises(EmptyInputError, match=message):
        project.ingest()


def test_a_folder_of_candidates_without_an_image_is_an_error(project: Project) -> None:
    project.image("originals/a.png")
    with pytest.raises(EmptyInputError, match="The candidates folder holds no image"):
        project.ingest()


def test_an_emptied_folder_marks_nothing_missing(project: Project) -> None:
    project.image("originals/a.png")
    image = project.image("generated/c.png")
    project.ingest()
    image.unlink()
    with pytest.raises(EmptyInputError):
        project.ingest()
    assert project.taken() == ["generated/c.png", "originals/a.png"]


@pytest.mark.parametrize("role", ["originals", "candidates"])
def test_a_missing_folder_or_a_file_in_its_place_is_named(project: Project, role: str) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")

    def folders(given: Path) -> dict[str, Any]:
        return {role: given}

    with pytest.raises(UserError, match=f"The {role} folder does not exist") as error:
        project.ingest(**folders(project.root / "nowhere"))
    assert (error.value.field, error.value.value) == (role, str(project.root / "nowhere"))
    with pytest.raises(UserError, match=f"The {role} path is a file"):
        project.ingest(**folders(project.originals / "a.png"))


def test_one_folder_for_both_is_refused(project: Project) -> None:
    project.image("originals/a.png")
    (project.root / "link").symlink_to(project.originals)
    for candidates in (project.originals, project.root / "link"):
        with pytest.raises(UserError, match="Originals and candidates are the same folder"):
            project.ingest(candidates=candidates)
    assert project.catalog.calls == []


def test_progress_counts_every_file_to_the_end(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/c.png")
    project.file("generated/empty.png", b"")
    seen: list[tuple[int, int]] = []
    project.ingest(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
