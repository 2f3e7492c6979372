"""Whether an arm was a success: the five metrics of measurement.md, section 7, each with figure, bound and state."""

from __future__ import annotations

from graftset.compare.records import Comparison, Difference, SeedDifference
from graftset.decide.records import Metric, Quantity, State, Thresholds

QUALITY, CONVERGENCE, VARIETY, STABILITY, ORIGINALS = (
    "quality", "convergence", "variety", "stability", "original accuracy",
)  # fmt: skip
METRICS = (QUALITY, CONVERGENCE, VARIETY, STABILITY, ORIGINALS)


def success(comparison: Comparison, wanted: Thresholds) -> tuple[Metric, ...]:
    """The five metrics of one arm against the baseline, in the order of `METRICS`."""
    return (
        _quality(comparison.difference("quality"), wanted),
        _no_more(
            CONVERGENCE,
            comparison.convergence,
            slack=wanted.convergence_slack * (comparison.convergence.baseline or 0.0),
            wanted=f"no later than the baseline, give or take {wanted.convergence_slack:.0%} of its images",
        ),
        _variety(comparison.variety),
        _no_more(
            STABILITY,
            comparison.stability,
            slack=wanted.stability_slack,
            wanted=f"no more swing than the baseline, give or take {wanted.stability_slack:g} times the noise",
        ),
        _originals(comparison.difference("original accuracy"), wanted),
    )


def _quality(found: Difference | None, wanted: Thresholds) -> Metric:
    asked = f"{wanted.quality:g} or more"
    if found is None:
        return _open(QUALITY, "0-10", asked, "quality was not compared")
    # Interval and baseline are of the same prompts, so the baseline's mean plus the lower end is a bound given it.
    bound, highest = found.baseline + found.low, found.baseline + found.high
    # What the originals alone do not reach either is the training's fault, not the generated images'.
    alone = found.baseline >= wanted.quality
    state = _state(bound >= wanted.quality, found.arm >= wanted.quality, alone and highest < wanted.quality)
    why = f"{found.arm:.2f}, at least {bound:.2f} against the baseline's {found.baseline:.2f}{_neither(alone)}"
    return Metric(QUALITY, found.arm, found.baseline, quantity(found), bound, asked, state, why)


def _originals(found: Difference | None, wanted: Thresholds) -> Metric:
    asked = f"{wanted.original_accuracy:.0%} or more, and non-inferior at equal exposures"
    if found is None:
        return _open(ORIGINALS, "share", asked, "original accuracy was not compared")
    margin, reaches = found.endpoint.margin, found.arm >= wanted.original_accuracy
    alone = found.baseline >= wanted.original_accuracy
    state = _state(
        reaches and found.low > -margin,
        reaches and found.point > -margin,
        found.high < -margin or (alone and found.baseline + found.high < wanted.original_accuracy),
    )
    short = "" if reaches else f", under the {wanted.original_accuracy:.0%} wanted{_neither(alone)}"
    why = (
        f"{found.arm:.1%}{short}; {_signed(found.point, 'share')} against the baseline, "
        f"{'never' if found.low > -margin else 'maybe'} more than {100 * margin:g} points down"
    )
    return Metric(ORIGINALS, found.arm, found.baseline, quantity(found), found.low, asked, state, why)


def _no_more(name: str, found: SeedDifference, *, slack: float, wanted: str) -> Metric:
    """A figure of which less is better, and a little more is let through."""
    if found.point is None:
        return _open(name, found.unit, wanted, found.note or "too few runs tell it", found)
    state = _state(
        found.high is not None and found.high <= slack,
        found.point <= slack,
        found.low is not None and found.low > slack,
    )
    why = f"{_signed(found.point, found.unit)} {found.unit} against the baseline"
    return Metric(name, found.arm, found.baseline, _of_seeds(found), found.high, wanted, state, why)


def _variety(found: SeedDifference) -> Metric:
    asked = "more than the baseline"
    if found.point is None:
        return _open(VARIETY, found.unit, asked, found.note or "too few runs tell it", found)
    state = _state(found.low is not None and found.low > 0, found.point > 0, found.high is not None and found.high <= 0)
    why = f"{_signed(found.point, found.unit)} {found.unit} against the baseline"
    return Metric(VARIETY, found.arm, found.baseline, _of_seeds(found), found.low, asked, state, why)


def _neither(alone: bool) -> str:
    return "" if alone else " (the originals alone do not reach it either: train longer)"


def _state(certain: bool, likely: bool, failed: bool) -> State:
    return "held" if certain else "failed" if failed else "likely" if likely else "missed"


def _open(name: str, unit: str, wanted: str, why: str, found: SeedDifference | None = None) -> Metric:
    arm, baseline = (None, None) if found is None else (found.arm, found.baseline)
    return Metric(name, arm, baseline, Quantity(name, unit, None, None, None), None, wanted, "open", why)


def quantity(found: Difference) -> Quantity:
    """A difference as a figure with its interval."""
    unit = "0-10" if found.endpoint.measure == "quality_preservation" else "share"
    return Quantity(found.endpoint.name, unit, found.point, found.low, found.high, found.level)


def _of_seeds(found: SeedDifference) -> Quantity:
    return Quantity(found.name, found.unit, found.point, found.low, found.high, 0.95)


def _signed(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:+.1f} points"
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.2f}"
