"""Ingesting again takes only what changed, and nothing that is known gets lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graftset.imageio import ProbedImage
from graftset.imageio import probe as real_probe
from graftset.ingest import BATCH, describe
from ingest_helpers import A1111, Project, png_with, tiny_png


@pytest.fixture
def filled(project: Project) -> Project:
    project.image("originals/a.png", "a lady")
    project.image("originals/b.png", "a lad")
    project.image("generated/c.png", "a queen")
    project.ingest()
    project.catalog.calls.clear()
    return project


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read, in order."""
    names: list[str] = []

    def probe(path: Path) -> ProbedImage:
        names.append(path.name)
        return real_probe(path)

    monkeypatch.setattr(describe, "probe", probe)
    return names


def test_nothing_changed_reads_and_writes_nothing(filled: Project, probed: list[str]) -> None:
    report = filled.ingest()
    assert report.unchanged == {"original": 2, "generated": 1}
    assert report.added == report.changed == {"original": 0, "generated": 0}
    assert (probed, filled.catalog.calls) == ([], [])


def test_a_changed_file_is_read_again_and_only_it(filled: Project, probed: list[str]) -> None:
    before = filled.record("originals/a.png")
    filled.file("originals/a.png", tiny_png(99))
    os.utime(filled.originals / "a.png", ns=(1, 1))
    report = filled.ingest()
    assert report.changed == {"original": 1, "generated": 0}
    assert probed == ["a.png"]
    assert filled.record("originals/a.png").sha256 != before.sha256
    assert filled.record("originals/a.png").text == "a lady"


def test_a_touched_file_keeps_its_content_hash(filled: Project, probed: list[str]) -> None:
    before = filled.record("originals/a.png")
    os.utime(filled.originals / "a.png", ns=(5, 5))
    assert filled.ingest().changed == {"original": 1, "generated": 0}
    assert filled.record("originals/a.png").sha256 == before.sha256
    assert filled.ingest().changed == {"original": 0, "generated": 0}
    assert probed == ["a.png"]


def test_a_changed_caption_is_noticed_without_reading_the_image(filled: Project, probed: list[str]) -> None:
    filled.file("originals/a.txt", "a lady, blue eyes")
    assert filled.ingest().changed == {"original": 1, "generated": 0}
    assert filled.record("originals/a.png").text == "a lady, blue eyes"
    assert probed == []


def test_a_deleted_caption_leaves_no_text(filled: Project) -> None:
    (filled.originals / "a.txt").unlink()
    assert filled.ingest().changed == {"original": 1, "generated": 0}
    assert (filled.record("originals/a.png").text, filled.record("originals/a.png").text_source) == (None, None)


def test_new_and_deleted_images_are_counted(filled: Project) -> None:
    filled.image("generated/d.png")
    (filled.originals / "b.png").unlink()
    (filled.originals / "b.txt").unlink()
    report = filled.ingest()
    assert report.added == {"original": 0, "generated": 1}
    assert report.missing == {"original": 1, "generated": 0}
    assert filled.taken() == ["generated/c.png", "generated/d.png", "originals/a.png"]
    again = filled.ingest()
    assert again.missing == {"original": 0, "generated": 0}


def test_a_missing_image_that_comes_back_is_present_again(filled: Project) -> None:
    (filled.originals / "b.png").rename(filled.root / "b.png")
    filled.ingest()
    assert "originals/b.png" not in filled.taken()
    (filled.root / "b.png").rename(filled.originals / "b.png")
    filled.ingest()
    assert "originals/b.png" in filled.taken()


def test_a_renamed_image_is_moved_with_all_that_is_known_of_it(filled: Project) -> None:
    (filled.originals / "sub").mkdir()
    (filled.originals / "b.png").rename(filled.originals / "sub" / "b2.png")
    (filled.originals / "b.txt").rename(filled.originals / "sub" / "b2.txt")
    report = filled.ingest()
    assert report.moved == {"original": 1, "generated": 0}
    assert report.added == report.missing == {"original": 0, "generated": 0}
    rename = (str(filled.originals / "b.png"), str(filled.originals / "sub" / "b2.png"))
    assert ("rename", rename) in filled.catalog.calls
    assert filled.record("originals/sub/b2.png").text == "a lad"
    assert filled.ingest().unchanged == {"original": 2, "generated": 1}


def test_a_copy_is_not_a_move(filled: Project) -> None:
    filled.file("originals/copy.png", (filled.originals / "b.png").read_bytes())
    report = filled.ingest()
    assert report.added == {"original": 1, "generated": 0}
    assert report.moved == {"original": 0, "generated": 0}


