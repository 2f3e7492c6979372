"""What a run has one figure of: when it converged, how much it swings, how varied it paints; and an arm's outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np
from scipy.special import stdtrit

from graftset.compare.records import ArmOutcome, SeedDifference
from graftset.scorecards import Course, Series

if TYPE_CHECKING:
    from graftset.compare.comparing import ArmRuns

FOLLOWED = ("overall", "all")  # the row of checkpoints whose convergence and stability count
VARIED = ("variety", "obedience")
_ALPHA = 0.05


class OverSeeds(TypedDict):
    """The three figures that runs have one of."""

    convergence: SeedDifference
    stability: SeedDifference
    variety: SeedDifference


def outcome(arm: ArmRuns, seeds: Sequence[int]) -> ArmOutcome:
    """One arm as its runs tell it, over these seeds."""
    courses = [arm.courses[seed] for seed in seeds]
    last = [course.cards[-1] for course in courses]
    figures: dict[str, list[float]] = {}
    for card in last:
        for figure in card.figures:
            figures.setdefault(f"{figure.measure}/{figure.group}", []).append(figure.point)
    shown = [card.place.exposures for card in last if card.place.exposures is not None]
    varied = [card.figure(*VARIED) or card.figure(VARIED[0]) for card in last]
    rows = [_followed(course) for course in courses]
    return ArmOutcome(
        name=arm.name,
        plan=arm.plan,
        build=arm.build,
        build_sha256=arm.build_sha256,
        originals=arm.originals,
        generated=arm.generated,
        steps=arm.steps,
        seeds=tuple(seeds),
        runs=tuple(arm.runs[seed] for seed in seeds),
        reviewed=arm.reviewed,
        # A figure that some seed lacks has no mean over all of them.
        figures={name: float(np.mean(points)) for name, points in figures.items() if len(points) == len(seeds)},
        converged_at=tuple(_converged_at(course, row) for course, row in zip(courses, rows, strict=True)),
        stability=tuple(None if row is None else row.stability for row in rows),
        variety=tuple(None if figure is None else figure.point for figure in varied),
        exposures=float(np.mean(shown)) if shown else None,
    )


def _followed(course: Course) -> Series | None:
    return next((row for row in course.series if (row.measure, row.group) == FOLLOWED), None)


def _converged_at(course: Course, row: Series | None) -> float | None:
    """Images seen at the first settled checkpoint; its number where images were not counted."""
    if row is None or row.convergence is None or row.convergence.at is None:
        return None
    place = course.cards[row.convergence.at].place
    return float(place.number if place.images_seen is None else place.images_seen)


def over_seeds(baseline: ArmOutcome, arm: ArmOutcome) -> OverSeeds:
    """The differences of figures that a run has one of."""
    return OverSeeds(
        convergence=_difference(
            "convergence", "images seen", "lower", baseline.converged_at, arm.converged_at, "converged"
        ),
        stability=_difference("stability", "sampling errors", "lower", baseline.stability, arm.stability, "told"),
        variety=_difference("variety", "ratio to the originals", "higher", baseline.variety, arm.variety, "told"),
    )


def _difference(
    name: str,
    unit: str,
    better: Literal["higher", "lower"],
    baseline: Sequence[float | None],
    arm: Sequence[float | None],
    word: str,
) -> SeedDifference:
    both = [(b, a) for b, a in zip(baseline, arm, strict=True) if b is not None and a is not None]
    note = ""
    if len(both) < len(arm):
        counts = [sum(value is not None for value in values) for values in (arm, baseline)]
        note = f"{word} in {counts[0]} of {len(arm)} seeds in the arm, in {counts[1]} in the baseline"
    if not both:
        return SeedDifference(name, unit, better, 0, None, None, None, None, None, None, note)
    table = np.array(both)
    differences = table[:, 1] - table[:, 0]
    point = float(differences.mean())
    low = high = worse = None
    if len(both) > 1:
        half = float(stdtrit(len(both) - 1, 1 - _ALPHA / 2) * differences.std(ddof=1) / np.sqrt(len(both)))
        low, high = point - half, point + half
        worse = bool(high < 0 if better == "higher" else low > 0)
        if word == "converged" and note:
            # Seeds that never arrive are no sample of those that do: a mean over the others would flatter the arm.
            worse = worse or None
    theirs, ours = table.mean(axis=0).tolist()
    return SeedDifference(name, unit, better, len(both), theirs, ours, point, low, high, worse, note)
