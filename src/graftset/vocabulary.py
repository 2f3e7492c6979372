"""Captions <-> claims: the grammar of the originals' captions, the slots it names and the words it uses.

A caption is comma parts ("pixel art, 24x24, portrait of bespoke punk lady, ..., green background, ..."). A *slot* is a
thing a part can speak of: each has a reader that finds its phrases in a caption and says what they claim. This file
knows the background; another slot is one more reader in `READERS`.

Real captions are not clean. "lglight grey background", "light/pale pinklavender background", "raspberry shirt dark
dark green background" and "plain greybackground" all name a background, and "checkered brick background" names no
colour although brick is one: so words are read backwards from the noun, only as long as they can belong to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graftset.pixels.color import TERMS, word_terms

EVERYWHERE = 0.9  # share of captions that hold a part which is boilerplate

_NOUN = re.compile(r"backgrounds?\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_MODIFIERS = frozenset(
    (
        "light",
        "dark",
        "medium",
        "mid",
        "bright",
        "pale",
        "deep",
        "hot",
        "soft",
        "dull",
        "muted",
        "vivid",
        "neon",
        "pastel",
        "electric",
        "burnt",
        "dusty",
        "dusky",
        "warm",
        "cool",
        "very",
        "lighter",
        "darker",
        "brighter",
        "baby",
        "royal",
        "bubble",
        "gum",
        "colored",
        "coloured",
        "color",
        "colour",
        "pigmented",
        "toned",
        "tone",
        "type",
        "style",
        "clean",
        "plain",
        "simple",
        "flat",
        "almost",
        "more",
        "hunter",
    )
)
_JOINERS = frozenset(("and", "to", "into", "of", "with", "in"))
_COPULAS = frozenset(("is", "are"))
_LONGEST = 12  # letters of the longest colour word
_KINDS: Mapping[str, str] = {
    "solid": "solid", "plain": "solid", "flat": "solid",
    "gradient": "gradient", "ombre": "gradient", "radial": "gradient", "fading": "gradient", "faded": "gradient",
    "split": "split", "half": "split", "two": "split", "divided": "split",
    "checkered": "pattern", "checker": "pattern", "checkerboard": "pattern", "brick": "pattern", "bricks": "pattern",
    "striped": "pattern", "stripes": "pattern", "stripe": "pattern", "pinstripe": "pattern", "pinstripes": "pattern",
    "dotted": "pattern", "patterned": "pattern", "pattern": "pattern", "abstract": "pattern", "tiled": "pattern",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a caption says of one slot.

    `span` covers the words a correction would replace: for a background the colours and kinds before the noun, with
    the modifiers that belong to them. `terms` are colour terms in the order they are written, `kind` the layout that
    is named, where one is.
    """

    slot: str
    span: tuple[int, int]
    text: str
    terms: tuple[str, ...]
    kind: str | None = None
    also: tuple[str, ...] = ()

    @property
    def claimed(self) -> str:
        """The claim in one or two words: "green", "teal and blue", "solid", or the words themselves."""
        return " and ".join(self.terms) or self.kind or self.text


Reader = Callable[[str], list[Phrase]]


def split_parts(caption: str) -> list[tuple[int, int]]:
    """Spans of the comma parts, without surrounding blanks; commas inside brackets do not part."""
    spans, start, depth = [], 0, 0
    closed = caption.count("(") == caption.count(")")  # an unclosed bracket must not swallow the rest
    for i, letter in enumerate(caption + ","):
        depth += closed * ((letter == "(") - (letter == ")" and depth > 0))
        if letter == "," and (depth == 0 or i == len(caption)):
            left, right = start, min(i, len(caption))
            while left < right and caption[left].isspace():
                left += 1
            while right > left and caption[right - 1].isspace():
                right -= 1
            if right > left:
                spans.append((left, right))
            start = i + 1
    return spans


def color_terms(word: str) -> tuple[str, ...]:
    """Terms a written word stands for, best first; empty where it names no colour.

    Words grown together or misspelt at one end ("pinklavender", "lglight", "grey" in "greybackground") count by the
    colour words of four letters or more that they begin or end with.
    """
    word = word.lower()
    known = word_terms(word)
    if known or len(word) < 6:
        return known
    sizes = range(min(len(word) - 1, _LONGEST), 3, -1)
    # The end first: the last word is the noun, "peachpink" is a pink.
    pieces = [*(word[-size:] for size in sizes), *(word[:size] for size in sizes)]
    return next((word_terms(piece) for piece in pieces if word_terms(piece)), ())


def layout_of(word: str) -> str | None:
    """The background kind a written word stands for; None where it names none."""
    return _KINDS.get(word.lower())


def read_background(caption: str) -> list[Phrase]:
    """Phrases that name a background, in the order they stand."""
    phrases = []
    for start, end in split_parts(caption):
        begin = start
        for noun in _NOUN.finditer(caption, start, end):
            phrase = _before_noun(caption, begin, noun.start()) or _after_noun(caption, noun.end(), end)
            if phrase is not None:
                phrases.append(phrase)
            begin = noun.end()
    return phrases


