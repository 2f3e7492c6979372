"""Differences with their intervals on a common axis, as percentages of a strip's width."""

from __future__ import annotations

from collections.abc import Sequence

from graftset.compare.records import Comparison, Difference
from graftset.report.experiment_page import ForestRow, ForestView
from graftset.report.experiment_words import TONES, settling
from graftset.report.wording import sentence_case
from graftset.scorecards import BY_NAME

_GROUPS = {"training": "training captions", "candidate": "the candidates' wordings", "all": "all prompts"}
_LEAST_SPAN = 2.5  # margins to both sides of zero that an axis shows at least
_EDGE = 1.08  # how far beyond the widest interval


def forests(comparisons: Sequence[Comparison]) -> tuple[ForestView, ...]:
    """A strip for each primary endpoint and arm; all arms of an endpoint share its axis, zero in the middle."""
    names = dict.fromkeys(one.endpoint.name for comparison in comparisons for one in comparison.primary)
    return tuple(_forest(name, comparisons) for name in names)


def _forest(name: str, comparisons: Sequence[Comparison]) -> ForestView:
    found = [(one.arm.name, difference) for one in comparisons if (difference := one.difference(name)) is not None]
    endpoint = found[0][1].endpoint
    widest = max(max(abs(one.low), abs(one.high)) for _, one in found)
    span = max(_LEAST_SPAN * endpoint.margin, _EDGE * widest)
    if BY_NAME[endpoint.measure].is_share:
        span = min(span, 1.0)

    def at(value: float) -> float:
        return round(50 + 50 * min(max(value / span, -1.0), 1.0), 2)

    def row(arm: str, one: Difference) -> ForestRow:
        return ForestRow(
            arm=arm,
            text=signed_interval(one),
            word=one.verdict,
            tone=TONES[one.verdict],
            point_at=at(one.point),
            low_at=at(one.low),
            width=round(at(one.high) - at(one.low), 2),
            open_low=one.low < -span,
            open_high=one.high > span,
            note=settling(one),
        )

    measure = BY_NAME[endpoint.measure]
    aligned = "at equal exposures of the originals" if endpoint.align == "exposures" else "at equal steps"
    return ForestView(
        title=sentence_case(endpoint.name),
        meaning=f"{measure.title}, {_GROUPS.get(endpoint.group, endpoint.group)}, {aligned}.",
        low=signed(-span, endpoint.measure),
        high=signed(span, endpoint.measure),
        zero_at=50.0,
        margin_at=at(-endpoint.margin),
        margin_width=round(at(endpoint.margin) - at(-endpoint.margin), 2),
        margin=f"Shaded: less than {signed(endpoint.margin, endpoint.measure).lstrip('+')} does not matter.",
        rows=tuple(row(arm, one) for arm, one in found),
    )


def signed(value: float, measure: str) -> str:
    """A difference with its sign: "+20.0 points", "-0.30"."""
    return f"{100 * value:+.1f} points" if BY_NAME[measure].high == 1 else f"{value:+.2f}"


def signed_interval(found: Difference) -> str:
    """A difference with its interval: "+20.0 points (+14.0 to +26.0)"."""
    measure = found.endpoint.measure
    low, high = (signed(value, measure).removesuffix(" points") for value in (found.low, found.high))
    return f"{signed(found.point, measure)} ({low} to {high})"
