"""From the scorecards of two arms to tables of differences, paired by training seed, prompt and noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.scorecards import Course, PictureScore, Scorecard
from graftset.scorecards.course import belongs

F64 = NDArray[np.float64]
Value = Callable[[PictureScore], float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Means over the noises that a prompt was painted from, [S seeds, P prompts], of baseline and arm."""

    baseline: F64
    arm: F64
    prompts: tuple[str, ...]

    @property
    def differences(self) -> F64:
        """Arm minus baseline, [S, P]."""
        return self.arm - self.baseline


def of_measure(measure: str) -> Value:
    """What a picture has of a measure."""
    return lambda picture: picture.values.get(measure)


def pair(pairs: Sequence[tuple[Scorecard, Scorecard]], group: str, value: Value) -> Table:
    """The table over the prompts that have a value in both arms for each seed.

    A prompt's mean is taken over the noises that have a value on both sides: the same ones in both arms.

    Args:
        pairs: (baseline, arm) of each training seed.
        group: Of prompts.
        value: What is taken of a picture; None where it has none.
    """
    rows = [_by_prompt(*cards, group, value) for cards in pairs]
    shared = sorted(set.intersection(*(set(row) for row in rows))) if rows else []
    both = np.array([[row[prompt] for prompt in shared] for row in rows]).reshape(len(rows), len(shared), 2)
    return Table(both[:, :, 0], both[:, :, 1], tuple(shared))


def _by_prompt(baseline: Scorecard, arm: Scorecard, group: str, value: Value) -> Mapping[str, tuple[float, float]]:
    theirs = {(picture.prompt_id, picture.seed): value(picture) for picture in baseline.pictures}
    found: dict[str, list[tuple[float, float]]] = {}
    for picture in arm.pictures:
        ours, other = value(picture), theirs.get((picture.prompt_id, picture.seed))
        if ours is not None and other is not None and belongs(picture.group, group):
            found.setdefault(picture.prompt_id, []).append((other, ours))
    return {
        prompt: (float(np.mean([other for other, _ in own])), float(np.mean([ours for _, ours in own])))
        for prompt, own in found.items()
    }


def nearest_exposures(course: Course, exposures: float) -> Scorecard | None:
    """The checkpoint that has shown each original most nearly as often, the earlier of two; None where nobody knows."""
    known = [card for card in course.cards if card.place.exposures is not None]
    return min(known, key=lambda card: abs((card.place.exposures or 0.0) - exposures), default=None)
