"""Comma parts, words and colour words of a caption: what every reader of a slot starts from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from graftset.pixels.color import word_terms
from graftset.vocabulary import lexicon

_LONGEST = 12  # letters of the longest colour word
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_HEX = re.compile(r"#[0-9A-Fa-f]{3,8}\b")
_COMMAS = frozenset(",;|、，；،؛")
_MENDABLE = 6  # letters from which one wrong letter is taken for a typing error


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a caption says of one slot.

    `span` covers the words a correction would replace: for a background the colours and kinds before the noun, with
    the modifiers that belong to them. `terms` are colour terms in the order they are written, `kind` the layout that
    is named, where one is. `terms` of another slot are its values ("brown", "light", "lady", "bob"); those of an
    accessory are its term. `also` are colours that qualify the claim, `others` the spans of earlier colour words that
    a correction would take away ("*black* shiny brown hair").
    """

    slot: str
    span: tuple[int, int]
    text: str
    terms: tuple[str, ...]
    kind: str | None = None
    also: tuple[str, ...] = ()
    others: tuple[tuple[int, int], ...] = ()

    @property
    def claimed(self) -> str:
        """The claim in one or two words: "green", "teal and blue", "solid", or the words themselves."""
        return " and ".join(self.terms) or self.kind or self.text


class Token(NamedTuple):
    """One word of a caption: lower case, typing errors mended, with the span it was written at."""

    word: str
    start: int
    end: int


def split_parts(caption: str) -> list[tuple[int, int]]:
    """Spans of the comma parts, without surrounding blanks; commas inside brackets do not part.

    Semicolons, bars and the commas of other scripts part as commas do.
    """
    return list(_parts_of(caption))


# Every slot has its own reader, and each reads the same parts: what they share is worked out once.
@lru_cache(maxsize=4096)
def _parts_of(caption: str) -> tuple[tuple[int, int], ...]:
    spans, start, depth = [], 0, 0
    closed = caption.count("(") == caption.count(")")  # an unclosed bracket must not swallow the rest
    for i, letter in enumerate(caption + ","):
        depth += closed * ((letter == "(") - (letter == ")" and depth > 0))
        if letter in _COMMAS and (depth == 0 or i == len(caption)):
            left, right = start, min(i, len(caption))
            while left < right and caption[left].isspace():
                left += 1
            while right > left and caption[right - 1].isspace():
                right -= 1
            if right > left:
                spans.append((left, right))
            start = i + 1
    return tuple(spans)


@lru_cache(maxsize=8192)
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


def tokens(caption: str, start: int, end: int) -> list[Token]:
    """The words of a stretch of a caption; hex codes are no words, and words grown together are parted."""
    return list(_words_of(caption, start, end))


@lru_cache(maxsize=65536)
def _words_of(caption: str, start: int, end: int) -> tuple[Token, ...]:
    clean = _HEX.sub(lambda match: " " * len(match.group()), caption[start:end])
    found: list[Token] = []
    for match in _WORD.finditer(clean):
        at = start + match.start()
        word = match.group()
        skipped = len(word) - len(_counted(word))
        for left, right in _parted(_counted(word).lower()):
            left, right = left + skipped, right + skipped
            found.append(Token(mend(word[left:right].lower()), at + left, at + right))
    return tuple(found)


def _counted(word: str) -> str:
    """A word without the number before it ("1girl"); "3d", "18th" and "1940s" stay whole."""
    letters = word.lstrip("0123456789")
    return letters if len(letters) > 2 and letters.isascii() and letters.isalpha() else word


@lru_cache(maxsize=8192)
def _parted(word: str) -> tuple[tuple[int, int], ...]:
    """Where a word falls into several: "greywearing" is grey and wearing, "baldwearing" bald and wearing."""
    # Lower case may have another length in a few scripts; such words are left whole.
    cut = word.find("wearing")
    if cut >= 0 and len(word) > len("wearing"):
        pieces = [(0, cut), (cut, cut + 7), (cut + 7, len(word))]
        return tuple(piece for piece in pieces if piece[0] < piece[1])
    if len(word) >= 7 and word not in lexicon.KNOWN and not color_terms(word[-4:]):
        for noun in lexicon.GROWN:
            if word.startswith(noun):
                return (0, len(noun)), (len(noun), len(word))
            if word.endswith(noun):
                return (0, len(word) - len(noun)), (len(word) - len(noun), len(word))
    return ((0, len(word)),)


@lru_cache(maxsize=8192)
def mend(word: str) -> str:
    """The known word that a written one is one typing error away from; otherwise the word itself."""
    if word in lexicon.KNOWN or word_terms(word) or len(word) < _MENDABLE - 1:
        return lexicon.SPELLINGS.get(word, word)
    near = sorted(w for w in _edits(word) if w in lexicon.KNOWN and max(len(word), len(w)) >= _MENDABLE)
    return lexicon.SPELLINGS.get(near[0], near[0]) if near else word


def _edits(word: str) -> Iterator[str]:
    """Every word one inserted, missing, changed or exchanged letter away that begins with the same letter."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    for i in range(1, min(len(word), 24) + 1):
        left, right = word[:i], word[i:]
        if right:
            yield left + right[1:]
            yield from (left + letter + right[1:] for letter in letters)
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
        yield from (left + letter + right for letter in letters)
