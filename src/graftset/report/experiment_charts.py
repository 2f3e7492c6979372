"""Timelines of arms: the mean over training seeds at every checkpoint, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import t

from graftset.report.plots import Value, line_chart, written
from graftset.report.run_page import ChartView
from graftset.report.wording import sentence_case
from graftset.scorecards import BY_NAME, Course

# Measure, group of prompts, and how values are written.
TIMELINES: tuple[tuple[str, str, str], ...] = (
    ("original_accuracy", "training", "percent"),
    ("background_obeyed", "candidate", "percent"),
    ("variation_accuracy", "obedience", "percent"),
    ("quality_preservation", "all", "number"),
    ("variety", "obedience", "share"),
)
_GROUPS = {
    "training": "training captions",
    "candidate": "the candidates' wordings",
    "obedience": "all wordings that were not trained on",
    "all": "all prompts",
}
_BESIDE = 2  # arms beside the baseline in one chart


def timelines(courses: Mapping[str, Sequence[Course]], baseline: str, wanted: Mapping[str, float]) -> list[ChartView]:
    """A chart for each measure and at most two arms beside the baseline.

    Args:
        courses: Arm -> the course of each of its runs.
        baseline: Name of the arm that is in every chart.
        wanted: Measure -> the value that counts as success.
    """
    others = [arm for arm in courses if arm != baseline and courses[arm]]
    chunks = [others[i : i + _BESIDE] for i in range(0, len(others), _BESIDE)] or [[]]
    charts = []
    for measure, group, text in TIMELINES:
        for chunk in chunks:
            shown = [arm for arm in (baseline, *chunk) if courses.get(arm)]
            lines = [(arm, values) for arm in shown if (values := _values(courses[arm], measure, group))]
            if lines:
                charts.append(_chart(measure, group, text, lines, courses, wanted.get(measure)))
    return charts


def _chart(
    measure: str,
    group: str,
    text: str,
    lines: Sequence[tuple[str, list[Value]]],
    courses: Mapping[str, Sequence[Course]],
    wanted: float | None,
) -> ChartView:
    described = BY_NAME[measure]
    highest = max(value.high or value.point for _, values in lines for value in values)
    top = described.high if described.high is not None else max(1.0, math.ceil(2 * highest) / 2)
    count = max(value.at for _, values in lines for value in values)
    cards = max((course.cards for arm, _ in lines for course in courses[arm]), key=len)
    names = [_short(card.place.images_seen, card.place.checkpoint) for card in cards]
    by_number = [{value.at: value for value in values} for _, values in lines]
    return ChartView(
        title=described.title,
        meaning=f"{sentence_case(described.meaning)}, on {_GROUPS[group]}.",
        chart=line_chart(
            lines,
            low=max(0.0, described.low or 0.0),
            high=float(top),
            count=count,
            text=text,
            wanted=wanted,
            wanted_at=0,
        ),
        heads=("Images seen", *(arm for arm, _ in lines)),
        rows=tuple(
            (name, *(_cell(values.get(number), text) for values in by_number))
            for number, name in enumerate(names, start=1)
        ),
        settled="",
    )


def _values(courses: Sequence[Course], measure: str, group: str) -> list[Value]:
    """Means over the runs that have a checkpoint; 95 % t intervals where there are two or more."""
    points: dict[int, list[float]] = {}
    for course in courses:
        for card in course.cards:
            figure = card.figure(measure, group)
            if figure is not None:
                points.setdefault(card.place.number, []).append(figure.point)
    values = []
    for number, own in sorted(points.items()):
        mean = float(np.mean(own))
        if len(own) < 2:
            values.append(Value(number, mean, None, None))
            continue
        half = float(t.ppf(0.975, len(own) - 1) * np.std(own, ddof=1) / math.sqrt(len(own)))
        described = BY_NAME[measure]
        low = mean - half if described.low is None else max(described.low, mean - half)
        high = mean + half if described.high is None else min(described.high, mean + half)
        values.append(Value(number, mean, low, high))
    return values


def _cell(value: Value | None, text: str) -> str:
    if value is None:
        return ""
    if value.low is None or value.high is None:
        return written(value.point, text)
    low, high = (written(end, text).removesuffix(" %") for end in (value.low, value.high))
    return f"{written(value.point, text)} ({low}–{high})"


def _short(images_seen: int | None, checkpoint: str) -> str:
    return checkpoint if images_seen is None else f"{images_seen:,}"
