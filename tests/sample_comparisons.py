"""Comparisons that no run was trained for: every figure is given, whatever a comparison would hold is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from graftset.compare.records import (
    PRIMARY,
    ArmOutcome,
    ChangedPrompt,
    Comparison,
    Difference,
    Endpoint,
    Needed,
    SeedDifference,
    TraitDifference,
    Verdict,
)

WIDTH = {"original accuracy": 0.03, "variation accuracy": 0.06, "quality": 0.15}  # half an interval


def outcome(
    name: str, plan: str, *, generated: int = 0, seeds: int = 5, reviewed: float | None = None, exposures: float = 80.0
) -> ArmOutcome:
    """An arm whose runs all did the same."""
    return ArmOutcome(
        name=name,
        plan=plan,
        build=name,
        build_sha256=(name.encode().hex() * 32)[:64],
        originals=203,
        generated=generated,
        steps=1000,
        seeds=tuple(range(seeds)),
        runs=tuple(f"{name}-s{seed}" for seed in range(seeds)),
        reviewed=reviewed,
        figures={
            "original_accuracy/training": 0.97,
            "background_obeyed/candidate": 0.55,
            "quality_preservation/all": 9,
        },
        converged_at=tuple(16_000.0 for _ in range(seeds)),
        stability=tuple(1.0 for _ in range(seeds)),
        variety=tuple(0.8 for _ in range(seeds)),
        exposures=exposures,
    )


def word(endpoint: Endpoint, low: float, high: float) -> Verdict:
    """The verdict that an interval means."""
    if low > 0:
        return "HELPED"
    if high < 0:
        return "HURT"
    if -endpoint.margin < low and high < endpoint.margin:
        return "EQUIVALENT"
    return "NON-INFERIOR" if low > -endpoint.margin else "INCONCLUSIVE"


def difference(endpoint: Endpoint, baseline: float, point: float, *, seeds: int, half: float) -> Difference:
    """One endpoint with an interval of `half` to both sides."""
    low, high = point - half, point + half
    verdict = word(endpoint, low, high)
    return Difference(
        endpoint=endpoint,
        seeds=seeds,
        prompts=100,
        baseline=baseline,
        arm=baseline + point,
        point=point,
        low=low,
        high=high,
        level=0.95,
        method="t",
        p=0.03,
        seed_sd=half / 1.5,
        detectable=1.8 * half,
        verdict=verdict,
        directional=seeds < 5,
        needed=Needed(9, 240) if verdict == "INCONCLUSIVE" else None,
    )


def by_seed(
    name: str, unit: str, better: Literal["higher", "lower"], baseline: float, point: float | None, half: float,
    seeds: int = 5,
) -> SeedDifference:  # fmt: skip
    """A figure that each run has one of."""
    if point is None:
        return SeedDifference(name, unit, better, 0, baseline, None, None, None, None, None, "no run converged")
    low, high = point - half, point + half
    worse = high < 0 if better == "higher" else low > 0
    return SeedDifference(name, unit, better, seeds, baseline, baseline + point, point, low, high, worse)


def comparison(
    name: str = "weighted",
    plan: str = "weighted",
    *,
    generated: int = 120,
    seeds: int = 5,
    reviewed: float | None = 0.93,
    originals: float = 0.0,
    variation: float = 0.2,
    quality: float = 0.05,
    accuracy: float = 0.97,
    later: float | None = -1600.0,
    swing: float = -0.1,
    variety: float = 0.08,
    half: float = 1.0,
    changed: Sequence[ChangedPrompt] = (),
    notes: tuple[str, ...] = (),
) -> Comparison:
    """An arm against the originals; without arguments a success in all respects.

    `originals`, `variation` and `quality` are the differences of the primary endpoints, `half` widens or narrows their
    intervals; `later`, `swing` and `variety` those of convergence, stability and variety.
    """
    starts = {"original accuracy": accuracy - originals, "variation accuracy": 0.35, "quality": 9.0}
    points = {"original accuracy": originals, "variation accuracy": variation, "quality": quality}
    return Comparison(
        experiment="demo",
        baseline=outcome("originals", "originals", seeds=seeds),
        arm=outcome(name, plan, generated=generated, seeds=seeds, reviewed=reviewed),
        primary=tuple(
            difference(one, starts[one.name], points[one.name], seeds=seeds, half=half * WIDTH[one.name])
            for one in PRIMARY
        ),
        secondary=(difference(Endpoint("original accuracy, equal steps", "original_accuracy", "training", 0.05),
                              0.97, originals - 0.02, seeds=seeds, half=half * 0.03),),
        convergence=by_seed("convergence", "images seen", "lower", 16_000, later, 1000, seeds),
        stability=by_seed("stability", "times the noise", "lower", 1.0, swing, 0.2, seeds),
        variety=by_seed("variety", "of the originals' Vendi score", "higher", 0.7, variety, 0.05, seeds),
        traits=(TraitDifference("background:gray", 12, 0.4, 0.65, 0.25, 0.05, 0.45),
                TraitDifference("accessory:crown", 6, 0.5, 0.45, -0.05, None, None)),
        changed=tuple(changed),
        inputs={f"{name}-s{seed}/0032000": f"{seed}" * 64 for seed in range(seeds)},
        evaluator="1.3",
        notes=notes,
        at="2026-01-01T00:00:00",
    )  # fmt: skip
