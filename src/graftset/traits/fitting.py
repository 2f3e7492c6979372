"""What is learned of the originals, question by question: an accessory, a slot's value or color, what hides a slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from graftset.records import TraitSeen
from graftset.traits.answers import (
    LEAD,
    SURE,
    UNKNOWN,
    Choice,
    Color,
    Term,
    color_answers,
    leading,
    likeliest,
)
from graftset.traits.features import U8, Ints, Mask, describe
from graftset.traits.places import ACCEPTABLE, EXAMPLES, ColorPlace, color_word
from graftset.traits.reliability import PRESENCE, Reliability, assess_answers, balanced_accuracy
from graftset.traits.scoring import F64, Platt, Question, fit_platt, grouped_folds, probability

LEAST_POSITIVES = 8  # examples from which a term is answered
LEAST_ACCURACY = 0.8  # balanced, by grouped cross-validation, from which a term is answered
PRESENT = (0.4, 0.25)  # probability under which nothing is said to be there; the higher with which a term is reliable
UNSURE = (0.0, 0.1, 0.2, 0.28)  # shares of pictures left unanswered; the least with which a term is reliable is taken
COLOR_FOLDS = 5  # of the cross-validation of colors: places are learned from many captions, and fitting them is slow


class FoundTerm(NamedTuple):
    """What was learned of an accessory."""

    term: Term | None  # None where it cannot be trusted
    reliability: Reliability
    answers: list[TraitSeen]  # for each original, by detectors that did not see it


class FoundSlot(NamedTuple):
    """What was learned of a slot: a color, or a choice among values, or nothing."""

    reliability: dict[str, Reliability]
    answers: list[TraitSeen]  # for each original, by detectors that did not see it
    color: Color | None = None
    choice: Choice | None = None


class Fitting:
    """The originals, of which one question is asked after the other, or several at once from several threads."""

    def __init__(self, natives: U8, figures: Mask, groups: Ints) -> None:
        self._natives, self._figures, self._groups = natives, figures, groups
        self._features = describe(natives, figures)
        self._question = Question(self._features)

    @property
    def _width(self) -> int:
        return int(self._natives.shape[2])

    def term(self, told: Sequence[bool | None], rng: np.random.Generator) -> FoundTerm:
        """A detector for one accessory; it never answers where it cannot be trusted."""
        fitted, found, scores = self._fit_term(told, rng)
        answers = [UNKNOWN] * len(told) if fitted is None else fitted.answer(self._features, self._width, scores)
        return FoundTerm(fitted, found, answers)

    def slot(self, slot: str, told: Sequence[str | None], rng: np.random.Generator) -> FoundSlot:
        """A reader of its color where most of its captions name one, else a detector of its values."""
        words = [None if value is None else color_word(value) for value in told]
        named = sum(value is not None for value in told)
        if named >= EXAMPLES and sum(word is not None for word in words) > named / 2:
            return self._color(slot, words, rng)
        return self._choice(slot, told, rng)

    def _fit_term(self, told: Sequence[bool | None], rng: np.random.Generator) -> tuple[Term | None, Reliability, F64]:
        """A detector for one term, None where it cannot be trusted, with held-out scores of all pictures."""
        rows = np.array([i for i, answer in enumerate(told) if answer is not None], dtype=np.intp)
        yes = np.array([bool(told[i]) for i in rows], dtype=bool)
        kin = self._groups[rows]
        if not _learnable(yes, kin):
            return None, Reliability(int(yes.sum()), False), np.zeros(len(told))
        score, scores = self._question.fit(rows, yes, self._groups, rng)
        judged = ~np.isnan(scores[rows])
        yes, kin, unseen = yes[judged], kin[judged], scores[rows[judged]]
        if not _learnable(yes, kin):
            return None, Reliability(int(yes.sum()), False), np.zeros(len(told))
        platt = fit_platt(unseen, yes, kin)
        chances = probability(unseen, platt)
        truth = np.where(yes, "present", "absent")
        tried: list[tuple[float, float, float]] = []  # balanced accuracy, least, most
        for rare, unsure in product(PRESENT, UNSURE):
            least, most = _bounds(unseen, yes, platt, rare, unsure)
            decided = (unseen >= least) | (unseen < most)
            said = np.where(unseen >= least, "present", "absent")
            tried.append((balanced_accuracy(truth[decided], said[decided], PRESENCE) or 0.0, least, most))
            if tried[-1][0] >= LEAST_ACCURACY:
                break
        _, least, most = max(tried, key=lambda trial: trial[0])
        decided = (unseen >= least) | (unseen < most)
        said = np.where(unseen >= least, "present", "absent")
        found = assess_answers(truth, said, decided, kin, rng, int(yes.sum()), LEAST_ACCURACY, (yes, chances))
        term = Term(score, platt, least, most, found.balanced_accuracy)
        return (term if found.answers else None), found, scores

    def _choice(self, slot: str, told: Sequence[str | None], rng: np.random.Generator) -> FoundSlot:
        """A detector for a slot's value. Rare values are never named."""
        unknown = [UNKNOWN] * len(told)
        rows = np.array([i for i, value in enumerate(told) if value is not None], dtype=np.intp)
        truth = np.array([told[i] for i in rows], dtype=np.str_)
        kin = self._groups[rows]
        names = [name for name in sorted(set(truth.tolist())) if _learnable(truth == name, kin)]
        if not names:
            most = max(Counter(truth.tolist()).values(), default=0)
            return FoundSlot({slot: Reliability(most, False)}, unknown)
        if len(names) == len(set(truth.tolist())) == 2:
            # One question has both answers.
            score, scores = self._question.fit(rows, truth == names[0], self._groups, rng)
            fits = [(score, scores), (score.negated(), -scores)]
        else:
            fits = [self._question.fit(rows, truth == name, self._groups, rng) for name in names]
        scores = np.stack([held_out for _, held_out in fits], axis=1)
        judged = ~np.isnan(scores[rows]).any(axis=1)
        rows, truth, kin = rows[judged], truth[judged], kin[judged]
        platts = [fit_platt(scores[rows, i], truth == name, kin) for i, name in enumerate(names)]
        choice = Choice({name: Term(score, platt) for name, (score, _), platt in zip(names, fits, platts, strict=True)})
        best, chance = likeliest(choice.chances(scores[rows]))
        said = np.array(names)[best]
        decided = chance >= SURE
        named, reliability = [], {}
        for name in names:
            found = assess_answers(
                np.where(truth == name, "present", "absent"),
                np.where(said == name, "present", "absent"),
                decided,
                kin,
                rng,
                int((truth == name).sum()),
                LEAST_ACCURACY,
                (truth == name, probability(scores[rows, names.index(name)], choice.terms[name].platt)),
            )
            # A value that is hardly ever named may be right each time by chance.
            often = int(((truth == name) & decided).sum()) >= LEAST_POSITIVES / 2
            reliability[f"{slot}:{name}"] = found if often else replace(found, answers=False)
            if found.answers and often:
                named.append(name)
        answered = decided & np.isin(said, named)
        reliability[slot] = _of_values([reliability[f"{slot}:{name}"] for name in named], len(rows), answered)
        if not named:
            return FoundSlot(reliability, unknown)
        trusted = {
            name: replace(term, trust=reliability[f"{slot}:{name}"].balanced_accuracy)
            for name, term in choice.terms.items()
        }
        trusting = Choice(trusted, frozenset(named))
        return FoundSlot(reliability, trusting.answer(self._features, self._width, scores), choice=trusting)

    def _color(self, slot: str, words: Sequence[str | None], rng: np.random.Generator) -> FoundSlot:
        """A reader for a slot's colour.

        Captions name one of several true words, so a reading counts as right where the caption's word is acceptable
        for it. It is answered wherever a place is found: what it says is read, not learned.
        """
        rows = np.array([i for i, word in enumerate(words) if word is not None], dtype=np.intp)
        truth = np.array([words[i] for i in rows], dtype=np.str_)
        kin = self._groups[rows]
        place = ColorPlace.fit(self._natives, self._figures, words)
        if place is None:
            return FoundSlot({slot: Reliability(len(rows), False)}, [UNKNOWN] * len(words))
        common = Counter(truth.tolist()).most_common(1)[0][0]
        folds = grouped_folds(truth == common, kin, rng, COLOR_FOLDS)
        lead, said = np.zeros(len(rows)), np.full(len(rows), "", dtype=object)
        judged = np.zeros(len(rows), dtype=bool)  # by a place that was learned without the picture
        others: list[tuple[Ints, ColorPlace | None]] = []
        for fold in range(folds.max() + 1):
            test = np.flatnonzero(folds == fold)
            hidden = set(rows[test].tolist())
            other = ColorPlace.fit(
                self._natives, self._figures, [None if i in hidden else w for i, w in enumerate(words)]
            )
            # With their near-twins, also those whose captions name no color.
            others.append((np.flatnonzero(np.isin(self._groups, kin[test])), other))
            if other is None:
                continue
            judged[test] = True
            votes = other.read(self._natives[rows[test]], self._figures[rows[test]])
            lead[test] = leading(votes)
            for i, vote in zip(test, votes, strict=True):
                fits = {other.answers[j] for j in np.flatnonzero(vote >= ACCEPTABLE * max(vote.max(), 1e-9))}
                said[i] = truth[i] if truth[i] in fits else other.answers[int(vote.argmax())]
        if judged.sum() < EXAMPLES:
            return FoundSlot({slot: Reliability(len(rows), False)}, [UNKNOWN] * len(words))
        right = (said == truth)[judged]
        platt = fit_platt(lead[judged], right, kin[judged])
        frequent = [w for w, n in Counter(truth.tolist()).items() if n >= LEAST_POSITIVES]
        chances = probability(lead[judged], platt)
        found = assess_answers(
            truth, said.astype(np.str_), lead >= LEAD, kin, rng, len(rows), 0.0, (right, chances), frequent
        )
        color = Color(place, platt, found.balanced_accuracy)
        return FoundSlot({slot: found}, self._held_out_colors(others, color, platt), color=color)

    def _held_out_colors(
        self, others: Sequence[tuple[Ints, ColorPlace | None]], color: Color, platt: Platt
    ) -> list[TraitSeen]:
        """Each original's colour as read by a place that was learned without it; "unknown" where none was found so."""
        seen = color.answer(self._natives, self._figures)
        for rows, place in others:
            read = [UNKNOWN] * len(rows)
            if place is not None:
                read = color_answers(place, platt, self._natives[rows], self._figures[rows], color.trust)
            for row, answer in zip(rows.tolist(), read, strict=True):
                seen[row] = answer
        return seen

    def cover(self, told: Sequence[Sequence[bool | None]], rng: np.random.Generator) -> tuple[Term | None, F64 | None]:
        """A detector for any of several accessories, and its probability in each original; None where there is none.

        Args:
            told: For each accessory whether each original has it.
            rng: For the folds.
        """
        if not told:
            return None, None
        either = [None if None in column else any(column) for column in zip(*told, strict=True)]
        fitted, _, scores = self._fit_term(either, rng)
        return fitted, None if fitted is None else probability(scores, fitted.platt)


