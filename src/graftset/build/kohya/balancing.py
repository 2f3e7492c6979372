"""Loss weights on kohya sd-scripts: regularization images, and what they do to a plan.

Source: `DreamBoothDataset.__init__` in `library/train_util.py` of kohya-ss/sd-scripts at commit 48d368fa. There is no
loss weight for a folder or an image. What there is: the loss of all folders with `is_reg = true` is multiplied by one
`prior_loss_weight` for the whole run. Those images are then repeated, or cut off, in the order of file names, until
they are as many as all other entries together.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from graftset.build.plans import MixingPlan, Stage, Subset, Uneven
from graftset.errors import BuildError


def adapt(plan: MixingPlan) -> MixingPlan:
    """The plan as sd-scripts carries it out: where it weights losses, with the repeats that come out of it.

    Raises:
        BuildError: It weights losses in a way that `is_reg` cannot express.
    """
    notes = list(plan.notes)
    stages = [_adapted(plan.name, stage, notes) for stage in plan.stages]
    return dataclasses.replace(plan, stages=tuple(stages), notes=tuple(notes))


def is_reg(subset: Subset) -> bool:
    """Whether a subset is written as regularization images."""
    return subset.loss_weight != 1


def prior_loss_weight(stage: Stage) -> float | None:
    """The one weight of a stage's regularization images; None where it has none."""
    return next((subset.loss_weight for subset in stage.subsets if is_reg(subset)), None)


def balanced(groups: Sequence[tuple[int, int]], target: int) -> list[Uneven]:
    """What sd-scripts makes of regularization images.

    They are gone through in order: first with all their repeats, then with one more each round, until `target` is
    reached in the middle of a round.

    Args:
        groups: Images and repeats of each folder, in the order of the config.
        target: Entries of all other folders, at least 1.

    Returns:
        For each folder: its first images are shown once more than the rest; or the rest not at all.

    >>> balanced([(50, 1)], 203)
    [Uneven(first=3, more=5, rest=4)]
    >>> balanced([(203, 1)], 50)
    [Uneven(first=50, more=1, rest=0)]
    """
    entries = sum(images * repeats for images, repeats in groups)
    found: list[Uneven] = []
    if entries >= target:
        left = target
        for images, repeats in groups:
            reached = min(images, math.ceil(left / repeats)) if left > 0 else 0
            left -= reached * repeats
            found.append(Uneven(reached, repeats, 0))
        return found
    rounds, more = divmod(target - entries, sum(images for images, _ in groups))
    for images, repeats in groups:
        first = min(images, more)
        more -= first
        found.append(Uneven(first, repeats + rounds + 1, repeats + rounds))
    return found


def _adapted(plan: str, stage: Stage, notes: list[str]) -> Stage:
    reg = [subset for subset in stage.subsets if is_reg(subset)]
    if not reg:
        return stage
    fault = _fault(stage, reg)
    if fault:
        raise BuildError(
            f"kohya cannot weight losses as the plan asks in the stage {stage.name}: {fault}",
            field="plan",
            value=plan,
            remedy="Use repeats in place of loss weights, or another format",
        )
    target = sum(subset.entries for subset in stage.subsets if not is_reg(subset))
    made = iter(balanced([(subset.images, subset.repeats) for subset in reg], target))
    subsets = tuple(
        dataclasses.replace(subset, uneven=next(made)) if is_reg(subset) else subset for subset in stage.subsets
    )
    after = dataclasses.replace(stage, subsets=subsets)
    if stage.budget is not None:
        after = dataclasses.replace(after, epochs=math.ceil(stage.budget / after.steps_per_epoch))
    notes.append(_consequence(stage, after))
    return after


def _fault(stage: Stage, reg: Sequence[Subset]) -> str:
    if any(subset.origin == "original" for subset in reg):
        return "it can lower or raise the loss of regularization images only, and originals are never those"
    if len({subset.loss_weight for subset in reg}) > 1:
        return "all regularization images of a run share one weight"
    return "" if len(reg) < len(stage.subsets) else "it needs images of weight 1 beside them"


def _consequence(before: Stage, after: Stage) -> str:
    """What weighting by `is_reg` does to a stage, in figures."""
    parts = []
    for old, new in zip(before.subsets, after.subsets, strict=True):
        if new.uneven is not None:
            uneven, rest = new.uneven, new.images - new.uneven.first
            told = [f"{n} images {times} times" for n, times in ((uneven.first, uneven.more), (rest, uneven.rest)) if n]
            parts.append(f"{new.folder}: {old.entries} entries become {new.entries} ({', '.join(told)})")
    weight = prior_loss_weight(after) or 1.0
    return (
        f"Stage {after.name}: kohya weights the loss of regularization images only (is_reg, prior_loss_weight "
        f"{weight:g}) and makes them as many as all others: {'; '.join(parts)}. An epoch takes "
        f"{after.steps_per_epoch} steps, not {before.steps_per_epoch}; originals are {after.real_mass:.3f} of what is "
        f"shown, not {before.real_mass:.3f}, and {after.loss_mass:.3f} of the weighted loss, not {before.loss_mass:.3f}"
    )
