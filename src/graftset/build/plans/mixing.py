"""A plan that meets counts of images: repeats, epochs or a budget of steps, checkpoints, and what is refused."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from graftset.build.plans.table import PLANS, PlanSpec, StageSpec, Use, plan_named
from graftset.build.plans.value import CHECKPOINTS, MixingPlan, Stage, Subset
from graftset.errors import BuildError, UserError
from graftset.phrases import counted
from graftset.records import Origin

LEAST_REAL_MASS = 0.5  # share of originals under which a plan needs an override
MOST_REPEATS = 20  # that a ratio of weights may need: beyond, an epoch is longer than any run


@dataclass(frozen=True, slots=True)
class ImageClass:
    """Images that a plan treats alike in every stage.

    Attributes:
        uses: For each stage which of its uses they belong to; None where the stage does not show them.
    """

    origin: Origin
    uses: tuple[int | None, ...]
    images: int


def plan_mix(
    name: str,
    *,
    originals: int,
    generated: int,
    epochs: int = 10,
    batch_size: int = 4,
    steps: int | None = None,
    override: str = "",
) -> MixingPlan:
    """Work out a built-in mixing plan from counts alone; nothing is read or written.

    Args:
        name: A key of `PLANS`.
        originals: Number of originals, at least 1.
        generated: Number of generated images; ignored by plans that do not use them.
        epochs: Times the trainer goes over the set, all stages together.
        batch_size: Images in one optimizer step.
        steps: Optimizer steps of all stages together, in place of epochs.
        override: Why fewer than half originals are accepted.

    Raises:
        UserError: No such plan, or a number out of range.
        BuildError: The plan needs generated images and there are none, or too little would be real.
    """
    spec = plan_named(name)
    for field, value, least in (("originals", originals, 1), ("generated", generated, 0)):
        if value < least:
            raise _too_small(name, field, value, least)
    classes = [ImageClass("original", _uses_of(spec, generated=False), originals)]
    if spec.uses_generated and generated:
        classes.append(ImageClass("generated", _uses_of(spec, generated=True), generated))
    return mix(name, spec, classes, epochs=epochs, batch_size=batch_size, steps=steps, override=override)


def mix(
    name: str,
    spec: PlanSpec,
    classes: Sequence[ImageClass],
    *,
    epochs: int = 10,
    batch_size: int = 4,
    steps: int | None = None,
    override: str = "",
    notes: Sequence[str] = (),
) -> MixingPlan:
    """Work out a plan for classes of images; arguments and errors as those of `plan_mix`."""
    epochs = spec.epochs or epochs
    if batch_size < 1:
        raise _too_small(name, "batch_size", batch_size, 1)
    if spec.uses_generated and not any(one.origin == "generated" and any(_used(one)) for one in classes):
        raise BuildError(
            f"The plan {name} mixes in generated images and none are selected",
            field="plan",
            value=name,
            remedy="Use the plan originals, or select candidates first",
        )
    told = list(notes)
    groups = _group_names(spec, classes)
    shown = [_subsets(number, stage, classes, groups, told) for number, stage in enumerate(spec.stages)]
    if steps is None:
        lengths = _parts(name, "epochs", epochs, spec)
        stages = [
            Stage(stage.name, length, batch_size, subsets, None, _epochs_between(epochs))
            for stage, subsets, length in zip(spec.stages, shown, lengths, strict=True)
        ]
        if epochs > CHECKPOINTS and epochs % CHECKPOINTS:
            told.append(
                f"{counted(epochs, 'epoch')}, saved one by one: {CHECKPOINTS} evenly spaced "
                "checkpoints need a multiple of "
                f"{CHECKPOINTS} epochs, or a budget of steps"
            )
    else:
        stages = _budgeted(name, spec, shown, batch_size, steps, told)
    plan = MixingPlan(name, spec.summary, tuple(stages), notes=tuple(told))
    return accept_real_mass(plan, override or spec.override)


def accept_real_mass(plan: MixingPlan, override: str = "") -> MixingPlan:
    """The plan, with the reason why fewer than half originals are accepted where it shows fewer.

    Each stage is asked by itself: a last stage without originals forgets them, however many came before.

    Raises:
        BuildError: It shows fewer in some stage and there is no reason.
    """
    least = min(plan.stages, key=lambda stage: stage.real_mass)
    if least.real_mass >= LEAST_REAL_MASS:
        return dataclasses.replace(plan, override="")
    if override.strip():
        return dataclasses.replace(plan, override=override.strip())
    where = f" in the stage {least.name}" if len(plan.stages) > 1 else ""
    raise BuildError(
        f"Only {least.real_mass:.3f} of the images shown{where} would be originals, less than {LEAST_REAL_MASS:g}: "
        "models that train on mostly generated images drift away from the originals",
        field="plan",
        value=plan.name,
        remedy="Use the plan weighted, select fewer candidates, or give a reason with --override-real-mass",
    )


def class_folders(spec: PlanSpec, classes: Sequence[ImageClass]) -> list[str]:
    """The image folder of every class, as the plan that `mix` makes of them names it."""
    groups = _group_names(spec, classes)
    return [Subset(one.origin, one.images, 1, group=group).folder for one, group in zip(classes, groups, strict=True)]


def _uses_of(spec: PlanSpec, *, generated: bool) -> tuple[int | None, ...]:
    """For each stage the first use of originals, or of generated images."""
    return tuple(
        next((i for i, use in enumerate(stage.uses) if (use.images != "originals") == generated), None)
        for stage in spec.stages
    )


def _used(one: ImageClass) -> list[bool]:
    return [use is not None for use in one.uses]


def _subsets(
    number: int, stage: StageSpec, classes: Sequence[ImageClass], groups: Sequence[str], told: list[str]
) -> tuple[Subset, ...]:
    """The subsets of one stage, originals first."""
    here = [(one, group, one.uses[number]) for one, group in zip(classes, groups, strict=True)]
    counts: Counter[int] = Counter()
    for one, _, use in here:
        if use is not None:
            counts[use] += one.images
    repeats = _repeats(stage, counts, told)
    subsets = [
        Subset(one.origin, one.images, repeats[use], stage.uses[use].loss_weight, group)
        for one, group, use in here
        if use is not None and one.images
    ]
    if not any(subset.origin == "original" for subset in subsets) and not subsets:
        raise BuildError(
            f"The stage {stage.name} shows no image", field="plan", value=stage.name, remedy="Give it images to use"
        )
    return tuple(sorted(subsets, key=lambda subset: subset.origin != "original"))


def _repeats(stage: StageSpec, counts: Counter[int], told: list[str]) -> list[int]:
    """Repeats of every use: from the weights, and more for originals where too little would be real."""
    repeats = _from_weights(stage, told)
    if stage.least_real_mass is None:
        return repeats
    real = [i for i, use in enumerate(stage.uses) if use.images == "originals" and counts[i]]
    generated = sum(repeats[i] * count for i, count in counts.items() if i not in real)
    originals, images = sum(repeats[i] * counts[i] for i in real), sum(counts[i] for i in real)
    if images:
        # (originals + more * images) / (all + more * images) >= m, solved for the smallest whole `more`.
        wanted = stage.least_real_mass * generated / (1 - stage.least_real_mass)
        more = max(0, math.ceil((wanted - originals) / images))
        if more and stage.uses[real[0]].repeats > 1:
            told.append(
                f"Originals are repeated {repeats[real[0]] + more} times, not {repeats[real[0]]}: otherwise fewer than "
                f"{stage.least_real_mass} of the images shown would be real"
            )
        for i in real:
            repeats[i] += more
    return repeats


def _from_weights(stage: StageSpec, told: list[str]) -> list[int]:
    """Whole repeats in the ratio of the weights: exact where that takes few, else the nearest, and said so."""
    if all(use.weight is None for use in stage.uses):
        return [use.repeats for use in stage.uses]
    weights = [use.weight if use.weight is not None else Fraction(use.repeats) for use in stage.uses]
    whole = math.lcm(*(weight.denominator for weight in weights))
    exact = [int(weight * whole) for weight in weights]
    exact = [value // math.gcd(*exact) for value in exact]
    asked = " : ".join(f"{float(weight):g}" for weight in weights)
    if max(exact) <= MOST_REPEATS:
        told.append(f"Stage {stage.name}: weights {asked} are exactly {' : '.join(map(str, exact))} repeats")
        return exact

    def error(values: Sequence[int]) -> float:
        """Largest relative deviation of a ratio from the one that was asked for."""
        achieved = [Fraction(value) / weight for value, weight in zip(values, weights, strict=True)]
        return float(max(achieved) / min(achieved)) - 1

    lightest = min(weights)
    tries = [[max(1, round(weight / lightest * k)) for weight in weights] for k in range(1, MOST_REPEATS + 1)]
    fitting = [values for values in tries if max(values) <= MOST_REPEATS]
    best = min(fitting or tries[:1], key=error)
    achieved = " : ".join(f"{value / best[weights.index(lightest)] * float(lightest):.4g}" for value in best)
    told.append(
        f"Stage {stage.name}: weights {asked} would need {' : '.join(map(str, exact))} repeats; "
        f"{' : '.join(map(str, best))} are written, which are weights {achieved}, {error(best):.1%} off at most"
    )
    return best


def _group_names(spec: PlanSpec, classes: Sequence[ImageClass]) -> list[str]:
    """What ends the folder names of several classes of one origin: how often each stage repeats them."""
    several = Counter(one.origin for one in classes)
    names: list[str] = []
    for one in classes:
        if several[one.origin] == 1:
            names.append("")
            continue
        uses = [None if use is None else stage.uses[use] for stage, use in zip(spec.stages, one.uses, strict=True)]
        name = "x" + "-".join("0" if use is None else f"{float(use.weight or use.repeats):g}" for use in uses)
        name += "".join(f"_loss{use.loss_weight:g}" for use in uses if use is not None and use.loss_weight != 1)[:24]
        taken = {other for other, like in zip(names, classes, strict=False) if like.origin == one.origin}
        names.append(next(full for full in (name, *(f"{name}_{i}" for i in range(2, 1000))) if full not in taken))
    return names


def with_epochs(plan: MixingPlan, epochs: int) -> MixingPlan:
    """A plan of epochs with another number of them over all stages, in the same proportion.

    Raises:
        UserError: Too few for every stage to have one.
    """
    bounds, so_far = [0], 0
    for stage in plan.stages:
        so_far += stage.epochs
        bounds.append(round(epochs * so_far / plan.epochs))
    parts = [after - before for before, after in itertools.pairwise(bounds)]
    if min(parts) < 1:
        raise _too_small(plan.name, "epochs", epochs, -(-plan.epochs // min(stage.epochs for stage in plan.stages)))
    between = _epochs_between(epochs)
    return dataclasses.replace(
        plan,
        stages=tuple(
            dataclasses.replace(stage, epochs=part, save_every=between)
            for stage, part in zip(plan.stages, parts, strict=True)
        ),
    )


def _epochs_between(epochs: int) -> int:
    """Epochs from one checkpoint to the next: ten checkpoints where that comes out even, else one an epoch."""
    return max(1, epochs // CHECKPOINTS) if epochs % CHECKPOINTS == 0 else 1


def _budgeted(
    name: str,
    spec: PlanSpec,
    shown: Sequence[tuple[Subset, ...]],
    batch_size: int,
    steps: int,
    told: list[str],
) -> list[Stage]:
    """Stages that share a budget of optimizer steps, with ten evenly spaced checkpoints over all of them."""
    if steps < CHECKPOINTS:
        raise _too_small(name, "steps", steps, CHECKPOINTS)
    between = math.ceil(steps / CHECKPOINTS)
    if between * CHECKPOINTS != steps:
        told.append(f"{between * CHECKPOINTS} steps are taken, not {steps}: ten checkpoints have to be evenly spaced")
    stages = []
    for stage, subsets, points in zip(spec.stages, shown, _parts(name, "steps", CHECKPOINTS, spec), strict=True):
        bare = Stage(stage.name, 1, batch_size, subsets)
        budget = points * between
        epochs = math.ceil(budget / bare.steps_per_epoch)
        stages.append(dataclasses.replace(bare, epochs=epochs, budget=budget, save_every=between))
    return stages


def _parts(name: str, field: str, whole: int, spec: PlanSpec) -> list[int]:
    """A whole number divided by the stages' shares; what does not come out even goes to later stages."""
    total = sum(stage.share for stage in spec.stages)
    bounds, sum_of_shares = [0], 0
    for stage in spec.stages:
        sum_of_shares += stage.share
        bounds.append(whole * sum_of_shares // total)
    parts = [after - before for before, after in itertools.pairwise(bounds)]
    if min(parts) < 1:
        least = math.ceil(total / min(stage.share for stage in spec.stages))
        raise _too_small(name, field if field == "epochs" else "share", whole, least)
    return parts


def _too_small(name: str, field: str, value: int, least: int) -> UserError:
    return UserError(
        f"The plan {name} needs at least {least}", field=field, value=value, remedy=f"Give {least} or more"
    )


__all__ = [
    "LEAST_REAL_MASS",
    "PLANS",
    "ImageClass",
    "PlanSpec",
    "Use",
    "accept_real_mass",
    "mix",
    "plan_mix",
    "with_epochs",
]
