"""What experiments and comparisons say, as lines for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from graftset.cli.show_training import duration
from graftset.compare import DIRECTIONAL, as_json
from graftset.engine import available_cores
from graftset.errors import UserError
from graftset.phrases import counted
from graftset.scorecards import BY_NAME

if TYPE_CHECKING:
    from graftset.compare import Comparison, Difference
    from graftset.workflows.experimenting import Experimented, Planned


def whole_seconds(planned: Planned, jobs: int | None) -> float | None:
    """How long the runs that are left take side by side; None where nothing could be tried."""
    if planned.left == 0:
        return 0.0
    if planned.estimate is None:
        return None
    if math.isnan(planned.estimate.seconds):  # of a trainer of its own process nothing is tried beforehand
        return None
    return planned.estimate.seconds * math.ceil(planned.left / _side_by_side(planned, jobs))


def _side_by_side(planned: Planned, jobs: int | None) -> int:
    return min(jobs or available_cores(), planned.left)


def planned_json(planned: Planned, jobs: int | None) -> dict[str, Any]:
    """A planned experiment as JSON."""
    return {
        "experiment": asdict(planned.experiment),
        "is_new": planned.is_new,
        "runs": planned.runs,
        "finished": planned.finished,
        "would_build": list(planned.unbuilt),
        "seconds": whole_seconds(planned, jobs),
        "estimate": None if planned.estimate is None else asdict(planned.estimate),
        "notes": list(planned.notes),
    }


def planned_lines(planned: Planned, jobs: int | None) -> list[str]:
    """A planned experiment for people."""
    one = planned.experiment
    names = [f"{arm.name} ({arm.originals} + {arm.generated})" for arm in one.arms] + list(planned.unbuilt)
    asked = sum(one.prompts.values())
    lines = [
        f"experiment {one.name}: {', '.join(names)}; {counted(len(one.seeds), 'seed')}, "
        f"{counted(planned.runs, 'run')} of {counted(one.steps, 'step')}",
        f"{counted(one.checkpoints, 'checkpoint')}, each painting {counted(asked, 'prompt')} "
        f"({', '.join(f'{count} {kind}' for kind, count in one.prompts.items())})",
        "verdicts on " + ", ".join(endpoint.name for endpoint in one.primary),
        *(f"left out: {arm.name}: {arm.reason}" for arm in one.left_out),
        *(f"note: {note}" for note in planned.notes),
    ]
    seconds = whole_seconds(planned, jobs)
    if planned.unbuilt:
        lines.append(f"would be built: {', '.join(planned.unbuilt)}")
    if planned.left == 0:
        lines.append("every run is finished")
    elif seconds is None:
        first = "there is a build" if planned.estimate is None else "the first steps are done"
        lines.append(f"how long it takes can be said once {first}")
    else:
        what = "all of it" if not planned.finished else f"what is left ({counted(planned.left, 'run')})"
        lines.append(
            f"{what} takes about {duration(seconds)} here now, "
            f"{counted(_side_by_side(planned, jobs), 'run')} side by side; "
            "evaluation comes on top"
        )
    return lines


def done_json(done: Experimented, planned: Planned) -> dict[str, Any]:
    """What an experiment came to, as JSON."""
    return {
        "experiment": asdict(done.experiment),
        "comparisons": [comparison_json(one) for one in done.comparisons],
        "trained": list(done.trained),
        "unchanged": list(done.unchanged),
        "failed": [{"run": run, "reason": reason} for run, reason in done.failed],
        "refused": [{"arm": arm, "reason": reason} for arm, reason in done.refused],
        "notes": list(planned.notes),
    }


def done_lines(done: Experimented) -> list[str]:
    """What an experiment came to, for people."""
    return [
        f"experiment {done.experiment.name}: {counted(len(done.trained), 'run')} trained, "
        f"{len(done.unchanged)} finished before",
        *(line for one in done.comparisons for line in comparison_lines(one)),
        *(f"not compared: {arm}: {reason}" for arm, reason in done.refused),
    ]


def fault(done: Experimented) -> UserError | None:
    """Why an experiment is not complete; None where it is."""
    if done.failed:
        run, reason = done.failed[0]
        return UserError(
            f"{counted(len(done.failed), 'run')} did not finish: {reason}",
            field="run",
            value=run,
            remedy="Run the same command again to go on",
        )
    if done.refused:
        arm, reason = done.refused[0]
        return UserError(f"An arm cannot be compared: {reason}", field="arm", value=arm, remedy="See above")
    return None


def comparison_json(one: Comparison) -> dict[str, Any]:
    """A comparison as JSON."""
    return {**as_json(one), "directional": one.directional}


def comparison_lines(one: Comparison) -> list[str]:
    """A comparison for people: a line for each primary endpoint, then what else is worth a look."""
    return list(_lines(one))


def _lines(one: Comparison) -> Iterator[str]:
    marked = f", {DIRECTIONAL}" if one.directional else ""
    yield ""
    yield f"{one.arm.name} against {one.baseline.name}, {len(one.arm.seeds)} training seeds{marked}"
    yield from _table(one.primary, counts=True)
    for difference in one.primary:
        if difference.needed is not None:
            yield "  " + _settling(difference)
    yield "  beside (95 %, no verdict counts):"
    yield from _table(one.secondary, counts=False)
    for figure in (one.convergence, one.stability, one.variety):
        if figure.point is None:
            yield f"  {figure.name}: cannot be told" + (f"; {figure.note}" if figure.note else "")
        else:
            where = "" if figure.low is None else f" [{figure.low:+.4g}, {figure.high:+.4g}]"
            note = f"; {figure.note}" if figure.note else ""
            means = f"{figure.baseline:.4g} -> {figure.arm:.4g}"
            yield f"  {figure.name} ({figure.unit}): {means}, {figure.point:+.4g}{where}{note}"
    for note in one.notes:
        yield f"  note: {note}"


def _table(differences: Sequence[Difference], *, counts: bool) -> Iterator[str]:
    width = max((len(one.endpoint.name) for one in differences), default=0)
    for one in differences:
        said = f"{one.verdict}{' (' + DIRECTIONAL + ')' if one.directional else ''}" if counts else ""
        yield (
            f"  {one.endpoint.name:<{width}}  {one.baseline:6.3f} -> {one.arm:6.3f}  {one.point:+.3f} "
            f"[{one.low:+.3f}, {one.high:+.3f}]  {one.prompts:>3} prompts  {said}".rstrip()
        )


def _settling(one: Difference) -> str:
    needed = one.needed
    ways = []
    if needed is not None and needed.seeds is not None:
        ways.append(f"{counted(needed.seeds, 'seed')} with these prompts")
    if needed is not None and needed.prompts is not None:
        ways.append(f"{counted(needed.prompts, 'prompt')} with these seeds")
    what = " or ".join(ways) if ways else "no number of seeds under a hundred, at the difference seen,"
    found = f"{one.detectable:.3f}" if one.detectable <= BY_NAME[one.endpoint.measure].reach else "no difference"
    return f"{one.endpoint.name}: these seeds and prompts find {found} in 80 % of cases; {what} would settle it"
