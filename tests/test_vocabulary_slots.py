"""What captions say of hair, eyes, skin, figure, clothes and accessories, and the terms learned from them."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.drawn import plan_sample_set
from graftset.vocabulary import Labels, Vocabulary, read_phrases

NOTHING = Vocabulary.learn([])


def says(caption: str) -> Labels:
    """What a caption says without any others to learn from."""
    return NOTHING.labels(caption)


# --- hair, eyes, skin, figure ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "hair"),
    [
        ("brown hair", "brown"),
        ("curly dark brown hair with volume", "brown"),
        ("black dark lighter brown hair clearly distinct from dark brown eyes", "brown"),
        ("jet black hair with hard edge against dark tan skin", "black"),
        ("sandy dirty blonde small mohawk", "blonde"),
        ("strawberry blond hair", "blonde"),
        ("short green shiny silky flipped hair", "green"),
        ("golden hair", "blonde"),
        ("red auburn straight/blown out hair", "red"),
        ("blonde with natural highlights creating long wavy hair", "blonde"),
        ("ombre hair from black to dark brown", "brown"),
        ("grey hair", "gray"),
        ("wearing a blue cap, purplehair", "purple"),
        ("dark borown hair", "brown"),
        ("pink wig", "pink"),
        ("red_hair", "red"),
        ("hair: red", "red"),
    ],
)
def test_a_hair_color_is_read_from_messy_captions(caption: str, hair: str) -> None:
    assert says(caption).slots["hair"] == hair


@pytest.mark.parametrize(
    "caption",
    [
        "red flower in hair",
        "hair",
        "hair, blue eyes",
        "green color clearly distinct from hair with white center",
        "brown eyes and hair",
        "white facial hair",
        "dark hair with grey highlights",
        "messy hair and blue shirt",
        "mushroom cut hair",
        "волосы, haare, 髪",
    ],
)
def test_a_color_that_is_not_the_hairs_is_not_taken_for_it(caption: str) -> None:
    assert "hair" not in says(caption).slots


@pytest.mark.parametrize(
    ("caption", "eyes"),
    [
        ("dark brown eyes", "brown"),
        ("eyes medium brown", "brown"),
        ("eyes color is brown but lighter than skin color", "brown"),
        ("lime purpleyes", "purple"),
        ("light skin with pale green eyes", "green"),
        ("glasses and light blue yees", "blue"),
    ],
)
def test_an_eye_color_is_read(caption: str, eyes: str) -> None:
    assert says(caption).slots["eyes"] == eyes


def test_colors_between_hair_and_eyes_are_the_eyes() -> None:
    said = says("the sides have long hair (or so) seafoam green eyes").slots
    assert (said.get("hair"), said["eyes"]) == (None, "green")


@pytest.mark.parametrize(
    ("caption", "expression"),
    [
        ("slight smile", "smile"),
        ("smiling", "smile"),
        ("neutral expression", "neutral"),
        ("mouth in straight neutral line with relaxed expression", "neutral"),
        ("sad face", "sad"),
        ("no smile", None),
        ("neutral colors, sad story", None),
    ],
)
def test_the_expression_of_a_face_is_read(caption: str, expression: str | None) -> None:
    assert says(caption).slots.get("expression") == expression


def test_lenses_that_cover_eyes_with_white_reflections_name_no_eye_color() -> None:
    assert "eyes" not in says("lenses cover eyes with white reflections, dark eyes").slots


@pytest.mark.parametrize(
    ("caption", "skin"),
    [
        ("light skin", "light"),
        ("medium male skin tone", "medium"),
        ("olive skinned", "olive"),
        ("pale green skin tone", "green"),
        ("dark black skin", "dark"),
        ("indian colored skin dark", "dark"),
        ("medium brown skin", "medium"),
    ],
)
def test_a_skin_tone_is_its_depth_or_its_unusual_color(caption: str, skin: str) -> None:
    assert says(caption).slots["skin"] == skin


def test_further_colors_of_a_slot_are_kept_beside_the_label() -> None:
    said = says("dark brown and blonde hair")
    assert (said.slots["hair"], said.also["hair"]) == ("blonde", ("brown",))


def test_the_figure_is_who_the_portrait_is_of() -> None:
    assert says("ink art, portrait of fine punk lady, black girl hair, light male skin").slots["figure"] == "lady"
    assert says("black girl hair, light male skin").slots.get("figure") is None


def test_figures_are_learned_where_one_word_changes_in_a_part_all_captions_have() -> None:
    texts = [f"sprite of one {who}, {color} hair" for who in ("wizard", "knight") for color in ("red", "blue", "gray")]
    learned = Vocabulary.learn(texts)
    assert learned.labels(texts[0]).slots["figure"] == "wizard"
    assert learned.figure_frame == "sprite of one {}"


def test_hex_codes_are_no_words() -> None:
    said = says("brown hair (#503b29, #deface, #fade00), green eyes #0dad00")
    assert (said.slots["hair"], said.slots["eyes"], said.accessories) == ("brown", "green", frozenset())


# --- what is worn ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "terms"),
    [
        ("wearing gray structured baseball cap with curved front brim and flat crown", {"cap"}),
        ("wearing golden stud earring", {"earring"}),
        ("diamond stud stud earring visible on side of head next to ear", {"earring"}),
        ("black rectangular stunner sunglasses with thin black plastic frames", {"sunglasses"}),
        ("wearing pearl tiara crown", {"crown"}),
        ("wearing polka dot bandana headband tied around forehead", {"headband"}),
        ("top hat with red ribbon", {"top hat"}),
        ("silver pendant necklace", {"necklace"}),
        ("gold necklace with pendant and white blouse", {"necklace"}),
        ("dark greywearing stubble", {"stubble"}),
        ("hairmustche and dark eyes", {"mustache"}),
        ("sutubble beard on face", {"stubble", "beard"}),
        ("goggle glassespurple and blue", {"glasses"}),
        ("wearing a bow in hair with white center", {"bow"}),
        ("two earrings, beards", {"earring", "beard"}),
        ("smoking a cigarette", {"cigarette"}),
        ("eye patch over one eye", {"eye patch"}),
        ("1girl, 2earrings", {"earring"}),
        ("no glasses, without a crown", set()),
        ("colors and shades of gray hair", set()),
        ("longer on top, bun covering top of head", set()),
        ("lunettes noires, шляпа, 眼鏡", set()),
        ("", set()),
    ],
)
def test_accessories_are_called_by_their_head_noun(caption: str, terms: set[str]) -> None:
    assert says(caption).accessories == terms


@pytest.mark.parametrize(
    ("caption", "garment"),
    [
        ("wearing turtleneck sweater", "turtleneck"),
        ("blue tank top", "tank top"),
        ("black tshirt", "t-shirt"),
        ("white shirt with a red collar", "collared shirt"),
        ("wearing classic suit and tie", "suit"),
        ("white lab coat over yellow shirt", "lab coat"),
    ],
)
def test_clothes_are_no_accessories(caption: str, garment: str) -> None:
    said = says(caption)
    assert (said.slots["clothing"], said.accessories) == (garment, frozenset())


def test_glasses_of_a_kind_are_a_term_only_where_captions_tell_them_from_others() -> None:
    nerd = [f"{color} hair, wearing nerd glasses" for color in ("red", "blue", "gray", "black")]
    other = [f"{color} hair, wearing {color} glasses" for color in ("red", "blue", "gray", "black")]
    assert Vocabulary.learn([*nerd, *other]).terms == {"glasses": 4, "nerd glasses": 4}
    rare = Vocabulary.learn([nerd[0], *other * 50])
    assert rare.terms == {"glasses": 201}
    baseball = Vocabulary.learn(["wearing red baseball cap", "wearing blue baseball cap"])
    assert baseball.terms == {"cap": 2}


def test_an_unknown_noun_is_learned_where_captions_use_it_after_wearing() -> None:
    texts = [f"{color} hair, wearing a {color} zorbel, light skin" for color in ("red", "blue", "gray")]
    learned = Vocabulary.learn(texts)
    assert learned.terms == {"zorbel": 3}
    assert learned.examples("zorbel") == tuple(texts)
    assert Vocabulary.learn(texts[:2]).terms == {}


def test_an_unknown_noun_behind_the_background_is_clothing() -> None:
    texts = [f"wearing cap, {color} background, wearing a {color} frunk" for color in ("red", "blue", "gray")]
    learned = Vocabulary.learn(texts)
    assert learned.terms == {"cap": 3}
    assert learned.labels(texts[0]).slots["clothing"] == "frunk"


def test_a_word_that_mostly_stands_elsewhere_is_no_thing() -> None:
    texts = ["wearing glorious with cap"] * 3 + ["lad, one glorious morning in may"] * 9
    assert Vocabulary.learn(texts).terms == {"cap": 3}


def test_a_term_that_occurs_once_counts_once() -> None:
    learned = Vocabulary.learn(["wearing veil, red hair", "blue hair"])
    assert learned.terms == {"veil": 1}
    assert learned.examples("veil") == ("wearing veil, red hair",)
    assert learned.examples("crown") == ()


def test_parts_that_only_say_more_of_an_accessory_are_known_to_follow_it() -> None:
    texts = [f"wearing {c} earring, small point of bright color, {c} hair" for c in ("red", "blue", "gray")]
    texts += ["red hair", "blue hair", "a small distinct point of light"]
    assert Vocabulary.learn(texts).followers == {"small point of bright color": "accessory:earring"}


def test_an_accessory_is_worded_as_most_captions_word_it() -> None:
    learned = Vocabulary.learn(["wearing a red crown, stubble", "wearing a big crown, stubble", "wearing gold crown"])
    assert learned.wording("crown") == "wearing a crown"
    assert learned.wording("stubble") == "stubble"
    assert learned.wording("halo") == "wearing halo"


# --- whole collections -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["classic", "soft"])
def test_what_drawn_captions_claim_is_read_from_them(style: str) -> None:
    truth = plan_sample_set(style=style, seed=11, originals=203, candidates=60)  # type: ignore[arg-type]
    texts = [(o.caption, o.claims) for o in truth.originals]
    texts += [(c.prompt, c.claims) for c in truth.candidates if c.prompt is not None]
    learned = Vocabulary.learn([original.caption for original in truth.originals])
    right: Counter[str] = Counter()
    for caption, claims in texts:
        said = learned.labels(caption)
        for slot in ("hair", "hair_style", "eyes", "skin", "figure"):
            expected = claims.get(slot)
            right[slot] += said.slots.get(slot) == ("green" if expected == "pale green" else expected)
        right["clothing"] += said.slots.get("clothing") == claims["garment"]
        worn = {slot.removeprefix("accessory:") for slot in claims if slot.startswith("accessory:")}
        right["accessories"] += said.accessories == worn
    assert {slot: n / len(texts) for slot, n in right.items() if n < 0.98 * len(texts)} == {}
    assert len(right) == 7
    assert set(learned.terms) == {
        slot.removeprefix("accessory:") for o in truth.originals for slot in o.claims if slot.startswith("accessory:")
    }


def test_terms_of_the_real_captions_are_few_and_clean(shared: object) -> None:
    folder = shared / "data" / "portraits" / "originals"  # type: ignore[operator]
    texts = [path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.txt"))]
    begun = time.process_time()
    learned = Vocabulary.learn(texts)
    assert time.process_time() - begun < 5
    often = {term for term, count in learned.terms.items() if count >= 8}
    assert {"earring", "necklace", "glasses", "sunglasses", "cap", "hat", "crown", "stubble", "beard"} == often
    assert all(len(term.split()) <= 2 and term == term.lower() for term in learned.terms)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["one caption, wearing cap"],
        ["wearing cap, red hair"] * 12,
        ["no structure at all", "something else", "x"],
        ["肖像、茶色の髪、帽子", "肖像、赤い髪、眼鏡"],
    ],
)
def test_few_equal_or_unlike_captions_teach_what_they_can(texts: list[str]) -> None:
    learned = Vocabulary.learn(texts)
    caps = sum("cap" in text.split()[-1:] or "cap," in text for text in texts)
    assert learned.terms == ({"cap": caps} if caps else {})
    assert learned.labels("wearing cap, red hair, blue eyes").slots == {"hair": "red", "eyes": "blue"}


_SENTENCE = (
    "wearing with a the red dark brown cap hat top glasses hair eyes skin light and to from in , ( ) / #aabbcc "
    "stubblewearing headband bandana crown necklace pendant shirt background lady of portrait no 3d eye patch İ ß 👑"
)
_PIECES = st.sampled_from(_SENTENCE.split())


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=16).map(" ".join)))
def test_any_text_is_read_into_phrases_that_do_not_overlap(caption: str) -> None:
    phrases = read_phrases(caption)
    assert all(caption[slice(*phrase.span)] == phrase.text for phrase in phrases)
    assert all(one.span[1] <= other.span[0] for one, other in pairwise(phrases))
    assert Vocabulary.learn([caption, caption]).labels(caption) == says(caption)


@pytest.mark.parametrize("caption", ["wearing red cap with " * 1500, "hair " * 6000, "a" * 60_000, "wearing" * 4000])
def test_a_huge_caption_is_read_soon(caption: str) -> None:
    begun = time.process_time()
    read_phrases(caption)
    assert time.process_time() - begun < 5
