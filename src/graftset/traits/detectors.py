"""Detectors fitted on the originals: fit once, ask of any picture what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

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
from graftset.traits.covering import COVERS, covering_terms
from graftset.traits.features import U8, Ints, Mask, describe
from graftset.traits.places import ACCEPTABLE, EXAMPLES, ColorPlace, color_word
from graftset.traits.reliability import PRESENCE, Reliability, assess_answers, balanced_accuracy
from graftset.traits.scoring import F64, Platt, Question, fit_platt, grouped_folds, probability

LEAST_POSITIVES = 8  # examples from which a term is answered
LEAST_ACCURACY = 0.8  # balanced, by grouped cross-validation, from which a term is answered
PRESENT = (0.4, 0.25)  # probability under which nothing is said to be there; the higher with which a term is reliable
UNSURE = (0.0, 0.1, 0.2, 0.28)  # shares of pictures left unanswered; the least with which a term is reliable is taken
COLOR_FOLDS = 5  # of the cross-validation of colors, which every caption that names one teaches
COVERED = 0.35  # probability that something hides a slot from which the slot is not answered

Answers = tuple[dict[str, TraitSeen], dict[str, TraitSeen]]  # slots and accessories of one picture


class TraitDetectors:
    """Everything that can be seen, fitted by `fit`.

    `reliability` has a slot's name for each slot and "accessory:TERM" for each accessory, answered or not. `held_out`
    are the answers for the pictures it was fitted on, each by detectors that saw neither it nor a near-twin of it.
    """

    def __init__(
        self,
        colors: Mapping[str, Color],
        choices: Mapping[str, Choice],
        terms: Mapping[str, Term | None],
        covers: Mapping[str, Term],
        slots: Sequence[str],
        reliability: Mapping[str, Reliability],
        held_out: Sequence[Answers] = (),
    ) -> None:
        self.colors, self.choices, self.terms, self.covers = dict(colors), dict(choices), dict(terms), dict(covers)
        self.slots = tuple(slots)
        self.reliability = dict(reliability)
        self.held_out = tuple(held_out)

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
        fitting = _Fitting(natives, figures, np.asarray(groups, dtype=np.intp), rng)
        for term, told in accessories.items():
            fitting.term(term, told)
        for slot, values in slots.items():
            words = [None if value is None else color_word(value) for value in values]
            named = sum(value is not None for value in values)
            if named >= EXAMPLES and sum(word is not None for word in words) > named / 2:
                fitting.color(slot, words)
            else:
                fitting.choice(slot, values)
            if slot in COVERS:
                fitting.cover(slot, accessories)
        return fitting.done()

    def region(self, slot: str, natives: U8, figures: Mask) -> Mask | None:
        """The cells a slot's colour is read from, bool [N, h, w]; None where no place was learned for it.

        Args:
            slot: One whose value is a colour, such as "hair".
            natives: uint8 [N, h, w, 3] of the originals' native size.
            figures: bool [N, h, w].
        """
        color = self.colors.get(slot)
        return None if color is None else color.place.cells(natives, figures)

    def detect(self, natives: U8, figures: Mask) -> list[Answers]:
        """Slots and accessories of each picture; every slot and term of the vocabulary has an answer, or "unknown".

        Args:
            natives: uint8 [N, h, w, 3] of the originals' native size.
            figures: bool [N, h, w].
        """
        count, width = len(natives), natives.shape[2]
        if not count:
            return []
        features = None
        if self.choices or self.covers or any(self.terms.values()):
            features = describe(natives, figures)
        worn = {
            name: [UNKNOWN] * count if term is None or features is None else term.answer(features, width)
            for name, term in self.terms.items()
        }
        answered: dict[str, list[TraitSeen]] = {}
        for slot in self.slots:
            answered[slot] = [UNKNOWN] * count
            if slot in self.colors:
                answered[slot] = self.colors[slot].answer(natives, figures)
            elif slot in self.choices and features is not None:
                answered[slot] = self.choices[slot].answer(features, width)
            chances = None
            if slot in self.covers and features is not None:
                chances = probability(self.covers[slot].score(features.values), self.covers[slot].platt)
            answered[slot] = uncovered(slot, answered[slot], worn, chances)
        return _by_picture(answered, worn, count)


class _Fitting:
    """What `TraitDetectors.fit` gathers, question by question."""

    def __init__(self, natives: U8, figures: Mask, groups: Ints, rng: np.random.Generator) -> None:
        self._natives, self._figures, self._groups, self._rng = natives, figures, groups, rng
        self._features = describe(natives, figures)
        self._question = Question(self._features)
        self._colors: dict[str, Color] = {}
        self._choices: dict[str, Choice] = {}
        self._terms: dict[str, Term | None] = {}
        self._covers: dict[str, Term] = {}
        self._reliability: dict[str, Reliability] = {}
        self._seen: dict[str, list[TraitSeen]] = {}
        self._worn: dict[str, list[TraitSeen]] = {}

    def done(self) -> TraitDetectors:
        """Everything that was fitted."""
        held_out = _by_picture(self._seen, self._worn, len(self._natives))
        return TraitDetectors(
            self._colors, self._choices, self._terms, self._covers, list(self._seen), self._reliability, held_out
        )

    @property
    def _width(self) -> int:
        return int(self._natives.shape[2])

    def term(self, term: str, told: Sequence[bool | None]) -> None:
        """A detector for one accessory; it never answers where it cannot be trusted."""
        fitted, found, scores = self._fit_term(told)
        self._terms[term], self._reliability[f"accessory:{term}"] = fitted, found
        self._worn[term] = [UNKNOWN] * len(told)
        if fitted is not None:
            self._worn[term] = fitted.answer(self._features, self._width, scores)

    def _fit_term(self, told: Sequence[bool | None]) -> tuple[Term | None, Reliability, F64]:
        """A detector for one term, None where it cannot be trusted, with held-out scores of all pictures."""
        rows = np.array([i for i, answer in enumerate(told) if answer is not None], dtype=np.intp)
        yes = np.array([bool(told[i]) for i in rows], dtype=bool)
        kin = self._groups[rows]
        if not _learnable(yes, kin):
            return None, Reliability(int(yes.sum()), False), np.zeros(len(told))
        score, unseen = self._question.fit(rows, yes, kin, self._rng)
        scores = score(self._features.values)
        scores[rows] = unseen
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
        found = assess_answers(truth, said, decided, kin, self._rng, int(yes.sum()), LEAST_ACCURACY, (yes, chances))
        term = Term(score, platt, least, most, found.balanced_accuracy)
        return (term if found.answers else None), found, scores

    def choice(self, slot: str, told: Sequence[str | None]) -> None:
        """A detector for a slot's value. Rare values are never named."""
        self._seen[slot] = [UNKNOWN] * len(told)
        rows = np.array([i for i, value in enumerate(told) if value is not None], dtype=np.intp)
        truth = np.array([told[i] for i in rows], dtype=np.str_)
        kin = self._groups[rows]
        names = [name for name in sorted(set(truth.tolist())) if _learnable(truth == name, kin)]
        if not names:
            most = max(Counter(truth.tolist()).values(), default=0)
            self._reliability[slot] = Reliability(most, False)
            return
        if len(names) == len(set(truth.tolist())) == 2:
            # One question has both answers.
            score, unseen = self._question.fit(rows, truth == names[0], kin, self._rng)
            fits = [(score, unseen), (score.negated(), -unseen)]
        else:
            fits = [self._question.fit(rows, truth == name, kin, self._rng) for name in names]
        platts = [fit_platt(unseen, truth == name, kin) for (_, unseen), name in zip(fits, names, strict=True)]
        choice = Choice({name: Term(score, platt) for name, (score, _), platt in zip(names, fits, platts, strict=True)})
        scores = np.stack([score(self._features.values) for score, _ in fits], axis=1)
        scores[rows] = np.stack([unseen for _, unseen in fits], axis=1)
        best, chance = likeliest(choice.chances(scores[rows]))
        said = np.array(names)[best]
        decided = chance >= SURE
        named = []
        for name in names:
            found = assess_answers(
                np.where(truth == name, "present", "absent"),
                np.where(said == name, "present", "absent"),
                decided,
                kin,
                self._rng,
                int((truth == name).sum()),
                LEAST_ACCURACY,
                (truth == name, probability(scores[rows, names.index(name)], choice.terms[name].platt)),
            )
            # A value that is hardly ever named may be right each time by chance.
            often = int(((truth == name) & decided).sum()) >= LEAST_POSITIVES / 2
            self._reliability[f"{slot}:{name}"] = found if often else replace(found, answers=False)
            if found.answers and often:
                named.append(name)
        answered = decided & np.isin(said, named)
        self._reliability[slot] = _of_values(
            [self._reliability[f"{slot}:{name}"] for name in named], len(rows), answered
        )
        if named:
            trusted = {
                name: replace(term, trust=self._reliability[f"{slot}:{name}"].balanced_accuracy)
                for name, term in choice.terms.items()
            }
            self._choices[slot] = Choice(trusted, frozenset(named))
            self._seen[slot] = self._choices[slot].answer(self._features, self._width, scores)

    def color(self, slot: str, words: Sequence[str | None]) -> None:
        """A reader for a slot's colour.

        Captions name one of several true words, so a reading counts as right where the caption's word is acceptable
        for it. It is answered wherever a place is found: what it says is read, not learned.
        """
        self._seen[slot] = [UNKNOWN] * len(words)
        rows = np.array([i for i, word in enumerate(words) if word is not None], dtype=np.intp)
        truth = np.array([words[i] for i in rows], dtype=np.str_)
        kin = self._groups[rows]
        place = ColorPlace.fit(self._natives, self._figures, words)
        if place is None:
            self._reliability[slot] = Reliability(len(rows), False)
            return
        common = Counter(truth.tolist()).most_common(1)[0][0]
        folds = grouped_folds(truth == common, kin, self._rng, COLOR_FOLDS)
        lead, said = np.zeros(len(rows)), truth.copy().astype(object)
        others: list[tuple[Ints, ColorPlace]] = []
        for fold in range(folds.max() + 1):
            test = np.flatnonzero(folds == fold)
            hidden = set(rows[test].tolist())
            other = ColorPlace.fit(
                self._natives, self._figures, [None if i in hidden else w for i, w in enumerate(words)]
            )
            if other is None:
                continue
            others.append((rows[test], other))
            votes = other.read(self._natives[rows[test]], self._figures[rows[test]])
            lead[test] = leading(votes)
            for i, vote in zip(test, votes, strict=True):
                fits = {other.answers[j] for j in np.flatnonzero(vote >= ACCEPTABLE * max(vote.max(), 1e-9))}
                said[i] = truth[i] if truth[i] in fits else other.answers[int(vote.argmax())]
        right = said == truth
        platt = fit_platt(lead, right, kin)
        frequent = [w for w, n in Counter(truth.tolist()).items() if n >= LEAST_POSITIVES]
        answers = said.astype(np.str_)
        chances = probability(lead, platt)
        self._reliability[slot] = assess_answers(
            truth, answers, lead >= LEAD, kin, self._rng, len(rows), 0.0, (right, chances), frequent
        )
        self._colors[slot] = Color(place, platt, self._reliability[slot].balanced_accuracy)
        self._seen[slot] = self._held_out_colors(others, self._colors[slot], platt)

    def _held_out_colors(
        self, others: Sequence[tuple[Ints, ColorPlace]], color: Color, platt: Platt
    ) -> list[TraitSeen]:
        """Each original's colour as read by a place that was learned without it; by all where its caption is silent."""
        seen = color.answer(self._natives, self._figures)
        for rows, place in others:
            read = color_answers(place, platt, self._natives[rows], self._figures[rows], color.trust)
            for row, answer in zip(rows.tolist(), read, strict=True):
                seen[row] = answer
        return seen

    def cover(self, slot: str, accessories: Mapping[str, Sequence[bool | None]]) -> None:
        """A detector for whatever hides a slot, and the slot unanswered where it does."""
        names = covering_terms(slot, accessories)
        chances = None
        if names:
            told = [
                None if any(answer is None for answer in column) else any(column)
                for column in zip(*(accessories[name] for name in names), strict=True)
            ]
            fitted, _, scores = self._fit_term(told)
            if fitted is not None:
                self._covers[slot] = fitted
                chances = probability(scores, fitted.platt)
        self._seen[slot] = uncovered(slot, self._seen[slot], self._worn, chances)


def uncovered(
    slot: str, answers: list[TraitSeen], worn: Mapping[str, Sequence[TraitSeen]], chances: F64 | None
) -> list[TraitSeen]:
    """The answers of a slot, "unknown" where something that hides it is worn, or may be."""
    hidden = np.zeros(len(answers), dtype=bool) if chances is None else chances >= COVERED
    for term in covering_terms(slot, worn):
        hidden |= np.array([seen.value == "present" for seen in worn[term]], dtype=bool)
    return [UNKNOWN if covered else seen for seen, covered in zip(answers, hidden.tolist(), strict=True)]


def _by_picture(
    seen: Mapping[str, Sequence[TraitSeen]], worn: Mapping[str, Sequence[TraitSeen]], count: int
) -> list[Answers]:
    return [
        ({slot: answers[i] for slot, answers in seen.items()}, {name: answers[i] for name, answers in worn.items()})
        for i in range(count)
    ]


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
