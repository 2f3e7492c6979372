"""What the user names under [vocabulary] must not contradict itself: every fault, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graftset.config.settings import VocabularySettings

BUILT_IN = ("background", "hair", "hair_style", "eyes", "skin", "figure", "clothing", "expression", "accessory")
# The basic color terms of `pixels.color`; settings are read without loading that.
# fmt: off
COLORS = frozenset((
    "black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "beige", "tan",
    "teal", "cyan", "mint", "olive", "navy", "lavender", "maroon", "gold",
))
# fmt: on
_SLOT_NOUNS = ("background", "hair", "eyes", "skin")
_SECTIONS = ("accessories", "clothing", "figure")  # built-in slots whose words a user can add to
_LONGEST = {"accessories": 4, "clothing": 2, "figure": 1}  # words of a term
_OTHER_SECTION = {"accessory": "accessories", "clothing": "clothing", "figure": "figure"}


@dataclass(frozen=True, slots=True)
class WordFault:
    """One contradiction, at a key of the settings."""

    field: str
    value: str
    problem: str
    remedy: str


def word_faults(settings: VocabularySettings) -> list[WordFault]:
    """Everything that cannot be meant; empty where the words are in order."""
    return [*_slot_faults(settings), *_term_faults(settings), *_claimed_twice(settings)]


def _slot_faults(settings: VocabularySettings) -> Iterator[WordFault]:
    for name, words in settings.slots.items():
        field = f"vocabulary.slots.{name}"
        plain = _plain(name).replace(" ", "_")
        if plain in (*BUILT_IN, *_SECTIONS):
            section = _OTHER_SECTION.get(plain, plain if plain in _SECTIONS else None)
            remedy = f"Add the words to `{section}` under [vocabulary]" if section else "Give it another name"
            yield WordFault(field, name, f"{plain} is a slot already, with words of its own", remedy)
        elif not plain.replace("_", "").isalnum():
            yield WordFault(field, name, "The name of a slot is made of letters, digits and underscores", "Rename it")
        if not words:
            yield WordFault(field, "[]", "A slot without words says nothing", "Name its values, or remove the slot")


def _term_faults(settings: VocabularySettings) -> Iterator[WordFault]:
    lists = {section: getattr(settings, section) for section in (*_SECTIONS, "ignore")}
    lists |= {f"slots.{name}": words for name, words in settings.slots.items()}
    lists |= {f"synonyms.{term}": words for term, words in settings.synonyms.items()}
    for key, words in lists.items():
        field = f"vocabulary.{key}"
        most = _LONGEST.get(key, 4)
        if key.startswith("synonyms.") and not words:
            yield WordFault(field, "[]", "No other words are given for this term", "Name them, or remove the term")
        for word in words:
            count = len(word.split())
            if count == 0:
                yield WordFault(field, word, "A term should not be empty", "Remove it")
            elif count > most:
                long = "one word" if most == 1 else f"at most {most} words"
                yield WordFault(field, word, f"A term has {long} here", "Name the thing alone, as in `cap`")
            elif key in _SECTIONS and _plain(word) in COLORS:
                yield WordFault(field, word, "This is a color", "Name what has the color; colors are read anyway")
            elif key in _SECTIONS and _plain(word) in _SLOT_NOUNS:
                yield WordFault(field, word, "This is what a slot is called by", "Name a thing that pictures may lack")
    for term in settings.synonyms:
        if not term.split():
            yield WordFault("vocabulary.synonyms", term, "A term should not be empty", "Name the term")


def _claimed_twice(settings: VocabularySettings) -> Iterator[WordFault]:
    """Words that are given to two slots, two terms, or are named and ignored at once."""
    owners: dict[str, str] = {}
    uses = [(section, word) for section in _SECTIONS for word in getattr(settings, section)]
    uses += [(f"slots.{name}", word) for name, words in settings.slots.items() for word in words]
    uses += [(f"synonyms.{term}", word) for term, words in settings.synonyms.items() for word in words]
    uses += [("ignore", word) for word in settings.ignore]
    for key, written in uses:
        word = _plain(written)
        owner = owners.setdefault(word, key)
        if word and owner != key:
            problem = f"{word} is also named under vocabulary.{owner}"
            yield WordFault(f"vocabulary.{key}", written, problem, "Name it in one place")
    for term in settings.synonyms:
        if _plain(term) in {_plain(word) for other in settings.synonyms.values() for word in other}:
            problem = "This term is itself another word for a term"
            yield WordFault(f"vocabulary.synonyms.{term}", term, problem, "Point every word at the one that is kept")
        elif _plain(term) in {_plain(word) for word in settings.ignore}:
            yield WordFault(f"vocabulary.synonyms.{term}", term, "This term is also ignored", "Remove it from one")


def _plain(word: str) -> str:
    return " ".join(word.lower().split())
