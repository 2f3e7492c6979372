"""What a detector can tell by spots and by the outline, wherever they are; and what it must not make of noise."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from graftset.traits import TraitDetectors, detectors
from graftset.traits.features import Kind, describe
from graftset.traits.scoring import Question

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIDE = 24
BEHIND, SKIN = (90, 140, 200), (220, 180, 150)


def people(count: int, rng: np.random.Generator) -> tuple[U8, Mask]:
    """Heads with hair of random colors and heights on one background."""
    natives = np.full((count, SIDE, SIDE, 3), BEHIND, dtype=np.uint8)
    figures = np.zeros((count, SIDE, SIDE), dtype=bool)
    for native, figure in zip(natives, figures, strict=True):
        top = int(rng.integers(3, 7))
        figure[top:, 7:17] = True
        native[top:, 7:17] = rng.integers(0, 256, 3)
        native[9:20, 8:16] = SKIN
    return natives, figures


def told_of_others(natives: U8, figures: Mask, yes: Mask, learned: int = 120) -> tuple[list[str], Mask]:
    """Answers for the pictures after the first ones, which are learned from; and the truth."""
    fitted = TraitDetectors.fit(
        natives[:learned],
        figures[:learned],
        {},
        {"it": yes[:learned].tolist()},
        np.arange(learned),
        np.random.default_rng(0),
    )
    answers = fitted.detect(natives[learned:], figures[learned:])
    return [worn["it"].value for _, worn in answers], yes[learned:]


def accuracy(said: list[str], truth: Mask) -> float:
    """Balanced, "unknown" half right."""
    right = np.array([{"present": 1.0, "absent": 0.0, "unknown": 0.5}[word] for word in said])
    return float((right[truth].mean() + (1 - right[~truth]).mean()) / 2)


def test_a_brim_is_told_by_the_outline_however_high_it_sits_and_whatever_its_color() -> None:
    rng = np.random.default_rng(1)
    natives, figures = people(400, rng)
    brims = rng.random(400) < 0.2
    for i in np.flatnonzero(brims):
        row, reach = int(rng.integers(4, 11)), int(rng.integers(2, 5))
        natives[i, row, 7 - reach : 17 + reach] = rng.integers(0, 256, 3)
        figures[i, row, 7 - reach : 17 + reach] = True
    assert accuracy(*told_of_others(natives, figures, brims)) >= 0.95


def test_a_single_odd_cell_is_told_in_whatever_color_and_about_where_it_is() -> None:
    rng = np.random.default_rng(2)
    natives, figures = people(400, rng)
    studs = rng.random(400) < 0.25
    for i in np.flatnonzero(studs):
        natives[i, rng.integers(13, 17), rng.integers(8, 11)] = rng.choice(
            ((255, 255, 255), (20, 20, 20), (255, 215, 0))
        )
    assert accuracy(*told_of_others(natives, figures, studs)) >= 0.9


def test_what_never_varies_among_originals_is_not_taken_for_proof() -> None:
    """Flat originals of which one kind has a white dot; others are painted with noise, as models paint them."""
    rng = np.random.default_rng(3)
    natives, figures = people(300, rng)
    dots = rng.random(300) < 0.3
    natives[dots, 21, 11] = 255
    noise = rng.normal(0, 1.2, natives[120:].shape)
    natives[120:] = np.clip(natives[120:] + noise, 0, 255).astype(np.uint8)
    said, truth = told_of_others(natives, figures, dots)
    assert accuracy(said, truth) >= 0.97


def test_noise_makes_no_detector() -> None:
    rng = np.random.default_rng(4)
    natives, figures = people(120, rng)
    fitted = TraitDetectors.fit(
        natives, figures, {}, {"it": (rng.random(120) < 0.2).tolist()}, np.arange(120), np.random.default_rng(0)
    )
    found = fitted.reliability["accessory:it"]
    assert found.balanced_accuracy is not None
    assert found.balanced_accuracy < 0.75
    assert not found.answers


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_every_feature_is_read_around_a_cell_of_the_picture(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    natives = rng.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    figures = rng.random((3, height, width)) < rng.random()
    features = describe(natives, figures)
    assert np.isfinite(features.values).all()
    assert features.values.shape == (3, len(features.kinds))
    cells = features.cells(np.arange(len(features.kinds)))
    assert cells.shape == features.values.shape
    assert cells.min(initial=0) >= 0
    assert cells.max(initial=0) < height * width


def test_the_evidence_of_an_outline_is_on_the_outline() -> None:
    natives, figures = people(5, np.random.default_rng(5))
    features = describe(natives, figures)
    outline = np.flatnonzero(features.kinds == Kind.OUTLINE)
    inner = np.stack([np.pad(f, 1)[2:, 1:-1] & np.pad(f, 1)[:-2, 1:-1] & f for f in figures])
    for picture, cells in enumerate(features.cells(outline)):
        rows, columns = np.divmod(cells, SIDE)
        shown = figures[picture, rows, columns]
        edge = ~inner[picture] | (np.roll(figures[picture], 1, 1) & np.roll(figures[picture], -1, 1) == 0)
        assert shown.all()
        assert edge[rows, columns].all()


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_threads_change_nothing(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    natives, figures = people(60, np.random.default_rng(6))
    natives[:20, 21, 11] = 255
    slots = {
        "hair": ["red" if i % 2 else "blue" for i in range(60)],
        "figure": ["a" if i < 30 else "b" for i in range(60)],
    }
    worn = {"dot": [i < 20 for i in range(60)], "hat": [i % 3 == 0 for i in range(60)]}

    def fit() -> TraitDetectors:
        return TraitDetectors.fit(natives, figures, slots, worn, np.arange(60), np.random.default_rng(0))

    monkeypatch.setattr(detectors, "available_cores", lambda: 1)
    one = fit()
    monkeypatch.setattr(detectors, "available_cores", lambda: cores)
    several = fit()
    assert several.reliability == one.reliability
    assert list(several.reliability) == list(one.reliability)
    assert several.detect(natives, figures) == one.detect(natives, figures)


def test_held_out_scores_come_from_fits_that_saw_neither_the_picture_nor_its_twin() -> None:
    """Twins of one look and opposite labels: whoever sees one of them is wrong about the other."""
    rng = np.random.default_rng(7)
    natives = rng.integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
    natives = np.repeat(natives, 2, axis=0)
    yes = np.array([twin == 0 for _, twin in product(range(40), range(2))])
    features = describe(natives, np.ones((80, 12, 12), dtype=bool))
    _, unseen = Question(features).fit(np.arange(80), yes, np.repeat(np.arange(40), 2), np.random.default_rng(0))
    # A twin that was seen would pull each score towards the other's label.
    np.testing.assert_allclose(unseen[::2], unseen[1::2], atol=1e-4)


def test_labels_that_mean_nothing_are_told_no_better_than_by_chance() -> None:
    """Not even which view is heard may be chosen by the answers it is judged by: that alone gave 0.55."""
    rng = np.random.default_rng(0)
    natives = rng.integers(0, 256, (120, 12, 12, 3), dtype=np.uint8)
    question = Question(describe(natives, rng.random((120, 12, 12)) < 0.7))
    found = []
    for seed in range(60):
        yes = np.zeros(120, dtype=bool)
        yes[rng.choice(120, 12, replace=False)] = True
        _, unseen = question.fit(np.arange(120), yes, np.arange(120), np.random.default_rng(seed))
        ranks = np.argsort(np.argsort(unseen))
        found.append((ranks[yes].sum() - 66) / (12 * 108))
    assert abs(np.mean(found) - 0.5) < 0.035


def test_a_twin_without_a_caption_is_not_judged_by_who_saw_its_twin() -> None:
    rng = np.random.default_rng(8)
    natives = np.repeat(rng.integers(0, 256, (60, 12, 12, 3), dtype=np.uint8), 2, axis=0)
    asked = np.arange(0, 120, 2)
    yes = rng.random(60) < 0.3
    features = describe(natives, np.ones((120, 12, 12), dtype=bool))
    _, unseen = Question(features).fit(asked, yes, np.repeat(np.arange(60), 2), np.random.default_rng(0))
    np.testing.assert_allclose(unseen[::2], unseen[1::2], atol=1e-4)


def test_pictures_that_cannot_be_held_out_have_no_score() -> None:
    """All of one answer in one family: without it there is nothing left to learn from."""
    rng = np.random.default_rng(9)
    natives = rng.integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
    yes = np.arange(40) < 20
    features = describe(natives, np.ones((40, 12, 12), dtype=bool))
    _, unseen = Question(features).fit(np.arange(40), yes, np.where(yes, 0, np.arange(40)), np.random.default_rng(0))
    assert np.isnan(unseen[yes]).all()
