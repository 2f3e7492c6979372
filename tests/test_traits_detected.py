"""What detectors fitted on captioned originals see in pictures they do not know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from assess_helpers import painted
from graftset.claims import correct
from graftset.drawn import CandidateTruth, SampleTruth, draw_original, plan_sample_set
from graftset.drawn.captions import describe
from graftset.drawn.specs import PortraitSpec, Style
from graftset.imageio import read_rgb
from graftset.measuring import families as find_families
from graftset.measuring import measure_pixels, unpack_mask
from graftset.records import Traits, TraitSeen
from graftset.traits import TraitDetectors
from graftset.traits.reliability import balanced_accuracy, calibration_error
from graftset.traits.scoring import fit_platt, grouped_folds, probability
from graftset.traits.stored import dump, load
from graftset.vocabulary import Vocabulary

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Answers = list[tuple[dict[str, TraitSeen], dict[str, TraitSeen]]]

STYLES: tuple[Style, ...] = ("classic", "soft")
PICTURES = 50  # candidates looked at in each style


def measured(pictures: Sequence[U8]) -> tuple[U8, Mask]:
    """Native pictures and figures, as assess finds them."""
    natives, figures = [], []
    for picture in pictures:
        data, native = measure_pixels(picture, (24, 24))
        assert native is not None
        natives.append(native)
        figures.append(~unpack_mask(data["background"]["mask"], *native.shape[:2]))
    return np.stack(natives), np.stack(figures)


@cache
def sample(style: Style) -> SampleTruth:
    return plan_sample_set(style=style, seed=5, originals=203, candidates=203)


@cache
def originals(style: Style) -> tuple[U8, Mask]:
    return measured([draw_original(o.spec, style) for o in sample(style).originals])


def families(truth: SampleTruth) -> list[int]:
    """One number for an original and its near-twins."""
    names = {o.name: i for i, o in enumerate(truth.originals)}
    return [names[o.twin_of or o.name] for o in truth.originals]


def told(truth: SampleTruth) -> tuple[dict[str, list[str | None]], dict[str, list[bool | None]]]:
    """Slots and accessories as the originals' captions tell them."""
    terms = sorted({term for o in truth.originals for term in o.spec.accessories})
    slots = {slot: [o.claims.get(slot) for o in truth.originals] for slot in ("figure", "hair", "eyes")}
    return slots, {term: [term in o.spec.accessories for o in truth.originals] for term in terms}


@cache
def fitted(style: Style) -> TraitDetectors:
    slots, accessories = told(sample(style))
    return TraitDetectors.fit(*originals(style), slots, accessories, families(sample(style)), np.random.default_rng(0))


@cache
def candidates(style: Style) -> tuple[tuple[CandidateTruth, ...], Answers]:
    """Clean candidates as a model paints them, and what is seen in them."""
    clean = [c for c in sample(style).candidates if c.severity is None and "copy" not in c.faults][:PICTURES]
    natives, figures = measured([painted(draw_original(c.spec, style), c.render_seed) for c in clean])
    return tuple(clean), fitted(style).detect(natives, figures)


@pytest.mark.parametrize("style", STYLES)
def test_accessories_of_clean_candidates_are_told_right(style: Style) -> None:
    clean, answers = candidates(style)
    accuracies, answered = [], []
    for term in answers[0][1]:
        truth = [("present" if term in c.spec.accessories else "absent") for c in clean]
        said = [worn[term].value for _, worn in answers]
        pairs = [(t, s) for t, s in zip(truth, said, strict=True) if s != "unknown"]
        answered.append(len(pairs) / len(clean))
        if len({t for t, _ in pairs}) == 2:
            a, b = np.array(pairs).T
            accuracies.append(balanced_accuracy(a, b, ("absent", "present")))
    assert len(accuracies) >= 8
    assert np.mean(np.array(accuracies, dtype=float)) >= 0.93
    assert np.mean(answered) >= 0.9


@pytest.mark.parametrize("style", STYLES)
def test_confidence_is_how_often_an_answer_is_right(style: Style) -> None:
    clean, answers = candidates(style)
    right, sure = [], []
    for candidate, (_, worn) in zip(clean, answers, strict=True):
        for term, seen in worn.items():
            if seen.confidence is not None:
                right.append((seen.value == "present") == (term in candidate.spec.accessories))
                sure.append(seen.confidence)
    assert calibration_error(np.array(right), np.array(sure)) <= 0.05


