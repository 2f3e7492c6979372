"""File names of exported images: safe everywhere, unique, and independent of order."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.build.names import LONGEST_STEM, safe_stem, unique_stems

WEIRD = st.text(
    st.one_of(
        st.characters(),  # lone surrogates included: names that are not valid Unicode look like that
        st.sampled_from('./\\:*?"<>|-_ \n\r\t\x00éé́ ßſﬁＡ'),
    ),
    max_size=60,
)
RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@given(WEIRD)
def test_a_safe_name_is_accepted_by_every_system(stem: str) -> None:
    safe = safe_stem(stem)
    assert safe
    assert not set(safe) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in safe)
    assert safe[0] not in ".- "
    assert safe[-1] not in ". "
    assert safe.split(".")[0].rstrip().casefold() not in RESERVED
    assert len(safe.encode()) <= LONGEST_STEM + 1
    assert unicodedata.is_normalized("NFC", safe)


@given(WEIRD)
def test_a_safe_name_is_left_alone(stem: str) -> None:
    assert safe_stem(safe_stem(stem)) == safe_stem(stem)


@pytest.mark.parametrize(
    ("stem", "safe"),
    [
        ("lad_001_carbon", "lad_001_carbon"),
        ("Zoë Ōkami 猫", "Zoë Ōkami 猫"),
        ("cafe\u0301", "café"),
        ("line\nbreak", "line_break"),
        ("-rf", "_rf"),
        (".hidden", "_hidden"),
        ("a/b:c", "a_b_c"),
        ("name. ", "name__"),
        ("con", "_con"),
        ("LPT1.final", "_LPT1.final"),
        ("console", "console"),
        ("???", "image"),
        ("", "image"),
    ],
)
def test_what_becomes_of_odd_names(stem: str, safe: str) -> None:
    assert safe_stem(stem) == safe


def test_names_that_differ_by_case_only_get_a_part_of_their_hash() -> None:
    files = [("Lady", sha("1")), ("lady", sha("2")), ("other", sha("3"))]
    assert unique_stems(files) == [f"Lady-{sha('1')[:8]}", f"lady-{sha('2')[:8]}", "other"]


def test_the_same_picture_twice_is_numbered() -> None:
    name = f"lady-{sha('1')[:8]}"
    assert unique_stems([("lady", sha("1")), ("lady", sha("1"))]) == [name, f"{name}-2"]


def test_a_name_that_looks_like_a_resolved_collision_is_kept_apart() -> None:
    resolved = f"lady-{sha('1')[:8]}"
    names = unique_stems([("lady", sha("1")), ("lady", sha("2")), (resolved, sha("3"))])
    assert len(set(names)) == 3
    assert names[2] == resolved


@given(st.lists(st.tuples(WEIRD, st.text("ab", min_size=64, max_size=64)), max_size=12))
def test_names_are_unique_where_case_is_ignored(files: list[tuple[str, str]]) -> None:
    names = unique_stems(sorted(files))
    folded = {unicodedata.normalize("NFC", name.casefold()) for name in names}
    assert len(folded) == len(files)


@given(stem=WEIRD)
def test_a_safe_name_can_be_written(stem: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    target = folder / f"{safe_stem(stem)}.png"
    target.write_bytes(b"")
    assert target.name in {path.name for path in folder.iterdir()}
    target.unlink()
