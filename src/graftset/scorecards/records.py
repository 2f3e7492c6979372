"""What an evaluator says of one checkpoint, as frozen values: figures with intervals, and every picture's own values.

The values of single pictures travel with the figures: two arms are compared prompt by prompt and seed by seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from graftset.records import Skip

Group = Literal["training", "held_out", "candidate", "generic", "unseen"]
Method = Literal["wilson", "bootstrap", "none"]

RECALL: tuple[Group, ...] = ("training",)  # wordings that were trained on, of originals that were trained on
OBEDIENCE: tuple[Group, ...] = ("candidate", "generic", "unseen")
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over the pictures of one group of prompts, with its 95 % interval.

    `group` is one of `Group`, or "obedience" (candidate, generic and unseen wordings together) or "all".
    """

    measure: str  # a name of `measures.MEASURES`
    group: str
    n: int  # pictures that have a value; for the variety of a set, pictures it is taken over
    prompts: int  # different prompts among them
    point: float
    low: float | None  # None where the interval is not known
    high: float | None
    method: Method
    effective: float | None = None  # independent observations the pictures are worth


@dataclass(frozen=True, slots=True)
class PictureScore:
    """One painted picture. `values` holds the measures that could be told for it, by name."""

    prompt_id: str
    group: Group
    seed: int
    file: str  # relative to the folder of the samples
    sha256: str
    values: dict[str, float]
    asked: dict[str, str] = field(default_factory=dict)  # what the prompt asks for, by slot
    seen: dict[str, str] = field(default_factory=dict)  # what was seen of it, by the same slots
    copy_of: str | None = None  # sha256 of the original it repeats
    nearest: str | None = None  # sha256 of the nearest original


@dataclass(frozen=True, slots=True)
class PromptAsked:
    """One prompt of the set, for whoever shows the pictures."""

    id: str
    group: Group
    text: str
    reference: str | None = None  # sha256 of the original that has this caption


@dataclass(frozen=True, slots=True)
class DistanceToOriginals:
    """Maximum mean discrepancy of painted pictures, the first seed of each prompt, to originals."""

    group: str
    value: float  # squared, unbiased
    p: float  # of a permutation test
    pictures: int
    originals: int


@dataclass(frozen=True, slots=True)
class StyleCheck:
    """Whether style consistency may be used as a criterion, and the evidence.

    Attributes:
        sample_set_auc: How well it tells the drawn sample set's planted style faults from clean pictures.
        own_auc: How well it tells the project's originals from their own degraded versions, unseen ones.
        least: What both must reach.
        usable: Whether they do.
    """

    sample_set_auc: float | None
    own_auc: float | None
    least: float
    usable: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a run a checkpoint stands. What is not known of somebody else's run is None."""

    checkpoint: str  # its name
    number: int  # 1 is the first
    planned: int | None = None  # checkpoints of the whole run
    step: int | None = None
    images_seen: int | None = None
    epoch: int | None = None
    exposures: float | None = None  # mean times each original was shown


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything an evaluator says of one checkpoint."""

    run: str
    place: Place
    evaluator: str  # version of the measures; cards of unequal ones are never compared
    prompts_sha256: str  # of prompts, seeds and what was expected; likewise
    originals_sha256: str  # of the originals compared with; likewise
    inputs_sha256: str  # of all that the card rests on: the same inputs are not evaluated again
    figures: tuple[Figure, ...]
    pictures: tuple[PictureScore, ...]
    prompts: tuple[PromptAsked, ...]
    distances: tuple[DistanceToOriginals, ...]
    skipped: tuple[Skip, ...]
    style: StyleCheck
    holdout_clean: bool | None  # False: the generator may have seen what was set aside; None: nothing was
    notes: tuple[str, ...] = ()
    at: str = ""  # ISO 8601 UTC
    format_version: int = FORMAT_VERSION

    def figure(self, measure: str, group: str = "all") -> Figure | None:
        """One figure; None where the card has none."""
        return next((f for f in self.figures if f.measure == measure and f.group == group), None)


def comparable(first: Scorecard, second: Scorecard) -> str | None:
    """Why two cards must not be compared; None where they may be."""
    if first.evaluator != second.evaluator:
        return f"they were made by different evaluators ({first.evaluator} and {second.evaluator})"
    if first.prompts_sha256 != second.prompts_sha256:
        return "they paint different prompts or seeds"
    if first.originals_sha256 != second.originals_sha256:
        return "they were compared with different originals"
    return None
