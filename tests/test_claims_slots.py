"""Claims of hair, eyes, skin, figure and accessories against what was seen, and the caption made true."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.claims import compose, correct, judge
from graftset.drawn import plan_sample_set
from graftset.records import Background, ColorShare, Traits, TraitSeen
from graftset.vocabulary import Vocabulary

HEAD, TAIL = "ink art, portrait of fine punk", "hard edges, limited palette"
ORIGINALS = [
    f"{HEAD} {who}, {hair} hair{worn}, {eyes} eyes, {skin} skin, {back} background, gray shirt, {TAIL}"
    for who, hair, worn, eyes, skin, back in zip(
        itertools.cycle(("lady", "lad")),
        ("brown", "black", "blonde", "red", "gray", "pink", "blue", "white"),
        (
            ", wearing red crown",
            ", wearing gold crown, wearing silver earring, small point of bright color",
            ", wearing gold earring, small point of bright color",
            ", wearing glasses, stubble",
            ", wearing red glasses, stubble",
            "",
            ", wearing gold necklace",
            ", wearing silver necklace",
        ),
        itertools.cycle(("brown", "blue", "green")),
        itertools.cycle(("light", "dark")),
        itertools.cycle(("green", "teal", "gray")),
        strict=False,
    )
]
VOCABULARY = Vocabulary.learn(ORIGINALS)


def seen(accessories: dict[str, str] | None = None, *, sure: float = 0.99, **slots: str) -> Traits:
    """Traits that were seen with one confidence."""
    return Traits(
        slots={slot: TraitSeen(value, sure) for slot, value in slots.items()},
        accessories={term: TraitSeen(value, sure) for term, value in (accessories or {}).items()},
    )


def verdict(caption: str, traits: Traits) -> str:
    """The verdict on the one claim of a caption."""
    ((_, claim),) = judge(caption, traits, VOCABULARY)
    return claim.verdict


# --- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "traits", "expected"),
    [
        ("brown hair", seen(hair="brown"), "confirmed"),
        ("brown hair", seen(hair="black"), "unverifiable"),
        ("black hair", seen(hair="gray"), "unverifiable"),
        ("brown hair", seen(hair="pink"), "contradicted"),
        ("blonde hair", seen(hair="black"), "contradicted"),
        ("black and red hair", seen(hair="black"), "confirmed"),
        ("brown hair", seen(hair="pink", sure=0.4), "unverifiable"),
        ("brown hair", seen(hair="unknown"), "unverifiable"),
        ("brown hair", Traits(slots={"hair": TraitSeen("pink")}), "unverifiable"),
        ("brown hair", Traits(), "unverifiable"),
        ("blue eyes", seen(eyes="brown"), "contradicted"),
        ("blue eyes", seen(eyes="teal"), "unverifiable"),
        ("light skin", seen(skin="dark"), "contradicted"),
        ("light skin", seen(skin="medium"), "unverifiable"),
        ("pale green skin", seen(skin="green"), "confirmed"),
        ("portrait of a lady", seen(figure="lad"), "contradicted"),
        ("portrait of a lady", seen(figure="woman"), "unverifiable"),
        ("wearing crown", seen({"crown": "present"}), "confirmed"),
        ("wearing crown", seen({"crown": "absent"}), "contradicted"),
        ("wearing crown", seen({"crown": "unknown"}), "unverifiable"),
        ("wearing crown", seen({"crown": "absent"}, sure=0.5), "unverifiable"),
        ("wearing crown", seen({"earring": "absent"}), "unverifiable"),
        ("gray shirt", seen(hair="pink"), "unverifiable"),
    ],
)
def test_a_claim_is_contradicted_only_where_something_else_is_clearly_seen(
    caption: str, traits: Traits, expected: str
) -> None:
    assert verdict(caption, traits) == expected


def test_an_accessory_claim_names_its_term_and_its_words() -> None:
    caption = "red hair, wearing gold crown"
    claim = judge(caption, seen({"crown": "absent"}), VOCABULARY)[1][1]
    assert (claim.slot, claim.claimed, claim.seen, claim.verdict) == (
        "accessory:crown", "present", "absent", "contradicted",
    )  # fmt: skip
    assert claim.span is not None
    assert caption[slice(*claim.span)] == "wearing gold crown"


# --- the caption made true -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "traits", "expected"),
    [
        ("curly dark brown hair, blue eyes", seen(hair="pink"), "curly pink hair, blue eyes"),
        ("green hair, wearing hat, green eyes", seen(hair="red"), "red hair, wearing hat, green eyes"),
        ("red shiny green hair", seen(hair="white"), "shiny white hair"),
        ("brown hair, light skin", seen(skin="dark", eyes="red"), "brown hair, dark skin"),
        ("lime purpleyes", seen(eyes="brown"), "brown eyes"),
        ("portrait of a lady, red hair", seen(figure="lad"), "portrait of a lad, red hair"),
        ("green hair and green hat, green eyes", seen(eyes="brown"), "green hair and green hat, brown eyes"),
        ("short hair, red hair", seen(hair="brown"), "short hair, brown hair"),
    ],
)
def test_contradicted_words_are_replaced_and_nothing_else_moves(caption: str, traits: Traits, expected: str) -> None:
    assert correct(caption, traits, VOCABULARY).text == expected


NONE = {"crown": "absent", "glasses": "absent", "earring": "absent", "necklace": "absent", "stubble": "absent"}


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("red hair, wearing gold crown, blue eyes", "red hair, blue eyes"),
        ("wearing gold crown, blue eyes", "blue eyes"),
        ("blue eyes, wearing gold crown", "blue eyes"),
        ("blue eyes, wearing crown, glasses", "blue eyes"),
        ("wearing red crown with gems and pearls, blue eyes", "blue eyes"),
        ("wearing earring, small point of bright color, blue eyes", "blue eyes"),
        ("small point of bright color, blue eyes", "small point of bright color, blue eyes"),
        ("wearing crown and blue scarf, red hair", "blue scarf, red hair"),
        ("gray shirt and silver necklace, red hair", "gray shirt, red hair"),
        ("gray shirt with silver necklace", "gray shirt"),
        ("wearing glasses and a crown, red hair", "red hair"),
        ("wearing glasses , red hair ,wearing crown", "red hair"),
        ("wearing crownwearing hat, red hair", "wearing hat, red hair"),
        ("stubble, wearing stubble, red hair", "red hair"),
        ("red hair, wearing hat", "red hair, wearing hat"),
    ],
)
def test_what_is_absent_goes_with_its_comma(caption: str, expected: str) -> None:
    assert correct(caption, seen(NONE), VOCABULARY).text == expected


def test_what_is_clearly_seen_is_added_where_the_originals_say_it_in_their_words() -> None:
    caption = f"{HEAD} lady, red hair, blue eyes, {TAIL}"
    proposal = correct(caption, seen({"crown": "present", "stubble": "present"}), VOCABULARY)
    assert proposal.text == f"{HEAD} lady, red hair, wearing crown, stubble, blue eyes, {TAIL}"
    assert {change.slot for change in proposal.changes} == {"accessory:crown", "accessory:stubble"}
    assert all(change.old == "" and change.why for change in proposal.changes)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("red hair, wearing gold crown", "red hair, wearing gold crown"),
        ("red hair", "red hair, wearing crown"),
        ("red hair, limited palette", "red hair, wearing crown, limited palette"),
        ("", "wearing crown"),
    ],
)
def test_an_addition_ends_what_can_change(caption: str, expected: str) -> None:
    assert correct(caption, seen({"crown": "present"}), VOCABULARY).text == expected


def test_nothing_is_added_that_is_unsure_or_that_the_originals_never_name() -> None:
    assert correct("red hair", seen({"crown": "present"}, sure=0.8), VOCABULARY).text == "red hair"
    assert correct("red hair", seen({"halo": "present"}), VOCABULARY).text == "red hair"
    assert correct("red hair", seen({"crown": "present"})).text == "red hair"


def test_no_wider_name_is_added_beside_a_nearer_one() -> None:
    traits = seen({"glasses": "present"})
    assert correct("red hair, wearing sunglasses", traits, VOCABULARY).text == "red hair, wearing sunglasses"


def test_leading_parts_that_a_trainer_keeps_are_left_alone() -> None:
    caption = "portrait of a lady, wearing crown, brown hair"
    traits = seen({"crown": "absent", "earring": "present"}, figure="lad", hair="pink")
    assert correct(caption, traits, VOCABULARY).text == "portrait of a lad, pink hair, wearing earring"
    assert correct(caption, traits, VOCABULARY, keep_tokens=1).text == "portrait of a lady, pink hair, wearing earring"
    assert (
        correct(caption, traits, VOCABULARY, keep_tokens=2).text
        == "portrait of a lady, wearing crown, pink hair, wearing earring"
    )


def test_a_change_can_be_undone_by_its_span_and_old_text() -> None:
    caption = "curly brown hair, wearing crown, light skin"
    proposal = correct(caption, seen({"crown": "absent"}, hair="pink"), VOCABULARY)
    assert all(caption[slice(*change.span)] == change.old for change in proposal.changes)


# --- all captions ----------------------------------------------------------------------------------------------------

_TRUTH = plan_sample_set(style="classic", seed=5, originals=203, candidates=20)
_DRAWN = [original.caption for original in _TRUTH.originals]
_LEARNED = Vocabulary.learn(_DRAWN)


def test_without_detectors_no_caption_changes_and_every_claim_is_unverifiable() -> None:
    for caption in _DRAWN:
        proposal = correct(caption, Traits(), _LEARNED)
        assert (proposal.text, proposal.changes) == (caption, ())
        assert {claim.verdict for claim in proposal.claims} == {"unverifiable"}


@given(st.sampled_from(_DRAWN), st.integers(0, 2**32 - 1))
def test_a_corrected_caption_holds_nothing_contradicted_and_correcting_it_again_changes_nothing(
    caption: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    slots = {"hair": ("pink", "black"), "eyes": ("red", "brown"), "skin": ("dark", "light"), "figure": ("lad", "lady")}
    traits = seen(
        {term: str(rng.choice(["absent", "present", "unknown"])) for term in _LEARNED.terms},
        **{slot: str(rng.choice(values)) for slot, values in slots.items()},
    )
    once = correct(caption, traits, _LEARNED)
    again = correct(once.text, traits, _LEARNED)
    assert again.text == once.text
    assert not again.changes
    assert all(claim.verdict != "contradicted" for claim in again.claims)
    assert ", ," not in once.text
    assert "  " not in once.text


@given(st.sampled_from(_TRUTH.candidates))
def test_planted_missing_and_extra_accessories_are_mended(candidate: object) -> None:
    worn = set(candidate.spec.accessories)  # type: ignore[attr-defined]
    traits = seen({term: "present" if term in worn else "absent" for term in _LEARNED.terms})
    prompt = candidate.prompt or _DRAWN[0]  # type: ignore[attr-defined]
    mended = _LEARNED.labels(correct(prompt, traits, _LEARNED).text).accessories
    assert mended <= worn
    # "glasses" is not added beside sunglasses that are not known to be absent.
    assert worn - mended == set()


@given(st.text(max_size=60))
def test_any_text_can_be_corrected(caption: str) -> None:
    proposal = correct(caption, seen({"crown": "present", "cap": "absent"}, hair="pink", figure="lad"), VOCABULARY)
    assert proposal.text == correct(proposal.text, seen({"crown": "present"}), VOCABULARY).text


def test_a_composed_caption_says_all_that_is_clearly_seen_in_the_originals_order() -> None:
    green = Background("solid", "green", (ColorShare("green", "#00aa00", 1.0, ("green",)),), 0.9)
    traits = seen({"crown": "present", "glasses": "absent"}, hair="pink", eyes="blue", skin="dark", figure="lad")
    told = compose(Traits(green, traits.slots, traits.accessories), VOCABULARY)
    assert told is not None
    assert told.text == f"{HEAD} lad, pink hair, wearing crown, blue eyes, dark skin, green background, {TAIL}"
    bare = compose(Traits(green), VOCABULARY)
    assert bare is not None
    assert bare.text == f"ink art, green background, {TAIL}"
