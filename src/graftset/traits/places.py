"""Where a slot's colour shows, learned from captions, and the colour read there.

A slot's place is where its colour words come true: the cells that are brown in the pictures whose captions say brown
hair, and not brown where captions say otherwise. No layout is assumed. The colour found there is then named by the
XKCD survey, moved towards the captions' own use of the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from graftset.pixels.color import BASIC_TERMS, TERMS, srgb_to_oklab, survey_votes, word_terms
from graftset.traits.features import CHROMA, F32, U8, Mask, face_colors

F64 = NDArray[np.float64]

EXAMPLES = 8  # captions that name a colour, from which a place is learned
WORD_EXAMPLES = 3  # captions from which a word is one of the slot's own
ACCEPTABLE = 0.4  # share of the best word's votes from which another word is acceptable too
_PLACE = 0.3  # share of the surest cell's evidence from which a cell belongs to the place
_NOT_FACE = 0.12  # stretched OKLab: closer cells are skin
_CELLS = 6  # cells from which a colour is read
_OWN_USE = 0.5  # weight of the captions' use of a word; 1 and more made candidates' hair worse
_SHOWN = 12  # cells named as evidence
_TELLING = 0.25  # of the strongest cell's say, from which another is named
_KERNEL = 0.02
_AXES = np.array([0.7, 1.5, 1.5], dtype=np.float32)
_PROTOTYPES = 1200  # cells remembered: each costs time whenever a picture is read

# What a colour is called where captions do not use its own word, the first one used wins.
_CALLED = {
    "yellow": ("blonde",), "gold": ("blonde", "yellow"), "tan": ("blonde", "brown"), "beige": ("blonde", "white"),
    "orange": ("red",), "maroon": ("red", "brown"), "olive": ("green",), "mint": ("green",),
    "teal": ("green", "blue"), "cyan": ("blue",), "navy": ("blue",), "lavender": ("purple",),
}  # fmt: skip


def color_word(value: str) -> str | None:
    """The colour a slot's value names, by its last colour word: "light brown" -> "brown"; None where it names none."""
    for word in reversed(value.lower().split()):
        if word in ("blonde", "blond"):
            return "blonde"
        if word_terms(word):
            return word_terms(word)[0]
    return None


class _Region(NamedTuple):
    """A slot's cells in one picture."""

    inside: Mask  # [h, w]
    codes: NDArray[np.intp]  # [n], of its different colours
    which: NDArray[np.intp]  # [cells], the colour of each cell
    colors: F32  # [n, 3], OKLab
    weight: F64  # [n]


