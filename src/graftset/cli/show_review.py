"""A review's plan and numbers, as lines for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from graftset.cli.console import some
from graftset.phrases import counted
from graftset.quality import score_text

if TYPE_CHECKING:
    from graftset.records import ReviewPlan
    from graftset.review import ImportReport, Numbers, Outcome

_STRANGEST = 5  # disagreements that are listed


def plan_json(plan: ReviewPlan) -> dict[str, Any]:
    """A plan as JSON."""
    head = {key: value for key, value in asdict(plan).items() if key not in ("drawn", "members")}
    return {**head, "sample": [{"path": image.path, "sha256": image.sha256} for image in plan.drawn]}


def plan_lines(plan: ReviewPlan) -> list[str]:
    """A plan for people, with what they should know before they begin."""
    from graftset.review.plans import PLANS, advice, percent

    kind = PLANS[plan.kind]
    errors = f"{plan.n} of {plan.pool} to review, {plan.allowed} wrong allowed"
    told = errors if kind.allows_errors else f"up to {plan.n} to review, in the order drawn"
    return [
        f"plan        {kind.title.lower()}: {told}",
        f"shows       that at least {percent(plan.target)} are right, with {percent(plan.confidence)} confidence",
        f"set         {plan.pool} {plan.pool_definition}, seed {plan.seed}",
        f"            {kind.explanation}",
        *(f"note        {note}" for note in advice(plan)),
    ]


def numbers_json(numbers: Numbers) -> dict[str, Any]:
    """Everything that grows with the verdicts, as JSON."""
    return {
        "counts": numbers.counts,
        "admitted": numbers.admitted,
        "labels": numbers.labels,
        "conflicts": numbers.conflicts,
        "stale": numbers.stale,
        "plan": None if numbers.plan is None else plan_json(numbers.plan),
        "outcome": None if numbers.outcome is None else asdict(numbers.outcome),
        "advice": list(numbers.advice),
        "reviewers": [asdict(reviewer) for reviewer in numbers.reviewers],
        "agreement": [asdict(pair) for pair in numbers.agreement],
        "calibration": {"points": [asdict(point) for point in numbers.curve], "note": numbers.curve_note},
        "disagreements": [asdict(one) for one in numbers.disagreements],
        "acceptance": [{**asdict(trait), "share": trait.share} for trait in numbers.acceptance],
    }


def numbers_lines(numbers: Numbers) -> list[str]:
    """The same for people."""
    counts = ", ".join(f"{count} {queue}" for queue, count in numbers.counts.items())
    return [
        *_outcome_lines(numbers.outcome),
        f"candidates  {counts}",
        f"admitted    {', '.join(f'{count} {queue}' for queue, count in numbers.admitted.items())}",
        *([f"stale       {numbers.stale} changed since they were reviewed"] if numbers.stale else []),
        *([f"conflicts   {numbers.conflicts} that reviewers disagree on"] if numbers.conflicts else []),
        *(
            f"reviewer    {one.name}: {one.approved} approved, {one.rejected} rejected, {one.skipped} skipped"
            for one in numbers.reviewers
        ),
        *_agreement_lines(numbers),
        *_curve_lines(numbers),
        *(
            f"disagree    {PurePath(one.path).name}: score {score_text(one.score)}, {one.verdict}"
            for one in numbers.disagreements[:_STRANGEST]
        ),
        *some(
            f"alarm       {trait.slot} {trait.value}: {trait.approved} of {trait.decided} approved, less than half as "
            "often as all"
            for trait in numbers.acceptance
            if trait.alarm
        ),
    ]


def _outcome_lines(outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return ["review      no plan: verdicts are labels, and say nothing of pictures that were not looked at"]
    return [f"review      {outcome.sentence}", *(f"note        {note}" for note in outcome.notes)]


def _agreement_lines(numbers: Numbers) -> list[str]:
    lines = []
    for pair in numbers.agreement:
        kappa = pair.kappa
        told = "both always say the same one word"
        if kappa.kappa is not None and kappa.low is not None and kappa.high is not None:
            told = f"kappa {kappa.kappa:.2f} ({kappa.low:.2f} to {kappa.high:.2f})"
        lines.append(
            f"agreement   {pair.first} and {pair.second}: {told}, the same on {kappa.agreement:.0%} of {kappa.n}"
        )
    return lines


def _curve_lines(numbers: Numbers) -> list[str]:
    told = [
        f"{point.probability:.0%} at {point.score:.0f} ({point.low:.0%} to {point.high:.0%})"
        for point in numbers.curve
        if point.score in (5, 7, 8, 9)
    ]
    return [f"approval    {', '.join(told) + ', ' if told else ''}{numbers.curve_note}"]


def import_json(report: ImportReport) -> dict[str, Any]:
    """What an import did, as JSON."""
    skipped = [{"row": row, "reason": reason} for row, reason in report.skipped]
    return {"added": report.added, "known": report.known, "skipped": skipped}


def import_lines(report: ImportReport) -> list[str]:
    """What an import did, for people."""
    return [
        f"imported    {counted(report.added, 'verdict')}, {report.known} here already, "
        f"{counted(len(report.skipped), 'row')} skipped",
        *some(f"skipped     row {row}: {reason}" for row, reason in report.skipped),
    ]
