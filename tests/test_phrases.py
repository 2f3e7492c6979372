"""Numbers, nouns and scores as every room writes them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.phrases import counted, noun
from graftset.quality import score_text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (1000, "1,000 epochs"), (-1, "-1 epochs")]
)
def test_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "epoch") == text


def test_other_plurals_are_given() -> None:
    assert counted(2, "batch", "batches") == "2 batches"
    assert noun(1, "its caption is", "their captions are") == "its caption is"


@given(st.floats(0, 10), st.integers(0, 100))
def test_a_score_under_a_gate_never_looks_like_the_gate(score: float, tenths: int) -> None:
    gate = tenths / 10
    shown = float(score_text(score))
    assert (shown >= gate) == (score >= gate)
    assert 0 <= Fraction(score) - Fraction(shown) < Fraction(1, 10) + Fraction(1, 10**9)
