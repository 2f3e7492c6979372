"""Sampling plans: how many of the admitted are looked at, and what may be said of all of them afterwards. Pure.

One more kind of plan is one function and one line in `PLANS`. Looking at whatever one likes is not a plan: such
verdicts are labels, and say nothing of those that were not looked at.

Source: `statistics.finite_pool` (fixed), `statistics.sequential` (sequential).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graftset.errors import UserError
from graftset.records import Drawn, ImageView, ReviewPlan
from graftset.statistics import further_right, least_right, pass_probability, sample_size, sequential_least_right
from graftset.statistics.finite_pool import needed_right

Label = Literal["right", "wrong", "mended", "skipped", "pending"]
State = Literal["running", "shown", "missed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a plan stands.

    Attributes:
        state: "shown": the target is; "missed": it is not and this plan cannot show it any more; else "running".
        reviewed: Images of the sample that count: right or wrong.
        wrong: Those rejected, and those whose caption a person had to mend since the draw.
        mended: The latter among them.
        skipped: Images of the sample that were skipped; at the end they count as wrong.
        left: How many more are to be reviewed; for a sequential plan if no further one is wrong.
        lower: Lower bound on the share right, 0-1; None where nothing may be said yet.
        sentence: All this for a person.
        notes: What else a person should know.
    """

    state: State
    reviewed: int
    wrong: int
    mended: int
    skipped: int
    left: int
    lower: float | None
    sentence: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanKind:
    """One kind of plan, with what a person is told before they choose it."""

    name: str
    title: str
    explanation: str
    size: Callable[[int, int, float, float], int]  # pool, allowed, target, confidence -> images drawn
    outcome: Callable[[ReviewPlan, Sequence[Label]], Outcome]
    allows_errors: bool


def draw(
    pool: Sequence[ImageView],
    kind: str,
    *,
    allowed: int,
    target: float,
    confidence: float,
    seed: int,
    by: str,
    definition: str,
) -> ReviewPlan:
    """Fix a plan: how many, how many errors, and which images in which order.

    Args:
        pool: The admitted set; its order does not matter.
        kind: A name in `PLANS`.
        allowed: Errors a fixed plan may find; a sequential plan has none.
        target: Share right that is to be shown, 0-1.
        confidence: One-sided, 0-1.
        seed: The same seed and pool, the same draw.
        by: Who asks for it.
        definition: What the pool is, for a person.

    Raises:
        UserError: No such plan, an empty pool, or one so small that even looking at all would not do.
    """
    if kind not in PLANS:
        raise UserError("There is no such plan", field="--plan", value=kind, remedy=f"Use {' or '.join(PLANS)}.")
    if not pool:
        raise UserError(
            "Nothing is admitted, so there is nothing to sample",
            field="plan",
            remedy="Run `graftset select` first, or browse freely.",
        )
    if not (0 < target < 1 and 0.5 <= confidence < 1):
        raise UserError(
            "A target lies between 0 and 1, a confidence between 0.5 and 1",
            field="--target",
            value=f"{target}, {confidence}",
            remedy="Give 0.90 and 0.95, or near them.",
        )
    n = PLANS[kind].size(len(pool), allowed, target, confidence)
    ordered = sorted(pool, key=lambda view: (view.sha256, view.path))
    order = np.random.default_rng([seed, len(ordered)]).permutation(len(ordered))[:n]
    return ReviewPlan(
        kind=kind,
        n=n,
        allowed=allowed if PLANS[kind].allows_errors else None,
        target=target,
        confidence=confidence,
        seed=seed,
        pool=len(pool),
        pool_definition=definition,
        drawn=tuple(Drawn(v.path, v.sha256, v.training_caption) for v in (ordered[i] for i in order)),
        by=by,
        members=tuple(view.sha256 for view in ordered),
    )


def allowed_of(pool: int, wish: int, target: float) -> int:
    """As many errors as wished for, or as many as a pool of this size may hold at all."""
    return max(0, min(wish, pool - needed_right(pool, target)))


def outcome(plan: ReviewPlan, labels: Sequence[Label]) -> Outcome:
    """Where a plan stands; `labels` are those of its sample, in the order drawn."""
    return PLANS[plan.kind].outcome(plan, labels)


def _fixed_size(pool: int, allowed: int, target: float, confidence: float) -> int:
    n = sample_size(pool, allowed, target, confidence)
    if n is None:
        most = pool - needed_right(pool, target)
        raise UserError(
            f"With {allowed} wrong, {percent(target)} of {pool} are not right, however many are reviewed",
            field="--allowed",
            value=allowed,
            remedy=f"Allow at most {most}." if most >= 0 else "Lower the target.",
        )
    return n