def _of_values(named: Sequence[Reliability], positives: int, answered: Mask) -> Reliability:
    """The reliability of a slot: the mean over the values it names, and the share of pictures that get one."""
    accuracies = [found.balanced_accuracy for found in named if found.balanced_accuracy is not None]
    bounds = [found.interval for found in named if found.interval is not None]
    errors = [found.calibration_error for found in named if found.calibration_error is not None]
    if not accuracies:
        return Reliability(positives, False, coverage=0.0)
    return Reliability(
        positives,
        True,
        round(float(np.mean(accuracies)), 4),
        (round(float(np.mean([low for low, _ in bounds])), 4), round(float(np.mean([high for _, high in bounds])), 4)),
        round(float(answered.mean()), 4),
        round(float(np.mean(errors)), 4),
    )


def _bounds(scores: F64, yes: Mask, platt: Platt, rare: float, unsure: float) -> tuple[float, float]:
    """The held-out scores from which something is said to be there, and below which it is said to be absent.

    Both lie halfway between the means of the two answers: on portraits laid together from parts that was as good as
    any cut, and better than the one that is best on the few held-out scores themselves. But what is less likely than
    `rare` is not said to be there, and at least a share `unsure` of the pictures is left unanswered.
    """
    middle = float(scores[yes].mean() + scores[~yes].mean()) / 2
    ordered = np.sort(scores)
    least = middle
    if platt[0] > 0:
        least = max(middle, (float(np.log(rare / (1 - rare))) - platt[1]) / platt[0])
    most_unsure = int(max(UNSURE) * len(scores))
    above = ordered[ordered >= middle]
    if (above < least).sum() > most_unsure:
        least = float(above[most_unsure])
    wanted = int(unsure * len(scores)) - int(((scores >= middle) & (scores < least)).sum())
    below = ordered[ordered < middle][::-1]
    if wanted <= 0 or not len(below):
        return least, middle
    return least, float(below[wanted - 1]) if wanted <= len(below) else -np.inf


def _learnable(yes: Mask, groups: Ints) -> bool:
    """Whether there are enough examples of both answers, and not all in one group."""
    return all(own.sum() >= LEAST_POSITIVES and len(np.unique(groups[own])) >= 2 for own in (yes, ~yes))
