"""What a caption says of hair, eyes, skin and figure.

A part is read once from left to right: colour words wait until a noun takes them, words such as "with" and "from"
part what belongs to the noun from what does not. In "jet black hair with hard edge against dark brown skin" the hair
takes black and the skin brown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from graftset.pixels.color import word_terms
from graftset.vocabulary import lexicon
from graftset.vocabulary.parts import Phrase, Token, color_terms, split_parts, tokens

Colors = Callable[[str], tuple[str, ...]]
Run = list[Token]  # adjacent colour words and their modifiers

_FIGURE_PART = re.compile(r"\b(?:portrait|photo|picture|image|sprite|drawing)\b.*\bof\b", re.IGNORECASE)
_TAKERS = lexicon.OTHERS | lexicon.ACCESSORIES | lexicon.GARMENTS | lexicon.SKIN | lexicon.EYES
_FREE = lexicon.HAIR | lexicon.EYES | lexicon.SKIN | lexicon.OTHERS


def hair_colors(word: str) -> tuple[str, ...]:
    """Hair colours a word stands for: the colour terms, and blonde."""
    if word in lexicon.HAIR_COLORS:
        return lexicon.HAIR_COLORS[word]
    if word.endswith(("blonde", "blond", "blondish")):
        return ("blonde",)
    return _colors(word)


def eye_colors(word: str) -> tuple[str, ...]:
    """Eye colours a word stands for."""
    return lexicon.EYE_COLORS.get(word) or _colors(word)


def skin_tones(word: str) -> tuple[str, ...]:
    """Tones a word stands for: light, medium, tan, olive, dark, brown, or another colour where skin has it."""
    if word in lexicon.SKIN_TONES:
        return (lexicon.SKIN_TONES[word],)
    names = _colors(word)
    return names[:1] if names and (names[0] in lexicon.SKIN_HUES or names[0] == "brown") else ()


def _colors(word: str) -> tuple[str, ...]:
    if word in lexicon.KNOWN and word not in lexicon.SPELLINGS:
        return word_terms(word)
    return color_terms(word)


def read_hair(caption: str) -> list[Phrase]:
    """Phrases that name a hair colour, in the order they stand."""
    return _read(caption, "hair", hair_colors, _hair_nouns)


def read_eyes(caption: str) -> list[Phrase]:
    """Phrases that name an eye colour."""
    return _read(caption, "eyes", eye_colors, lambda words: _nouns(words, lexicon.EYES))


def read_skin(caption: str) -> list[Phrase]:
    """Phrases that name a skin tone; the value is its depth, or its colour where it has an unusual one."""
    found = _read(caption, "skin", skin_tones, lambda words: _nouns(words, lexicon.SKIN))
    return [_with_tone(phrase) for phrase in found]


def read_hair_style(caption: str) -> list[Phrase]:
    """The word that tells the hair style, once a caption; "bald" needs no noun."""
    best: tuple[int, Phrase] | None = None
    for start, end in split_parts(caption):
        words = tokens(caption, start, end)
        anchored = bool(_hair_nouns(words))
        for rank, (style, names) in enumerate(lexicon.STYLES.items()):
            if not anchored and style != "bald":
                continue
            hit = next((t for i, t in enumerate(words) if t.word in names and _tells_style(words, i, style)), None)
            if hit is not None and (best is None or rank < best[0]):
                text = caption[hit.start : hit.end]
                best = rank, Phrase("hair_style", (hit.start, hit.end), text, (style,))
    if best is None:
        return _combed(caption)
    return [best[1]]


def _tells_style(words: Sequence[Token], at: int, style: str) -> bool:
    """Whether a style word speaks of hair: "short on the sides" says no more than "long eyelashes"."""
    following = words[at + 1].word if at + 1 < len(words) else ""
    if at and words[at - 1].word in lexicon.NEGATIONS:
        return False
    return not (style in ("short", "long") and following in ("eyelashes", "sleeves", "sleeve", "face", "beard"))


def _combed(caption: str) -> list[Phrase]:
    match = re.search(r"\bhair\s+(combed|swept|slicked)\s+(?:to\s+)?(?:one|the)\s+side\b", caption, re.IGNORECASE)
    return [] if match is None else [Phrase("hair_style", match.span(1), match.group(1), ("side part",))]


def read_expression(caption: str) -> list[Phrase]:
    """The word that tells the expression of a face: "slight *smile*", "*neutral* expression"."""
    for start, end in split_parts(caption):
        words = tokens(caption, start, end)
        faced = any(token.word in lexicon.FACES for token in words)
        for i, token in enumerate(words):
            value = next((value for value, names in lexicon.EXPRESSIONS.items() if token.word in names), None)
            denied = any(other.word in lexicon.NEGATIONS for other in words[max(0, i - 2) : i])
            if value is not None and not denied and (faced or value in ("smile", "frown")):
                span = (token.start, token.end)
                return [Phrase("expression", span, caption[slice(*span)], (value,))]
    return []


def read_figure(caption: str, figures: frozenset[str] = lexicon.FIGURES) -> list[Phrase]:
    """The word that says who is portrayed: in the part that says "portrait of", else the first such word."""
    parts = split_parts(caption)
    stated = [span for span in parts if _FIGURE_PART.search(caption, *span)]
    for span in [*stated, *(span for span in parts if span not in stated)]:
        words = tokens(caption, *span)
        # "light male skin" and "black girl hair" speak of skin and hair.
        if span not in stated and any(t.word in _FREE for t in words):
            continue
        named = [t for t in words if t.word in figures]
        if named:
            at = named[-1] if span in stated else named[0]
            return [Phrase("figure", (at.start, at.end), caption[at.start : at.end], (at.word,))]
    return []


def _nouns(words: Sequence[Token], names: frozenset[str]) -> list[int]:
    """Where a slot's noun stands and is not merely referred to ("covering the eyes", "small distinct from hair")."""
    return [
        i for i, token in enumerate(words) if token.word in names and not (i and words[i - 1].word in lexicon.REFERS)
    ]


