"""The numbers that grow with the verdicts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from graftset.records import ReviewPlan
from graftset.review.items import Item, Queue
from graftset.review.plans import Outcome, advice
from graftset.review.tally import DECISIONS, Tally
from graftset.statistics import Kappa, PlattScaling, fit_platt, kappa_of_counts, wilson

VERDICTS = ("approved", "rejected", "skipped")
LEAST_EACH = 3  # approved and rejected with a score, before a curve is drawn through them
LEAST_REVIEWED = 5  # verdicts on a trait before its acceptance may alarm
ALARM_SHARE = 0.5  # of the acceptance of all
CURVE = tuple(round(0.25 * i, 2) for i in range(41))  # scores at which the curve is given, 0-10


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One reviewer's verdicts as they stand, on the pictures as they are."""

    name: str
    approved: int
    rejected: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree on what both decided."""

    first: str
    second: str
    kappa: Kappa


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """P(a person approves) at one score, with its 95 % interval."""

    score: float
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A candidate whose score and verdict point apart: how likely its verdict was by the curve, or by the threshold."""

    id: str
    path: str
    score: float
    verdict: Queue
    probability: float | None  # P(approved) by its score; None without a curve


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How often pictures that show a trait are approved."""

    slot: str  # "background", "hair", ..., "accessory"
    value: str
    approved: int
    decided: int
    low: float  # Wilson's 95 % interval of the share
    high: float
    alarm: bool  # approved less than half as often as all

    @property
    def share(self) -> float:
        """Approved of decided, 0-1."""
        return self.approved / self.decided


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a person sees of a review's progress.

    Attributes:
        counts: Candidates in each queue.
        admitted: The same of the admitted.
        plan: The open plan, and where it stands.
        advice: What a person should know of the plan.
        reviewers: Everybody who gave a verdict.
        agreement: Every pair of reviewers who decided on the same pictures.
        conflicts: Candidates they disagree on.
        stale: Candidates whose verdicts concern another picture or caption than they have now.
        curve: P(approved) by the score; empty until there are enough verdicts of both kinds.
        curve_note: What the curve rests on, or what it still needs.
        disagreements: The strangest first.
        acceptance: Of each trait, the lowest first.
        labels: Decided candidates; all of them are training labels, whether or not they count for a plan.
    """

    counts: dict[Queue, int]
    admitted: dict[Queue, int]
    plan: ReviewPlan | None
    outcome: Outcome | None
    advice: tuple[str, ...]
    reviewers: tuple[Reviewer, ...]
    agreement: tuple[Agreement, ...]
    conflicts: int
    stale: int
    curve: tuple[CurvePoint, ...]
    curve_note: str
    disagreements: tuple[Disagreement, ...]
    acceptance: tuple[Acceptance, ...]
    labels: int


def numbers(
    tally: Tally,
    names: Sequence[str],
    *,
    plan: ReviewPlan | None,
    outcome: Outcome | None,
    curve: PlattScaling | None,
) -> Numbers:
    """Everything that grows with the verdicts.

    Args:
        tally: The counts.
        names: Everybody who gave a verdict.
        plan: The open plan.
        outcome: Where it stands.
        curve: P(approved) by the score.
    """
    decided = list(tally.decided.values())
    return Numbers(
        counts=tally.counts(admitted=False),
        admitted=tally.counts(admitted=True),
        plan=plan,
        outcome=outcome,
        advice=advice(plan) if plan else (),
        reviewers=tuple(Reviewer(name, *(tally.verdicts[name, verdict] for verdict in VERDICTS)) for name in names),
        agreement=_agreement(tally),
        conflicts=len(tally.conflicts),
        stale=len(tally.stale),
        curve=_curve(curve),
        curve_note=_curve_note(curve, decided),
        disagreements=_disagreements(decided, curve),
        acceptance=_acceptance(tally),
        labels=len(decided),
    )


def calibrate(items: Iterable[Item]) -> PlattScaling | None:
    """P(a person approves) by the score; None with fewer than `LEAST_EACH` verdicts of either kind."""
    labelled = _labelled(items)
    yes = [item.queue == "approved" for item in labelled]
    if min(sum(yes), len(yes) - sum(yes)) < LEAST_EACH:
        return None
    return fit_platt([item.view.score or 0.0 for item in labelled], yes)


def _labelled(items: Iterable[Item]) -> list[Item]:
    """Decided and scored, and not in dispute."""
    return [
        item
        for item in items
        if item.queue in ("approved", "rejected") and item.view.score is not None and not item.conflict
    ]


def _agreement(tally: Tally) -> tuple[Agreement, ...]:
    """Cohen's kappa of each pair, over what both decided."""
    found = []
    for first, second in sorted({(first, second) for (first, second, _, _), n in tally.pairs.items() if n}):
        table = [[tally.pairs[first, second, a, b] for b in DECISIONS] for a in DECISIONS]
        found.append(Agreement(first, second, kappa_of_counts(table)))
    return tuple(found)


def _curve(curve: PlattScaling | None) -> tuple[CurvePoint, ...]:
    if curve is None:
        return ()
    low, high = curve.interval(CURVE)
    return tuple(
        CurvePoint(score, float(p), float(a), float(b))
        for score, p, a, b in zip(CURVE, curve.probability(CURVE), low, high, strict=True)
    )


def _curve_note(curve: PlattScaling | None, decided: Sequence[Item]) -> str:
    if curve is not None:
        note = f"from {curve.yes} approved and {curve.no} rejected"
        return note if curve.slope > 0 else f"{note}: higher scores were not approved more often"
    approved = sum(item.queue == "approved" for item in decided)
    return (
        f"needs {LEAST_EACH} approved and {LEAST_EACH} rejected with a score; there are {approved} and "
        f"{len(decided) - approved}"
    )


def _disagreements(decided: Sequence[Item], curve: PlattScaling | None) -> tuple[Disagreement, ...]:
    """Decided items whose verdict was the less likely one, the least likely first."""
    scored = [item for item in decided if item.view.score is not None]
    if not scored:
        return ()
    scores = np.array([item.view.score for item in scored], dtype=np.float64)
    chance = scores / 10 if curve is None else curve.probability(scores)
    likely = np.where([item.queue == "approved" for item in scored], chance, 1 - chance)
    return tuple(
        Disagreement(
            scored[i].id,
            scored[i].view.path,
            float(scores[i]),
            scored[i].queue,
            None if curve is None else float(chance[i]),
        )
        for i in sorted(np.flatnonzero(likely < 0.5), key=lambda i: (likely[i], scored[i].view.path))
    )


def _acceptance(tally: Tally) -> tuple[Acceptance, ...]:
    total = len(tally.decided)
    overall = sum(item.queue == "approved" for item in tally.decided.values()) / max(1, total)
    found = []
    for slot, value in {(slot, value) for (slot, value, _), n in tally.traits.items() if n}:
        approved = tally.traits[slot, value, "approved"]
        of = approved + tally.traits[slot, value, "rejected"]
        low, high = wilson(approved, of)
        alarm = of >= LEAST_REVIEWED and approved / of < ALARM_SHARE * overall
        found.append(Acceptance(slot, value, approved, of, low, high, alarm))
    return tuple(sorted(found, key=lambda trait: (trait.share, -trait.decided, trait.slot, trait.value)))