@pytest.mark.parametrize("style", STYLES)
def test_figure_and_eyes_are_told_right(style: Style) -> None:
    clean, answers = candidates(style)
    figures = [(c.spec.figure, seen["figure"].value) for c, (seen, _) in zip(clean, answers, strict=True)]
    assert sum(a == b for a, b in figures) >= 0.95 * len(figures)
    eyes = [
        (c.spec.eyes.word, seen["eyes"].value) for c, (seen, _) in zip(clean, answers, strict=True) if _open(c.spec)
    ]
    named = [(a, b) for a, b in eyes if b != "unknown"]
    assert len(named) >= 0.3 * len(eyes)
    assert sum(a == b for a, b in named) >= 0.95 * len(named)


@pytest.mark.parametrize("style", STYLES)
def test_hair_color_is_read_where_hair_shows(style: Style) -> None:
    clean, answers = candidates(style)
    pairs = [
        (c.spec.hair_tint.word, seen["hair"].value)
        for c, (seen, _) in zip(clean, answers, strict=True)
        if c.spec.hair != "bald" and c.spec.headwear is None
    ]
    named = [(a, b) for a, b in pairs if b != "unknown"]
    assert len(named) >= 0.8 * len(pairs)
    assert sum(a == b for a, b in named) >= 0.85 * len(named)


def test_the_same_pictures_and_captions_give_the_same_answers() -> None:
    truth = sample("classic")
    slots, accessories = told(truth)
    some = {term: accessories[term] for term in ("crown", "glasses")}
    natives, figures = originals("classic")
    answers = []
    for _ in range(2):
        detectors = TraitDetectors.fit(natives, figures, slots, some, families(truth), np.random.default_rng(3))
        answers.append((detectors.detect(natives[:20], figures[:20]), detectors.reliability))
    assert answers[0] == answers[1]


def test_pictures_seen_together_or_one_by_one_are_told_the_same() -> None:
    natives, figures = originals("classic")
    detectors = fitted("classic")
    together = detectors.detect(natives[:6], figures[:6])
    assert together == [detectors.detect(natives[i : i + 1], figures[i : i + 1])[0] for i in range(6)]
    assert detectors.detect(natives[:0], figures[:0]) == []


@pytest.mark.parametrize("style", STYLES)
def test_accessories_missing_from_a_caption_are_added_and_extra_ones_removed(style: Style) -> None:
    """Planted in captions of clean candidates: recall >= 0.9 each, at most 5 % of true captions touched."""
    clean, answers = candidates(style)
    vocabulary = Vocabulary.learn([o.caption for o in sample(style).originals])
    rng = np.random.default_rng(1)
    added, removed, touched = [], [], []
    for candidate, (slots, worn) in zip(clean, answers, strict=True):
        seen, spec = Traits(None, slots, worn), candidate.spec
        told = describe(spec, style).text
        touched.append(any(change.slot.startswith("accessory:") for change in correct(told, seen, vocabulary).changes))
        for term in spec.accessories:
            changes = correct(describe(_without(spec, term), style).text, seen, vocabulary).changes
            added.append(any(c.slot == f"accessory:{term}" and term in c.new for c in changes))
        for term in worn:
            if term not in spec.accessories and rng.random() < 0.2:
                corrected = correct(f"{told}, {vocabulary.wording(term)}", seen, vocabulary)
                removed.append(corrected.text == correct(told, seen, vocabulary).text)
    assert len(added) > 50
    assert len(removed) > 50
    assert np.mean(added) >= 0.9
    assert np.mean(removed) >= 0.9
    assert np.mean(touched) <= 0.05


def test_every_answer_shows_the_cells_that_speak_for_it() -> None:
    """The cells of a crown lie where the crown was painted, those of sunglasses where they were."""
    clean, answers = candidates("classic")
    for term, layer in (("crown", "headwear"), ("sunglasses", "eyewear")):
        near = []
        for candidate, (_, worn) in zip(clean, answers, strict=True):
            if term not in candidate.spec.accessories or worn[term].value != "present":
                continue
            with_it = draw_original(candidate.spec, "classic")
            bare = draw_original(replace(candidate.spec, **{layer: None}), "classic")
            painted_there = binary_dilation(np.any(with_it != bare, axis=2), np.ones((3, 3)))
            assert worn[term].cells
            near.append(np.mean([painted_there[y, x] for y, x in worn[term].cells]))
        assert len(near) >= 2
        assert np.mean(near) >= 0.8


def test_an_original_is_judged_by_detectors_that_did_not_see_it() -> None:
    """A caption that lies is learned by heart by a detector that sees it; the held-out answer tells the truth."""
    truth = sample("classic")
    _, accessories = told(truth)
    wearers = [i for i, has in enumerate(accessories["sunglasses"]) if has]
    lies = list(accessories["sunglasses"])
    for i in wearers[:2]:
        lies[i] = False
    detectors = TraitDetectors.fit(
        *originals("classic"), {}, {"sunglasses": lies}, families(truth), np.random.default_rng(0)
    )
    assert [detectors.held_out[i][1]["sunglasses"].value for i in wearers[:2]] == ["present", "present"]