def _hair_nouns(words: Sequence[Token]) -> list[int]:
    plain = _nouns(words, lexicon.HAIR)
    return plain or _nouns(words, lexicon.HAIR_NOUNS)


def _read(caption: str, slot: str, colors: Colors, nouns_of: Callable[[Sequence[Token]], list[int]]) -> list[Phrase]:
    """A phrase for every noun of the slot that has a colour before it, or, for want of that, after it."""
    phrases = []
    for start, end in split_parts(caption):
        words = tokens(caption, start, end)
        taken = 0
        for noun in nouns_of(words):
            before = _own_words(words[taken:noun], slot, colors)
            runs = _runs(caption, before, colors)
            if not runs:
                runs = _runs(caption, _after(words, noun, slot), colors)[:1]
            if runs:
                phrases.append(_phrase(caption, slot, runs, colors))
            taken = noun + 1
    return phrases


def _own_words(words: Sequence[Token], slot: str, colors: Colors) -> Sequence[Token]:
    """The words before a noun that belong to it: those after the last word that parts, or, of hair, all."""
    takers = _TAKERS if slot == "hair" else _TAKERS | lexicon.HAIR
    near = words[_after_last(words, takers) :]
    near = near[_after_last_stop(near, colors) :]
    if slot != "hair" or any(hair_colors(token.word) for token in near):
        return near
    # "golden blonde with highlights creating wavy hair": hair is often told far ahead of its noun.
    far = words[_after_last(words, _TAKERS - lexicon.OTHERS) :]
    return far[: next((i for i, t in enumerate(far) if t.word in lexicon.STOPS - {"and"}), len(far))]


def _after_last(words: Sequence[Token], names: frozenset[str]) -> int:
    return max((i + 1 for i, token in enumerate(words) if token.word in names), default=0)


