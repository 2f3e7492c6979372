"""Fitted questions and the answers they give: a term is worn or not, a slot has one of several values, or a color."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.records import TraitSeen
from graftset.traits.features import U8, Features, Ints, Mask
from graftset.traits.places import ColorPlace
from graftset.traits.scoring import F64, LinearScore, Platt, probability

LEAD = 0.05  # share of the votes by which the best colour word must lead the next
PARTLY = 0.2  # of the best word's votes from which another word is partly true
SURE = 0.7  # probability from which a slot's value is named
UNKNOWN = TraitSeen("unknown")

_CELLS = 12  # shown for what was seen
_CELLS_ABSENT = 4  # shown for what was not: where it would be
_TELLING = 0.25  # of the strongest cell's say, from which another is shown

Cells = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Term:
    """Answers one yes-or-no question.

    "Present" from the score `least` on, "absent" below the score `most`, "unknown" between the two. The confidence is
    the calibrated probability of what is said.
    """

    score: LinearScore
    platt: Platt
    least: float = 0.0
    most: float = 0.0
    trust: float | None = None  # balanced accuracy on pictures it had not seen

    def answer(self, features: Features, width: int, scores: F64 | None = None) -> list[TraitSeen]:
        """One answer for each picture.

        Args:
            features: Of N pictures.
            width: Of a picture, in cells.
            scores: Of fits that did not see the pictures, [N], in place of the score's own.
        """
        given = self.score(features.values) if scores is None else scores
        speaks = evidence(self.score, features, width, given >= self.least)
        return [
            TraitSeen("present", round(chance, 3), cells, reliability=self.trust)
            if score >= self.least
            else TraitSeen("absent", round(1 - chance, 3), cells, reliability=self.trust)
            if score < self.most
            else UNKNOWN
            for score, chance, cells in zip(
                given.tolist(), probability(given, self.platt).tolist(), speaks, strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class Choice:
    """Answers which of several values a slot has, one question for each value; only those in `named` are said."""

    terms: Mapping[str, Term]
    named: frozenset[str] = frozenset()

    def answer(self, features: Features, width: int, scores: F64 | None = None) -> list[TraitSeen]:
        """One answer for each picture; `scores` are held-out ones, [N, values]."""
        if scores is None:
            scores = np.stack([term.score(features.values) for term in self.terms.values()], axis=1)
        chances = self.chances(scores)
        names = list(self.terms)
        best, chance = likeliest(chances)
        speaks = {
            name: evidence(term.score, features, width, np.ones(len(scores), dtype=bool))
            for name, term in self.terms.items()
        }
        return [
            TraitSeen(names[i], round(sure, 3), speaks[names[i]][row], reliability=self.terms[names[i]].trust)
            if sure >= SURE and names[i] in self.named
            else UNKNOWN
            for row, (i, sure) in enumerate(zip(best.tolist(), chance.tolist(), strict=True))
        ]

    def chances(self, scores: F64) -> F64:
        """Calibrated probabilities from scores, both float64 [N, values]."""
        return np.stack([probability(scores[:, i], term.platt) for i, term in enumerate(self.terms.values())], axis=1)


@dataclass(frozen=True, slots=True)
class Color:
    """Answers what colour a slot has, read at its place."""

    place: ColorPlace
    platt: Platt
    trust: float | None = None  # balanced accuracy on pictures it had not seen

    def answer(self, natives: U8, figures: Mask) -> list[TraitSeen]:
        """One answer for each picture."""
        return color_answers(self.place, self.platt, natives, figures, self.trust)


def color_answers(
    place: ColorPlace, platt: Platt, natives: U8, figures: Mask, trust: float | None = None
) -> list[TraitSeen]:
    """The colours read at a place, each with its calibrated confidence, or "unknown" where none leads."""
    votes, cells = place.look(natives, figures)
    leads = leading(votes)
    best = votes.argmax(axis=1)
    decided = leads >= LEAD
    return [
        TraitSeen(place.answers[word], round(chance, 3), at, _partly(place, vote, word), trust) if sure else UNKNOWN
        for at, vote, word, chance, sure in zip(
            cells, votes, best.tolist(), probability(leads, platt).tolist(), decided.tolist(), strict=True
        )
    ]


def _partly(place: ColorPlace, votes: F64, best: int) -> tuple[str, ...]:
    """The other words that hold a share of the votes, the largest first."""
    order = np.argsort(-votes, kind="stable").tolist()
    return tuple(place.answers[i] for i in order if i != best and votes[i] >= PARTLY * votes[best])


def evidence(score: LinearScore, features: Features, width: int, speaks_for: NDArray[np.bool_]) -> list[Cells]:
    """The cells that speak most for a "yes" where `speaks_for` holds, else for a "no"; the strongest first."""
    cells, each = features.cells(score.chosen), score.contributions(features.values)
    count, size = len(cells), int(cells.max(initial=0)) + 1
    at = cells + size * np.arange(count)[:, None]
    say = np.bincount(at.ravel(), weights=each.ravel(), minlength=count * size).reshape(count, size)
    say *= np.where(speaks_for, 1.0, -1.0)[:, None]
    order = np.zeros((count, min(_CELLS, size)), dtype=np.intp)
    top = np.zeros(order.shape)
    rows = np.arange(count)
    # The largest again and again: with most of them 0, sorting takes five times as long.
    for place in range(order.shape[1]):
        order[:, place] = say.argmax(axis=1)
        top[:, place] = say[rows, order[:, place]]
        say[rows, order[:, place]] = -np.inf
    telling = top >= np.maximum(_TELLING * top[:, :1], 1e-9)
    telling[:, _CELLS_ABSENT:] &= speaks_for[:, None]
    return [
        tuple((cell // width, cell % width) for cell in own[shown].tolist())
        for own, shown in zip(order, telling, strict=True)
    ]


def likeliest(chances: F64) -> tuple[Ints, F64]:
    """The likeliest of several values that exclude each other, and its probability; chances are float64 [N, values]."""
    shares = chances / np.maximum(chances.sum(axis=1, keepdims=True), 1.0)
    best = shares.argmax(axis=1)
    return best, shares[np.arange(len(shares)), best]


def leading(votes: F64) -> F64:
    """How far the best answer leads the next, float64 [N]; -1 where there are no votes."""
    ranked = np.sort(votes, axis=1)
    return np.where(votes.any(axis=1), ranked[:, -1] - ranked[:, -2], -1.0)