def _before_noun(caption: str, start: int, noun: int) -> Phrase | None:
    """The phrase that ends at the noun, read backwards while the words can belong to it."""
    words = list(_WORD.finditer(caption, start, noun))
    taken: list[re.Match[str]] = []
    while words:
        word = words[-1]
        text = word.group().lower()
        names = color_terms(text) or text in _KINDS or text in _MODIFIERS
        # A joiner belongs only where a colour or a kind stands before it: "shirt with light grey background".
        joins = text in _JOINERS and len(words) > 1 and bool(taken) and _is_name(words[-2].group().lower())
        if not (names or (joins and text not in ("with", "in", "of"))):
            break
        taken.insert(0, word)
        words.pop()
    if not taken:
        return None
    kinds = [_KINDS[w] for m in taken if (w := m.group().lower()) in _KINDS]
    terms: list[str] = []
    also: list[str] = []
    run: list[str] = []  # adjacent colour words: the last is the noun, those before it qualify it
    for match, following in zip(taken, [*taken[1:], None], strict=True):
        text = match.group().lower()
        # A brick wall is a layout, not a red.
        names = () if "pattern" in kinds and text in ("brick", "bricks") else color_terms(text)
        run += [names[0]] if names else []
        between = "" if following is None else caption[match.end() : following.start()]
        if run and (following is None or following.group().lower() in _JOINERS or "/" in between):
            terms.append(run[-1])
            also += run[:-1]
            run = []
    span = (taken[0].start(), taken[-1].end())
    terms = list(dict.fromkeys(terms))
    if not terms and not kinds:
        return None
    rest = tuple(term for term in dict.fromkeys(also) if term not in terms)
    return Phrase("background", span, caption[slice(*span)], tuple(terms), kinds[-1] if kinds else None, rest)


def _is_name(word: str) -> bool:
    return bool(color_terms(word)) or word in _KINDS or word in _MODIFIERS


def _after_noun(caption: str, start: int, end: int) -> Phrase | None:
    """Colours that follow the noun ("multicolored background - blue"), where none stands before it.

    Nothing else may follow: in "background with red hair" the red is the hair's.
    """
    if _NOUN.search(caption, start, end):
        return None
    names = []
    for word in _WORD.finditer(caption, start, end):
        if _is_name(word.group().lower()):
            names.append(word)
        elif word.group().lower() not in _JOINERS | _COPULAS:
            return None
    terms = tuple(dict.fromkeys(found[0] for m in names if (found := color_terms(m.group()))))
    if not terms:
        return None
    span = (names[0].start(), names[-1].end())
    return Phrase("background", span, caption[slice(*span)], terms)


READERS: Mapping[str, Reader] = {"background": read_background}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the originals' captions have in common.

    `head` and `tail` are the boilerplate parts before and after what changes; `wordings[slot]` counts how a slot is
    phrased.
    """

    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    wordings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    captions: int = 0

    @classmethod
    def learn(cls, captions: Sequence[str]) -> Vocabulary:
        """Learn from the originals' captions; none or unlike ones give an empty but valid vocabulary."""
        parts = [[caption[a:b] for a, b in split_parts(caption)] for caption in captions]
        counts = Counter(part for caption in parts for part in set(caption))
        # What speaks of a slot is never boilerplate, not even where all originals have the same background.
        common = {
            part
            for part, n in counts.items()
            if len(captions) > 1 and n >= EVERYWHERE * len(captions) and not read_phrases(part)
        }
        places: dict[str, list[float]] = {}
        for caption in parts:
            for i, part in enumerate(caption):
                if part in common:
                    places.setdefault(part, []).append(i / max(1, len(caption) - 1))
        mean = {part: sum(where) / len(where) for part, where in places.items()}
        ordered = sorted(common, key=lambda part: (mean[part], part))
        wordings: dict[str, Counter[str]] = {slot: Counter() for slot in READERS}
        for text in captions:
            for phrase in read_phrases(text):
                wordings[phrase.slot][phrase.text.lower()] += 1
        return cls(
            head=tuple(part for part in ordered if mean[part] < 0.5),
            tail=tuple(part for part in ordered if mean[part] >= 0.5),
            wordings=wordings,
            captions=len(captions),
        )

    def boilerplate_share(self, caption: str) -> float:
        """How many of the boilerplate parts a caption holds, 0-1; 1 where there is none."""
        common = {*self.head, *self.tail}
        present = {caption[a:b] for a, b in split_parts(caption)}
        return len(common & present) / len(common) if common else 1.0


def read_phrases(caption: str) -> list[Phrase]:
    """Every phrase of every slot, in the order they stand."""
    found = [phrase for reader in READERS.values() for phrase in reader(caption)]
    return sorted(found, key=lambda phrase: phrase.span)


def single_color_phrases(captions: Iterable[str]) -> list[tuple[int, str]]:
    """Captions whose background is called by exactly one colour term: (number of the caption, term)."""
    named = []
    for number, caption in enumerate(captions):
        terms = {term for phrase in read_background(caption) for term in phrase.terms}
        kinds = {phrase.kind for phrase in read_background(caption)}
        if len(terms) == 1 and not kinds & {"gradient", "split"}:
            named.append((number, terms.pop()))
    return named


__all__ = [
    "READERS",
    "TERMS",
    "Phrase",
    "Vocabulary",
    "color_terms",
    "layout_of",
    "read_background",
    "read_phrases",
    "single_color_phrases",
    "split_parts",
]
