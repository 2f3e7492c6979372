"""Which words are words, and what a misspelt one was meant to be.

Three witnesses say that a word is one: the captions, where it stands in several different phrases; a short list of
words that captions use and the next witness does not know; and CLIP's tokenizer, which keeps the commonest 40,000
pieces of English web text whole. A word that CLIP reads in pieces is not wrong, but only such words are suspected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import ascii_lowercase

from graftset.tokens import token_count

FAMILIAR = 3  # different phrases that make a word one
EVERYDAY = 8  # phrases, equal ones too, that make a word one: an invented trigger word stands in one phrase everywhere
FREQUENT = 5  # phrases that make a word likely to be half of two words grown together
CLEAR = 5  # times the next likely word, for a correction that needs no person

COMMON = 20  # different phrases that make a shorter word likely to be this one cut short

_ENDINGS = frozenset("drsty")  # a word with one of these more is another form or another word
_SUFFIXES = ("ish", "ly", "ness", "less", "ful", "like", "ed", "ing", "er", "est", "ier", "iest", "es", "s", "y", "en")
_PREFIXES = ("un", "re", "over", "under", "non", "semi", "multi", "mid", "out", "pre", "half")


@dataclass(frozen=True, slots=True)
class Split:
    """Two words grown together. `sure` where both halves are words."""

    left: str
    right: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """What a word was meant to be; `sure` where nothing else is likely."""

    word: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`counts`: in how many different phrases a word stands; `uses`, `starts`: in how many at all, and begins them."""

    counts: Counter[str]
    uses: Counter[str]
    starts: Counter[str]
    captions: int

    @classmethod
    def learn(cls, phrases: Iterable[Sequence[str]], captions: int) -> Lexicon:
        """Learn from all phrases (comma parts) of so many captions, each a list of lower-case words.

        Equal phrases count once where words are judged: near-twins repeat a slip word for word.
        """
        said = Counter(tuple(words) for words in phrases)
        counts, uses, starts = Counter[str](), Counter[str](), Counter[str]()
        for words, times in said.items():
            for word in set(words):
                counts[word] += 1
                uses[word] += times
            starts[words[0]] += times
        return cls(counts, uses, starts, captions)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is one. Words of other scripts always are: nothing is known of them."""
        if len(word) < 2 or not word.isascii() or not word.isalpha():
            return True
        if len(word) == 2:
            return word in listed_words() or self.counts[word] >= FAMILIAR
        return (
            self.counts[word] >= FAMILIAR
            or self.uses[word] >= min(EVERYDAY, max(2, self.captions / 4))
            or word in listed_words()
            or _is_whole(word)
            or _is_derived(word)
        )

    def begins_a_phrase(self, word: str) -> bool:
        """Whether a word usually stands first in its comma part."""
        return self.starts[word] * 2 > self.uses[word]

    def correct(self, word: str) -> Correction | None:
        """The word that one slip of the fingers makes of this one, or two slips of a long word.

        What the captions say or the list holds is likelier than another word, and a dropped, added or swapped letter
        likelier than a replaced one. A correction is sure where it is of the first kind and no other word is likely.
        """
        near = {w for w in _edits(word) if len(w) > 2 and self._is_likely(w) and not _replaces_first(word, w)}
        if not near:
            far = self._two_slips(word) if len(word) >= 7 else None
            return None if far is None else Correction(far, False)
        best, *rest = sorted(near, key=lambda w: (not self._is_ours(w), _is_substitution(word, w), -self.counts[w], w))
        rivals = [w for w in rest if not _is_substitution(word, w)]
        if self.counts[best] >= FAMILIAR:
            clear = all(self.counts[best] >= CLEAR * self.counts[w] for w in rivals)
        else:
            clear = not rivals and len(word) > 4 and self._is_ours(best)
        return Correction(best, clear and len(word) > 3 and not _is_substitution(word, best))

    def cut_short(self, word: str) -> str | None:
        """The frequent word that lacks its last letter here: "gree", "whit" are words to CLIP, but not meant."""
        if len(word) < 4 or self.counts[word] > 1 or word in listed_words():
            return None
        longer = [word + letter for letter in ascii_lowercase if letter not in _ENDINGS]
        best = max(longer, key=lambda w: (self.counts[w], w))
        return best if self.counts[best] >= COMMON else None

    def _is_ours(self, word: str) -> bool:
        return self.counts[word] > 0 or word in listed_words()

    def _is_likely(self, word: str) -> bool:
        return self.counts[word] >= FAMILIAR or word in listed_words() or (len(word) >= 4 and _is_whole(word))

    def split(self, word: str) -> Split | None:
        """The two words that a word is made of, one of which the captions say often."""
        sure = [
            (left, right)
            for left, right in ((word[:i], word[i:]) for i in range(3, len(word) - 2))
            if max(self.uses[left], self.uses[right]) >= FREQUENT
            and all(self.knows(half) and (self.counts[half] or half in listed_words()) for half in (left, right))
        ]
        if sure:
            left, right = max(sure, key=lambda pair: (min(self.counts[half] for half in pair), pair))
            return Split(left, right, True)
        loose = [
            (left, right)
            for left, right in ((word[:i], word[i:]) for i in range(2, len(word) - 1))
            if (self._is_large_half(right) and left not in _PREFIXES)
            or (self._is_large_half(left) and right not in _SUFFIXES and len(right) >= 3)
        ]
        if loose:
            left, right = max(loose, key=lambda pair: (max(self.counts[half] for half in pair), pair))
            return Split(left, right, False)
        return None

    def _is_large_half(self, word: str) -> bool:
        return len(word) >= 4 and self.uses[word] >= 2 * FREQUENT and self.knows(word)

    def _two_slips(self, word: str) -> str | None:
        candidates = {w for w, n in self.counts.items() if n >= FAMILIAR} | listed_words()
        # A slip seldom hits the first letter, and asking for it keeps most wrong guesses out.
        near = [w for w in candidates if len(w) >= 6 and w[0] == word[0] and _distance(word, w) == 2]
        return min(near, key=lambda w: (-self.counts[w], w)) if near else None


@cache
def listed_words() -> frozenset[str]:
    """Words that captions of portraits use and that CLIP reads in pieces, or that are misspelt often."""
    text = resources.files("graftset.audit").joinpath("words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@cache
def _is_whole(word: str) -> bool:
    return token_count(word) == 1


def _is_derived(word: str) -> bool:
    """Whether a word is a known one of four letters or more with an ending: "fluffed", "brownish", "chunkier"."""
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if stem != word and len(stem) >= 4:
            stems = {stem, stem + "e", stem + "y", stem[:-1] if stem[-1] == stem[-2] else stem}
            if any(len(s) >= 4 and (_is_whole(s) or s in listed_words()) and not s.endswith(suffix) for s in stems):
                return True
    return False


def _edits(word: str) -> Iterator[str]:
    """Every string one slip away: a letter dropped, swapped with the next, replaced or added."""
    for i in range(len(word) + 1):
        left, right = word[:i], word[i:]
        if right:
            yield left + right[1:]
            yield from (left + letter + right[1:] for letter in ascii_lowercase)
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
        yield from (left + letter + right for letter in ascii_lowercase)


def _replaces_first(word: str, other: str) -> bool:
    """Whether the other word has another first letter and nothing else: such slips are rare."""
    return len(word) == len(other) and word[0] != other[0] and word[1:] == other[1:]


def _is_substitution(word: str, other: str) -> bool:
    """Whether the two differ by a replaced letter, rather than by one too many, too few or two swapped."""
    return len(word) == len(other) and sorted(word) != sorted(other)


def _distance(one: str, other: str) -> int:
    """Optimal string alignment distance: drops, additions, replacements and swaps of neighbours."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        new = [i]
        for j, b in enumerate(other, 1):
            cost = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            new.append(cost)
        before, row = row, new
    return row[-1]
