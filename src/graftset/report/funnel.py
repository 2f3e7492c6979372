"""Where every candidate went, as a flow of ribbons.

The drawing is 100 units wide and stretched to the page; its height is in sixteenths of the font size. The ribbons end
beside rows of text, so every row is at least as high as two lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from graftset.report.page import Funnel, Outcome
from graftset.report.wording import percent

_STACK = 200.0  # units: thickness of everything that came in
_ROW = 60.0  # units: least height of a row
_ROW_MARGIN = 22.0  # units kept free around a thick ribbon
_THINNEST = 1.5  # units: one of ten thousand still shows
_MIDDLE = 38.0  # where "measured" stands, percent of the width; only drawn where files were lost before it


@dataclass(frozen=True, slots=True)
class End:
    """One end of the funnel before it is drawn; see `Outcome` for the fields."""

    title: str
    detail: str
    count: int
    kind: Literal["admitted", "dropped", "pending", "unreadable"]
    anchor: str | None = None


def draw_funnel(ends: Sequence[End]) -> Funnel | None:
    """Lay out the funnel; what came in is the sum of its ends.

    Args:
        ends: Top to bottom, each with at least one candidate; an `unreadable` one must be the last.

    Returns:
        The funnel, or None where there are no ends.
    """
    came_in = sum(end.count for end in ends)
    if not came_in:
        return None
    unreadable = sum(end.count for end in ends if end.kind == "unreadable")
    thick = [max(_STACK * end.count / came_in, _THINNEST) for end in ends]
    rows = [max(thickness + _ROW_MARGIN, _ROW) for thickness in thick]
    height = sum(rows)
    top_left = (rows[0] - thick[0]) / 2  # the first ribbon runs level, and nothing rises into the words above the bar
    measured_height = _STACK * (came_in - unreadable) / came_in
    # Files that could not be read leave before "measured", downward: the middle bar keeps to the top.
    source, row_top = top_left, 0.0
    outcomes = []
    for end, thickness, row in zip(ends, thick, rows, strict=True):
        target = row_top + (row - thickness) / 2
        start = _MIDDLE if unreadable and end.kind != "unreadable" else 0.0
        outcomes.append(
            Outcome(
                title=end.title,
                detail=end.detail,
                count=end.count,
                share=percent(end.count, came_in),
                kind=end.kind,
                anchor=end.anchor,
                row_units=round(row, 1),
                ribbon=_ribbon(start, source, 100.0, target, thickness),
            )
        )
        source += _STACK * end.count / came_in
        row_top += row
    return Funnel(
        came_in=came_in,
        unreadable=unreadable,
        measured=came_in - unreadable,
        outcomes=tuple(outcomes),
        height_units=round(height, 1),
        stack_top_units=round(top_left, 1),
        trunk=_ribbon(0.0, top_left, _MIDDLE, top_left, measured_height) if unreadable else "",
        came_in_bar=f"M0 {top_left:.1f}V{top_left + _STACK:.1f}",
        measured_bar=f"M{_MIDDLE:g} {top_left:.1f}V{top_left + measured_height:.1f}" if unreadable else "",
    )


def _ribbon(x0: float, y0: float, x1: float, y1: float, thickness: float) -> str:
    # Level at both ends: the control points of each edge lie halfway between them.
    middle = (x0 + x1) / 2
    return (
        f"M{x0:g} {y0:.1f}C{middle:g} {y0:.1f} {middle:g} {y1:.1f} {x1:g} {y1:.1f}V{y1 + thickness:.1f}"
        f"C{middle:g} {y1 + thickness:.1f} {middle:g} {y0 + thickness:.1f} {x0:g} {y0 + thickness:.1f}Z"
    )
