"""What the user names in graftset.toml: terms to add or to leave out, other words for a term, slots of their own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from graftset.vocabulary.parts import Phrase

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Terms and slots named by the user, in lower case; `config` refuses what contradicts itself.

    `synonyms` pairs a term with other words for it; `slots` pairs the name of an own slot with the words that are its
    values. The representation is stable, so that it can be part of a version of what was derived from it.
    """

    accessories: Words = ()
    clothing: Words = ()
    figure: Words = ()
    ignore: Words = ()
    synonyms: tuple[tuple[str, Words], ...] = ()
    slots: tuple[tuple[str, Words], ...] = ()

    @classmethod
    def of(
        cls,
        *,
        accessories: Iterable[str] = (),
        clothing: Iterable[str] = (),
        figure: Iterable[str] = (),
        ignore: Iterable[str] = (),
        synonyms: Mapping[str, Iterable[str]] | None = None,
        slots: Mapping[str, Iterable[str]] | None = None,
    ) -> Named:
        """From words as they are written in the settings."""
        return cls(
            _plain(accessories),
            _plain(clothing),
            _plain(figure),
            _plain(ignore),
            tuple((_plain([term])[0], _plain(words)) for term, words in (synonyms or {}).items()),
            tuple((name, _plain(words)) for name, words in (slots or {}).items()),
        )

    @property
    def canonical(self) -> dict[str, str]:
        """Every other word -> the term it stands for."""
        return {word: term for term, words in self.synonyms for word in words}


NOTHING_NAMED = Named()


def read_named(caption: str, own: Iterable[tuple[str, str]]) -> list[Phrase]:
    """A phrase wherever one of the words of `own` (slot, word) stands in a caption as words of their own."""
    return [
        Phrase(slot, match.span(), match.group(), (word,))
        for slot, word in own
        for match in _pattern(word).finditer(caption)
    ]


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """Finds a word in any case, with blanks or underscores between its parts, and not inside a longer word.

    Chinese and Japanese are written without blanks: there a word may stand inside a longer run.
    """
    text = r"[\s_]+".join(re.escape(part) for part in word.split())
    if any(unicodedata.east_asian_width(letter) in "WF" for letter in word):
        return re.compile(text, re.IGNORECASE)
    return re.compile(rf"(?<![^\W_]){text}(?![^\W_])", re.IGNORECASE)


def _plain(words: Iterable[str]) -> Words:
    return tuple(" ".join(word.lower().split()) for word in words)


__all__ = ["NOTHING_NAMED", "Named", "read_named"]
