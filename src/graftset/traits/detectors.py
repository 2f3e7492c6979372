"""Detectors fitted on the originals: fit once, ask of any picture what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.records import TraitSeen
from graftset.traits.features import F32, U8, Mask, describe
from graftset.traits.places import ACCEPTABLE, EXAMPLES, ColorPlace, color_word
from graftset.traits.scoring import (
    F64,
    Features,
    Ints,
    LinearScore,
    Platt,
    Reliability,
    assess_answers,
    fit_platt,
    fit_score,
    grouped_folds,
    held_out_scores,
    probability,
)

LEAST_POSITIVES = 8  # examples from which a term is answered
LEAST_ACCURACY = 0.8  # balanced, by grouped cross-validation, from which a term is answered
FALSE_ALARMS = 0.05  # share of the originals without a thing that may score as high as one that is said to have it
LEAD = 0.05  # share of the votes by which the best colour word must lead the next
UNSURE = (0.0, 0.1, 0.2, 0.28)  # shares of pictures left unanswered; the least with which a term is reliable is taken
SURE = 0.7  # probability from which a slot's value is named
UNKNOWN = TraitSeen("unknown")

Words = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class _Term:
    """Answers one yes-or-no question.

    "Present" from the score `least` on, "absent" below the score `most`, "unknown" between the two. The confidence is
    the calibrated probability of what is said.
    """

    score: LinearScore
    platt: Platt
    least: float = 0.0
    most: float = 0.0

    def answer(self, values: F32) -> list[TraitSeen]:
        """One answer for each picture, from its features float32 [N, D]."""
        scores = self.score(values)
        return [
            TraitSeen("present", round(chance, 3))
            if score >= self.least
            else TraitSeen("absent", round(1 - chance, 3))
            if score < self.most
            else UNKNOWN
            for score, chance in zip(scores.tolist(), probability(scores, self.platt).tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Answers which of several values a slot has, one question for each value."""

    terms: Mapping[str, _Term]

    def answer(self, values: F32) -> list[TraitSeen]:
        """One answer for each picture, from its features float32 [N, D]."""
        chances = np.stack([probability(t.score(values), t.platt) for t in self.terms.values()], axis=1)
        names, best = list(self.terms), _likeliest(chances)
        return [
            TraitSeen(names[i], round(chance, 3)) if chance >= SURE else UNKNOWN
            for i, chance in zip(best[0].tolist(), best[1].tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Color:
    """Answers what colour a slot has, read at its place."""

    place: ColorPlace
    platt: Platt

    def answer(self, natives: U8, figures: Mask) -> list[TraitSeen]:
        """One answer for each picture."""
        votes = self.place.read(natives, figures)
        leads = _leads(votes)
        chances = probability(leads, self.platt)
        return [
            TraitSeen(self.place.answers[best], round(chance, 3)) if lead >= LEAD else UNKNOWN
            for best, lead, chance in zip(votes.argmax(axis=1).tolist(), leads.tolist(), chances.tolist(), strict=True)
        ]


class TraitDetectors:
    """Everything that can be seen, fitted by `fit`.

    `reliability` has a slot's name for each slot and "accessory:TERM" for each accessory, answered or not.
    """

    def __init__(
        self,
        colors: Mapping[str, _Color],
        choices: Mapping[str, _Choice],
        terms: Mapping[str, _Term | None],
        slots: Sequence[str],
        reliability: Mapping[str, Reliability],
    ) -> None:
        self._colors, self._choices, self._terms, self._slots = colors, choices, terms, tuple(slots)
        self.reliability = dict(reliability)

    @classmethod
    def fit(
        cls,
        natives: U8,
        figures: Mask,
        slots: Mapping[str, Sequence[str | None]],
        accessories: Mapping[str, Sequence[bool | None]],
        groups: Sequence[int] | Ints,
        rng: np.random.Generator,
    ) -> TraitDetectors:
        """Learn from captions what to look for.

        Args:
            natives: uint8 [N, h, w, 3], the originals.
            figures: bool [N, h, w], cells that are not background.
            slots: For each slot what each original's caption says, None where it says nothing.
            accessories: For each term whether each original has it, None where that is not known.
            groups: [N], equal for near-twins: none of them is judged by a detector that saw another.
            rng: For folds and intervals; the same generator gives the same detectors.
        """
        kin = np.asarray(groups, dtype=np.intp)
        features = Features.of(*describe(natives, figures))
        reliability: dict[str, Reliability] = {}
        terms: dict[str, _Term | None] = {}
        for term, told in accessories.items():
            terms[term], reliability[f"accessory:{term}"] = _fit_term(features, told, kin, rng)
        colors: dict[str, _Color] = {}
        choices: dict[str, _Choice] = {}
        for slot, values in slots.items():
            words = [None if value is None else color_word(value) for value in values]
            named = sum(value is not None for value in values)
            if named >= EXAMPLES and sum(word is not None for word in words) > named / 2:
                color, reliability[slot] = _fit_color(natives, figures, words, kin, rng)
                if color is not None:
                    colors[slot] = color
            else:
                choice, reliability[slot] = _fit_choice(features, values, kin, rng)
                if choice is not None:
                    choices[slot] = choice
        return cls(colors, choices, terms, tuple(slots), reliability)

    def region(self, slot: str, natives: U8, figures: Mask) -> Mask | None:
        """The cells a slot's colour is read from, bool [N, h, w]; None where no place was learned for it.

        Args:
            slot: One whose value is a colour, such as "hair".
            natives: uint8 [N, h, w, 3] of the originals' native size.
            figures: bool [N, h, w].
        """
        color = self._colors.get(slot)
        return None if color is None else color.place.cells(natives, figures)

    def detect(self, natives: U8, figures: Mask) -> list[tuple[dict[str, TraitSeen], dict[str, TraitSeen]]]:
        """Slots and accessories of each picture; every slot and term of the vocabulary has an answer, or "unknown".

        Args:
            natives: uint8 [N, h, w, 3] of the originals' native size.
            figures: bool [N, h, w].
        """
        count = len(natives)
        if not count:
            return []
        answered: dict[str, list[TraitSeen]] = {}
        worn: dict[str, list[TraitSeen]] = {}
        values = describe(natives, figures)[0] if self._choices or any(self._terms.values()) else None
        for slot in self._slots:
            answered[slot] = [UNKNOWN] * count
            if slot in self._colors:
                answered[slot] = self._colors[slot].answer(natives, figures)
            elif slot in self._choices and values is not None:
                answered[slot] = self._choices[slot].answer(values)
        for name, term in self._terms.items():
            worn[name] = [UNKNOWN] * count if term is None or values is None else term.answer(values)
        return [
            ({slot: seen[i] for slot, seen in answered.items()}, {name: seen[i] for name, seen in worn.items()})
            for i in range(count)
        ]


def _fit_term(
    features: Features, told: Sequence[bool | None], groups: Ints, rng: np.random.Generator
) -> tuple[_Term | None, Reliability]:
    """A detector for one term, None where it cannot be trusted."""
    rows = np.array([i for i, answer in enumerate(told) if answer is not None], dtype=np.intp)
    yes = np.array([bool(told[i]) for i in rows], dtype=bool)
    kin = groups[rows]
    if not _learnable(yes, kin):
        return None, Reliability(int(yes.sum()), False)
    scores = held_out_scores(features, rows, yes, kin, rng)
    platt = fit_platt(scores, yes)
    chances = probability(scores, platt)
    least = _least_score(scores, yes, platt)
    truth = np.where(yes, "present", "absent")
    said = np.where(scores >= least, "present", "absent")
    for unsure in UNSURE:
        most = _most_score(scores, least, unsure)
        decided = (scores >= least) | (scores < most)
        found = assess_answers(truth, said, decided, kin, rng, int(yes.sum()), LEAST_ACCURACY, (yes, chances))
        if found.answers:
            return _Term(fit_score(features, rows, yes, kin), platt, least, most), found
    return None, found


def _least_score(scores: F64, yes: Mask, platt: Platt) -> float:
    """The held-out score from which something is said to be there.

    Where that is more likely than not, or, for what is rare, where few pictures without it score as high.
    """
    rare = float(np.quantile(scores[~yes], 1 - FALSE_ALARMS))
    likely = -platt[1] / platt[0] if platt[0] > 0 else rare
    return max(0.0, min(rare, likely))


def _most_score(scores: F64, least: float, unsure: float) -> float:
    """The held-out score below which something is said to be absent.

    There the score speaks against it; and at least a share `unsure` of the pictures lies between the two bounds.
    """
    if not unsure:
        return 0.0
    below = np.sort(scores[scores < least])[::-1]
    reach = int(unsure * len(scores))
    return min(0.0, float(below[reach])) if reach < len(below) else -np.inf


def _fit_choice(
    features: Features, told: Sequence[str | None], groups: Ints, rng: np.random.Generator
) -> tuple[_Choice | None, Reliability]:
    """A detector for a slot's value, None where it cannot be trusted. Rare values are never named."""
    rows = np.array([i for i, value in enumerate(told) if value is not None], dtype=np.intp)
    truth = np.array([told[i] for i in rows], dtype=np.str_)
    kin = groups[rows]
    names = [name for name in sorted(set(truth.tolist())) if _learnable(truth == name, kin)]
    if not names:
        return None, Reliability(max(Counter(truth.tolist()).values(), default=0), False)
    scores = [held_out_scores(features, rows, truth == name, kin, rng) for name in names]
    platts = [fit_platt(s, truth == name) for s, name in zip(scores, names, strict=True)]
    chances = np.stack([probability(s, p) for s, p in zip(scores, platts, strict=True)], axis=1)
    best, chance = _likeliest(chances)
    said = np.array(names)[best]
    decided = chance >= SURE
    right = (said == truth, chance)
    found = assess_answers(truth, said, decided, kin, rng, len(rows), LEAST_ACCURACY, right, names)
    if not found.answers:
        return None, found
    return _Choice(
        {
            name: _Term(fit_score(features, rows, truth == name, kin), platt)
            for name, platt in zip(names, platts, strict=True)
        }
    ), found


def _fit_color(
    natives: U8, figures: Mask, words: Sequence[str | None], groups: Ints, rng: np.random.Generator
) -> tuple[_Color | None, Reliability]:
    """A reader for a slot's colour.

    Captions name one of several true words, so a reading counts as right where the caption's word is acceptable for
    it. It is answered wherever a place is found: what it says is read, not learned.
    """
    rows = np.array([i for i, word in enumerate(words) if word is not None], dtype=np.intp)
    truth = np.array([words[i] for i in rows], dtype=np.str_)
    kin = groups[rows]
    place = ColorPlace.fit(natives, figures, words)
    if place is None:
        return None, Reliability(len(rows), False)
    common = Counter(truth.tolist()).most_common(1)[0][0]
    folds = grouped_folds(truth == common, kin, rng)
    lead, said = np.zeros(len(rows)), truth.copy().astype(object)
    for fold in range(folds.max() + 1):
        test = np.flatnonzero(folds == fold)
        hidden = set(rows[test].tolist())
        other = ColorPlace.fit(natives, figures, [None if i in hidden else w for i, w in enumerate(words)])
        if other is None:
            continue
        votes = other.read(natives[rows[test]], figures[rows[test]])
        lead[test] = _leads(votes)
        for i, vote in zip(test, votes, strict=True):
            fits = {other.answers[j] for j in np.flatnonzero(vote >= ACCEPTABLE * max(vote.max(), 1e-9))}
            said[i] = truth[i] if truth[i] in fits else other.answers[int(vote.argmax())]
    right = said == truth
    platt = fit_platt(lead, right)
    frequent = [w for w, n in Counter(truth.tolist()).items() if n >= LEAST_POSITIVES]
    answers = said.astype(np.str_)
    chances = probability(lead, platt)
    found = assess_answers(truth, answers, lead >= LEAD, kin, rng, len(rows), 0.0, (right, chances), frequent)
    return _Color(place, platt), found


def _learnable(yes: Mask, groups: Ints) -> bool:
    """Whether there are enough examples of both answers, and not all in one group."""
    return all(own.sum() >= LEAST_POSITIVES and len(np.unique(groups[own])) >= 2 for own in (yes, ~yes))


def _likeliest(chances: F64) -> tuple[Ints, F64]:
    """The likeliest of several values that exclude each other, and its probability; chances are float64 [N, values]."""
    shares = chances / np.maximum(chances.sum(axis=1, keepdims=True), 1.0)
    best = shares.argmax(axis=1)
    return best, shares[np.arange(len(shares)), best]


def _leads(votes: F64) -> F64:
    """How far the best answer leads the next, float64 [N]; -1 where there are no votes."""
    ranked = np.sort(votes, axis=1)
    return np.where(votes.any(axis=1), ranked[:, -1] - ranked[:, -2], -1.0)
