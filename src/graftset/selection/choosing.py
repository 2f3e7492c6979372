"""The selection: gates, then the diverse subset, then figures and notes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from graftset.pixels.diversity import F32, Picks, diverse_subset
from graftset.quality import score_text
from graftset.records import Choice, ImageView, Selection
from graftset.selection import balance
from graftset.selection.gates import (
    category,
    contradicted_background,
    failed_gates,
    is_approved,
    pool_of,
    score_of,
)
from graftset.selection.policy import Policy
from graftset.selection.shown import distance_note, distances, rare_note, trait_quotas


def select(
    candidates: Sequence[ImageView],
    originals: Sequence[ImageView],
    *,
    features: Mapping[str, F32],
    policy: Policy,
) -> Selection:
    """Decide on every candidate: kept or dropped, with all reasons.

    The result depends on the policy's seed and on what the images are, never on the order they are given in.

    Args:
        candidates: Everything known of each generated image.
        originals: Likewise of the originals; their traits set the quotas, their variety is the measure.
        features: By sha256, float32 [D]: OKLab of the native image. A picture without them, or with another length
            than most have, is picked for its traits only.
        policy: Thresholds and wishes.

    Returns:
        One choice for every candidate: the picked in the order they were picked (rank 0 first); those that passed
        but were not picked, ranked on by what they would add; then the dropped by path, without a rank.
    """
    pool = pool_of(candidates, policy)
    ordered = sorted(candidates, key=_preference)
    failures = [failed_gates(view, pool) for view in ordered]
    passing = [view for view, failed in zip(ordered, failures, strict=True) if not failed]
    dropped = [(view, failed) for view, failed in zip(ordered, failures, strict=True) if failed]

    length = balance.usual_length([*originals, *passing], features)
    rows = balance.feature_rows(passing, features, length)
    original_rows = balance.feature_rows(sorted(originals, key=_preference), features, length)
    bandwidth_rng, subset_rng, vendi_rng = np.random.default_rng(policy.seed).spawn(3)
    bandwidth = balance.kernel_bandwidth(original_rows, rows, bandwidth_rng)
    picks = _pick(passing, originals, rows, bandwidth, policy, subset_rng)
    picked = [passing[i] for i in picks.chosen]

    traits = balance.trait_figures(picked, originals)
    vendi = balance.vendi_figures(rows[list(picks.chosen)], original_rows, bandwidth, vendi_rng)
    notes = (
        _fewer_note(len(passing), dropped, policy),
        _featureless_note(rows),
        balance.trait_note(traits, policy, picked, originals),
        distance_note(distances(picked, originals), policy.floors.total_variation),
        balance.vendi_note(vendi, policy),
        rare_note(picked, originals),
        balance.acceptance_note(ordered, passing),
    )
    return Selection(
        policy=asdict(policy),
        choices=_choices(passing, picks, dropped),
        notes=tuple(note for note in notes if note is not None),
        figures={
            "pool": float(len(ordered)),
            "passing": float(len(passing)),
            **({} if policy.count is None else {"asked": float(policy.count)}),
            "selected": float(len(picked)),
            **traits,
            **vendi,
            **balance.acceptance_figures(ordered, passing),
        },
    )


def _preference(view: ImageView) -> tuple[float, str, str]:
    """Sorts the better image first; equally good ones by content, so that no order of arrival shows."""
    score = score_of(view)
    return (math.inf if score is None else -score, view.sha256, view.path)


def _pick(
    passing: Sequence[ImageView],
    originals: Sequence[ImageView],
    rows: F32,
    bandwidth: float,
    policy: Policy,
    rng: np.random.Generator,
) -> Picks:
    """All that pass, best score first; or, where fewer are asked for, the diverse subset."""
    if policy.count is None or policy.count >= len(passing):
        return Picks(tuple(range(len(passing))), ())
    quotas = trait_quotas(passing, originals, policy.count)
    return diverse_subset(rows, policy.count, quotas, rng, bandwidth=bandwidth)


def _choices(
    passing: Sequence[ImageView], picks: Picks, dropped: Sequence[tuple[ImageView, tuple[str, ...]]]
) -> tuple[Choice, ...]:
    asked = len(picks.chosen)
    kept = [
        Choice(passing[i].path, passing[i].sha256, True, (_kept_reason(passing[i], rank, picks),), rank)
        for rank, i in enumerate(picks.chosen)
    ]
    spare = [
        Choice(
            passing[i].path,
            passing[i].sha256,
            False,
            (f"count: {asked} asked, {len(passing)} pass; others add more variety (this would be number {rank + 1})",),
            rank,
        )
        for rank, i in enumerate(picks.others, start=asked)
    ]
    failed = [
        Choice(view.path, view.sha256, False, reasons)
        for view, reasons in sorted(dropped, key=lambda pair: pair[0].path)
    ]
    return (*kept, *spare, *failed)


def _kept_reason(view: ImageView, rank: int, picks: Picks) -> str:
    """Why an image is in, and what is special about its caption."""
    approved = view.review.reviewer if view.review is not None and is_approved(view) else None
    parts = [f"kept: score {score_text(view.score or 0.0)}", f"approved by {approved}" if approved else ""]
    if picks.others:
        parts.append(f"number {rank + 1} of {len(picks.chosen)} picked for variety")
    corrections = _corrections(view)
    parts.append(f"caption corrected ({corrections})" if corrections else "")
    parts.append("caption composed from what is seen" if view.composed and view.caption is None else "")
    return "; ".join(part for part in parts if part)


def _corrections(view: ImageView) -> str:
    """What the caption now says instead of what was asked for: "green -> gray background"; empty where nothing."""
    if view.training_caption == view.prompt:
        return ""
    background, changed = contradicted_background(view), {change.slot for change in view.changes}
    wrong = [
        claim
        for claim in view.claims
        if claim.verdict == "contradicted" and claim.seen and (claim is background or claim.slot in changed)
    ]
    return ", ".join(f"{claim.claimed} -> {claim.seen} {claim.slot}" for claim in wrong)


def _fewer_note(passing: int, dropped: Sequence[tuple[ImageView, tuple[str, ...]]], policy: Policy) -> str | None:
    """Why fewer come out than were asked for, and which `min_score` would give them."""
    wanted = 1 if policy.count is None else policy.count
    if passing >= wanted:
        return None
    came = passing + len(dropped)
    outcome = f"none of {came} candidates passes" if not passing else f"all {passing} of {came} that pass are kept"
    note = f"count: {wanted} asked, {outcome}" if policy.count is not None else f"count: {outcome}"
    gates = Counter(category(reason) for _, reasons in dropped for reason in reasons)
    if not gates:
        return f"{note}; generate more candidates"
    gate = max(gates, key=lambda name: (gates[name], name))
    return f"{note}; the gate that drops most is {gate} ({gates[gate]}); {_min_score_advice(passing, wanted, dropped)}"


def _min_score_advice(passing: int, wanted: int, dropped: Sequence[tuple[ImageView, tuple[str, ...]]]) -> str:
    """The highest `min_score`, to one decimal, under which as many pass as are wanted."""
    low = [view.score for view, reasons in dropped if {category(reason) for reason in reasons} == {"quality"}]
    scores = sorted((score for score in low if score is not None), reverse=True)
    if passing + len(scores) < wanted:
        return f"no min_score gives {wanted}: {passing + len(scores)} pass the other gates, generate more candidates"
    return f"min_score {score_text(scores[wanted - passing - 1])} would give {wanted}"


def _featureless_note(rows: F32) -> str | None:
    missing = len(rows) - len(balance.known_rows(rows))
    if not missing:
        return None
    return (
        f"features: {missing} of {len(rows)} that pass have no native picture of the usual size; they are picked for "
        "their traits only"
    )