def test_hair_under_headwear_is_not_answered() -> None:
    """Neither where a detector knows the cap, nor where too few captions name that kind of headwear."""
    truth = sample("classic")
    slots, accessories = told(truth)
    names = ("cap", "top hat", "beanie")
    few = {term: list(accessories[term]) for term in names}
    few["beanie"] = [has and i < 60 for i, has in enumerate(few["beanie"])]
    detectors = TraitDetectors.fit(
        *originals("classic"), {"hair": slots["hair"]}, few, families(truth), np.random.default_rng(0)
    )
    clean, _ = candidates("classic")
    natives, figures = measured([painted(draw_original(c.spec, "classic"), c.render_seed) for c in clean])
    under = [
        seen["hair"].value
        for c, (seen, _) in zip(clean, detectors.detect(natives, figures), strict=True)
        if c.spec.headwear is not None and c.spec.headwear.term in names
    ]
    assert len(under) >= 5
    assert under.count("unknown") >= 0.9 * len(under)


def test_stored_detectors_answer_as_the_fitted_ones() -> None:
    detectors, (natives, figures) = fitted("soft"), originals("soft")
    again = load(dump(detectors))
    assert again.detect(natives[:30], figures[:30]) == detectors.detect(natives[:30], figures[:30])
    assert again.held_out == detectors.held_out
    assert again.reliability == detectors.reliability


def test_portraits_that_share_one_body_are_not_one_family() -> None:
    """Any two of them agree in most cells; only those that agree in nearly all are near-twins."""
    rng = np.random.default_rng(0)
    natives = np.full((40, 24, 24, 3), 120, dtype=np.uint8)
    natives[:, 4:20, 6:18] = 60
    for native in natives:
        native[4:9, 6:18] = rng.integers(0, 255, (5, 12, 3))
    natives[1] = natives[0]
    figures = np.zeros((40, 24, 24), dtype=bool)
    figures[:, 4:20, 6:18] = True
    numbers = find_families(natives, figures)
    assert numbers[0] == numbers[1]
    assert len(set(numbers.tolist())) == 39


def test_captions_that_have_nothing_to_do_with_the_pictures_make_no_detector() -> None:
    natives, figures = originals("classic")
    rng = np.random.default_rng(0)
    chance = {f"term {i}": [bool(b) for b in rng.random(len(natives)) < 0.2] for i in range(5)}
    sides = {"figure": [("left", "right")[int(b)] for b in rng.integers(2, size=len(natives))]}
    detectors = TraitDetectors.fit(natives, figures, sides, chance, range(len(natives)), rng)
    assert sum(found.answers for found in detectors.reliability.values()) <= 1
    slots, worn = detectors.detect(natives[:3], figures[:3])[0]
    assert [slots["figure"], *worn.values()].count(TraitSeen("unknown")) >= 5


def test_what_too_few_originals_have_is_unknown() -> None:
    natives, figures = originals("classic")
    few = {"crown": [i < 7 for i in range(len(natives))], "nothing": [False] * len(natives)}
    twins = {"hat": [i < 12 for i in range(len(natives))]}
    family = [0 if i < 12 else i for i in range(len(natives))]
    detectors = TraitDetectors.fit(natives, figures, {}, few | twins, family, np.random.default_rng(0))
    assert detectors.reliability["accessory:crown"].positives == 7
    for _, worn in detectors.detect(natives[:4], figures[:4]):
        assert worn == dict.fromkeys(("crown", "nothing", "hat"), TraitSeen("unknown"))


@pytest.mark.parametrize("count", [1, 3])
def test_a_handful_of_originals_is_no_error(count: int) -> None:
    natives, figures = (a[:count] for a in originals("classic"))
    slots = {"hair": ["brown"] * count, "figure": [None] * count}
    detectors = TraitDetectors.fit(
        natives, figures, slots, {"cap": [True] * count}, range(count), np.random.default_rng(0)
    )
    seen, worn = detectors.detect(natives, figures)[0]
    assert seen == {"hair": TraitSeen("unknown"), "figure": TraitSeen("unknown")}
    assert worn == {"cap": TraitSeen("unknown")}


def test_captions_that_all_say_the_same_teach_nothing() -> None:
    natives, figures = originals("classic")
    count = len(natives)
    slots = {"hair": ["brown"] * count, "figure": ["lady"] * count}
    detectors = TraitDetectors.fit(
        natives, figures, slots, {"cap": [True] * count}, range(count), np.random.default_rng(0)
    )
    assert not any(found.answers for found in detectors.reliability.values())


