"""The numbers that grow with the verdicts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from graftset.records import ImageView, ReviewPlan
from graftset.review.items import QUEUES, Item, Queue
from graftset.review.ledger import Ledger
from graftset.review.plans import Outcome, advice
from graftset.statistics import Kappa, PlattScaling, cohen_kappa, fit_platt, wilson

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
    items: Sequence[Item],
    ledger: Ledger,
    *,
    plan: ReviewPlan | None,
    outcome: Outcome | None,
    curve: PlattScaling | None,
) -> Numbers:
    """Everything that grows with the verdicts."""
    decided = [item for item in items if item.queue in ("approved", "rejected")]
    return Numbers(
        counts=_counts(items),
        admitted=_counts(item for item in items if item.admitted),
        plan=plan,
        outcome=outcome,
        advice=advice(plan) if plan else (),
        reviewers=_reviewers(items, ledger),
        agreement=_agreement(items, ledger),
        conflicts=sum(item.conflict for item in items),
        stale=sum(item.stale for item in items),
        curve=_curve(curve),
        curve_note=_curve_note(curve, decided),
        disagreements=_disagreements(decided, curve),
        acceptance=_acceptance(decided),
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


def _counts(items: Iterable[Item]) -> dict[Queue, int]:
    count = dict.fromkeys(QUEUES, 0)
    for item in items:
        count[item.queue] += 1
    return count


def _reviewers(items: Sequence[Item], ledger: Ledger) -> tuple[Reviewer, ...]:
    count: dict[str, dict[str, int]] = {name: defaultdict(int) for name in ledger.reviewers()}
    for item in items:
        for entry in _current(item, ledger):
            count[entry[0]][entry[1]] += 1
    return tuple(Reviewer(name, c["approved"], c["rejected"], c["skipped"]) for name, c in count.items())


def _current(item: Item, ledger: Ledger) -> list[tuple[str, str]]:
    """(reviewer, verdict) of everybody who spoke of the item as it is."""
    view = item.view
    return [
        (entry.reviewer, entry.verdict)
        for entry in ledger.says(view.path).values()
        if entry.sha256 == view.sha256 and entry.caption == view.training_caption and entry.verdict != "withdrawn"
    ]


def _agreement(items: Sequence[Item], ledger: Ledger) -> tuple[Agreement, ...]:
    """Cohen's kappa of each pair, over what both decided. A verdict that settles a conflict was not given blind."""
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for item in items:
        view = item.view
        given = {
            entry.reviewer: entry.verdict
            for entry in ledger.says(view.path).values()
            if entry.verdict in ("approved", "rejected")
            and not entry.settles
            and entry.sha256 == view.sha256
            and entry.caption == view.training_caption
        }
        for first, second in combinations(sorted(given), 2):
            pairs[first, second].append((given[first], given[second]))
    return tuple(
        Agreement(first, second, cohen_kappa([a for a, _ in both], [b for _, b in both]))
        for (first, second), both in sorted(pairs.items())
    )


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
        for i in np.argsort(likely, kind="stable")
        if likely[i] < 0.5
    )


def traits_of(view: ImageView) -> Iterator[tuple[str, str]]:
    """(slot, value) of everything seen in a picture that is known."""
    if view.traits.background is not None and view.traits.background.value != "unknown":
        yield "background", view.traits.background.value
    for slot, seen in view.traits.slots.items():
        if seen.value != "unknown":
            yield slot, seen.value
    for term, seen in view.traits.accessories.items():
        if seen.value == "present":
            yield "accessory", term


def _acceptance(decided: Sequence[Item]) -> tuple[Acceptance, ...]:
    count: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for item in decided:
        for trait in traits_of(item.view):
            count[trait][0] += item.queue == "approved"
            count[trait][1] += 1
    overall = sum(item.queue == "approved" for item in decided) / max(1, len(decided))
    found = []
    for (slot, value), (approved, of) in count.items():
        low, high = wilson(approved, of)
        alarm = of >= LEAST_REVIEWED and approved / of < ALARM_SHARE * overall
        found.append(Acceptance(slot, value, approved, of, low, high, alarm))
    return tuple(sorted(found, key=lambda trait: (trait.share, -trait.decided, trait.slot, trait.value)))
