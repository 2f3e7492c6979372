"""The mixing plan: how often every image is shown, in which order and for how many steps, as a value.

A plan is pure and is printed before anything is written. It asks for exposure only; an exporter translates it into the
repeats and stages of its trainer. Steps follow the rule of kohya sd-scripts: the sum over buckets of
ceil(entries / batch size), where an entry is one image at one repeat.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graftset.errors import BuildError, UserError
from graftset.records import Origin

WEIGHTED_REAL_MASS = (2, 3)  # numerator and denominator: the weighted plan keeps at least this share on originals
LEAST_REAL_MASS = 0.5  # below it a plan needs an override


@dataclass(frozen=True, slots=True)
class Subset:
    """Images of one origin inside a stage, all shown equally often."""

    origin: Origin
    images: int
    repeats: int  # times each image is shown in one epoch

    @property
    def entries(self) -> int:
        """Images shown in one epoch, repeats counted."""
        return self.images * self.repeats


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the trainer; a later stage goes on from the weights of the one before it."""

    name: str
    epochs: int
    batch_size: int
    subsets: tuple[Subset, ...]

    @property
    def entries(self) -> int:
        """Images shown in one epoch, repeats counted."""
        return sum(subset.entries for subset in self.subsets)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in one epoch; every image has the same size, so all entries lie in one bucket."""
        return batches([self.entries], self.batch_size)

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole stage."""
        return self.epochs * self.steps_per_epoch

    @property
    def images_seen(self) -> int:
        """Images shown over the whole stage."""
        return self.epochs * self.entries

    @property
    def real_mass(self) -> float:
        """Probability that an image drawn in this stage is an original."""
        return sum(subset.entries for subset in self.subsets if subset.origin == "original") / self.entries

    def repeats(self, origin: Origin) -> int:
        """Times each image of `origin` is shown in one epoch; 0 where the stage does not use them."""
        return next((subset.repeats for subset in self.subsets if subset.origin == origin), 0)


@dataclass(frozen=True, slots=True)
class MixingPlan:
    """What a training run shows, stage by stage. Figures are derived, never stored."""

    name: str
    summary: str
    stages: tuple[Stage, ...]

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def steps(self) -> int:
        """Optimizer steps over all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def images_seen(self) -> int:
        """Images shown over all stages."""
        return sum(stage.images_seen for stage in self.stages)

    @property
    def real_mass(self) -> float:
        """Share of all shown images that are originals, 0-1."""
        return sum(stage.images_seen * stage.real_mass for stage in self.stages) / self.images_seen

    def images(self, origin: Origin) -> int:
        """How many different images of `origin` the plan uses."""
        return max(
            (subset.images for stage in self.stages for subset in stage.subsets if subset.origin == origin), default=0
        )

    def exposures(self, origin: Origin) -> int:
        """How often each image of `origin` is shown over all stages."""
        return sum(stage.epochs * stage.repeats(origin) for stage in self.stages)

    def as_dict(self) -> dict[str, object]:
        """The plan with its figures, for the manifest and `--json`."""
        return {
            "name": self.name,
            "summary": self.summary,
            "epochs": self.epochs,
            "steps": self.steps,
            "images_seen": self.images_seen,
            "real_mass": round(self.real_mass, 6),
            "exposures": {"original": self.exposures("original"), "generated": self.exposures("generated")},
            "stages": [
                dataclasses.asdict(stage)
                | {
                    "entries": stage.entries,
                    "steps_per_epoch": stage.steps_per_epoch,
                    "steps": stage.steps,
                    "images_seen": stage.images_seen,
                    "real_mass": round(stage.real_mass, 6),
                }
                for stage in self.stages
            ],
        }

    def describe(self) -> str:
        """The plan as text of a few lines, to be printed before anything is written."""
        lines = [f"plan {self.name}: {self.summary}"]
        for stage in self.stages:
            parts = " + ".join(f"{subset.images} {subset.origin} x {subset.repeats}" for subset in stage.subsets)
            lines.append(
                f"  {stage.name}: {_counted(stage.epochs, 'epoch')} of {parts} = {stage.entries} entries in "
                f"{_counted(stage.steps_per_epoch, 'step')} at batch {stage.batch_size}; "
                f"real mass {stage.real_mass:.3f}"
            )
        seen = f"each original {_counted(self.exposures('original'), 'time')}"
        if self.images("generated"):
            seen += f", each generated image {_counted(self.exposures('generated'), 'time')}"
        lines.append(
            f"  in all: {_counted(self.epochs, 'epoch')}, {_counted(self.steps, 'step')}, "
            f"{self.images_seen} images seen; {seen}; real mass {self.real_mass:.3f}"
        )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a plan is made from."""

    originals: int
    generated: int
    epochs: int
    batch_size: int

    def stage(self, name: str, epochs: int, *, original_repeats: int = 1, generated_repeats: int = 0) -> Stage:
        """A stage of all originals, and of all generated images where those have repeats."""
        subsets = [Subset("original", self.originals, original_repeats)]
        if generated_repeats:
            subsets.append(Subset("generated", self.generated, generated_repeats))
        return Stage(name, epochs, self.batch_size, tuple(subsets))


