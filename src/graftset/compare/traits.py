"""Obedience trait by trait: of the prompts that ask for it, how often each arm painted it. Exploratory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graftset.claims.judging import ALIKE
from graftset.compare.records import TraitDifference
from graftset.compare.tables import Value, pair
from graftset.scorecards import PictureScore, Scorecard
from graftset.statistics.paired import ALPHA, Resamples, paired

_BACKGROUND = "background"
RESAMPLES = 1000  # for intervals that no verdict rests on, of many traits


def trait_differences(
    pairs: Sequence[tuple[Scorecard, Scorecard]], rng: np.random.Generator
) -> tuple[TraitDifference, ...]:
    """Every requested trait, the largest difference first.

    Training captions are left out: what is remembered is no obedience.

    Args:
        pairs: (baseline, arm) of each training seed.
        rng: Draws the resamples.
    """
    pictures = pairs[0][1].pictures if pairs else ()
    asked = sorted({(slot, word) for picture in pictures for slot, word in picture.asked.items()})
    found = []
    for slot, word in asked:
        table = pair(pairs, "obedience", _obeyed(slot, word))
        if not table.prompts:
            continue
        result = paired(table.differences, Resamples.draw(table.differences.shape, rng, RESAMPLES))
        low, high, _ = result.interval(ALPHA)
        name = slot if slot.startswith("accessory:") and word == "present" else f"{slot}:{word}"
        found.append(
            TraitDifference(
                name, result.prompts, float(table.baseline.mean()), float(table.arm.mean()), result.point, low, high
            )
        )
    return tuple(sorted(found, key=lambda one: (-abs(one.point), one.trait)))


def _obeyed(slot: str, word: str) -> Value:
    """1 where a picture that was asked for a trait has it, 0 where not; None where that cannot be said."""

    def value(picture: PictureScore) -> float | None:
        if picture.asked.get(slot) != word:
            return None
        if slot == _BACKGROUND:  # several words may name one color: the evaluator has judged that
            return picture.values.get("background_obeyed")
        seen = picture.seen.get(slot)
        if seen is None or (seen != word and any({seen, word} <= group for group in ALIKE.get(slot, ()))):
            return None
        return float(seen == word)

    return value
