"""What captions say of a background, however messily they say it, and what they have in common."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.pixels.color import TERMS
from graftset.vocabulary import (
    Phrase,
    Vocabulary,
    color_terms,
    read_background,
    read_phrases,
    single_color_phrases,
    split_parts,
)


def only(caption: str) -> Phrase:
    """The one phrase of a caption, which is checked to be where it says."""
    (phrase,) = read_background(caption)
    assert caption[slice(*phrase.span)] == phrase.text
    return phrase


# --- one phrase ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "text", "terms"),
    [
        ("green background", "green", ("green",)),
        ("portrait of a lad, slate grey background, blue eyes", "slate grey", ("gray",)),
        ("ddark teal background", "teal", ("teal",)),
        ("soft/dusty peachpink background", "soft/dusty peachpink", ("pink",)),
        ("mustard scarf pale pale mint background", "pale pale mint", ("mint",)),
        ("simple whitebackground", "simple white", ("white",)),
        ("blue-green background", "blue-green", ("green",)),
        ("lime green backgrounds", "lime green", ("green",)),
        ("ORANGE Background", "ORANGE", ("orange",)),
        ("tan\nbackground", "tan", ("tan",)),
        ("pink_background", "pink", ("pink",)),
        ("(navy background:1.2)", "navy", ("navy",)),
        ("((olive)) background", "olive", ("olive",)),
        ("golden hair on lavender background", "lavender", ("lavender",)),
        ("scarf, red and white background", "red and white", ("red", "white")),
        ("teal / navy background", "teal / navy", ("teal", "navy")),
        ("black to purple to pink background", "black to purple to pink", ("black", "purple", "pink")),
        ("gray, gray, maroon background", "maroon", ("maroon",)),
    ],
)
def test_a_colored_background_is_read_backwards_from_the_noun(caption: str, text: str, terms: tuple[str, ...]) -> None:
    phrase = only(caption)
    assert (phrase.text, phrase.terms, phrase.kind) == (text, terms, None)


@pytest.mark.parametrize(
    ("caption", "kind", "terms"),
    [
        ("solid background", "solid", ()),
        ("plain teal background", "solid", ("teal",)),
        ("gradient background", "gradient", ()),
        ("ombre pink background", "gradient", ("pink",)),
        ("orange to yellow gradient background", "gradient", ("orange", "yellow")),
        ("split background", "split", ()),
        ("split black and white background", "split", ("black", "white")),
        ("half red half blue background", "split", ("blue",)),
        ("checkered background", "pattern", ()),
        ("navy and white striped background", "pattern", ("navy", "white")),
        ("brick background", "pattern", ()),
        ("gray brick background", "pattern", ("gray",)),
        ("checkered brick background", "pattern", ()),
    ],
)
def test_the_layout_is_read_and_a_brick_wall_is_no_color(caption: str, kind: str, terms: tuple[str, ...]) -> None:
    phrase = only(caption)
    assert (phrase.kind, phrase.terms) == (kind, terms)


def test_the_last_of_adjacent_color_words_is_the_noun_and_the_others_qualify_it() -> None:
    phrase = only("pinkish purple background")
    assert phrase.terms == ("purple",)
    assert phrase.also == ("pink",)


@pytest.mark.parametrize(
    ("caption", "text", "terms"),
    [
        ("multicolored background - dark blue", "dark blue", ("blue",)),
        ("background: teal", "teal", ("teal",)),
        ("background is orange", "orange", ("orange",)),
        ("simple background in navy", "navy", ("navy",)),
        ("multicolored background of pale pink and mint, scarf", "pale pink and mint", ("pink", "mint")),
        ("multicolored background (cream/tan, silver ring", "cream/tan", ("beige", "tan")),
    ],
)
def test_colors_after_the_noun_count_where_none_stands_before_it(
    caption: str, text: str, terms: tuple[str, ...]
) -> None:
    phrase = only(caption)
    assert (phrase.text, phrase.terms) == (text, terms)


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "background",
        "no background",
        "a very dark background",
        "neon background",
        "italian flag as background",
        "green eyes, blue shirt",
        "a lady against a background with red hair and blue eyes",
        "background behind a pink hat",
        "fond vert, cheveux bruns",
        "зелёный фон, карие глаза",
        "緑の背景、茶色の髪",
        "backgrounder in green",
    ],
)
def test_what_names_no_background_color_claims_nothing(caption: str) -> None:
    assert read_background(caption) == []


def test_several_backgrounds_in_one_caption_are_several_phrases_that_do_not_overlap() -> None:
    caption = "teal background, brown hair, tan background or pink background"
    assert [p.terms for p in read_background(caption)] == [("teal",), ("tan",), ("pink",)]


@pytest.mark.parametrize("caption", ["background green background", "multicolored background with green background"])
def test_a_color_between_two_nouns_is_read_once(caption: str) -> None:
    assert only(caption).terms == ("green",)


def test_a_claim_in_few_words() -> None:
    assert only("teal and blue background").claimed == "teal and blue"
    assert only("striped background").claimed == "pattern"


_WORDS = st.sampled_from(
    ["background", "backgrounds", "greybackground", "multicolored", "pinklavender", "green", "grey", "brick", "dark"]
) | st.sampled_from(
    ["solid", "split", "and", "to", "with", "of", "is", "hair", "/", "-", ",", "(", ")", "\n", *"éİKſ👑"]
)


@given(st.one_of(st.text(max_size=80), st.lists(_WORDS, max_size=14).map(" ".join)))
def test_any_text_can_be_read_and_spans_lie_in_it_in_order(caption: str) -> None:
    phrases = read_phrases(caption)
    for phrase in phrases:
        start, end = phrase.span
        assert 0 <= start < end <= len(caption)
        assert caption[start:end] == phrase.text
        assert phrase.terms or phrase.kind
        assert phrase.slot != "background" or set(phrase.terms) <= set(TERMS)
        assert len(set(phrase.terms)) == len(phrase.terms)
    assert all(one.span[1] <= other.span[0] for one, other in pairwise(phrases))


@pytest.mark.parametrize(
    "caption",
    ["green background " * 4000, "background " * 6000, "a" * 100_000 + " background", "(" * 60_000, "," * 60_000],
)
def test_a_huge_caption_is_read_at_once(caption: str) -> None:
    begun = time.process_time()
    read_background(caption)
    assert time.process_time() - begun < 2


# --- words and parts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("grey", ("gray",)),
        ("GREEN", ("green",)),
        ("turquoise", ("teal", "cyan")),
        ("dustypurple", ("purple",)),
        ("purpleish", ("purple",)),
        ("tanned", ()),
        ("hair", ()),
        ("", ()),
    ],
)
def test_grown_together_words_count_by_the_color_they_begin_or_end_with(word: str, terms: tuple[str, ...]) -> None:
    assert color_terms(word) == terms


@pytest.mark.parametrize(
    ("caption", "parts"),
    [
        ("a, b ,c", ["a", "b", "c"]),
        (" , a,, ,b,", ["a", "b"]),
        ("scarf (red, blue), hat", ["scarf (red, blue)", "hat"]),
        ("scarf (red, blue, hat", ["scarf (red", "blue", "hat"]),
        ("a), b, (c", ["a)", "b", "(c"]),
        ("", []),
    ],
)
def test_commas_part_a_caption_but_not_inside_closed_brackets(caption: str, parts: list[str]) -> None:
    assert [caption[slice(*span)] for span in split_parts(caption)] == parts


@given(st.text(max_size=60))
def test_parts_are_stripped_and_in_order(caption: str) -> None:
    spans = split_parts(caption)
    assert all(caption[a:b].strip() == caption[a:b] != "" for a, b in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


# --- what captions have in common ------------------------------------------------------------------------------------

HEAD, TAIL = "ink portrait, 24x24", "hard edges, limited palette"


def captions(count: int, middle: str = "{} hair, {} background") -> list[str]:
    """Captions of one owner: a head, something that changes, a tail."""
    return [f"{HEAD}, {middle.format(TERMS[i % 7], TERMS[i % 11])}, {TAIL}" for i in range(count)]


def test_boilerplate_is_learned_in_its_order_with_head_and_tail_apart() -> None:
    learned = Vocabulary.learn(captions(40))
    assert learned.head == ("ink portrait", "24x24")
    assert learned.tail == ("hard edges", "limited palette")
    assert learned.captions == 40
    assert learned.wordings["background"]["green"] > 0


def test_boilerplate_survives_a_few_captions_that_lack_it() -> None:
    learned = Vocabulary.learn([*captions(38), "a lady", "no structure at all"])
    assert learned.head == ("ink portrait", "24x24")


def test_a_background_all_originals_share_is_no_boilerplate() -> None:
    learned = Vocabulary.learn(captions(30, "{} hair, white background"))
    assert "white background" not in (*learned.head, *learned.tail)
    assert learned.head == ("ink portrait", "24x24")


@pytest.mark.parametrize("texts", [[], ["one caption, alone"], ["a", "b", "c"], ["", ""], ["緑の背景", "青の背景"]])
def test_captions_without_common_parts_give_an_empty_vocabulary(texts: list[str]) -> None:
    learned = Vocabulary.learn(texts)
    assert (learned.head, learned.tail, learned.captions) == ((), (), len(texts))


def test_another_script_has_boilerplate_too() -> None:
    learned = Vocabulary.learn([f"пиксельный портрет, {name}, чёткие края" for name in ("Анна", "Борис", "Вера")])
    assert (learned.head, learned.tail) == (("пиксельный портрет",), ("чёткие края",))
    assert Vocabulary.learn(["肖像、緑の背景", "肖像、青の背景"]).head == ("肖像",)


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_captions_can_be_learned_from(texts: list[str]) -> None:
    learned = Vocabulary.learn(texts)
    assert not set(learned.head) & set(learned.tail)


def test_only_captions_that_call_the_background_by_one_color_teach_words() -> None:
    texts = [
        "teal background",
        "teal and blue background",
        "solid pink background",
        "pink gradient background",
        "no colors",
        "gray background, gray background",
        "gray background, tan background",
    ]
    assert single_color_phrases(texts) == [(0, "teal"), (2, "pink"), (5, "gray")]
