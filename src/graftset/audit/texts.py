"""Captions taken apart: comma parts, words, hex codes; and all captions of a project together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.audit.lexicon import Lexicon
from graftset.records import ImageView
from graftset.vocabulary import NOTHING_NAMED, Named, Vocabulary, split_parts

U8 = NDArray[np.uint8]
Native = Callable[[ImageView], U8 | None]  # the native picture, uint8 [h, w, 3]; None where it was not measured
Sidecar = Callable[[ImageView], str | None]  # the whole caption file; None where the text came from elsewhere

HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: lower-case text, where it stands, and the number of its comma part."""

    text: str
    start: int
    end: int
    part: int
    capital: bool


@dataclass(frozen=True, slots=True)
class Caption:
    """The text of one image, taken apart."""

    view: ImageView
    text: str
    parts: tuple[tuple[int, int], ...]
    words: tuple[Word, ...]

    @classmethod
    def of(cls, view: ImageView) -> Caption:
        """What a build would train on: the current caption, else the proposal; else the text that came in."""
        text = view.training_caption if view.training_caption is not None else view.prompt or ""
        parts = tuple(split_parts(text))
        return cls(view, text, parts, tuple(_words(text, parts)))

    def part(self, number: int) -> str:
        """The text of a comma part."""
        return self.text[slice(*self.parts[number])]

    def words_of(self, number: int) -> list[Word]:
        """The words of a comma part."""
        return [word for word in self.words if word.part == number]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All captions, and what is learned from them."""

    captions: tuple[Caption, ...]  # those with text
    empty: tuple[ImageView, ...]
    lexicon: Lexicon
    vocabulary: Vocabulary
    trigger: tuple[str, ...]
    tags: Mapping[str, int]
    native: Native
    sidecar: Sidecar


def read_corpus(
    views: Sequence[ImageView],
    trigger: str | None,
    native: Native,
    sidecar: Sidecar,
    named: Named = NOTHING_NAMED,
) -> Corpus:
    """Take all captions apart and learn what they have in common.

    The originals teach where there are any: candidates' prompts are usually made of their captions and would count
    every slip of theirs again.
    """
    captions = [Caption.of(view) for view in views]
    written = tuple(caption for caption in captions if caption.text.strip())
    teachers = [c for c in written if c.view.origin == "original"] or list(written)
    vocabulary = Vocabulary.learn([caption.text for caption in teachers], named=named)
    phrases = [[word.text for word in c.words_of(i)] for c in teachers for i in range(len(c.parts))]
    return Corpus(
        captions=written,
        empty=tuple(caption.view for caption in captions if not caption.text.strip()),
        lexicon=Lexicon.learn([words for words in phrases if words], len(teachers)),
        vocabulary=vocabulary,
        trigger=(trigger.strip(),) if trigger and trigger.strip() else vocabulary.head,
        tags=Counter(part for c in teachers for part in dict.fromkeys(c.part(i).lower() for i in range(len(c.parts)))),
        native=native,
        sidecar=sidecar,
    )


def _words(text: str, parts: Sequence[tuple[int, int]]) -> list[Word]:
    codes = [match.span() for match in HEX.finditer(text)]
    found = []
    for number, (start, end) in enumerate(parts):
        for match in _WORD.finditer(text, start, end):
            a, b = match.span()
            # "70s", "18th" and "24x24" are no words, nor are the letters of a colour code.
            digits = text[a - 1 : a].isdigit() or text[b : b + 1].isdigit()
            if not digits and not any(left <= a < right for left, right in codes):
                word = match.group()
                found.append(Word(word.lower(), a, b, number, word != word.lower()))
    return found


def no_native(view: ImageView) -> U8 | None:
    """No picture is at hand: rules that need one find nothing."""
    return None


def no_sidecar(view: ImageView) -> str | None:
    """No caption file is at hand."""
    return None