@dataclass(frozen=True, slots=True)
class ColorPlace:
    """Reads the colour of one slot."""

    answers: tuple[str, ...]  # the words it can say
    place: F32  # [h, w], evidence that the slot is there; 0 outside its place, 1 at its surest cell
    is_face: bool  # cells of the face's colour belong to it
    prototypes: F32  # [P, 3], scaled OKLab of cells whose word is known
    shares: F64  # [P, answers], what each prototype adds to its word

    @classmethod
    def fit(cls, natives: U8, figures: Mask, words: Sequence[str | None]) -> ColorPlace | None:
        """Learn place and words.

        Args:
            natives: uint8 [N, h, w, 3].
            figures: bool [N, h, w].
            words: A colour word for each picture whose caption names one.

        Returns:
            None where fewer than `EXAMPLES` captions name a colour, or all the same one.
        """
        told = np.array([i for i, word in enumerate(words) if word is not None], dtype=np.intp)
        said = np.array([words[i] for i in told])
        if len(told) < EXAMPLES or len(set(said)) < 2:
            return None
        answers = _answers(said)
        claims = np.array([answers.index(word) if word in answers else -1 for word in said])
        evidence = _place(_cell_votes(natives[told], answers), claims)
        if evidence.max() <= 0:
            return None
        place = np.where(evidence >= _PLACE * evidence.max(), evidence / evidence.max(), 0.0).astype(np.float32)
        height, width = place.shape
        middle = place[round(0.45 * height) : round(0.75 * height), round(0.38 * width) : round(0.62 * width)]
        blank = cls(answers, place, bool((middle > 0).mean() > 0.5), np.zeros((0, 3), np.float32), np.zeros((0, 0)))
        prototypes, shares = blank._learn(natives[told], figures[told], claims)
        return cls(answers, place, blank.is_face, prototypes, shares)

    def _learn(self, natives: U8, figures: Mask, claims: NDArray[np.intp]) -> tuple[F32, F64]:
        """Prototypes from the slot's cells in the pictures whose word is known; each picture counts once."""
        cells, words, weights = [], [], []
        for region, claim in zip(self._regions(natives, figures), claims, strict=True):
            if claim >= 0 and region is not None:
                cells.append(region.colors)
                weights.append(region.weight / region.weight.sum())
                words.append(np.full(len(region.colors), claim))
        if not cells:
            return np.zeros((0, 3), np.float32), np.zeros((0, len(self.answers)))
        every = max(1, -(-sum(map(len, cells)) // _PROTOTYPES))
        word, weight = np.concatenate(words), np.concatenate(weights)
        shares = np.zeros((len(word), len(self.answers)))
        shares[np.arange(len(word)), word] = weight
        # Frequent words may outvote rare ones, but only by the root of how much more frequent they are.
        shares /= np.sqrt(np.maximum(shares.sum(axis=0), 1e-9))
        return np.concatenate(cells)[::every] * _AXES, shares[::every] * every

    def cells(self, natives: U8, figures: Mask) -> Mask:
        """The cells that the slot's colour is read from, bool [N, h, w]; none where the slot is not to be seen.

        Args:
            natives: uint8 [N, h, w, 3].
            figures: bool [N, h, w].
        """
        lab = srgb_to_oklab(natives)
        faces = face_colors(lab * CHROMA)
        return np.stack([self._inside(*picture) for picture in zip(lab, figures, faces, strict=True)])

    def _inside(self, native_lab: F32, figure: Mask, face: F32) -> Mask:
        """The cells of one picture that belong to the slot, bool [h, w]; none where too few of them show."""
        inside = (self.place > 0) & figure
        if not self.is_face:
            inside &= np.linalg.norm(native_lab * CHROMA - face, axis=2) > _NOT_FACE
        if inside.sum() < min(_CELLS, int((self.place > 0).sum())):
            inside[:] = False
        return inside

    def _regions(self, natives: U8, figures: Mask) -> list[_Region | None]:
        """The slot's cells in each picture, like colours merged; None where it is not to be seen."""
        lab = srgb_to_oklab(natives)
        faces = face_colors(lab * CHROMA)
        result: list[_Region | None] = []
        for native, oklab, figure, face in zip(natives, lab, figures, faces, strict=True):
            inside = self._inside(oklab, figure, face)
            if not inside.any():
                result.append(None)
                continue
            codes, which = np.unique(_codes(native[inside]), return_inverse=True)
            at = self.place[inside]
            weight = np.bincount(which, weights=at).astype(np.float64)
            merged = np.stack([np.bincount(which, weights=at * c) / weight for c in oklab[inside].T], axis=1)
            result.append(_Region(inside, codes, which, merged.astype(np.float32), weight))
        return result

    def read(self, natives: U8, figures: Mask) -> F64:
        """Votes for each answer, float64 [N, answers], rows summing to 1, or to 0 where the slot is not to be seen."""
        return self.look(natives, figures)[0]

    def look(self, natives: U8, figures: Mask) -> tuple[F64, list[tuple[tuple[int, int], ...]]]:
        """The votes of `read`, and for each picture the cells (y, x) that speak most for the best answer."""
        votes = np.zeros((len(natives), len(self.answers)))
        cells: list[tuple[tuple[int, int], ...]] = []
        for row, region in zip(votes, self._regions(natives, figures), strict=True):
            if region is None:
                cells.append(())
                continue
            named = self._name(region.colors, region.codes)
            row[:] = region.weight @ named / region.weight.sum()
            say = self.place[region.inside] * named[region.which, int(row.argmax())]
            order = np.argsort(-say, kind="stable")[:_SHOWN]
            ys, xs = np.nonzero(region.inside)
            cells.append(tuple((int(ys[i]), int(xs[i])) for i in order if say[i] >= _TELLING * say[order[0]]))
        return votes, cells

    def _name(self, colors: F32, codes: NDArray[np.intp]) -> F64:
        """Votes for each answer: OKLab [n, 3] with their codes [n] -> [n, answers]."""
        votes = _survey(codes) @ _naming(self.answers)
        if not len(self.prototypes):
            return np.asarray(votes)
        scaled = colors * _AXES
        squared = (
            (scaled**2).sum(axis=1)[:, None] + (self.prototypes**2).sum(axis=1)[None] - 2.0 * scaled @ self.prototypes.T
        )
        own = np.exp(-0.5 * np.maximum(squared, 0.0) / _KERNEL**2) @ self.shares
        own = own / (own.sum(axis=1, keepdims=True) + 1e-3)
        votes = votes + _OWN_USE * own
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def _answers(said: NDArray[np.str_]) -> tuple[str, ...]:
    """The words a slot can be given: those its captions use, and the basic terms they do not replace."""
    names, counts = np.unique(said, return_counts=True)
    used = {str(name) for name, count in zip(names, counts, strict=True) if count >= WORD_EXAMPLES}
    called = {_call(term, used) for term in TERMS}
    return tuple(sorted(called | used))


def _call(term: str, used: set[str]) -> str:
    """The word for a term, given the words in use."""
    if term in used:
        return term
    other = next((word for word in _CALLED.get(term, ()) if word in used), None)
    if other is not None:
        return other
    return term if term in BASIC_TERMS else next(word for word in _CALLED[term] if word in BASIC_TERMS)


def _naming(answers: Sequence[str]) -> F64:
    """Which answer each term counts for, float64 [TERMS, answers]."""
    naming = np.zeros((len(TERMS), len(answers)))
    for i, term in enumerate(TERMS):
        naming[i, answers.index(_call(term, set(answers)))] = 1.0
    return naming


def _codes(rgb: U8) -> NDArray[np.intp]:
    """Colours rounded to 32 levels a channel, as one number each: uint8 [..., 3] -> int [...]."""
    return np.asarray((rgb >> 3).astype(np.intp) @ np.array([1024, 32, 1], dtype=np.intp))


def _survey(codes: NDArray[np.intp]) -> F64:
    """The survey's votes for colours by their codes, float64 [n, TERMS].

    Asking the survey costs a hundred times as much as looking up what it said, and pictures share their colours.
    """
    known, votes = _said()
    new = np.unique(codes[~known[codes]])
    if len(new):
        rgb = np.stack([new >> 10, new >> 5 & 31, new & 31], axis=1) * 8 + 4
        votes[new] = survey_votes(srgb_to_oklab(rgb.astype(np.uint8)))
        known[new] = True
    return np.asarray(votes[codes])


@cache
def _said() -> tuple[Mask, F64]:
    """What the survey was asked so far in this process: which codes, and the votes; filled by `_survey`."""
    return np.zeros(32768, dtype=bool), np.zeros((32768, len(TERMS)))


def _cell_votes(natives: U8, answers: Sequence[str]) -> F32:
    """Votes of every cell, float32 [N, h, w, answers]."""
    names, which = np.unique(_codes(natives), return_inverse=True)
    votes = (_survey(names) @ _naming(answers)).astype(np.float32)
    return np.asarray(votes[which.reshape(natives.shape[:3])])


def _place(votes: F32, claims: NDArray[np.intp]) -> F64:
    """How much more a cell has its picture's word than it has that word elsewhere, float64 [h, w]."""
    total = np.zeros(votes.shape[1:3])
    for word in set(claims.tolist()) - {-1}:
        own = claims == word
        if own.all():
            continue
        total += own.sum() * (votes[own, ..., word].mean(axis=0) - votes[~own, ..., word].mean(axis=0))
    return np.asarray(total / len(claims))
