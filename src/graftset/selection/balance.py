"""Traits and variety of the admitted against the originals: quotas, figures, and what is worth a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graftset.pixels.diversity import F32, median_bandwidth, vendi_at_equal_n
from graftset.records import ImageView
from graftset.selection.policy import Policy
from graftset.selection.shown import BACKGROUND, TARGET_POWER, UNKNOWN, counts_of, distances, name_of
from graftset.statistics import total_variation

ALARM_SHARE = 0.5  # of the pool's acceptance
ALARM_LEAST = 3  # candidates with a trait that the pool's acceptance would pass: by chance all fail in e^-3 = 5 %
# Width of the kernel over the median distance of the originals. Measured on 50 of 203 portraits against all: with
# 10 of the 50 being twins, the Vendi ratio falls under 0.90 in 99 % of draws at half the median, in 38 % at the whole;
# 50 different ones fall under it in 3 % and 4 %. What the diverse subset covers hardly depends on it.
BANDWIDTH_SHARE = 0.5


def background_of(view: ImageView) -> str:
    """The word for what is behind the figure, or "unknown"."""
    background = view.traits.background
    return UNKNOWN if background is None else background.value


def background_counts(views: Iterable[ImageView]) -> Counter[str]:
    """How many pictures have each background; those where it is unknown are not counted."""
    return Counter(word for word in map(background_of, views) if word != UNKNOWN)


def feature_rows(views: Sequence[ImageView], features: Mapping[str, F32], length: int) -> F32:
    """Features of pictures as rows, float32 [N, length]; a row of NaN where there are none of that length."""
    rows = np.full((len(views), length), np.nan, dtype=np.float32)
    for row, view in zip(rows, views, strict=True):
        found = features.get(view.sha256)
        if found is not None and found.size == length and np.isfinite(found).all():
            row[:] = np.ravel(found)
    return rows


def usual_length(views: Iterable[ImageView], features: Mapping[str, F32]) -> int:
    """The feature length most pictures have (the longer of equally common ones); 1 where none has features."""
    lengths = Counter(features[view.sha256].size for view in views if view.sha256 in features)
    return max(lengths, key=lambda length: (lengths[length], length), default=1)


def trait_figures(admitted: Sequence[ImageView], originals: Sequence[ImageView]) -> dict[str, float]:
    """Total variation of the admitted to their target.

    `total_variation` is that of the backgrounds, `total_variation_with_originals` that of both sets together, and
    `total_variation:SLOT` that of each other trait; {} without either.
    """
    wanted, got = background_counts(originals), background_counts(admitted)
    words = sorted(wanted | got)
    target, alone = _histogram(wanted, words) ** TARGET_POWER, _histogram(got, words)
    others = {f"total_variation:{slot}": value for slot, value in distances(admitted, originals).items()}
    if not target.any() or not alone.any():
        return others
    together = alone + _histogram(wanted, words)
    return {
        "total_variation": total_variation(alone, target),
        "total_variation_with_originals": total_variation(together, target),
        **others,
    }


def _histogram(counts: Counter[str], words: Sequence[str]) -> NDArray[np.float64]:
    return np.array([counts[word] for word in words], dtype=np.float64)


def trait_note(
    figures: Mapping[str, float], policy: Policy, admitted: Sequence[ImageView], originals: Sequence[ImageView]
) -> str | None:
    """A sentence where the backgrounds stray further from their target than the floor, with the ones most lacking."""
    distance = figures.get("total_variation")
    if distance is None or distance <= policy.floors.total_variation:
        return None
    wanted, got = background_counts(originals), background_counts(admitted)
    shares = {word: count**TARGET_POWER for word, count in wanted.items()}
    due = {word: sum(got.values()) * share / sum(shares.values()) for word, share in shares.items()}
    lacking = sorted(due, key=lambda word: (got[word] - due[word], word))[:3]
    short = [f"{word} ({got[word]} of {due[word]:.1f} due)" for word in lacking if got[word] + 0.5 <= due[word]]
    remedy = f"most lacking are {', '.join(short)}: add candidates with them" if short else "more candidates are needed"
    return (
        f"backgrounds: total variation {distance:.2f} to their target is over {policy.floors.total_variation:.2f}; "
        f"{remedy}"
    )


def known_rows(rows: F32) -> F32:
    """The rows that hold features: float32 [N, D] -> [M, D] without rows of NaN."""
    return rows[~np.isnan(rows).any(axis=1)]


def kernel_bandwidth(originals: F32, passing: F32, rng: np.random.Generator) -> float:
    """Width of the Gaussian kernel by the originals' differences; by the pool's where originals have no features.

    A pool may be mostly near-twins, whose median distance is render noise: by that measure noise would be variety.
    """
    reference = known_rows(originals)
    return BANDWIDTH_SHARE * median_bandwidth(reference if len(reference) > 1 else passing, rng)


def vendi_figures(admitted: F32, originals: F32, bandwidth: float, rng: np.random.Generator) -> dict[str, float]:
    """Vendi scores of the admitted and the originals at equal n, and their ratio; {} with fewer than two of either.

    Args:
        admitted: Features, float32 [N, D]; rows of NaN are left out.
        originals: Likewise, float32 [M, D].
        bandwidth: Width of the Gaussian kernel.
        rng: Draws the rows that are compared.
    """
    admitted, originals = known_rows(admitted), known_rows(originals)
    if min(len(admitted), len(originals)) < 2:
        return {}
    pair = vendi_at_equal_n(admitted, originals, rng, bandwidth=bandwidth)
    return {"vendi": pair.a, "vendi_originals": pair.b, "vendi_n": float(pair.n), "vendi_ratio": pair.a / pair.b}


def vendi_note(figures: Mapping[str, float], policy: Policy) -> str | None:
    """A sentence where the admitted are less varied than the floor asks."""
    ratio = figures.get("vendi_ratio")
    if ratio is None or ratio >= policy.floors.vendi_ratio:
        return None
    return (
        f"variety: Vendi score {figures['vendi']:.1f} of the admitted against {figures['vendi_originals']:.1f} of as "
        f"many originals ({figures['vendi_n']:.0f}), ratio {ratio:.2f} is under {policy.floors.vendi_ratio:.2f}; "
        "add candidates that differ more from each other"
    )


def acceptance_figures(pool: Sequence[ImageView], passing: Sequence[ImageView]) -> dict[str, float]:
    """Share of candidates that pass the gates.

    `acceptance` is that of all, `acceptance:WORD` that of each background, `acceptance:SLOT:VALUE` that of each other
    trait.
    """
    if not pool:
        return {}
    came, passed = counts_of(pool), counts_of(passing)
    shares = {}
    for slot in sorted(came, key=lambda slot: (slot != BACKGROUND, slot)):
        for value in sorted(came[slot]):
            name = value if slot == BACKGROUND else f"{slot}:{value}"
            shares[f"acceptance:{name}"] = passed.get(slot, Counter())[value] / came[slot][value]
    return {"acceptance": len(passing) / len(pool), **shares}


def acceptance_note(pool: Sequence[ImageView], passing: Sequence[ImageView]) -> str | None:
    """An alarm where a trait passes less than half as often as the pool: a gate may be pruning what is rare."""
    if not pool:
        return None
    came, passed = counts_of(pool), counts_of(passing)
    rate = len(passing) / len(pool)
    alarming = [
        (slot, value)
        for slot in sorted(came, key=lambda slot: (slot != BACKGROUND, slot))
        for value in sorted(came[slot])
        if came[slot][value] * rate >= ALARM_LEAST
        and passed.get(slot, Counter())[value] < ALARM_SHARE * came[slot][value] * rate
    ]
    if not alarming:
        return None
    named = ", ".join(
        f"{_as_told(slot, value)} ({passed.get(slot, Counter())[value]} of {came[slot][value]})"
        for slot, value in alarming
    )
    what = "backgrounds" if all(slot == BACKGROUND for slot, _ in alarming) else "traits"
    return (
        f"acceptance: these {what} pass the gates less than half as often as all candidates ({len(passing)} of "
        f"{len(pool)}): {named}; look at what was dropped before trusting the gates"
    )


def _as_told(slot: str, value: str) -> str:
    """A trait in a word or two: "pink", "brown hair", "crown present"."""
    if slot == BACKGROUND:
        return value
    return f"{name_of(slot)} {value}" if slot.startswith("accessory:") else f"{value} {name_of(slot)}"
