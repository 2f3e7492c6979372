"""What a caption says of the background.

Real captions are not clean. "lglight grey background", "light/pale pinklavender background", "raspberry shirt dark
dark green background" and "plain greybackground" all name a background, and "checkered brick background" names no
colour although brick is one: so words are read backwards from the noun, only as long as they can belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from graftset.vocabulary import lexicon
from graftset.vocabulary.parts import Phrase, color_terms, split_parts

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
_KINDS: Mapping[str, str] = {
    "solid": "solid", "plain": "solid", "flat": "solid",
    "gradient": "gradient", "ombre": "gradient", "radial": "gradient", "fading": "gradient", "faded": "gradient",
    "split": "split", "half": "split", "two": "split", "divided": "split",
    "checkered": "pattern", "checker": "pattern", "checkerboard": "pattern", "brick": "pattern", "bricks": "pattern",
    "striped": "pattern", "stripes": "pattern", "stripe": "pattern", "pinstripe": "pattern", "pinstripes": "pattern",
    "dotted": "pattern", "patterned": "pattern", "pattern": "pattern", "abstract": "pattern", "tiled": "pattern",
}  # fmt: skip


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
            if phrase is not None and not _is_denied(caption, begin, min(phrase.span[0], noun.start())):
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


def _is_denied(caption: str, start: int, end: int) -> bool:
    """Whether "no" or "without" stands right before, with an article between at most: "without a green background"."""
    words = [match.group().lower() for match in _WORD.finditer(caption, start, end)]
    if words and words[-1] in lexicon.ARTICLES:
        words.pop()
    return bool(words) and words[-1] in lexicon.NEGATIONS


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


def single_color_phrases(captions: Iterable[str]) -> list[tuple[int, str]]:
    """Captions whose background is called by exactly one colour term: (number of the caption, term)."""
    named = []
    for number, caption in enumerate(captions):
        terms = {term for phrase in read_background(caption) for term in phrase.terms}
        kinds = {phrase.kind for phrase in read_background(caption)}
        if len(terms) == 1 and not kinds & {"gradient", "split"}:
            named.append((number, terms.pop()))
    return named
