"""Captions and prompts are found wherever people keep them, and whatever is odd about them is said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graftset.errors import UserError
from graftset.ingest import captions
from graftset.ingest.decoding import UnreadableTextError, decode_text, one_line
from graftset.ingest.statements import MalformedError, read_csv, read_json, read_json_lines
from ingest_helpers import A1111, Project, exif_comment, piexif_unicode, png_with


@pytest.fixture
def one(project: Project) -> Project:
    """One original without text, and one candidate `generated/c.png` to say things of."""
    project.image("originals/a.png")
    project.image("generated/c.png")
    return project


def text_of(project: Project, path: str = "generated/c.png") -> tuple[str | None, str | None]:
    record = project.record(path)
    return record.text, record.text_source


# Caption files


@pytest.mark.parametrize(
    ("content", "text", "note"),
    [
        ("a lady", "a lady", None),
        ("a lady\n", "a lady", None),
        ("  a lady  \r\n", "a lady", None),
        ("\ufeffa lady", "a lady", None),
        ("a lady, crème".encode("utf-16"), "a lady, crème", None),
        ("a lady, crème".encode("cp1252"), "a lady, crème", "Captions that are not UTF-8, read as Windows-1252: c.txt"),
        (b"a lady \x81\xff", "a lady \x81ÿ", "Captions that are not UTF-8, read as Windows-1252: c.txt"),
        ("", None, "Empty captions, taken as no text: c.txt"),
        (" \r\n\t\n", None, "Empty captions, taken as no text: c.txt"),
        ("\ufeff", None, "Empty captions, taken as no text: c.txt"),
        ("a\0lady", None, "Captions taken as no text because the file holds NUL bytes: c.txt"),
        ("a lady".encode("utf-16-le"), None, "Captions taken as no text because the file holds NUL bytes: c.txt"),
        (
            b"\xff\xfea",
            None,
            "Captions taken as no text because the file breaks off in the middle of a character: c.txt",
        ),
        (
            "a lady\r\nsecond line\rthird",
            "a lady",
            "Captions of several lines, of which the first is used, as trainers do: c.txt",
        ),
        ("\n\n a lady \n\n", "a lady", None),
    ],
)
def test_a_caption_file_is_read_whatever_its_encoding(
    one: Project, content: str | bytes, text: str | None, note: str | None
) -> None:
    one.file("generated/c.txt", content)
    report = one.ingest()
    assert text_of(one) == (text, "c.txt")
    assert report.notes == ((note,) if note else ())
    assert report.skips == ()


def test_a_huge_caption_is_left_unread(one: Project) -> None:
    one.file("generated/c.txt", b"x" * (captions.MAX_CAPTION + 1))
    assert one.ingest().notes == ("Captions larger than 1 MiB, taken as no text: c.txt",)
    assert text_of(one) == (None, "c.txt")


def test_a_caption_that_may_not_be_read_leaves_the_image_without_text(
    one: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.file("generated/c.txt", "a lady")
    read_bytes = Path.read_bytes

    def deny(path: Path) -> bytes:
        if path.suffix == ".txt":
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", deny)
    assert one.ingest().notes == ("Captions that cannot be read (Permission denied): c.txt",)
    assert text_of(one) == (None, "c.txt")


def test_many_oddities_of_one_kind_make_one_sentence(one: Project) -> None:
    for number in range(5):
        one.image(f"generated/d{number}.png", "")
    assert one.ingest().notes == ("Empty captions, taken as no text: d0.txt, d1.txt, d2.txt and 2 more",)


def test_the_first_place_that_has_text_wins(one: Project) -> None:
    """Each source in turn is added in front of those before it, and takes over."""
    png_with(one.generated / "c.png", parameters=A1111)
    places: list[tuple[str, str, str | None]] = [
        ("", "", None),
        ("generated/metadata.csv", "file_name,text\nc.png,from csv\n", "from csv"),
        ("generated/metadata.jsonl", '{"file_name": "c.png", "text": "from jsonl"}\n', "from jsonl"),
        ("generated/c.png.txt", "from name", "from name"),
        ("generated/c.caption", "from caption", "from caption"),
        ("generated/c.txt", "from stem", "from stem"),
    ]
    for path, content, text in places:
        if path:
            one.file(path, content)
        report = one.ingest()
        expected = (text, Path(path).name) if path else ("a lady, brown hair", "PNG parameters")
        assert text_of(one) == expected
        assert one.record("generated/c.png").provenance.seed == 42
        assert report.notes == ()
    one.file("prompts.json", '{"c": "from prompts"}')
    one.ingest(prompts="prompts.json")
    assert text_of(one) == ("from prompts", "prompts.json")


def test_caption_suffixes_in_capitals_belong_too(one: Project) -> None:
    one.file("generated/c.TXT", "a lady")
    one.ingest()
    assert text_of(one) == ("a lady", "c.TXT")


def test_images_of_one_stem_share_their_caption_and_that_is_said(one: Project) -> None:
    one.file("generated/c.txt", "a lady")
    Image.new("RGB", (3, 3)).save(one.generated / "c.jpg")
    assert one.ingest().notes == ("Images of one name that share a caption file: c.jpg and c.png",)
    assert text_of(one, "generated/c.jpg") == text_of(one, "generated/c.png") == ("a lady", "c.txt")


def test_a_caption_without_an_image_is_skipped(one: Project) -> None:
    one.file("generated/d.txt", "a lady")
    one.file("generated/sub/c.caption", "a lady")
    one.file("generated/readme.md", "not a caption")
    one.ingest()
    assert one.skipped() == {
        "generated/d.txt": "is a caption without an image",
        "generated/sub/c.caption": "is a caption without an image",
    }


# Metadata tables


def test_the_closest_metadata_table_counts(one: Project) -> None:
    one.image("generated/sub/d.png")
    one.image("generated/sub/e.png")
    rows = [{"file_name": name, "text": f"above {name}"} for name in ("c.png", "sub/d.png", "sub\\e.png")]
    one.file("generated/metadata.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n\n")
    one.file("generated/sub/metadata.csv", 'file_name,caption\r\n./d.png,"close, d"\r\n')
    assert one.ingest().notes == ()
    assert text_of(one) == ("above c.png", "metadata.jsonl")
    assert text_of(one, "generated/sub/d.png") == ("close, d", "metadata.csv")
    assert text_of(one, "generated/sub/e.png") == ("above sub\\e.png", "metadata.jsonl")


def test_originals_have_metadata_tables_too(one: Project) -> None:
    one.file("originals/metadata.csv", "File_Name;Text\na.png;a lady; extra\n")
    one.ingest()
    assert text_of(one, "originals/a.png") == ("a lady", "metadata.csv")


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("metadata.csv", "id,score\n1,2\n", "has no column 'file_name' or"),
        ("metadata.jsonl", '{"file_name": "c.png", "text": "x"}\nnot json\n', "is not JSON"),
        ("metadata.jsonl", '["c.png"]\n', "holds a list in line 1"),
        ("metadata.jsonl", b"\0", "holds NUL bytes"),
        ("metadata.csv", "", "is empty"),
    ],
)
def test_a_malformed_metadata_table_is_left_out_and_that_is_said(
    one: Project, name: str, content: str | bytes, note: str
) -> None:
    one.file(f"generated/{name}", content)
    (sentence,) = one.ingest().notes
    assert sentence.startswith(f"Metadata tables left out because the file {note}")
    assert text_of(one) == (None, None)


def test_rows_of_images_that_are_not_there_are_remarked(one: Project) -> None:
    one.file("generated/metadata.csv", "file_name,text\nc.png,a\ngone.png,b\n../../c.png,c\n")
    assert one.ingest().notes == ("Entries of metadata.csv that name no image: gone.png, ../../c.png",)


# Prompts files


@pytest.mark.parametrize(
    "prompts",
    [
        [{"file": "c.png", "prompt": "a lady"}],
        [{"file_name": "c", "text": "a lady"}],
        [{"image": "generated/c.png", "caption": "a lady"}],
        [{"path": "./c.png", "prompt": "a lady"}],
        [{"Name": "C:\\made\\by\\another\\c.png", "Prompt": "a lady"}],
        [{"name": "/home/other/out/c.jpg", "prompt": " a\n lady "}],
        {"c.png": "a lady"},
        {"c": {"prompt": "a lady"}},
        ["a lady"],
    ],
)
def test_every_shape_of_a_prompts_file_is_read(one: Project, prompts: Any) -> None:
    one.file("prompts.json", json.dumps(prompts))
    assert one.ingest(prompts="prompts.json").notes == ()
    assert text_of(one)[0] in ("a lady", "a lady")
    assert text_of(one)[1] == "prompts.json"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("prompts.csv", "file,prompt\nc.png,a lady\n"),
        ("prompts.csv", '\ufeffprompt;seed;file\r\n"a lady";;c.png\r\n;;\r\n'),
        ("prompts.tsv", "image\ttext\nc\ta lady\n"),
        ("prompts", "file,prompt\nc.png,a lady\n"),
        ("prompts", '  [{"file": "c.png", "prompt": "a lady"}]'),
        ("prompts.jsonl", '{"file": "c.png", "prompt": "a lady"}\n'),
    ],
)
def test_csv_and_json_lines_are_prompts_files_too(one: Project, name: str, content: str) -> None:
    one.file(name, content)
    assert one.ingest(prompts=name).notes == ()
    assert text_of(one) == ("a lady", name)


def test_a_prompts_file_states_seed_generation_and_source(one: Project) -> None:
    one.image("originals/sub/lady.png")
    one.image("generated/d.png")
    one.file(
        "prompts.json",
        json.dumps(
            [
                {"file": "c.png", "prompt": "p", "seed": 18446744073709551615, "source": "lady", "generation": 2},
                {"file": "d.png", "prompt": None, "seed": -1, "source_original": "originals/sub/lady.png"},
            ]
        ),
    )
    one.ingest(prompts="prompts.json")
    c, d = one.record("generated/c.png"), one.record("generated/d.png")
    assert (c.provenance.seed, c.provenance.extra, c.generation) == (2**64 - 1, {"seed source": "prompts.json"}, 2)
    assert (c.source_original, c.source_basis) == (str(one.originals / "sub" / "lady.png"), "prompts")
    assert (d.text, d.provenance.seed, d.generation, d.source_basis) == (None, None, 1, "prompts")


def test_a_plain_list_is_dealt_out_in_path_order_broken_files_included(one: Project) -> None:
    one.file("generated/b.png", b"")
    one.image("generated/sub/a.png")
    one.file("prompts.json", '["for b", "for c", null]')
    one.ingest(prompts="prompts.json")
    assert text_of(one) == ("for c", "prompts.json")
    assert text_of(one, "generated/sub/a.png") == (None, None)


def test_a_plain_list_of_another_length_is_refused(one: Project) -> None:
    one.file("prompts.json", '["one", "two"]')
    with pytest.raises(UserError, match="a list of 2 prompts without names, for 1 candidate"):
        one.ingest(prompts="prompts.json")
    assert one.catalog.calls == []


def test_entries_that_fit_no_image_or_several_are_remarked(one: Project) -> None:
    one.image("generated/x/d.png")
    one.image("generated/y/d.png")
    entries = ["gone.png", "d.png", "x/d.png", "c.png", "c"]
    one.file("prompts.json", json.dumps([{"file": key, "prompt": f"for {key}", "source": "nobody"} for key in entries]))
    assert one.ingest(prompts="prompts.json").notes == (
        "Entries of the prompts file that name no candidate: gone.png",
        "Entries of the prompts file that could mean several candidates, left out: d.png",
        "Candidates with several entries in the prompts file, of which one is used: c.png",
        "Stated source originals not found: nobody, nobody",
    )
    assert text_of(one) == ("for c.png", "prompts.json")
    assert text_of(one, "generated/x/d.png") == ("for x/d.png", "prompts.json")
    assert text_of(one, "generated/y/d.png") == (None, None)


def test_the_closer_of_two_entries_counts(one: Project) -> None:
    one.file("prompts.json", '[{"file": "c", "prompt": "by stem"}, {"file": "c.png", "prompt": "by path"}]')
    one.ingest(prompts="prompts.json")
    assert text_of(one)[0] == "by path"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\0", "holds NUL bytes"),
        ("{", "is not JSON"),
        ("[]", "holds no entry"),
        ("{}", "holds no entry"),
        ("5", "holds a number where a list or a map is needed"),
        ("null", "holds nothing where a list or a map"),
        ("[1, 2]", "holds a number in entry 1 where an object is needed"),
        ('["a", {"file": "c.png"}]', "holds text in entry 1 where an object is needed"),
        ('[{"prompt": "a"}]', "names no image in entry 1: 'file_name' or 'file'"),
        ('[{"file": 3, "prompt": "a"}]', "names no image in entry 1"),
        (
            '[{"file": "c.png", "prompt": 7}]',
            "holds a number in entry 1 where 'prompt' or",
        ),
        ('[{"file": "c.png", "prompt": ["a"]}]', "holds a list in entry 1"),
        ('[{"file": "c.png", "seed": "many"}]', "holds 'many' in entry 1 where 'seed' needs a whole number"),
        ('[{"file": "c.png", "seed": 1e999}]', "holds inf in entry 1"),
        ('[{"file": "c.png", "seed": 1.5}]', "holds 1.5 in entry 1"),
        ('[{"file": "c.png", "seed": true}]', "holds True in entry 1"),
        ('[{"file": "c.png", "seed": 18446744073709551616}]', "must be below 2"),
        ('{"c.png": 5}', "holds a number at 'c.png' where a prompt or an object is needed"),
        ("[" * 100_000, "is nested too deeply|is not JSON"),
        ('[{"file": "c.png", "seed": ' + "9" * 5000 + "}]", "is not JSON"),
    ],
)
def test_a_prompts_file_of_the_wrong_shape_is_one_clear_sentence(one: Project, content: str, message: str) -> None:
    one.file("prompts.json", content)
    with pytest.raises(UserError, match=message) as error:
        one.ingest(prompts="prompts.json")
    assert error.value.field == "prompts"
    assert "JSON list of objects" in error.value.remedy
    assert "\n" not in str(error.value)
    assert one.catalog.calls == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a lady\na lad\n", "has no column 'file_name' or 'file'"),
        ("file,prompt\n,a lady\n", "names no image in row 2"),
        ('file,prompt\nc.png,"' + "x" * 200_000 + '"\n', "is not CSV: field larger than field limit"),
    ],
)
def test_a_table_of_the_wrong_shape_is_one_clear_sentence(one: Project, content: str, message: str) -> None:
    one.file("prompts.csv", content)
    with pytest.raises(UserError, match=message):
        one.ingest(prompts="prompts.csv")


def test_a_prompts_file_that_is_not_there_or_no_file_is_named(one: Project) -> None:
    with pytest.raises(UserError, match="The prompts file does not exist") as error:
        one.ingest(prompts="nowhere.json")
    assert error.value.value == str(one.root / "nowhere.json")
    with pytest.raises(UserError, match="The prompts file is a folder"):
        one.ingest(prompts="originals")
    os.mkfifo(one.root / "pipe.json")
    with pytest.raises(UserError, match="The prompts file is a pipe"):
        one.ingest(prompts="pipe.json")


def test_a_prompts_file_among_the_candidates_is_not_their_caption_or_table(one: Project) -> None:
    one.file("generated/c.txt", "file,prompt\nc.png,a lady\n")
    report = one.ingest(prompts="generated/c.txt")
    assert (text_of(one), report.skips, report.notes) == (("a lady", "c.txt"), (), ())
    one.file("generated/prompts.txt", "file,prompt\nc.png,a lass\n")
    assert one.ingest(prompts="generated/prompts.txt").skips == ()
    assert text_of(one) == ("a lass", "prompts.txt")
    (one.generated / "prompts.txt").unlink()
    one.file("generated/metadata.jsonl", '{"file": "c.png", "prompt": "a lad"}')
    assert one.ingest(prompts="generated/metadata.jsonl").notes == ()
    assert text_of(one) == ("a lad", "metadata.jsonl")


def test_text_no_database_can_hold_is_mended(one: Project) -> None:
    one.file("prompts.json", '{"c.png": "a \\ud800lady\\u0000"}')
    one.ingest(prompts="prompts.json")
    assert text_of(one)[0] == "a \N{REPLACEMENT CHARACTER}lady"


# Text inside images


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_parameters_in_the_exif_of_other_formats_are_read(one: Project, kind: str) -> None:
    Image.new("RGB", (8, 8)).save(one.generated / "d.img.png", kind, exif=exif_comment(piexif_unicode(A1111)))
    one.ingest()
    assert text_of(one, "generated/d.img.png") == ("a lady, brown hair", "EXIF UserComment")
    assert one.record("generated/d.img.png").provenance.model == "v1-5"


def test_a_camera_comment_is_no_prompt(one: Project) -> None:
    Image.new("RGB", (8, 8)).save(one.generated / "d.jpg", exif=exif_comment(piexif_unicode("Screenshot")))
    png_with(one.generated / "e.png", parameters='{"sui_image_params": {}}', Comment="made with love")
    one.ingest()
    assert text_of(one, "generated/d.jpg") == text_of(one, "generated/e.png") == (None, None)


# Whatever comes


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_decode_to_storable_text_or_are_unreadable(data: bytes) -> None:
    try:
        text, _ = decode_text(data)
    except UnreadableTextError:
        return
    line = one_line(text)
    assert line is None or (line.strip() and "\n" not in line and "\r" not in line)
    (line or "").encode("utf-8")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["file", "prompt", "seed", "source", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(JSON, st.text(max_size=80))
def test_any_document_is_read_or_malformed(document: Any, text: str) -> None:
    for read, content in (
        (read_json, json.dumps(document)),
        (read_json_lines, json.dumps(document)),
        (read_json, text),
        (read_json_lines, text),
        (read_csv, text),
        (read_csv, "file,prompt\n" + text),
    ):
        try:
            for entry in read(content):
                (entry.statement.text or "").encode("utf-8")
        except MalformedError as error:
            assert str(error)  # noqa: PT017  either outcome is right