@dataclass(frozen=True, slots=True)
class PlanKind:
    """One line of the table of plans."""

    summary: str
    stages: Callable[[Counts], tuple[Stage, ...]]
    uses_generated: bool = True
    least_epochs: int = 1


def originals_stages(counts: Counts) -> tuple[Stage, ...]:
    """The baseline: originals only."""
    return (counts.stage("originals", counts.epochs),)


def equal_stages(counts: Counts) -> tuple[Stage, ...]:
    """Every image once an epoch."""
    return (counts.stage("combined", counts.epochs, generated_repeats=1),)


def weighted_stages(counts: Counts) -> tuple[Stage, ...]:
    """Repeats r : 1 with the smallest r >= 2 that keeps two thirds of the sampling probability on originals.

    rho = r O / (r O + G) >= 2/3 is r >= 2 G / O for O originals and G generated images.
    """
    numerator, denominator = WEIGHTED_REAL_MASS
    enough = _ceil_div(numerator * counts.generated, (denominator - numerator) * counts.originals)
    return (counts.stage("combined", counts.epochs, original_repeats=max(2, enough), generated_repeats=1),)


def sequential_stages(counts: Counts) -> tuple[Stage, ...]:
    """The first half of the epochs on originals, the rest on all with at least half of the entries originals."""
    first = counts.epochs // 2
    repeats = max(1, _ceil_div(counts.generated, counts.originals))
    return (
        counts.stage("originals", first),
        counts.stage("combined", counts.epochs - first, original_repeats=repeats, generated_repeats=1),
    )


PLANS: Mapping[str, PlanKind] = MappingProxyType(
    {
        "originals": PlanKind("originals only, the baseline", originals_stages, uses_generated=False),
        "equal": PlanKind("every image equally often", equal_stages),
        "weighted": PlanKind("each original at least twice as often as a generated image", weighted_stages),
        "sequential": PlanKind("originals first, then all together", sequential_stages, least_epochs=2),
    }
)


def plan_mix(
    name: str,
    *,
    originals: int,
    generated: int,
    epochs: int = 10,
    batch_size: int = 4,
    least_real_mass: float = LEAST_REAL_MASS,
) -> MixingPlan:
    """Work out a mixing plan; nothing is read or written.

    Args:
        name: A key of `PLANS`.
        originals: Number of originals, at least 1.
        generated: Number of admitted generated images; ignored by plans that do not use them.
        epochs: Times the trainer goes over the set, all stages together.
        batch_size: Images in one optimizer step.
        least_real_mass: Smallest share (0-1) of the shown images that must be originals; lower it to override.

    Raises:
        UserError: No such plan, or a number out of range.
        BuildError: The plan needs generated images and there are none, or too little would be real.
    """
    kind = PLANS.get(name)
    if kind is None:
        raise UserError("No such mixing plan", field="plan", value=name, remedy=f"Use one of: {', '.join(PLANS)}")
    for field, value, least in (
        ("originals", originals, 1),
        ("generated", generated, 0),
        ("epochs", epochs, kind.least_epochs),
        ("batch_size", batch_size, 1),
    ):
        if value < least:
            raise UserError(
                f"The plan {name} needs at least {least}", field=field, value=value, remedy=f"Give {least} or more"
            )
    if kind.uses_generated and not generated:
        raise BuildError(
            f"The plan {name} mixes in generated images and none are selected",
            field="plan",
            value=name,
            remedy="Use the plan originals, or select candidates first",
        )
    plan = MixingPlan(name, kind.summary, kind.stages(Counts(originals, generated, epochs, batch_size)))
    if plan.real_mass < least_real_mass:
        raise BuildError(
            f"Only {plan.real_mass:.3f} of the images shown would be originals, less than {least_real_mass:g}",
            field="plan",
            value=name,
            remedy="Use the plan weighted, or select fewer candidates",
        )
    return plan


def batches(bucket_entries: list[int], batch_size: int) -> int:
    """Batches in one epoch as kohya sd-scripts counts them: every bucket is filled up on its own.

    Args:
        bucket_entries: Entries (images x repeats) in each bucket.
        batch_size: Images in a full batch.
    """
    return sum(_ceil_div(entries, batch_size) for entries in bucket_entries)


def _ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
