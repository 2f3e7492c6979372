"""The small parts of a report: caption differences, outlines, fair shares, documented fields."""

from __future__ import annotations

import dataclasses
import inspect
import re
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.records import ImageView
from graftset.report import page as page_module
from graftset.report.captions import caption_fate, condensed, word_difference
from graftset.report.funnel import End, draw_funnel
from graftset.report.outlines import outline_path
from graftset.report.page import BuildSummary
from graftset.report.pictures import png_size
from graftset.report.sheet import fair_shares
from graftset.report.wording import below, shared_folder, significant, split_reason

PAGE_TYPES = [
    value
    for _, value in inspect.getmembers(page_module, dataclasses.is_dataclass)
    if value.__module__ == page_module.__name__
]
TEMPLATES = "".join(
    path.read_text(encoding="utf-8")
    for path in resources.files("graftset.report").joinpath("templates").iterdir()
    if path.name.endswith(".html")
)


@pytest.mark.parametrize("page_type", PAGE_TYPES, ids=lambda page_type: page_type.__name__)
def test_every_field_of_the_page_has_a_line_of_documentation(page_type: type) -> None:
    documented = set(re.findall(r"^    (\w+): [^#\n]+  # \S.*\.$", inspect.getsource(page_type), re.MULTILINE))
    assert {field.name for field in dataclasses.fields(page_type)} == documented
    assert page_type.__doc__
    assert not page_type.__doc__.startswith(f"{page_type.__name__}(")  # what dataclass writes where there is none


@pytest.mark.parametrize("page_type", [t for t in PAGE_TYPES if t is not BuildSummary], ids=lambda t: t.__name__)
def test_every_field_of_the_page_is_shown(page_type: type) -> None:
    shown = set(re.findall(r"\.(\w+)", TEMPLATES)) | set(re.findall(r'selectattr\("(\w+)"\)', TEMPLATES))
    assert {field.name for field in dataclasses.fields(page_type)} - shown == set()


WORDS = st.lists(st.sampled_from(["green", "gray", "background", ",", "lady", "hair"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_a_caption_difference_holds_both_captions(old: str, new: str) -> None:
    pieces = word_difference(old, new)
    assert "".join(p.text for p in pieces if p.kind != "old").split() == new.split()
    assert "".join(p.text for p in pieces if p.kind != "new").split() == old.split()


@given(WORDS, WORDS)
def test_a_condensed_difference_keeps_every_change(old: str, new: str) -> None:
    pieces = word_difference(old, new)
    changes = [piece for piece in pieces if piece.kind in ("old", "new")]
    assert [piece for piece in condensed(pieces) if piece.kind in ("old", "new")] == changes


def test_one_changed_word_is_one_struck_and_one_new_word() -> None:
    pieces = word_difference("a lady, green background", "a lady, gray background")
    assert [(p.kind, p.text) for p in pieces if p.text.strip()] == [
        ("same", " a lady,"),
        ("old", "green"),
        ("new", "gray"),
        ("same", " background"),
    ]


def test_a_caption_of_ten_thousand_words_does_not_stall_the_page() -> None:
    pieces = word_difference("a b " * 5000, "b a " * 5000)
    assert [piece.kind for piece in pieces] == ["old", "same", "new"]


@pytest.mark.parametrize(
    ("prompt", "caption", "proposed", "fate"),
    [
        (None, None, None, "missing"),
        ("a", None, None, "kept"),
        ("a  b", None, "a b", "kept"),
        ("a", None, "b", "corrected"),
        ("a", "b", "b", "corrected"),
        ("a", "c", "b", "edited"),
        (None, None, "b", "composed"),
        (None, "c", "b", "edited"),
    ],
)
def test_what_became_of_a_caption(prompt: str | None, caption: str | None, proposed: str | None, fate: str) -> None:
    view = ImageView("a.png", "0", "generated", 1, 1, 1, prompt=prompt, caption=caption, proposed_caption=proposed)
    assert caption_fate(view) == fate


@given(st.lists(st.integers(0, 50), max_size=6), st.integers(0, 120))
def test_places_are_shared_so_that_no_group_starves(sizes: list[int], limit: int) -> None:
    shares = fair_shares(sizes, limit)
    assert sum(shares) == min(sum(sizes), limit) or sum(sizes) > limit > sum(shares) > limit - len(sizes)
    assert all(share <= size for share, size in zip(shares, sizes, strict=True))
    cut = [share for share, size in zip(shares, sizes, strict=True) if share < size]
    assert not cut or max(shares) - min(cut) <= 1


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=3, max_size=3))
def test_an_outline_has_one_edge_for_every_border_between_inside_and_outside(rows: list[list[bool]]) -> None:
    mask = np.array(rows)
    padded = np.pad(mask, 1).astype(int)
    border = int(np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum())
    drawn = 0
    for x, y, way, end in re.findall(r"M(\d+) (\d+)([HV])(\d+)", outline_path(mask)):
        drawn += int(end) - int(x if way == "H" else y)
    assert drawn == border


def test_a_funnel_without_losses_before_measuring_has_one_bar() -> None:
    funnel = draw_funnel([End("Admitted", "", 3, "admitted"), End("Copies", "", 1, "dropped")])
    assert funnel is not None
    assert (funnel.trunk, funnel.measured_bar, funnel.came_in) == ("", "", 4)
    assert draw_funnel([]) is None


@pytest.mark.parametrize(
    ("reason", "parts"),
    [
        ("quality: score 6.1 is under 8.0", ("quality", "score 6.1 is under 8.0")),
        ("Too-Many  words: x", ("too many words", "x")),
        ("no category here", ("other", "no category here")),
        ("12:30 is a time", ("other", "12:30 is a time")),
        ("copy: the same as C:\\a.png", ("copy", "the same as C:\\a.png")),
    ],
)
def test_reasons_split_into_category_and_sentence(reason: str, parts: tuple[str, str]) -> None:
    assert split_reason(reason) == parts


def test_names_are_shown_from_the_folder_all_share() -> None:
    folder = shared_folder(["/a/b/originals/x.png", "/a/b/new/deep/y.png"])
    assert str(folder) == "/a/b"
    assert below("/a/b/new/deep/y.png", folder) == "new/deep/y.png"
    assert below("/elsewhere/z.png", folder) == "z.png"
    assert shared_folder([]) is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.04123, "0.0412"), (21.333, "21.3"), (1840.2, "1,840"), (0.00001, "0.00001")]
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert significant(value) == text


def test_only_a_png_has_a_png_size() -> None:
    assert png_size(b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + (7).to_bytes(4, "big") + (9).to_bytes(4, "big")) == (7, 9)
    assert png_size(b"GIF89a") is None
    assert png_size(b"\x89PNG\r\n\x1a\n") is None
