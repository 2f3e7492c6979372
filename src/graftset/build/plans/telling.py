"""A plan as text, to be read before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from graftset.build.plans.value import Match, MixingPlan, Stage, Subset

_POINTS = ("checkpoint", "step", "seen", "exposures of originals")
_HEADINGS = ("stage", "images", "repeats", "loss", "epochs", "entries", "steps", "seen", "each shown", "real mass")


def describe(plan: MixingPlan, matches: Sequence[Match] = ()) -> str:
    """The plan as a table, with what it adds up to, its checkpoints, and where original accuracy is compared.

    Args:
        plan: The plan.
        matches: Its checkpoints beside the baseline's; none for the baseline itself.
    """
    lines = [f"plan {plan.name}: {plan.summary}"]
    lines += [f"  {line}" for line in table(_HEADINGS, [row for stage in plan.stages for row in _rows(stage)], text=2)]
    seen = f"each original {_times(plan.exposures('original'))}"
    if plan.images("generated"):
        seen += f", each generated image {_times(plan.exposures('generated'))}"
    lines.append(
        f"in all: {_counted(plan.epochs, 'epoch')}, {_counted(plan.steps, 'step')}, {plan.images_seen} images seen; "
        f"{seen}; real mass {plan.real_mass:.3f}"
    )
    beside = {match.checkpoint.number: match.baseline for match in matches}
    rows = [
        (
            str(point.number),
            str(point.step),
            str(point.images_seen),
            _number(point.exposures),
            *([f"{beside[point.number].number} ({_number(beside[point.number].exposures)})"] if matches else []),
        )
        for point in plan.checkpoints()
    ]
    headings = (*_POINTS, *(["baseline's nearest checkpoint (its exposures)"] if matches else []))
    lines += [f"  {line}" for line in table(headings, rows, text=0)]
    lines += [f"note: {note}" for note in plan.notes]
    if plan.override:
        lines.append(f"note: fewer than half of what is shown are originals, accepted because: {plan.override}")
    return "\n".join(lines)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, text: int = 1) -> list[str]:
    """Columns as wide as their widest cell: the first `text` ones to the left, numbers to the right."""
    every = [headings, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    return [
        "  ".join(
            cell.ljust(width) if column < text else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in every
    ]


def _rows(stage: Stage) -> list[tuple[str, ...]]:
    """A row for each subset; what belongs to the whole stage stands in the first one."""
    whole = (
        _number(stage.passes),
        str(stage.entries),
        str(stage.steps),
        str(stage.images_seen),
    )
    return [
        (
            "" if number else stage.name,
            f"{subset.images} {subset.origin}" + (f" ({subset.group})" if subset.group else ""),
            _repeats(subset),
            f"{subset.loss_weight:g}",
            *(("", "", "", "") if number else whole),
            _times(stage.passes * subset.entries / subset.images),
            "" if number else f"{stage.real_mass:.3f}",
        )
        for number, subset in enumerate(stage.subsets)
    ]


def _repeats(subset: Subset) -> str:
    if subset.uneven is None:
        return str(subset.repeats)
    uneven, rest = subset.uneven, subset.images - subset.uneven.first
    return f"{uneven.first} x {uneven.more} + {rest} x {uneven.rest}"


def _times(exposures: float) -> str:
    return "1 time" if exposures == 1 else f"{_number(exposures)} times"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