def test_an_image_that_became_a_candidate_is_not_moved_there(filled: Project) -> None:
    (filled.originals / "b.png").rename(filled.generated / "b.png")
    report = filled.ingest()
    assert report.moved == {"original": 0, "generated": 0}
    assert filled.record("generated/b.png").origin == "generated"


def test_two_images_that_swap_names_are_both_right_afterwards(filled: Project) -> None:
    a, b = filled.record("originals/a.png").sha256, filled.record("originals/b.png").sha256
    (filled.originals / "a.png").rename(filled.originals / "x")
    (filled.originals / "b.png").rename(filled.originals / "a.png")
    (filled.originals / "x").rename(filled.originals / "b.png")
    for name in ("a.png", "b.png"):
        os.utime(filled.originals / name, ns=(7, 7))
    filled.ingest()
    assert (filled.record("originals/a.png").sha256, filled.record("originals/b.png").sha256) == (b, a)


def test_an_image_that_broke_is_missing_and_skipped_until_it_is_mended(filled: Project) -> None:
    good = (filled.originals / "b.png").read_bytes()
    filled.file("originals/b.png", good[:-5])
    report = filled.ingest()
    assert report.missing == {"original": 1, "generated": 0}
    assert [Path(skip.path).name for skip in report.skips] == ["b.png"]
    assert "originals/b.png" not in filled.taken()
    filled.file("originals/b.png", good)
    assert filled.ingest().skips == ()
    assert filled.catalog.skips == {}
    assert "originals/b.png" in filled.taken()


def test_a_skip_that_stays_is_reported_again_but_not_saved_again(filled: Project) -> None:
    filled.file("originals/empty.png", b"")
    first = filled.ingest()
    filled.catalog.calls.clear()
    assert filled.ingest().skips == first.skips
    assert filled.catalog.calls == []


def test_a_prompt_inside_the_image_comes_back_when_the_caption_goes(project: Project, probed: list[str]) -> None:
    project.image("originals/a.png")
    png_with(project.generated / "c.png", parameters=A1111)
    caption = project.file("generated/c.txt", "a caption")
    project.ingest()
    assert project.record("generated/c.png").text == "a caption"
    assert project.record("generated/c.png").provenance.seed == 42
    caption.unlink()
    project.ingest()
    assert project.record("generated/c.png").text == "a lady, brown hair"
    probed.clear()
    assert project.ingest().unchanged == {"original": 1, "generated": 1}
    assert probed == []


def test_a_stated_seed_gives_way_to_the_embedded_one_when_it_is_gone(project: Project) -> None:
    project.image("originals/a.png")
    png_with(project.generated / "c.png", parameters=A1111)
    project.file("prompts.json", '{"c.png": {"prompt": "stated", "seed": 7}}')
    project.ingest(prompts="prompts.json")
    record = project.record("generated/c.png")
    assert (record.text, record.provenance.seed, record.provenance.steps) == ("stated", 7, 20)
    assert project.ingest(prompts="prompts.json").unchanged["generated"] == 1
    project.ingest()
    record = project.record("generated/c.png")
    assert (record.text, record.provenance.seed, record.provenance.extra.get("seed source")) == (
        "a lady, brown hair",
        42,
        None,
    )


def test_a_seed_that_alone_was_stated_gives_way_too(project: Project) -> None:
    project.image("originals/a.png")
    png_with(project.generated / "c.png", parameters=A1111)
    project.file("prompts.json", '{"c.png": {"seed": 7}}')
    project.ingest(prompts="prompts.json")
    assert project.record("generated/c.png").provenance.seed == 7
    project.ingest()
    assert project.record("generated/c.png").provenance.seed == 42


def test_a_killed_run_keeps_every_finished_batch_and_goes_on(project: Project) -> None:
    project.image("originals/a.png")
    for number in range(BATCH + 20):
        project.image(f"generated/{number:04}.png")

    def kill_late(done: int, total: int) -> None:
        if done == BATCH + 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.ingest(progress=kill_late)
    assert len(project.taken()) == BATCH
    report = project.ingest()
    assert report.unchanged["original"] + report.unchanged["generated"] == BATCH
    assert report.added == {"original": 0, "generated": 21}
    assert [len(paths) for call, paths in project.catalog.calls if call == "save_images"] == [BATCH, 21]


def test_a_run_is_the_same_whatever_the_order_of_the_file_system(
    filled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.image("generated/x/d.png")
    filled.image("generated/y/e.png")
    expected = filled.ingest()
    records = dict(filled.catalog.images)
    scandir = os.scandir

    class Reversed(list[os.DirEntry[str]]):
        def __enter__(self) -> Reversed:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", lambda folder: Reversed(reversed(list(scandir(folder)))))
    filled.catalog.images.clear()
    report = filled.ingest()
    assert filled.catalog.images == records
    assert report.added["generated"] == expected.added["generated"] + expected.unchanged["generated"]
