"""The prompts whose pictures changed most, with two pictures each to look at."""

from __future__ import annotations

from collections.abc import Sequence

from graftset.compare.records import ChangedPrompt
from graftset.compare.tables import of_measure, pair
from graftset.scorecards import Scorecard

SHOWN = 12
# What tells most of a prompt of each group; a prompt is shown by the first that it has.
_TELLING: tuple[tuple[str, str], ...] = (
    ("training", "original_accuracy"),
    ("obedience", "background_obeyed"),
    ("obedience", "variation_accuracy"),
    ("all", "overall"),
)


def changed_prompts(pairs: Sequence[tuple[Scorecard, Scorecard]], shown: int = SHOWN) -> tuple[ChangedPrompt, ...]:
    """The prompts with the largest differences, gains and losses alike; of equal ones those that differ more overall.

    Args:
        pairs: (baseline, arm) of each training seed.
        shown: How many at most.
    """
    if not pairs:
        return ()
    overall = pair(pairs, "all", of_measure("overall"))
    further = dict(zip(overall.prompts, abs(overall.differences.mean(axis=0)).tolist(), strict=True))
    texts = {prompt.id: prompt for prompt in pairs[0][1].prompts}
    found: dict[str, ChangedPrompt] = {}
    for group, measure in _TELLING:
        table = pair(pairs, group, of_measure(measure))
        means = zip(table.baseline.mean(axis=0).tolist(), table.arm.mean(axis=0).tolist(), strict=True)
        for place, (prompt, (theirs, ours)) in enumerate(zip(table.prompts, means, strict=True)):
            if prompt in found or prompt not in texts or ours == theirs:
                continue
            change = table.differences[:, place] * (1 if ours > theirs else -1)
            pictures = _pictures(pairs[int(change.argmax())], prompt, measure, ours > theirs)
            found[prompt] = ChangedPrompt(
                prompt, texts[prompt].group, texts[prompt].text, measure, theirs, ours, (pictures,)
            )
    ranked = sorted(
        found.values(), key=lambda one: (-abs(one.arm - one.baseline), -further.get(one.prompt_id, 0.0), one.prompt_id)
    )
    return tuple(ranked[:shown])


def _pictures(cards: tuple[Scorecard, Scorecard], prompt: str, measure: str, gained: bool) -> tuple[str, str]:
    """The two pictures of one noise that show the change best, relative to runs/."""
    theirs, ours = (
        {picture.seed: picture for picture in card.pictures if picture.prompt_id == prompt} for card in cards
    )
    shared = sorted(seed for seed in theirs.keys() & ours.keys())
    sign = 1 if gained else -1

    def change(seed: int) -> float:
        return sign * (ours[seed].values.get(measure, 0.0) - theirs[seed].values.get(measure, 0.0))

    seed = max(shared, key=lambda seed: (change(seed), -seed))
    return tuple(  # type: ignore[return-value]  # two of two
        f"{card.run}/samples/{card.place.checkpoint}/{pictures[seed].file}"
        for card, pictures in zip(cards, (theirs, ours), strict=True)
    )
