"""The decision matrix: comparisons, a review bound and thresholds in, one verdict a scenario out. Pure.

Source: measurement.md, section 8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graftset.compare.records import LEAST_SEEDS, Comparison, Difference
from graftset.decide.records import (
    ALL,
    FIRST,
    NOT_YET,
    SCENARIOS,
    SUBSET,
    ArmSuccess,
    BaselineState,
    Decision,
    Metric,
    Override,
    Quantity,
    Row,
    Thresholds,
    Word,
)
from graftset.decide.success import quantity, success
from graftset.errors import UserError
from graftset.phrases import counted

CONTROLS = (
    "as-asked",
    "random",
    "mislabeled",
    "relabeled",
)  # plans that test captions and gates; nobody would adopt them
NEARLY = 0.95  # of the admitted: a few that came without a prompt, say, make no subset
FAVOR: Mapping[Word, int] = {"adopt": 3, "try next": 2, "undecided": 1, "reject": 0}


def decide(
    comparisons: Sequence[Comparison],
    *,
    thresholds: Thresholds,
    baseline: BaselineState = "finished",
    admitted: int | None = None,
    reviewed: Mapping[str, float | None] | None = None,
    inputs: Mapping[str, str] | None = None,
    at: str = "",
    version: str = "",
) -> Decision:
    """Fill the matrix.

    Args:
        comparisons: Of every arm against one baseline.
        thresholds: What they are held against.
        baseline: Whether the baseline's runs are there and finished; comparisons of an unfinished one are not used.
        admitted: Images that the selection admits now: an arm with as many is "use all". None takes the most that an
            arm has.
        reviewed: Arm -> one-sided lower bound on the share of right images in its build as reviewed up to now; other
            arms are left to what their build says.
        inputs: Name -> SHA-256 of the files the comparisons were read from.
        at: ISO 8601 UTC.
        version: Of graftset.

    Raises:
        UserError: The comparisons are against several baselines.
    """
    names = {one.baseline.build_sha256: one.baseline.name for one in comparisons}
    if len(names) > 1:
        raise UserError(
            "These comparisons are against different baselines",
            field="experiment",
            value=", ".join(names.values()),
            remedy="Decide on the comparisons of one experiment",
        )
    state: BaselineState = baseline if comparisons or baseline == "unfinished" else "absent"
    usable = list(comparisons) if state == "finished" else []
    largest = max((one.arm.generated for one in usable if one.arm.plan not in CONTROLS), default=0)
    bounds = {one.arm.name: one.arm.reviewed for one in usable} | dict(reviewed or {})
    arms = [_judge(one, thresholds, admitted or largest, bounds[one.arm.name]) for one in usable]
    by_arm = dict(zip((one.arm for one in arms), usable, strict=True))
    rows = [_row(scenario, arms, by_arm, state) for scenario in (ALL, SUBSET, FIRST)]
    rows.append(_not_yet(rows, usable, state))
    chosen = next((row for row in _by_favor(rows[:-1]) if row.verdict == "adopt"), rows[-1])
    hashes = dict(inputs or {})
    for one in comparisons:
        hashes.update(one.inputs)
    return Decision(
        number=0,
        at=at,
        experiments=tuple(dict.fromkeys(one.experiment for one in comparisons if one.experiment)),
        baseline=next(iter(names.values()), None),
        baseline_state=state,
        scenario=chosen.scenario,
        verdict=chosen.verdict,
        sentence=_sentence(chosen, rows, state),
        rows=tuple(rows),
        arms=tuple(arms),
        directional=any(arm.directional for arm in arms),
        thresholds=thresholds,
        inputs=hashes,
        notes=tuple(dict.fromkeys(note for one in comparisons for note in one.notes)),
        graftset=version,
    )


def overridden(decision: Decision, verdict: Word, *, reason: str, by: str, scenario: str | None = None) -> Decision:
    """The same decision with a person's word on one row, by default the leading one.

    Raises:
        UserError: No reason or name; no such scenario; "adopt" of something never compared with a finished baseline.
    """
    if not reason.strip():
        raise UserError(
            "An override needs a reason", field="--reason", remedy="Say why in a sentence: it is kept with the decision"
        )
    if not by.strip():
        raise UserError(
            "An override needs a name", field="--by", remedy="Say who decides: it is kept with the decision"
        )
    row = leading(decision) if scenario is None else next((r for r in decision.rows if r.scenario == scenario), None)
    if row is None:
        raise UserError(
            "There is no such scenario",
            field="--scenario",
            value=scenario,
            remedy=f"Use one of: {', '.join(SCENARIOS)}",
        )
    if verdict == "adopt" and row.scenario != NOT_YET and decision.baseline_state != "finished":
        raise UserError(
            f"Nothing can be adopted while the baseline is {decision.baseline_state}",
            field="--override",
            value=verdict,
            remedy="Train the originals alone first: `graftset experiment`",
        )
    said = Override(row.scenario, row.verdict, verdict, reason.strip(), by.strip())
    held = row.scenario if verdict == "adopt" else NOT_YET if row.scenario == decision.scenario else decision.scenario
    word: Word = verdict if held == row.scenario else decision.row(held).verdict
    if held == NOT_YET and row.scenario != NOT_YET:
        word = "adopt"  # what was to be adopted is not: the originals alone stay
    return replace(
        decision,
        scenario=held,
        verdict=word,
        override=said,
        by=said.by,
        sentence=f"{said.by} decided “{verdict}” for “{row.scenario}”, where the rules say “{row.verdict}”: "
        f"{said.reason}",
    )


def leading(decision: Decision) -> Row:
    """The row that most speaks for: the adopted one, else the best of those that were measured, else the last."""
    measured = [row for row in decision.rows if row.arm is not None and row.scenario != NOT_YET]
    return next(iter(_by_favor(measured)), decision.rows[-1])


def scenario_of(comparison: Comparison, admitted: int) -> str | None:
    """Which scenario an arm stands for; None for controls."""
    arm = comparison.arm
    if arm.plan in CONTROLS or arm.generated == 0:
        return None
    if arm.plan == "sequential":
        return FIRST
    return ALL if arm.generated >= NEARLY * admitted else SUBSET


def _judge(comparison: Comparison, wanted: Thresholds, admitted: int, bound: float | None) -> ArmSuccess:
    metrics = success(comparison, wanted)
    harms = tuple(_harm(one) for one in comparison.primary if _hurts(one))
    enough = {"held"} if wanted.certainty == "bound" else {"held", "likely"}
    short = [m for m in metrics if m.state not in enough]
    missing = [f"harm: {harm}" for harm in harms]
    if comparison.directional:
        seeds = len(comparison.arm.seeds)
        missing.append(f"seeds: {seeds} of the {LEAST_SEEDS} that a verdict needs; directional only")
    if bound is None or bound < wanted.review_bound:
        told = "nobody reviewed the admitted" if bound is None else f"the review shows {bound:.1%}"
        missing.append(f"review: {told}, {wanted.review_bound:.0%} is needed")
    missing += [_lack(metric) for metric in short]
    failed = bool(harms) or any(metric.state == "failed" for metric in metrics)
    promising = all(metric.state == "held" for metric in metrics) or _helped(comparison)
    verdict: Word = "undecided"
    if not missing:
        verdict = "adopt"
    elif failed:
        verdict = "undecided" if comparison.directional else "reject"
    elif promising:
        verdict = "try next"
    return ArmSuccess(
        arm=comparison.arm.name,
        scenario=scenario_of(comparison, admitted),
        directional=comparison.directional,
        reviewed=bound,
        metrics=metrics,
        harms=harms,
        verdict=verdict,
        missing=tuple(missing),
    )


def _hurts(found: Difference) -> bool:
    """Whether a primary endpoint is worse by more than its margin can excuse."""
    return found.verdict == "HURT" and found.low <= -found.endpoint.margin


def _helped(comparison: Comparison) -> bool:
    return any(one.verdict == "HELPED" for one in comparison.primary)


def _harm(found: Difference) -> str:
    return f"{found.endpoint.name} is HURT, {written(quantity(found))}"


def _lack(metric: Metric) -> str:
    return f"{metric.name}: {metric.why}" if metric.state != "open" else f"{metric.name}: cannot be told, {metric.why}"


def _row(scenario: str, arms: Sequence[ArmSuccess], comparisons: Mapping[str, Comparison], state: BaselineState) -> Row:
    if state != "finished":
        return Row(
            scenario, None, None, None, (), "undecided", (f"a baseline: the runs on the originals alone are {state}",)
        )
    own = [arm for arm in arms if arm.scenario == scenario]
    if not own:
        return Row(scenario, None, None, None, ("no arm of this kind was trained",), "undecided", (_how(scenario),))
    best = max(own, key=lambda arm: (FAVOR[arm.verdict], _reward_point(comparisons[arm.arm])))
    comparison = comparisons[best.arm]
    risk, reward = comparison.difference("original accuracy"), comparison.difference("variation accuracy")
    evidence = [_told(one) for one in comparison.primary]
    evidence += [
        f"{m.name} {m.state}: {m.why}" for m in best.metrics if m.name in ("convergence", "variety", "stability")
    ]
    others = [f"{arm.arm} ({arm.verdict})" for arm in own if arm is not best]
    if others:
        evidence.append(f"also trained for this: {', '.join(others)}; the best one stands for it")
    return Row(
        scenario,
        best.arm,
        None if risk is None else quantity(risk),
        None if reward is None else quantity(reward),
        tuple(evidence),
        best.verdict,
        best.missing,
    )


def _not_yet(rows: Sequence[Row], comparisons: Sequence[Comparison], state: BaselineState) -> Row:
    """The row that wins where the baseline is missing, and where nothing else has shown itself."""
    risk = Quantity("original accuracy", "share", 0.0, None, None)
    reward = Quantity("variation accuracy", "share", 0.0, None, None)
    if state != "finished":
        return Row(NOT_YET, None, risk, reward, (f"the runs on the originals alone are {state}",), "adopt", ())
    baseline = comparisons[0].baseline
    figures = baseline.figures
    told = []
    if (accuracy := figures.get("original_accuracy/training")) is not None:
        told.append(f"the originals alone reach {accuracy:.1%} original accuracy")
    if (obeyed := figures.get("background_obeyed/candidate")) is not None:
        told.append(f"{obeyed:.1%} of the candidates' backgrounds obeyed")
    evidence = (", ".join(told),) if told else ()
    adopted = [row.scenario for row in rows if row.verdict == "adopt"]
    if adopted:
        return Row(NOT_YET, baseline.name, risk, reward, (*evidence, f"{adopted[0]} has shown itself"), "reject", ())
    return Row(NOT_YET, baseline.name, risk, reward, (*evidence, "nothing else has shown itself yet"), "adopt", ())


def _how(scenario: str) -> str:
    ways = {
        ALL: "an arm with every admitted image, for example the plan weighted",
        SUBSET: "an arm with the best of them: graftset build --plan equal --count N --name best",
        FIRST: "an arm of the plan sequential",
    }
    return f"an experiment with {ways[scenario]}"


def _by_favor(rows: Sequence[Row]) -> list[Row]:
    def reward(row: Row) -> float:
        return row.reward.point if row.reward is not None and row.reward.point is not None else 0.0

    return sorted(rows, key=lambda row: (-FAVOR[row.verdict], -reward(row)))


def _reward_point(comparison: Comparison) -> float:
    found = comparison.difference("variation accuracy")
    return 0.0 if found is None else found.point


def _told(found: Difference) -> str:
    mark = f", {'directional only' if found.directional else counted(found.seeds, 'seed')}"
    return (
        f"{found.endpoint.name} {found.verdict}: {written(quantity(found))}{mark}, {counted(found.prompts, 'prompt')}"
    )


def written(found: Quantity) -> str:
    """A change with its interval: "+12.0 points (3.1 to 20.9)"."""
    if found.point is None:
        return "not told"
    factor, unit, digits, limit = (100.0, " points", 1, 1.0) if found.unit == "share" else (1.0, "", 2, float("inf"))
    text = f"{factor * found.point:+.{digits}f}{unit}"
    if found.low is None or found.high is None:
        return text
    low, high = max(found.low, -limit), min(found.high, limit)  # a share changes by 100 points at most
    return f"{text} ({factor * low:+.{digits}f} to {factor * high:+.{digits}f})"


def _sentence(chosen: Row, rows: Sequence[Row], state: BaselineState) -> str:
    """The decision for somebody who reads nothing else."""
    if state != "finished":
        why = (
            "nobody trained on the originals alone"
            if state == "absent"
            else "training on the originals alone is not finished"
        )
        return f"Do not use the generated images yet: {why}, so there is nothing to compare with."
    if chosen.scenario != NOT_YET:
        return f"Adopt “{chosen.scenario}”: every success metric holds and the images were reviewed."
    words = {row.scenario: row.verdict for row in rows}
    tried = [name for name, word in words.items() if word == "try next"]
    rejected = [name for name, word in words.items() if word == "reject"]
    if tried:
        return f"Do not use them yet. Most promising is “{tried[0]}”; what it lacks: {_first(rows, tried[0])}."
    if rejected and len(rejected) == len([r for r in rows[:-1] if r.arm is not None]):
        return "Do not use them: every way that was tried does harm."
    open_rows = [row for row in rows[:-1] if row.arm is not None]
    if open_rows:
        return f"Do not use them yet: it is undecided. What is missing: {_first(rows, open_rows[0].scenario)}."
    return "Do not use them yet: no arm was compared with the originals alone."


def _first(rows: Sequence[Row], scenario: str) -> str:
    missing = next(row.missing for row in rows if row.scenario == scenario)
    return missing[0] if len(missing) == 1 else f"{missing[0]}, and {len(missing) - 1} more"
