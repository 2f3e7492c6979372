"""Simulated reviews: how often each plan ends in ">= 90 %", for pools just under it and for good ones.

Usage: python benchmarks/review_simulation.py [REVIEWS]

Every review draws a pool's order by its own seed and is played out by the code that speaks to the reviewer
(`review.plans.outcome`): a fixed plan to its end, a sequential one until it says that the target is shown. The last
row is what must not be done: a fixed bound that is looked at after every picture. The exact columns follow every
number of right ones found, without simulation.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from graftset.records import Drawn, ReviewPlan
from graftset.review.plans import Label, outcome
from graftset.statistics import pass_probability, sample_size, sequential_pass_probability
from graftset.statistics.finite_pool import at_most_wrong, needed_right

POOLS = (50, 113, 203, 1000)
ERRORS = (0, 1, 2, 3)


def plan_of(pool: int, kind: str, allowed: int | None) -> ReviewPlan:
    n = pool if allowed is None else sample_size(pool, allowed)
    assert n is not None
    drawn = tuple(Drawn(str(i), str(i), None) for i in range(n))
    return ReviewPlan(kind, n, allowed, 0.90, 0.95, 0, pool, "", drawn, "")


def shown(plan: ReviewPlan, labels: Sequence[Label]) -> int | None:
    """After how many reviews the target is shown; None where it never is."""
    if plan.kind == "fixed":
        return plan.n if outcome(plan, labels[: plan.n]).state == "shown" else None
    # The bound never falls, so the first length at which it is shown can be found by halving.
    low, high = 0, plan.pool
    if outcome(plan, labels).state != "shown":
        return None
    while low < high:
        middle = (low + high) // 2
        pending: list[Label] = ["pending"] * (plan.pool - middle)
        if outcome(plan, [*labels[:middle], *pending]).state == "shown":
            high = middle
        else:
            low = middle + 1
    return low


def watched(pool: int, right: np.ndarray) -> bool:
    """Whether a fixed bound, looked at after each picture, ever shows the target."""
    wrong = pool - needed_right(pool, 0.90) + 1
    errors = np.cumsum(~right)
    return any(at_most_wrong(pool, wrong, n + 1, int(errors[n])) <= 0.05 for n in range(15, pool) if errors[n] < wrong)


def main() -> None:
    reviews = int(sys.argv[1]) if len(sys.argv) > 1 else 16_000
    print("| pool | plan | right in the pool | reviews | end in >= 90 % | exact | mean reviewed where shown |")
    print("|---|---|---|---|---|---|---|")
    for pool in POOLS:
        bad, good = needed_right(pool, 0.90) - 1, round(0.95 * pool)
        for kind, allowed in [*(("fixed", k) for k in ERRORS), ("sequential", None)]:
            if allowed is not None and sample_size(pool, allowed) is None:
                continue
            plan = plan_of(pool, kind, allowed)
            name = f"fixed {plan.n}/{allowed}" if allowed is not None else "sequential"
            for right in (bad, good):
                ends = []
                for seed in range(reviews if kind == "fixed" else max(200, reviews // 8)):
                    order = np.random.default_rng([pool, plan.n, seed]).permutation(pool)[: plan.n] < right
                    ends.append(shown(plan, ["right" if one else "wrong" for one in order]))
                found = [end for end in ends if end is not None]
                exact = (
                    pass_probability(pool, plan.n, allowed, right / pool)
                    if allowed is not None
                    else sequential_pass_probability(pool, right)[0]
                )
                mean = f"{np.mean(found):.0f}" if found else "-"
                print(
                    f"| {pool} | {name} | {right} ({right / pool:.1%}) | {len(ends)} | {len(found) / len(ends):.1%} "
                    f"| {exact:.1%} | {mean} |",
                    flush=True,
                )
        tried = max(200, reviews // 32)
        passes = sum(
            watched(pool, np.random.default_rng([pool, seed]).permutation(pool) < bad) for seed in range(tried)
        )
        print(
            f"| {pool} | a fixed bound, watched | {bad} ({bad / pool:.1%}) | {tried} | {passes / tried:.1%} | - | - |"
        )


if __name__ == "__main__":
    main()
