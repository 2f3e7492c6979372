"""Detectors fitted on the originals: fit once, ask of any picture what is in it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from graftset.engine import available_cores
from graftset.records import TraitSeen
from graftset.traits.answers import UNKNOWN, Choice, Color, Term
from graftset.traits.covering import covering_terms
from graftset.traits.features import U8, Ints, Mask, describe
from graftset.traits.fitting import Fitting
from graftset.traits.reliability import Reliability
from graftset.traits.scoring import F64, probability

COVERED = 0.35  # probability that something hides a slot from which the slot is not answered
_BLAS = threading.Lock()
_THREADS = 4  # more would take more memory than they save time

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
        fitting = Fitting(natives, figures, np.asarray(groups, dtype=np.intp))
        asked = iter(rng.spawn(len(accessories) + 2 * len(slots)))  # so that no question moves the folds of another
        pool = ThreadPoolExecutor(min(_THREADS, available_cores()), thread_name_prefix="traits")
        # On matrices as small as these, threads of BLAS mostly wait for each other. Their number is one of the process.
        with _BLAS, threadpool_limits(1):
            try:
                worn = {term: pool.submit(fitting.term, told, next(asked)) for term, told in accessories.items()}
                read = {slot: pool.submit(fitting.slot, slot, told, next(asked)) for slot, told in slots.items()}
                # What hides one slot often hides another: it is asked once.
                by_terms = {covering_terms(slot, accessories): next(asked) for slot in slots}
                answers = {
                    terms: pool.submit(fitting.cover, [accessories[term] for term in terms], own)
                    for terms, own in by_terms.items()
                }
                hidden = {slot: answers[covering_terms(slot, accessories)] for slot in slots}
                terms = {term: future.result() for term, future in worn.items()}
                values = {slot: future.result() for slot, future in read.items()}
                covers = {slot: future.result() for slot, future in hidden.items()}
            finally:
                pool.shutdown(cancel_futures=True)
        wears = {term: found.answers for term, found in terms.items()}
        seen = {slot: uncovered(slot, found.answers, wears, covers[slot][1]) for slot, found in values.items()}
        reliability = {f"accessory:{term}": found.reliability for term, found in terms.items()}
        for found in values.values():
            reliability |= found.reliability
        return cls(
            {slot: found.color for slot, found in values.items() if found.color is not None},
            {slot: found.choice for slot, found in values.items() if found.choice is not None},
            {term: found.term for term, found in terms.items()},
            {slot: cover for slot, (cover, _) in covers.items() if cover is not None},
            list(slots),
            reliability,
            _by_picture(seen, wears, len(natives)),
        )

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


def uncovered(
    slot: str, answers: list[TraitSeen], worn: Mapping[str, Sequence[TraitSeen]], chances: F64 | None
) -> list[TraitSeen]:
    """The answers of a slot, "unknown" where something that hides it is worn, or may be."""
    hidden = np.zeros(len(answers), dtype=bool) if chances is None else chances >= COVERED
    for term in covering_terms(slot, worn):
        hidden |= np.array([seen.value == "present" and (seen.confidence or 0.0) >= COVERED for seen in worn[term]])
    return [UNKNOWN if covered else seen for seen, covered in zip(answers, hidden.tolist(), strict=True)]


def _by_picture(
    seen: Mapping[str, Sequence[TraitSeen]], worn: Mapping[str, Sequence[TraitSeen]], count: int
) -> list[Answers]:
    return [
        ({slot: answers[i] for slot, answers in seen.items()}, {name: answers[i] for name, answers in worn.items()})
        for i in range(count)
    ]
