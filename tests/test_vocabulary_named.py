"""The user names words in graftset.toml: they are read, or refused with every contradiction at once."""

from __future__ import annotations

from typing import Any

import pytest

from graftset import config
from graftset.config.words import BUILT_IN, COLORS
from graftset.errors import ConfigError
from graftset.pixels.color import TERMS
from graftset.vocabulary import NOTHING_NAMED, SLOTS, Labels, Named, Vocabulary
from graftset.workflows.words import named_words

PROJECT = '[project]\noriginals = "o"\ncandidates = "c"\n'


def labels(captions: list[str], **named: Any) -> Labels:
    """What the first caption says by these words."""
    return Vocabulary.learn(captions, named=Named.of(**named)).labels(captions[0])


def test_terms_named_by_the_user_are_found_at_once() -> None:
    captions = ["one gloop, moon boots, frock, mark of the third eye"]
    said = labels(captions, accessories=["Gloop", "moon boots", "mark of the third"], clothing=["frock"])
    assert said.accessories == {"gloop", "moon boots", "mark of the third"}
    assert said.slots["clothing"] == "frock"


def test_a_known_accessory_named_as_clothing_is_clothing() -> None:
    assert labels(["wearing scarf"], clothing=["scarf"]) == Labels({"clothing": "scarf"})


def test_a_figure_of_the_users_own_is_read() -> None:
    assert labels(["portrait of a goblin"], figure=["goblin"]).slots == {"figure": "goblin"}


def test_what_is_ignored_is_neither_learned_nor_claimed() -> None:
    captions = ["wearing cap, mole, slight smile", "mole", "hat", "scarf"]
    learned = Vocabulary.learn(captions, named=Named.of(ignore=["mole", "Smile"]))
    assert learned.terms == {"cap": 1, "hat": 1, "scarf": 1}
    assert [phrase.slot for phrase in learned.read(captions[0])] == ["accessory:cap"]


def test_other_words_for_a_term_are_read_as_it() -> None:
    captions = ["wearing dark glasses", "wearing shades", "wearing sunglasses", "wearing glasses"]
    learned = Vocabulary.learn(captions, named=Named.of(synonyms={"sunglasses": ["shades", "dark glasses"]}))
    assert learned.terms == {"sunglasses": 3, "glasses": 1}
    (phrase,) = learned.read("wearing shades")
    assert (phrase.slot, phrase.terms) == ("accessory:sunglasses", ("sunglasses",))
    assert labels(["wearing parka"], synonyms={"jacket": ["parka"]}).slots == {"clothing": "jacket"}


def test_a_slot_of_the_users_own_has_its_words_as_values() -> None:
    named = Named.of(slots={"pose": ["facing left", "facing right"], "pet": ["cat"]})
    learned = Vocabulary.learn(["Facing Left, red hair, a cat", "facing_right, category"], named=named)
    assert learned.slots == (*SLOTS, "pose", "pet")
    assert learned.labels("Facing Left, red hair, a cat").slots == {"pose": "facing left", "hair": "red", "pet": "cat"}
    assert learned.labels("facing_right, category").slots == {"pose": "facing right"}


def test_words_of_other_scripts_can_be_named() -> None:
    assert labels(["портрет в шляпа, 24x24"], accessories=["шляпа"]).accessories == {"шляпа"}
    assert labels(["茶色の髪に帽子をかぶる"], accessories=["帽子"]).accessories == {"帽子"}


def test_nothing_named_changes_nothing() -> None:
    captions = ["wearing cap, red hair", "wearing hat"]
    assert Vocabulary.learn(captions) == Vocabulary.learn(captions, named=NOTHING_NAMED)
    settings = config.parse(PROJECT.encode()).vocabulary
    assert named_words(settings) == NOTHING_NAMED


def test_the_settings_reach_the_vocabulary() -> None:
    text = PROJECT + '[vocabulary]\naccessories = ["Gloop"]\n[vocabulary.slots]\npose = "facing left"\n'
    named = named_words(config.parse(text.encode()).vocabulary)
    assert (named.accessories, named.slots) == (("gloop",), (("pose", ("facing left",)),))


@pytest.mark.parametrize(
    ("written", "field", "remedy"),
    [
        ('accessories = ["cape"]\nclothing = ["Cape"]', "vocabulary.clothing", "one place"),
        ('slots = {a = ["x"], b = ["x"]}', "vocabulary.slots.b", "one place"),
        ('accessories = ["x"]\nslots = {a = ["x"]}', "vocabulary.slots.a", "one place"),
        ('accessories = ["x"]\nignore = ["x"]', "vocabulary.ignore", "one place"),
        ('synonyms = {a = ["x"], b = ["x"]}', "vocabulary.synonyms.b", "one place"),
        ('synonyms = {a = ["b"], b = ["c"]}', "vocabulary.synonyms.b", "the one that is kept"),
        ('synonyms = {a = ["b"]}\nignore = ["a"]', "vocabulary.synonyms.a", "Remove it from one"),
        ("synonyms = {a = []}", "vocabulary.synonyms.a", "remove the term"),
        ("slots = {pose = []}", "vocabulary.slots.pose", "remove the slot"),
        ('slots = {hair = ["spiky"]}', "vocabulary.slots.hair", "another name"),
        ('slots = {accessories = ["x"]}', "vocabulary.slots.accessories", "`accessories` under [vocabulary]"),
        ('slots = {"a b!" = ["x"]}', "vocabulary.slots.a b!", "Rename"),
        ('accessories = [" "]', "vocabulary.accessories", "Remove"),
        ('accessories = ["a very long term indeed"]', "vocabulary.accessories", "alone"),
        ('clothing = ["a long one"]', "vocabulary.clothing", "alone"),
        ('figure = ["old goblin"]', "vocabulary.figure", "alone"),
        ('accessories = ["red"]', "vocabulary.accessories", "what has the color"),
        ('accessories = ["hair"]', "vocabulary.accessories", "lack"),
    ],
)
def test_what_contradicts_itself_is_refused_with_field_value_and_remedy(written: str, field: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.parse((PROJECT + "[vocabulary]\n" + written).encode())
    assert refused.value.field == field
    assert refused.value.value is not None
    assert remedy in refused.value.remedy


def test_every_contradiction_is_told_at_once_with_the_other_faults() -> None:
    written = '[vocabulary]\naccessories = ["cape", "red"]\nclothing = ["cape"]\nslots = {hair = ["x"], pose = []}\n'
    with pytest.raises(ConfigError) as refused:
        config.parse((PROJECT + written + "[select]\nmin_score = 11\n").encode())
    message = str(refused.value)
    assert "5 faults" in message
    for field in ("select.min_score", "accessories = 'red'", "clothing = 'cape'", "slots.hair", "slots.pose"):
        assert field in message


def test_a_word_named_twice_in_one_list_or_a_built_in_word_elsewhere_is_fine() -> None:
    text = PROJECT + '[vocabulary]\naccessories = ["cape", "cape", "rose"]\nclothing = ["scarf"]\n'
    assert config.parse(text.encode()).vocabulary.accessories == ("cape", "cape", "rose")


def test_the_settings_know_the_slots_and_colors_that_are_built_in() -> None:
    assert {*SLOTS, "accessory"} == set(BUILT_IN)
    assert set(TERMS) == COLORS
