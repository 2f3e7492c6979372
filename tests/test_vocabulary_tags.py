"""Things are learned from captions of any style: lists of tags, attributes, keys, sentences."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from graftset.vocabulary import Vocabulary

TRAITS = {
    "mole": 14, "cigarette": 20, "mohawk": 10, "mohawk dark": 9, "medical mask": 9, "buck teeth": 8, "rosy cheeks": 8,
    "shaved head": 8, "clown nose": 8, "3d glasses": 8, "pilot helmet": 8, "vr": 9, "hot lipstick": 10,
    "purple lipstick": 10, "choker": 8, "wild hair": 12, "clown eyes blue": 10, "blonde bob": 9, "spots": 8,
    "hoodie": 9, "earring": 40, "purple eye shadow": 9, "green eye shadow": 8, "peak spike": 9,
    "big beard": 8, "normal beard": 10,
    "frown": 8, "cap forward": 9, "cap": 9, "silver chain": 8, "horned rim glasses": 12,
}  # fmt: skip
# What the term is called: without colors, as the contract of `graftset images` has it.
TERMS = {
    "mohawk dark": "mohawk", "hot lipstick": "lipstick", "purple lipstick": "lipstick",
    "clown eyes blue": "clown eyes", "blonde bob": "bob", "purple eye shadow": "eye shadow",
    "green eye shadow": "eye shadow", "big beard": "beard",
    "silver chain": "chain",
}  # fmt: skip


def drawn(count: int = 203) -> list[tuple[str, list[str]]]:
    """Who is portrayed and which traits each of `count` pictures has, each trait as often as `TRAITS` says."""
    rng = np.random.default_rng(7)
    traits: list[list[str]] = [[] for _ in range(count)]
    for trait, times in TRAITS.items():
        for i in rng.choice(count, times, replace=False):
            traits[i].append(trait)
    return [(("male", "female")[i % 2], own) for i, own in enumerate(traits)]


Style = Callable[[int, str, Sequence[str]], str]
STYLES: dict[str, Style] = {
    "tags": lambda i, who, has: ", ".join([who, *has]),
    "capitals": lambda i, who, has: ", ".join([who, *has]).title(),
    "head": lambda i, who, has: ", ".join(["pixel art", f"portrait of a {who} punk", *has, "blue background"]),
    "underscores": lambda i, who, has: ", ".join([f"1{who}", *(t.replace(" ", "_") for t in has), "solo"]),
    "numbers": lambda i, who, has: f"{i}, " + ", ".join([who, *has]),
    "keys": lambda i, who, has: ", ".join([f"type: {who}", *(f"accessory: {t}" for t in has)]),
    "semicolons": lambda i, who, has: "; ".join([who, *has]),
    "wearing": lambda i, who, has: ", ".join(["pixel art", who, *(f"wearing {t}" for t in has)]),
    "sentences": lambda i, who, has: (
        f"a pixel art portrait of a {who} punk"
        + (" with a " if has else "")
        + " and a ".join(has)
        + " on a teal background"
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_trait_that_repeats_is_a_term_that_holds_for_its_captions(style: str) -> None:
    rows = drawn()
    captions = [STYLES[style](i, who, has) for i, (who, has) in enumerate(rows)]
    learned = Vocabulary.learn(captions)
    said = [learned.labels(caption).accessories for caption in captions]
    for trait in TRAITS:
        term = TERMS.get(trait, trait)
        if style == "wearing":  # there the last word is the thing, and a kind of it only where there are others
            term = {"medical mask": "mask", "peak spike": "spike"}.get(trait, term)
        kin = {other for other in TRAITS if TERMS.get(other, other) == term or other.endswith(f" {term}")}
        kin |= {other for other in TRAITS if other.startswith(f"{term} ")}
        needed = {i for i, (_, has) in enumerate(rows) if trait in has}
        allowed = {i for i, (_, has) in enumerate(rows) if kin & {trait, *has}}
        found = {i for i, terms in enumerate(said) if term in terms}
        assert needed <= found <= allowed, (trait, term)
        assert learned.terms[term] == len(found)


@pytest.mark.parametrize("style", ["tags", "capitals", "head", "underscores", "keys"])
def test_a_bare_tag_that_many_captions_hold_is_also_a_term_as_it_is_written(style: str) -> None:
    rows = drawn()
    captions = [STYLES[style](i, who, has) for i, (who, has) in enumerate(rows)]
    learned = Vocabulary.learn(captions)
    for trait in ("hot lipstick", "purple lipstick", "blonde bob", "clown eyes blue", "purple eye shadow"):
        needed = {i for i, (_, has) in enumerate(rows) if trait in has}
        assert {i for i, text in enumerate(captions) if trait in learned.labels(text).accessories} == needed


@pytest.mark.parametrize("style", STYLES)
def test_the_figure_is_read_in_every_style(style: str) -> None:
    rows = drawn()
    captions = [STYLES[style](i, who, has) for i, (who, has) in enumerate(rows)]
    learned = Vocabulary.learn(captions)
    assert [learned.labels(text).slots.get("figure") for text in captions] == [who for who, _ in rows]


def test_a_style_that_is_a_color_too_tells_both() -> None:
    learned = Vocabulary.learn(["blonde bob, mole", "blonde bob, earring", "mole, red hair", "blue hair", "earring"])
    said = learned.labels("blonde bob, mole")
    assert said.slots["hair"] == "blonde"
    assert {"bob", "mole"} <= said.accessories
    assert "hair" not in learned.terms


@pytest.mark.parametrize(
    "part",
    [
        "hair", "lips", "clothing",  # the bare nouns of slots
        "brown hair", "blue eyes", "dark eyes", "light skin", "olive skin tone", "gray background",  # what slots tell
        "eyes looking ahead",
        "no glasses",
        "24x24", "12",
        "wearing a golden necklace with a pendant",  # a necklace, and no necklace pendant
    ],
)  # fmt: skip
def test_parts_that_name_no_thing_are_no_terms(part: str) -> None:
    captions = [f"portrait {i}, {part}" if i % 2 else f"portrait {i}, red hat" for i in range(20)]
    assert set(Vocabulary.learn(captions).terms) <= {"hat", "necklace"}


def test_what_every_caption_says_and_what_one_says_are_no_tags() -> None:
    captions = [f"spiky thing, common phrase {i}" for i in range(12)]
    assert Vocabulary.learn(captions).terms == {}


def test_values_of_a_slot_that_most_captions_tell_are_no_things() -> None:
    often = [f"{style}, red hair" for style in ("bald", "mohawk", "bald", "mohawk") * 3]
    assert Vocabulary.learn(often).terms == {}
    seldom = [*often[:2], *often[:2], *(f"blue hair, portrait {i}" for i in range(12))]
    assert Vocabulary.learn(seldom).terms == {"bald": 2, "mohawk": 2}


def test_parts_that_repeat_are_learned_in_any_script() -> None:
    cyrillic = ["портрет, красная шляпа", "портрет, серьга", "портрет, красная шляпа, серьга", "портрет, борода"]
    assert Vocabulary.learn(cyrillic).terms == {"красная шляпа": 2, "серьга": 2}
    japanese = ["肖像、帽子", "肖像、眼鏡", "肖像、帽子、眼鏡", "肖像、赤い髪"]
    assert Vocabulary.learn(japanese).terms == {"帽子": 2, "眼鏡": 2}
    arabic = ["صورة، قبعة", "صورة، قرط", "صورة، قبعة، قرط", "صورة"]
    assert Vocabulary.learn(arabic).terms == {"قبعة": 2, "قرط": 2}


def test_thousands_of_captions_are_learned_soon() -> None:
    captions = [STYLES["head"](i, who, has) for i, (who, has) in enumerate(drawn() * 10)]
    begun = time.process_time()
    learned = Vocabulary.learn(captions)
    Counter(term for caption in captions for term in learned.labels(caption).accessories)
    assert time.process_time() - begun < 15
