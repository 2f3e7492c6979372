"""The mixing plan as a value: how often every image is shown, in which order, for how many steps, and what is saved.

A plan is pure. Figures are derived from what is stored, so that they cannot disagree with it. Steps follow the rule of
kohya sd-scripts: the sum over buckets of ceil(entries / batch size), where an entry is one image at one repeat.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

from graftset.records import Origin

ORIGINS: tuple[Origin, ...] = ("original", "generated")
CHECKPOINTS = 10  # of every run, evenly spaced in its budget


@dataclass(frozen=True, slots=True)
class Uneven:
    """Repeats that a trainer makes of its own accord: the first `first` images by file name get `more`, the others
    `rest`."""

    first: int
    more: int
    rest: int


@dataclass(frozen=True, slots=True)
class Subset:
    """Images of one origin inside a stage, all shown equally often and weighted alike, in one folder."""

    origin: Origin
    images: int
    repeats: int  # times each image is shown in one epoch
    loss_weight: float = 1.0  # factor on the loss of these images
    group: str = ""  # ends the folder's name where a plan has several folders of one origin: "x3"
    uneven: Uneven | None = None  # what the trainer makes of `repeats`, where it does not take them as they are

    @property
    def folder(self) -> str:
        """Name of the image folder: the real count, the origin and the group, such as `203_original`."""
        return f"{self.images}_{self.origin}" + (f"_{self.group}" if self.group else "")

    @property
    def entries(self) -> int:
        """Images shown in one epoch, repeats counted."""
        if self.uneven is None:
            return self.images * self.repeats
        return self.uneven.first * self.uneven.more + (self.images - self.uneven.first) * self.uneven.rest

    def repeats_of(self, number: int) -> int:
        """Times the image that is `number` (from 0) in the order of file names is shown in one epoch."""
        if self.uneven is None:
            return self.repeats
        return self.uneven.more if number < self.uneven.first else self.uneven.rest


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the trainer; a later stage goes on from the weights of the one before it."""

    name: str
    epochs: int  # that are begun: with a budget the last one may be cut short
    batch_size: int
    subsets: tuple[Subset, ...]
    budget: int | None = None  # optimizer steps after which the stage ends; None: after its epochs
    save_every: int = 1  # epochs, or steps where there is a budget, from one checkpoint to the next

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
        return self.epochs * self.steps_per_epoch if self.budget is None else self.budget

    @property
    def passes(self) -> float:
        """How often the stage goes over its set: its epochs, or the part of them that the budget allows."""
        return self.steps / self.steps_per_epoch

    @property
    def images_seen(self) -> int:
        """Images shown over the whole stage; where the last epoch is cut short, the mean over the order of batches."""
        return round(self.passes * self.entries)

    @property
    def real_mass(self) -> float:
        """Probability that an image drawn in this stage is an original."""
        return sum(subset.entries for subset in self.subsets if subset.origin == "original") / self.entries

    @property
    def loss_mass(self) -> float:
        """Share of the originals in the sum of loss weights of all that is shown."""
        weights = [(subset.origin, subset.entries * subset.loss_weight) for subset in self.subsets]
        return sum(weight for origin, weight in weights if origin == "original") / sum(weight for _, weight in weights)

    @property
    def save_points(self) -> tuple[int, ...]:
        """The steps of this stage after which a checkpoint is there; its last step always is one."""
        every = self.save_every if self.budget is not None else self.save_every * self.steps_per_epoch
        return (*range(every, self.steps, every), self.steps)

    def repeats(self, origin: Origin) -> float:
        """Times an image of `origin` is shown in one epoch, the mean where they differ; 0 where it uses none."""
        same = [subset for subset in self.subsets if subset.origin == origin]
        return _figure(sum(s.entries for s in same) / sum(s.images for s in same)) if same else 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run has seen when one of its checkpoints is saved."""

    number: int  # from 1, over all stages
    stage: str
    step: int  # optimizer steps, over all stages
    images_seen: int
    exposures: float  # times each original was shown so far


@dataclass(frozen=True, slots=True)
class MixingPlan:
    """What a training run shows, stage by stage."""

    name: str
    summary: str
    stages: tuple[Stage, ...]
    override: str = ""  # why fewer than half originals are accepted; empty where they are not fewer, or not accepted
    notes: tuple[str, ...] = ()  # sentences on what differs from what was asked for, and by how much

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
        shown = sum(stage.passes * stage.entries for stage in self.stages)
        return sum(stage.passes * stage.entries * stage.real_mass for stage in self.stages) / shown

    def images(self, origin: Origin) -> int:
        """How many different images of `origin` the plan uses."""
        folders = {s.folder: s.images for stage in self.stages for s in stage.subsets if s.origin == origin}
        return sum(folders.values())

    def folders(self) -> dict[str, Subset]:
        """Every image folder by its name, as the first stage that uses it has it; originals first."""
        found: dict[str, Subset] = {}
        for subset in (subset for stage in self.stages for subset in stage.subsets):
            found.setdefault(subset.folder, subset)
        return dict(sorted(found.items(), key=lambda item: item[1].origin != "original"))

    def exposures(self, origin: Origin) -> float:
        """How often each image of `origin` is shown over all stages, on average."""
        images = self.images(origin)
        shown = sum(
            stage.passes * subset.entries
            for stage in self.stages
            for subset in stage.subsets
            if subset.origin == origin
        )
        return shown / images if images else 0

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every checkpoint of the run, in order."""
        number, steps, seen, shown = 0, 0, 0.0, 0.0
        originals = self.images("original")
        for stage in self.stages:
            for point in stage.save_points:
                passes = point / stage.steps_per_epoch
                number += 1
                yield Checkpoint(
                    number=number,
                    stage=stage.name,
                    step=steps + point,
                    images_seen=round(seen + passes * stage.entries),
                    exposures=(shown + passes * stage.entries * stage.real_mass) / originals if originals else 0.0,
                )
            steps += stage.steps
            seen += stage.passes * stage.entries
            shown += stage.passes * stage.entries * stage.real_mass

    def as_dict(self) -> dict[str, object]:
        """The plan with its figures, for the manifest and `--json`."""
        return {
            "name": self.name,
            "summary": self.summary,
            "override": self.override,
            "notes": list(self.notes),
            "epochs": self.epochs,
            "steps": self.steps,
            "images_seen": self.images_seen,
            "real_mass": round(self.real_mass, 6),
            "exposures": {origin: _figure(self.exposures(origin)) for origin in ORIGINS},
            "checkpoints": [
                dataclasses.asdict(point) | {"exposures": _figure(point.exposures)} for point in self.checkpoints()
            ],
            "stages": [
                dataclasses.asdict(stage)
                | {
                    "subsets": [
                        dataclasses.asdict(subset) | {"folder": subset.folder, "entries": subset.entries}
                        for subset in stage.subsets
                    ],
                    "entries": stage.entries,
                    "steps_per_epoch": stage.steps_per_epoch,
                    "steps": stage.steps,
                    "images_seen": stage.images_seen,
                    "real_mass": round(stage.real_mass, 6),
                    "loss_mass": round(stage.loss_mass, 6),
                }
                for stage in self.stages
            ],
        }


@dataclass(frozen=True, slots=True)
class Match:
    """A checkpoint beside the baseline's checkpoint that has shown each original most nearly as often."""

    checkpoint: Checkpoint
    baseline: Checkpoint


def at_equal_exposures(plan: MixingPlan, baseline: MixingPlan) -> tuple[Match, ...]:
    """For every checkpoint of a plan the baseline's checkpoint of equal exposures of the originals.

    Original accuracy is compared there: at equal steps a mixed set has shown each original less often, and that alone
    lowers it. A checkpoint of more exposures than the baseline ever has stands beside the baseline's last.
    """
    points = list(baseline.checkpoints())
    return tuple(
        Match(point, min(points, key=lambda other: (abs(other.exposures - point.exposures), other.number)))
        for point in plan.checkpoints()
    )


def batches(bucket_entries: list[int], batch_size: int) -> int:
    """Batches in one epoch as kohya sd-scripts counts them: every bucket is filled up on its own.

    Args:
        bucket_entries: Entries (images x repeats) in each bucket.
        batch_size: Images in a full batch.
    """
    return sum(math.ceil(entries / batch_size) for entries in bucket_entries)


def _figure(value: float) -> float:
    """A figure with four decimals, as an integer where it is one."""
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded
