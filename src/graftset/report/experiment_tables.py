"""Every difference as a row of a table, for the statistician."""

from __future__ import annotations

from collections.abc import Sequence

from graftset.compare.records import Comparison, Difference, SeedDifference
from graftset.report.experiment_forest import signed, signed_interval
from graftset.report.experiment_page import TableView
from graftset.scorecards import BY_NAME


def statistics_tables(comparisons: Sequence[Comparison]) -> tuple[TableView, ...]:
    """Primary endpoints, secondary ones, what each run has one of, and traits; empty tables are left out."""
    primary = tuple(_difference_row(c, one) for c in comparisons for one in c.primary)
    secondary = tuple(_difference_row(c, one) for c in comparisons for one in c.secondary)
    by_run = tuple(_seed_row(c, one) for c in comparisons for one in (c.convergence, c.stability, c.variety))
    traits = tuple(
        (c.arm.name, one.trait.replace(":", " "), f"{one.prompts}", f"{100 * one.baseline:.0f} %",
         f"{100 * one.arm:.0f} %", _trait_change(one.point, one.low, one.high))
        for c in comparisons for one in c.traits
    )  # fmt: skip
    heads = ("Arm", "Endpoint", "Baseline", "Arm's", "Difference", "Level", "p", "Verdict", "Seeds", "Prompts",
             "Seed SD", "Can see", "Method")  # fmt: skip
    tables = (
        TableView("Primary endpoints", "The verdicts that count. “Can see” is what is found in 80 % of cases.",
                  heads, primary),
        TableView("Otherwise aligned, and further groups", "Exploratory, at 95 %: no verdict counts.",
                  heads, secondary),
        TableView("What each run has one of", "Over seeds, at 95 %.",
                  ("Arm", "Figure", "Baseline", "Arm's", "Difference", "Seeds", "Told"), by_run),
        TableView("Trait by trait", "Requested traits that were seen. Exploratory: of many, some differ by chance.",
                  ("Arm", "Trait", "Prompts", "Baseline", "Arm's", "Difference"), traits),
    )  # fmt: skip
    return tuple(table for table in tables if table.rows)


def _difference_row(comparison: Comparison, one: Difference) -> tuple[str, ...]:
    measure = one.endpoint.measure
    return (
        comparison.arm.name,
        one.endpoint.name,
        value(one.baseline, measure),
        value(one.arm, measure),
        signed_interval(one),
        f"{100 * one.level:.3g} %",
        f"{one.p:.3f}",
        one.verdict,
        f"{one.seeds}",
        f"{one.prompts}",
        signed(one.seed_sd, measure).lstrip("+"),
        signed(one.detectable, measure).lstrip("+") if one.detectable <= BY_NAME[measure].reach else "none",
        one.method,
    )


def _seed_row(comparison: Comparison, one: SeedDifference) -> tuple[str, ...]:
    def number(value: float | None, sign: str = "") -> str:
        if value is None:
            return "not told"
        return f"{value:{sign},.0f}" if abs(value) >= 100 else f"{value:{sign}.2f}"

    change = number(one.point, "+")
    if one.low is not None and one.high is not None:
        change += f" ({number(one.low, '+')} to {number(one.high, '+')})"
    state = one.note or (
        "worse" if one.worse else "not shown to be worse" if one.worse is not None else "cannot be told"
    )
    name = f"{one.name}, {one.unit}"
    return (comparison.arm.name, name, number(one.baseline), number(one.arm), change, f"{one.seeds}", one.note or state)


def _trait_change(point: float, low: float | None, high: float | None) -> str:
    text = f"{100 * point:+.0f} points"
    if low is None or high is None:
        return text
    return f"{text} ({100 * max(low, -1.0):+.0f} to {100 * min(high, 1.0):+.0f})"


def value(found: float, measure: str) -> str:
    """A figure as its measure is written."""
    return f"{100 * found:.0f} %" if BY_NAME[measure].high == 1 else f"{found:.2f}"