def _fixed(plan: ReviewPlan, labels: Sequence[Label]) -> Outcome:
    """A plan of fixed size says nothing before its sample is complete, but that it cannot succeed any more."""
    count = Counter(labels)
    wrong, mended, skipped = count["wrong"] + count["mended"], count["mended"], count["skipped"]
    reviewed, allowed = count["right"] + wrong, plan.allowed or 0
    left = count["pending"] + skipped
    told = _counted(plan, reviewed, wrong, mended, of=plan.pool if count["pending"] == 0 else plan.n)
    if count["pending"] == 0:
        lower = least_right(plan.pool, plan.n, wrong + skipped, plan.confidence) / plan.pool
        shown = lower >= needed_right(plan.pool, plan.target) / plan.pool
        sentence = f"{told}{_skips(skipped)}: {_bound(lower, plan)}"
        if not shown:
            sentence += f", less than the {percent(plan.target)} asked for"
        return Outcome("shown" if shown else "missed", reviewed, wrong, mended, skipped, left, lower, sentence)
    if wrong > allowed:
        sentence = (
            f"{told} where {allowed} are allowed: this plan cannot show {percent(plan.target)} any more. "
            "Correct what is wrong, select again and draw a new plan; or finish it for the bound it gives"
        )
        return Outcome("missed", reviewed, wrong, mended, skipped, left, None, sentence)
    sentence = f"{told} so far, {allowed} allowed: {left} to go, and nothing can be said before"
    return Outcome("running", reviewed, wrong, mended, skipped, left, None, sentence)


def _sequential(plan: ReviewPlan, labels: Sequence[Label]) -> Outcome:
    """A sequential plan may be watched: its bound holds at every length of the sample, in the order drawn.

    What was reviewed beyond a gap waits for the gap. A skipped image counts as wrong at its place, which can only
    lower the bound.
    """
    reached = next((i for i, label in enumerate(labels) if label == "pending"), len(labels))
    seen = labels[:reached]
    count = Counter(seen)
    wrong, mended, skipped = count["wrong"] + count["mended"], count["mended"], count["skipped"]
    reviewed = count["right"] + wrong
    right = [label == "right" for label in seen]
    least = sequential_least_right(plan.pool, right, plan.target, plan.confidence)
    needed = needed_right(plan.pool, plan.target)
    told = _counted(plan, reviewed, wrong, mended, of=plan.pool) + _skips(skipped)
    lower = least / plan.pool
    beyond = sum(label != "pending" for label in labels[reached:])
    notes = (f"{beyond} were reviewed out of order and count once those before them are reviewed",) if beyond else ()
    if least >= needed:
        return Outcome("shown", reviewed, wrong, mended, skipped, 0, lower, f"{told}: {_bound(lower, plan)}", notes)
    if wrong > plan.pool - needed:
        sentence = f"{told}: fewer than {percent(plan.target)} are right"
        return Outcome("missed", reviewed, wrong, mended, skipped, 0, lower, sentence, notes)
    if reached == plan.pool:  # only skips keep it from being known
        sentence = f"{told}: {_bound(lower, plan)}, less than the {percent(plan.target)} asked for"
        return Outcome("missed", reviewed, wrong, mended, skipped, skipped, lower, sentence, notes)
    left = further_right(plan.pool, reached, count["right"], plan.target, plan.confidence) or 0
    so_far = f": {_bound(lower, plan)} so far; {left} more" if seen else f"; {left}"
    sentence = f"{told}{so_far} without an error would show {percent(plan.target)}"
    return Outcome("running", reviewed, wrong, mended, skipped, left, lower, sentence, notes)


def _counted(plan: ReviewPlan, reviewed: int, wrong: int, mended: int, of: int) -> str:
    told = f"{reviewed} of {of} reviewed, {wrong} wrong"
    return told + (f" ({mended} of them mended since)" if mended else "")


def _skips(skipped: int) -> str:
    return f", {skipped} skipped and counted as wrong" if skipped else ""


def _bound(lower: float, plan: ReviewPlan) -> str:
    return f"at least {percent(lower)} are right ({percent(plan.confidence)} confidence)"


def percent(share: float) -> str:
    """A share as whole percent, never rounded up: 0.9014 -> "90 %"."""
    return f"{math.floor(100 * share + 1e-9)} %"


def advice(plan: ReviewPlan) -> tuple[str, ...]:
    """What a person should know of a plan before they begin."""
    if plan.kind != "fixed":
        return ()
    good = max(0.95, (1 + plan.target) / 2)
    passes = pass_probability(plan.pool, plan.n, plan.allowed or 0, good)
    n = sample_size(plan.pool, 2, plan.target, plan.confidence)
    if plan.allowed or n is None:
        return (f"a set with {percent(good)} right passes this plan with a probability of {percent(passes)}",)
    better = percent(pass_probability(plan.pool, n, 2, good))
    return (
        f"a plan that allows no error fails a set with {percent(good)} right in {percent(1 - passes)} of cases; "
        f"{n} reviewed with 2 allowed passes it in {better}, and a sequential plan passes it sooner or later",
    )


PLANS: Mapping[str, PlanKind] = {
    plan.name: plan
    for plan in (
        PlanKind(
            "fixed",
            "A fixed number",
            "The number to review and the errors allowed are fixed now. Nothing is said before all are reviewed.",
            _fixed_size,
            _fixed,
            allows_errors=True,
        ),
        PlanKind(
            "sequential",
            "Until it is shown",
            "Review in the order drawn and stop whenever the bound is high enough; it may be watched at any time.",
            lambda pool, allowed, target, confidence: pool,
            _sequential,
            allows_errors=False,
        ),
    )
}
