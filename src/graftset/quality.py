"""The 0-10 quality score and its parts.

The scale means something: 10 is an original, 8 is what a careful owner would train on, 5 needs repair, 2 is useless.
Every part is a piecewise linear map from one measure to that scale. The knots of the *render* parts come from a ladder
of degradations of known severity (originals enlarged, then blurred, roughened, warped, compressed: see
`benchmarks/quality_ladder.py`); those of the *native* parts from the originals' own range, leave-one-out; those of
*structure* from the novelty of the originals among themselves.

The score is 10 less the 3-norm of what the parts lack: one bad part decides, several middling ones add up a little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Knots = tuple[tuple[float, float], ...]

NORM = 3.0
# A render part under this is a fault. On drawn pictures all blur and texture is found, 250 of 256 off-grid pictures and
# melted faces, and 2 of 400 clean ones are called faulty (at 8.5: 244 and 1).
FAULTY = 9.0
ENOUGH = 20  # originals; fewer say nothing about what is normal for them
UNREMARKABLE = 99.5  # percentile of the originals up to which a native measure is unremarkable


def score_text(score: float) -> str:
    """A score for people, rounded down to a tenth: what a gate of 8.0 refuses must not look like 8.0.

    Exact tenths stay, whatever their binary fraction.

    >>> score_text(7.96), score_text(8.0), score_text(0.3), score_text(10.0)
    ('7.9', '8.0', '0.3', '10.0')
    """
    if not math.isfinite(score):
        return str(score)
    nearest = round(score, 1)
    return f"{nearest if nearest <= score else nearest - 0.1:.1f}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure as help texts and the report describe it."""

    name: str
    unit: str
    better: Literal["lower"]
    meaning: str


MEASURES: tuple[Measure, ...] = (
    Measure("grid_residual", "ratio", "lower", "color deviation inside cells over that between cells"),
    Measure("edge_width", "share of a cell", "lower", "10-90 % width of the transitions at cell borders"),
    Measure("edge_drift", "share of a cell", "lower", "median distance of those transitions from the grid line"),
    Measure("texture_noise", "8-bit levels", "lower", "spread of the pixels inside flat cells"),
    Measure("render_noise", "CIEDE2000", "lower", "color noise of cells within one flat region"),
    Measure("color_count", "count", "lower", "colors left at native size after merging those within 2 CIEDE2000"),
    Measure("off_palette", "OKLab", "lower", "mean distance of the cells to the nearest color the originals use"),
    Measure("orphan_cells", "share", "lower", "cells that match none of their 8 neighbours"),
    Measure("structure_novelty", "OKLab", "lower", "how unlike every original the figure's core is painted"),
)

# Render parts: measure -> score. Clean enlargements with fractional cells have edge_drift 1/64 from whole pixels alone.
RENDER: Mapping[str, Knots] = {
    "grid_residual": ((0.025, 10), (0.035, 8.5), (0.05, 6.5), (0.10, 4), (0.20, 2), (0.40, 0)),
    "edge_width": ((0.035, 10), (0.09, 8.5), (0.20, 6), (0.32, 4), (0.44, 2.5), (0.70, 1)),
    "edge_drift": ((0.018, 10), (0.022, 9), (0.035, 7), (0.057, 5), (0.10, 2.5), (0.25, 1)),
    "texture_noise": ((0.6, 10), (0.9, 8.5), (1.4, 7), (2.6, 5.5), (5.0, 4.5), (10.0, 3.5), (20.0, 1)),
    "render_noise": ((0.5, 10), (0.9, 8.5), (1.4, 7), (2.5, 5), (5.0, 2), (10.0, 0)),
}

# Native parts: ratio to the originals' 99.5 percentile -> score. Any render adds colors: the fall is slow.
OUTSIDE: Knots = ((1.0, 10), (2.0, 9.3), (3.0, 8), (5.0, 5), (8.0, 2), (16.0, 0))
# Native measures of which only too much is a fault: a plainer picture than any original is not worse for it.
ONE_SIDED = frozenset({"color_count", "off_palette", "orphan_cells"})
# Originals may use four colors, or have no orphan cell at all: the limits under which more is still unremarkable.
LEAST: Mapping[str, float] = {"color_count": 16.0, "off_palette": 0.01, "orphan_cells": 0.02}
# OKLab, as `Scale.novelty`: originals may share one face, and then a render of it differs by its noise alone.
LEAST_NOVELTY = (0.02, 0.03, 0.05, 0.06)


@dataclass(frozen=True, slots=True)
class Scale:
    """What the originals of one project say about the measures.

    `highest` holds the 99.5 percentile of each native measure; `novelty` the 5, 50, 95 and 99 percentiles of
    structure_novelty of originals left out of their own comparison, or None where there are too few to tell.
    """

    highest: Mapping[str, float]
    novelty: tuple[float, float, float, float] | None

    @classmethod
    def fit(cls, measures: Sequence[Mapping[str, float]]) -> Scale:
        """Learn the percentiles from the originals' measures (leave-one-out where they depend on the others)."""
        highest = {}
        for name in sorted(ONE_SIDED):
            values = [m[name] for m in measures if np.isfinite(m.get(name, np.nan))]
            if len(values) >= ENOUGH:
                highest[name] = float(np.percentile(values, UNREMARKABLE))
        values = [m["structure_novelty"] for m in measures if np.isfinite(m.get("structure_novelty", np.nan))]
        novelty = None
        if len(values) >= ENOUGH:
            q = np.maximum(np.percentile(values, (5, 50, 95, 99)), LEAST_NOVELTY).tolist()
            novelty = (q[0], q[1], q[2], q[3])
        return cls(highest, novelty)

    def parts(self, measures: Mapping[str, float]) -> dict[str, float]:
        """Every part that can be told from `measures`, 0-10."""
        measures = {name: value for name, value in measures.items() if np.isfinite(value)}
        parts = {name: interpolate(knots, measures[name]) for name, knots in RENDER.items() if name in measures}
        for name, high in self.highest.items():
            if name in measures:
                parts[name] = interpolate(OUTSIDE, measures[name] / max(high, LEAST[name]))
        if self.novelty is not None and "structure_novelty" in measures:
            low, middle, high, top = self.novelty
            knots = (
                (0.0, 10.0),
                (low, 8.6),
                (middle, 8.1),
                (high, 7.0),
                (top, 6.2),
                (1.3 * top, 5.0),
                (2.2 * top, 2.0),
            )
            parts["structure_novelty"] = interpolate(knots, measures["structure_novelty"])
        return {name: round(part, 2) for name, part in parts.items()}


def interpolate(knots: Knots, value: float) -> float:
    """Piecewise linear through `knots` (x ascending), constant outside."""
    xs, ys = zip(*knots, strict=True)
    return float(np.interp(value, xs, ys))


def total(parts: Mapping[str, float]) -> float:
    """10 less the 3-norm of what the parts lack, at least 0, to one hundredth."""
    lack = float(sum((10.0 - part) ** NORM for part in parts.values()) ** (1 / NORM))
    return round(max(0.0, 10.0 - lack), 2)


def faults(parts: Mapping[str, float]) -> tuple[str, ...]:
    """The render measures that say something went wrong in painting, the worst first."""
    found = [name for name in RENDER if parts.get(name, 10.0) < FAULTY]
    return tuple(sorted(found, key=lambda name: parts[name]))


def weakest(parts: Mapping[str, float]) -> tuple[str, float] | None:
    """The part that lacks most, of equal ones the first by name; None without parts."""
    return min(parts.items(), key=lambda item: (item[1], item[0])) if parts else None