def test_large_native_pictures_are_learned_too() -> None:
    natives, figures = (a.repeat(4, axis=1).repeat(4, axis=2) for a in originals("soft"))
    _, accessories = told(sample("soft"))
    detectors = TraitDetectors.fit(
        natives, figures, {}, {"top hat": accessories["top hat"]}, families(sample("soft")), np.random.default_rng(0)
    )
    assert detectors.reliability["accessory:top hat"].answers


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=4, max_size=60).filter(
        lambda rows: len({g for g, _ in rows}) >= 2
    ),
    st.integers(0, 5),
)
def test_near_twins_are_never_on_both_sides_of_a_fold(rows: list[tuple[int, bool]], seed: int) -> None:
    groups = np.array([g for g, _ in rows])
    yes = np.array([y for _, y in rows])
    folds = grouped_folds(yes, groups, np.random.default_rng(seed), 5)
    for group in set(groups.tolist()):
        assert len(set(folds[groups == group].tolist())) == 1
    assert len(set(folds.tolist())) >= 2


def test_probabilities_follow_shares() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=4000)
    yes = rng.random(4000) < 1 / (1 + np.exp(-(2.0 * scores - 1.0)))
    slope, offset = fit_platt(scores, yes)
    assert slope == pytest.approx(2.0, abs=0.2)
    assert offset == pytest.approx(-1.0, abs=0.2)
    assert calibration_error(yes, probability(scores, (slope, offset))) < 0.03


def test_scores_that_say_the_opposite_leave_the_share() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=400)
    yes = scores + rng.normal(size=400) < -1.5
    slope, offset = fit_platt(scores, yes)
    assert slope == 0.0
    assert probability(scores, (slope, offset)) == pytest.approx(yes.mean(), abs=0.01)


def test_the_real_candidates_are_told_as_two_readers_see_them(shared: Path) -> None:
    """Labels come from words that captions hold outright; the vocabulary has tests of its own."""
    folder = shared / "data" / "portraits"
    if not folder.is_dir():
        pytest.skip("needs the real portraits")
    paths = [p for p in sorted((folder / "originals").glob("*.png")) if p.with_suffix(".txt").exists()]
    captions = [p.with_suffix(".txt").read_text(encoding="utf-8").lower() for p in paths]
    natives, figures = measured([read_rgb(p).rgb for p in paths])
    slots = {
        "figure": ["lady" if "punk lady" in c else "lad" for c in captions],
        "hair": [_hair_word(c) for c in captions],
    }
    names = ("cap", "hat", "earring", "stubble", "necklace", "crown", "glasses", "sunglasses")
    accessories = {name: [f" {name}" in c for c in captions] for name in names}
    families = [p.stem.split("_")[1] + p.stem[:4] for p in paths]
    numbers = [sorted(set(families)).index(f) for f in families]
    detectors = TraitDetectors.fit(natives, figures, slots, accessories, numbers, np.random.default_rng(0))
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    answers = detectors.detect(*measured([read_rgb(folder / "generated" / f"{name}.png").rgb for name in labels]))
    hair, figure, invented, ruled_out = [], [], 0, 0
    for label, (seen, worn) in zip(labels.values(), answers, strict=True):
        if seen["hair"].value != "unknown":
            hair.append(seen["hair"].value in label["hair"]["colours_accepted"] + label["hair"]["second"])
        if label["figure"] and seen["figure"].value != "unknown":
            figure.append(seen["figure"].value == label["figure"])
        ruled_out += len(label["accessories_absent"])
        invented += sum(worn[name].value == "present" for name in label["accessories_absent"] if name in worn)
    assert len(hair) >= 0.8 * len(labels)
    assert np.mean(hair) >= 0.9
    assert np.mean(figure) >= 0.9
    assert invented <= 0.03 * ruled_out
    assert detectors.reliability["accessory:stubble"].answers


def _hair_word(caption: str) -> str | None:
    """The only colour word before "hair" in its part, if there is just one."""
    part = next((p for p in caption.split(",") if " hair" in p and "bow" not in p and "facial" not in p), "")
    words = part.split(" hair")[0].replace("blond ", "blonde ").replace("grey", "gray").split()
    found = {w for w in words if w in ("black", "brown", "blonde", "gray", "white", "red", "green", "purple", "blue")}
    return found.pop() if len(found) == 1 else None


def _without(spec: PortraitSpec, term: str) -> PortraitSpec:
    """A portrait without one of the things it wears."""
    if spec.facial_hair == term:
        return replace(spec, facial_hair=None)
    return replace(spec, **{layer: None for layer, wear in spec.worn.items() if wear.term == term})


def _open(spec: PortraitSpec) -> bool:
    """Whether the eyes show."""
    return spec.eyewear is None
