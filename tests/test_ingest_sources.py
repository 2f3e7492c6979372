"""The original a candidate came from is known where names or the prompts file say so, and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.ingest.names import named_after, originals_by_stem
from ingest_helpers import Project

ORIGINALS = originals_by_stem(
    Path(f"/o/{stem}.png")
    for stem in ("lady_001_hazelnut", "lady_001", "lad_1", "lad_10", "00001", "ねこ", "crème", "a-b", "x.y")
)


@pytest.mark.parametrize(
    ("candidate", "original"),
    [
        ("lady_001_hazelnut_var", "lady_001_hazelnut"),
        ("lady_001_hazelnut-3", "lady_001_hazelnut"),
        ("lady_001_hazelnut (2)", "lady_001_hazelnut"),
        ("lady_001_hazelnut(2)", "lady_001_hazelnut"),
        ("lady_001_hazelnut.2", "lady_001_hazelnut"),
        ("lady_001_hazel", "lady_001"),
        ("lady_001_hazelnuts", "lady_001"),
        ("lady_0012", None),
        ("lady_001", None),
        ("lad_10_x", "lad_10"),
        ("lad_100", None),
        ("lad_1_0", "lad_1"),
        ("lad", None),
        ("00001-1234567", None),
        ("ねこ_2", "ねこ"),
        ("ねこねこ", None),
        ("cre\u0300me 2", "crème"),
        ("a-b-c", "a-b"),
        ("x.y.z", "x.y"),
        ("Lady_001_2", None),
    ],
)
def test_a_name_claims_its_original_only_at_the_end_of_a_word(candidate: str, original: str | None) -> None:
    named = named_after(Path(f"/g/{candidate}.png"), ORIGINALS)
    assert (named.stem if named else None) == original


@given(
    st.lists(st.text("ab_1", min_size=1, max_size=5), max_size=6),
    st.text("ab_1", min_size=1, max_size=8),
)
def test_the_longest_stem_followed_by_a_separator_wins(stems: list[str], candidate: str) -> None:
    by_stem = originals_by_stem(Path(f"/o/{stem}.png") for stem in dict.fromkeys(stems))
    fitting = [
        stem for stem in set(stems) if any(letter in "ab" for letter in stem) and candidate.startswith(stem + "_")
    ]
    named = named_after(Path(f"/g/{candidate}.png"), by_stem)
    assert (named.stem if named else None) == max(fitting, key=len, default=None)


def test_a_stem_that_several_originals_have_claims_nothing() -> None:
    by_stem = originals_by_stem([Path("/o/a/lady.png"), Path("/o/b/lady.png"), Path("/o/lad.png")])
    assert named_after(Path("/g/lady_2.png"), by_stem) is None
    assert named_after(Path("/g/lad_2.png"), by_stem) == Path("/o/lad.png")


def test_sources_are_recorded_with_their_basis_and_the_prompts_file_goes_first(project: Project) -> None:
    for name in ("lady_001", "lad_002"):
        project.image(f"originals/{name}.png")
    for name in ("lady_001_var", "lady_001_other", "free"):
        project.image(f"generated/{name}.png")
    project.file("prompts.csv", "file,source\nlady_001_other.png,lad_002.png\nlady_001_var.png,gone.png\n")
    report = project.ingest(prompts="prompts.csv")
    records = {name: project.record(f"generated/{name}.png") for name in ("lady_001_var", "lady_001_other", "free")}
    lady, lad = (str(project.originals / f"{name}.png") for name in ("lady_001", "lad_002"))
    assert (records["lady_001_var"].source_original, records["lady_001_var"].source_basis) == (lady, "name")
    assert (records["lady_001_other"].source_original, records["lady_001_other"].source_basis) == (lad, "prompts")
    assert (records["free"].source_original, records["free"].source_basis) == (None, None)
    assert report.notes == ("Stated source originals not found: gone.png",)
    assert project.record("originals/lady_001.png").source_original is None


def test_an_original_that_appears_later_is_found_then(project: Project) -> None:
    project.image("originals/a.png")
    project.image("generated/lady_001_var.png")
    project.ingest()
    assert project.record("generated/lady_001_var.png").source_original is None
    project.image("originals/lady_001.png")
    assert project.ingest().changed == {"original": 0, "generated": 1}
    assert project.record("generated/lady_001_var.png").source_basis == "name"
