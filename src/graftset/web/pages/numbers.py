"""The figures that grow with the review."""

from __future__ import annotations

from itertools import islice

import numpy as np

from graftset.quality import score_text
from graftset.review import Outcome
from graftset.statistics import sequential_least_right
from graftset.web.contexts import NumbersPage
from graftset.web.pages.frame import Visitor, cell_of, closed, framed, is_blind, outcome_of
from graftset.web.parts import Bar, Fact
from graftset.web.room import Queue, Room

_MOST_SURPRISES = 12
_MOST_TRAITS = 24
_SCORES = (6.0, 8.0)
_STEPS = 24  # points of the drawn bound


def numbers_page(room: Room, visitor: Visitor) -> NumbersPage:
    """Everything that grows with the verdicts."""
    numbers = room.desk.numbers()
    outcome = numbers.outcome
    scores = _SCORES if numbers.curve else ()
    surprising = ((room.item(found.id), found) for found in numbers.disagreements)
    # What others say of a picture stays with them until one gave one's own verdict, here as on the grid.
    told = ((item, found) for item, found in surprising if not is_blind(room, item, visitor.reviewer))
    surprises = list(islice(told, _MOST_SURPRISES))
    return NumbersPage(
        **framed(room, "numbers", visitor),
        title="Numbers",
        open_plan=outcome_of(room),
        trace=room.once("trace", lambda: _trace(room)),
        agreement=(
            Fact("Score and person disagree on", f"{len(numbers.disagreements)} of {numbers.labels}"),
            *(Fact(f"Chance of approval at score {score:.0f}", _chance_at(room, score)) for score in scores),
            *(
                Fact(f"{pair.first} and {pair.second}", f"kappa {pair.kappa.kappa:.2f} over {pair.kappa.n}")
                for pair in numbers.agreement
                if pair.kappa.kappa is not None and pair.kappa.kappa == pair.kappa.kappa
            ),
        ),
        surprises=tuple(
            cell_of(
                room,
                item,
                Queue(query=f"verdict:{found.verdict}"),
                visitor.reviewer,
                f"{score_text(found.score)}, {found.verdict}",
            )
            for item, found in surprises
        ),
        acceptance=tuple(
            Bar(
                f"{trait.slot}: {trait.value}",
                f"{trait.approved} of {trait.decided}",
                round(100 * trait.share, 1),
                "bad" if trait.alarm else "",
                f"{trait.low:.0%} to {trait.high:.0%}",
            )
            for trait in numbers.acceptance[:_MOST_TRAITS]
        ),
        chance=closed(f"Chance that a person approves, by the score: {numbers.curve_note}"),
        outcomes=(
            Fact("Approved", str(numbers.counts["approved"]), "good"),
            Fact("Rejected", str(numbers.counts["rejected"]), "bad"),
            Fact("Skipped", str(numbers.counts["skipped"])),
            Fact("Pending", str(numbers.counts["pending"])),
            Fact("Disputed", str(numbers.conflicts), "warn" if numbers.conflicts else ""),
            Fact("Verdicts on an older caption", str(numbers.stale)),
            *(
                Fact(r.name, f"{r.approved} approved, {r.rejected} rejected, {r.skipped} skipped")
                for r in numbers.reviewers
            ),
            *((Fact("Wrong in the sample", _wrong(outcome)),) if outcome else ()),
        ),
    )


def _wrong(outcome: Outcome) -> str:
    return f"{outcome.wrong}" + (f", of them {outcome.mended} mended" if outcome.mended else "")


def _chance_at(room: Room, score: float) -> str:
    curve = room.desk.calibration()
    if curve is None:
        return "not known"
    low, high = curve.interval(score)
    return f"{float(curve.probability(score)):.0%} ({float(low):.0%} to {float(high):.0%})"


def _trace(room: Room) -> str:
    """The lower bound of a sequential plan over what was reviewed, as an SVG path in a box of 100 by 100.

    A plan of fixed size has no curve: its bound is read once, at the end.
    """
    plan = room.desk.plan
    if plan is None or plan.kind != "sequential":
        return ""
    labels = room.desk.labels()
    reached = next((i for i, label in enumerate(labels) if label == "pending"), len(labels))
    if reached < 2:
        return ""
    points = sorted({round(reached * step / _STEPS) for step in range(1, _STEPS + 1)} | {reached})
    right = np.array([label == "right" for label in labels[:reached]])
    lower = [sequential_least_right(plan.pool, right[:n], plan.target, plan.confidence) / plan.pool for n in points]
    line = [f"{100 * n / reached:.1f} {100 - 100 * bound:.1f}" for n, bound in zip(points, lower, strict=True)]
    return "M0 100L" + "L".join(line)