def _after_last_stop(words: Sequence[Token], colors: Colors) -> int:
    """Behind the last word that parts; an "and" between two colours joins them."""
    last = 0
    for i, token in enumerate(words):
        joins = token.word == "and" and i > 0 and bool(colors(words[i - 1].word))
        if token.word in lexicon.STOPS and not joins:
            last = i + 1
    return last


def _after(words: Sequence[Token], noun: int, slot: str) -> list[Token]:
    """Words after the noun that may tell its colour: "eyes medium brown", "hair from black to brown"."""
    rest = list(words[noun + 1 :])
    if slot != "hair":
        while rest and rest[0].word in ("color", "colour", "colored", "is", "are", "tone"):
            rest.pop(0)
        stop = next((i for i, t in enumerate(rest) if t.word in _TAKERS | lexicon.HAIR | lexicon.STOPS), len(rest))
        if stop < len(rest) and rest[stop].word not in lexicon.STOPS:
            return []  # what follows is another noun's
        names = eye_colors if slot == "eyes" else skin_tones
        return rest[:stop] if stop and (names(rest[0].word) or rest[0].word in lexicon.MODIFIERS) else []
    end = next((i for i, t in enumerate(rest) if t.word in _TAKERS | lexicon.HAIR), len(rest))
    if end < len(rest):
        # What stands right before another noun is that noun's: "hair and blue shirt", "hair with grey highlights".
        while end and (hair_colors(rest[end - 1].word) or rest[end - 1].word in lexicon.MODIFIERS | lexicon.JOINERS):
            end -= 1
    rest = rest[:end]
    barred = lexicon.WEARING | {"against", "near", "behind", "on", "distinct"}
    return rest[: next((i for i, t in enumerate(rest) if t.word in barred), len(rest))]


def _runs(caption: str, words: Sequence[Token], colors: Colors) -> list[Run]:
    """Stretches of colour words with their modifiers, joined by "and", "to" and slashes; each holds a colour."""
    runs: list[Run] = []
    run: Run = []
    for token in words:
        if colors(token.word) or token.word in lexicon.MODIFIERS or (run and token.word in lexicon.JOINERS):
            run.append(token)
            continue
        runs.append(run)
        run = []
    runs.append(run)
    return [trimmed for run in runs if (trimmed := _trimmed(run, colors))]


def _trimmed(run: Run, colors: Colors) -> Run:
    """The run without joiners at its ends; empty where it names no colour."""
    while run and run[-1].word in lexicon.JOINERS:
        run = run[:-1]
    return run if any(colors(token.word) for token in run) else []


def _phrase(caption: str, slot: str, runs: Sequence[Run], colors: Colors) -> Phrase:
    """The last run is the claim, its last word the noun: "black shiny dark brown hair" is brown, and also black."""
    last = runs[-1]
    span = (last[0].start, last[-1].end)
    named = [term for token in last for term in colors(token.word)[:1]]
    earlier = [term for run in runs[:-1] for token in run for term in colors(token.word)[:1]]
    also = [other for token in last for other in colors(token.word)[1:]]
    rest = dict.fromkeys([*named[:-1][::-1], *earlier, *also])
    others = tuple((run[0].start, run[-1].end) for run in runs[:-1])
    return Phrase(
        slot, span, caption[slice(*span)], (named[-1],), None, tuple(t for t in rest if t != named[-1]), others
    )


def _with_tone(phrase: Phrase) -> Phrase:
    """A skin's unusual colour is its value however light it is, and its depth comes before brown."""
    named = [*phrase.terms, *phrase.also]
    hue = next((term for term in named if term in lexicon.SKIN_HUES), None)
    depth = next((term for term in named if term != "brown"), None)
    value = hue or depth or named[0]
    rest = tuple(term for term in named if term != value)
    return Phrase("skin", phrase.span, phrase.text, (value,), None, rest, phrase.others)


__all__ = [
    "eye_colors",
    "hair_colors",
    "read_expression",
    "read_eyes",
    "read_figure",
    "read_hair",
    "read_hair_style",
    "read_skin",
    "skin_tones",
]
