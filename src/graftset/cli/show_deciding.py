"""What decide and suggest report, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from graftset.decide import as_json, written
from graftset.phrases import counted

if TYPE_CHECKING:
    from graftset.decide import Decision
    from graftset.suggest import Suggestion
    from graftset.suggest.records import Cost
    from graftset.workflows.deciding import Decided


def decision_json(done: Decided) -> dict[str, Any]:
    """A decision as JSON."""
    return {**as_json(done.decision), "is_new": done.is_new, "remarks": list(done.notes)}


def decision_lines(done: Decided) -> list[str]:
    """A decision for people: the sentence, the matrix, the metrics."""
    return list(_decision_lines(done.decision, is_new=done.is_new))


def _decision_lines(one: Decision, *, is_new: bool) -> Iterator[str]:
    yield one.sentence
    if one.directional:
        yield "directional only: fewer than 5 training seeds"
    yield ""
    for row in one.rows:
        shown = f"{row.scenario} ({row.arm})" if row.arm else row.scenario
        yield f"{'>' if row.scenario == one.scenario else ' '} {shown}: {row.verdict}"
        if row.risk is not None and row.reward is not None and row.arm != one.baseline and row.arm:
            yield f"    risk {written(row.risk)}, reward {written(row.reward)}"
        for missing in row.missing:
            yield f"    missing: {missing}"
    for arm in one.arms:
        yield ""
        yield f"{arm.arm}: {arm.verdict}" + ("" if arm.scenario else ", a control")
        for metric in arm.metrics:
            yield f"    {metric.name}: {metric.state}; {metric.why}"
    yield ""
    yield f"decision {one.number}, {'kept' if is_new else 'unchanged'}: decisions/{one.number}.json"


def suggestions_json(found: Sequence[Suggestion]) -> dict[str, Any]:
    """Suggestions as JSON."""
    return {"suggestions": [_suggestion_json(one) for one in found]}


def _suggestion_json(one: Suggestion) -> dict[str, Any]:
    move, effect, cost = one.move, one.effect, one.cost
    return {
        "rank": one.rank or None,
        "knob": one.knob,
        "move": move.key,
        "title": move.title,
        "standing": one.standing,
        "priority": one.priority,
        "hypothesis": move.hypothesis,
        "rationale": list(move.rationale),
        "effect": {
            "endpoint": effect.endpoint,
            "mean": effect.mean,
            "low": effect.low,
            "high": effect.high,
            "confidence": effect.confidence,
            "prior": {"mean": effect.prior.mean, "sd": effect.prior.sd, "source": effect.prior.source},
            "trials": effect.trials,
        },
        "cost": {
            "images": cost.images,
            "runs": cost.runs,
            "cpu_hours": cost.cpu_hours,
            "gpu_hours": cost.gpu_hours,
            "making_hours": cost.making_hours,
        },
        "success": move.success,
        "toml": move.toml,
        "command": move.command,
        "record": list(one.record),
    }


def suggestion_lines(found: Sequence[Suggestion], limit: int) -> list[str]:
    """Suggestions for people: the first ones in full, then what is settled."""
    lines: list[str] = []
    ranked = [one for one in found if one.rank]
    for one in ranked[:limit]:
        lines += _in_full(one)
    if len(ranked) > limit:
        lines.append(f"... and {len(ranked) - limit} more: --limit {len(ranked)} lists all")
    settled = [one for one in found if not one.rank]
    if settled:
        lines += ["", "settled by the record, not suggested again:"]
        lines += [f"  {one.move.title}: {one.standing}. {' '.join(one.record)}" for one in settled]
    return lines or ["Nothing to suggest: take pictures in first, `graftset ingest` and `graftset assess`."]


def _in_full(one: Suggestion) -> list[str]:
    move, effect = one.move, one.effect
    moved = f"moved by {effect.trials} recorded" if effect.trials else "nothing recorded yet"
    lines = [
        f"{one.rank}. {move.title} [{one.priority}]",
        f"   hypothesis: {move.hypothesis}",
        *(f"   because: {sentence}" for sentence in move.rationale),
        f"   expected: {100 * effect.mean:+.1f} points of {effect.endpoint} ({100 * max(effect.low, -1):+.1f} to "
        f"{100 * min(effect.high, 1):+.1f}), confidence {_confidence(effect.confidence)}; {moved}",
        f"   prior: {100 * effect.prior.mean:+.1f} points, sd {100 * effect.prior.sd:.1f}; {effect.prior.source}",
        *(f"   recorded: {sentence}" for sentence in one.record),
        f"   costs: {cost_in_words(one.cost)}",
        f"   success: {move.success}",
    ]
    lines += [f"   | {line}" for line in move.toml.splitlines()]
    return [*lines, f"   $ {move.command}", ""]


def _confidence(share: float) -> str:
    return "over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def cost_in_words(cost: Cost) -> str:
    """What a move costs: "12 images to make, 10 runs, 0.8 CPU hours"."""
    told = [f"{counted(cost.images, 'image')} to make"] if cost.images else []
    told += [counted(cost.runs, "run")] if cost.runs else []
    for hours, what in (
        (cost.making_hours, "hours of making"),
        (cost.cpu_hours, "CPU hours"),
        (cost.gpu_hours, "GPU hours"),
    ):
        if hours is not None:
            told.append(f"{hours:.1f} {what}")
    return ", ".join(told) or "nothing"
