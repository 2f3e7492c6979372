"""What suggesting reads and says, as frozen values.

Effects are differences of a share in [0, 1] (0.05 is five points); of quality, tenths of its 0-10 scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Standing = Literal["open", "helped", "no difference", "rejected"]
ANY = "*"
Trainer = Literal["embedded", "kohya"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One recorded comparison of a move: an arm that differs from the baseline in one knob.

    `low` and `high` are the ends of its interval at `level`.
    """

    knob: str
    move: str  # `Move.key`; `ANY` where it speaks for every move of the knob
    experiment: str
    endpoint: str
    point: float
    low: float
    high: float
    level: float
    seeds: int
    verdict: str
    directional: bool


@dataclass(frozen=True, slots=True)
class Observed:
    """One run as a point of a numeric search: the knob's value and the score at its last checkpoint."""

    knob: str
    value: float
    score: float  # "overall" over all prompts, 0-1
    run: str


@dataclass(frozen=True, slots=True)
class Lack:
    """A trait that the admitted have too few of."""

    slot: str  # "background", "hair", "accessory:crown", ...
    value: str
    originals: int  # that have it
    admitted: int
    due: float  # admitted that its share of the originals, by square root, asks for
    acceptance: float  # share of such candidates that pass the gates

    @property
    def missing(self) -> int:
        """Admitted images that are still to come."""
        return max(0, round(self.due - self.admitted))

    @property
    def name(self) -> str:
        """As people say it: "gray background", "crown"."""
        if self.slot.startswith("accessory:"):
            term = self.slot.removeprefix("accessory:")
            return term if self.value == "present" else f"without {term}"
        return f"{self.value} {self.slot}"


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An inconclusive difference of an experiment, and the seeds that would settle it."""

    experiment: str
    arms: tuple[str, ...]  # of the experiment, the baseline first
    steps: int
    arm: str
    endpoint: str
    point: float
    low: float
    high: float
    seeds: int
    needed: int | None
    directional: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a project when suggestions are made.

    Attributes:
        originals, candidates, admitted: Images.
        lacking: Traits, the most lacking first.
        alarms: Sentences of the selection.
        wrong: Slot -> (contradicted, judged) claims of the candidates' texts as they came in.
        proposals_used: Whether builds train on corrected captions.
        findings: Rule -> captions of originals or candidates with that finding of the audit.
        audited: Captions that were audited.
        baseline: Whether finished runs on the originals alone are there.
        real_mass: Of the leading build; None where there is none.
        size, cells: Width of training images, px, and native cells across; None likewise.
        unconverged: Share of the runs whose timeline had not settled; None without runs.
        settings: Name -> value in use, such as "learning_rate", "network_dim", "keep_tokens".
        seconds_per_step: Of the embedded trainer, measured on this project's runs; None without runs.
        steps: Of a run.
        seeds: Of an experiment.
        gpu_seconds_per_step: Of the user's trainer.
        minutes_per_image: What an image costs to make, 0 where nobody said.
        trials, observed, unsettled: The record.
        plan: Of the leading build.
    """

    originals: int = 0
    candidates: int = 0
    admitted: int = 0
    lacking: tuple[Lack, ...] = ()
    alarms: tuple[str, ...] = ()
    wrong: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    audited: int = 0
    baseline: bool = False
    real_mass: float | None = None
    size: int | None = None
    cells: int | None = None
    unconverged: float | None = None
    settings: Mapping[str, float] = field(default_factory=dict)
    seconds_per_step: float | None = None
    steps: int = 1000
    seeds: int = 5
    gpu_seconds_per_step: float = 1.0
    minutes_per_image: float = 0.0
    trials: tuple[Trial, ...] = ()
    observed: tuple[Observed, ...] = ()
    unsettled: tuple[Unsettled, ...] = ()
    plan: str = "weighted"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a knob before this project recorded anything: a normal distribution of its effect."""

    mean: float
    sd: float
    source: str  # a paper, a measurement, or "judgment"


@dataclass(frozen=True, slots=True)
class Move:
    """One change that may be tried.

    Attributes:
        key: The same for the same change: what was tested is found by it.
        prior: Where this project says something of it, in place of the knob's.
        images: To make.
        trainer: Which trainer tries it.
        arms: Trained for it, with every seed.
        steps: Of a run, where they differ from the project's.
        toml: Lines for graftset.toml, or options of the trainer.
        command: What to run.
    """

    key: str
    title: str
    hypothesis: str
    rationale: tuple[str, ...]
    success: str
    toml: str
    command: str
    images: int = 0
    trainer: Trainer = "embedded"
    arms: int = 2
    steps: int | None = None
    prior: Prior | None = None
    urgent: bool = False  # nothing else can be judged before


@dataclass(frozen=True, slots=True)
class Knob:
    """Something that can be turned: one line of the table."""

    name: str
    title: str
    endpoint: str
    prior: Prior
    moves: Callable[[Facts], Sequence[Move]]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a move is expected to do: mean and 95 % interval, and how probable it is that it does good."""

    endpoint: str
    mean: float
    low: float
    high: float
    confidence: float  # P(effect > 0)
    gain: float  # E[max(effect, 0)], by which moves are ranked
    trials: int  # that moved it away from the prior
    prior: Prior


@dataclass(frozen=True, slots=True)
class Cost:
    """What it takes. Hours are None where nothing was ever timed."""

    images: int
    cpu_hours: float | None
    gpu_hours: float | None
    making_hours: float | None
    runs: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One next experiment."""

    rank: int  # from 1; 0 for what is settled
    knob: str
    move: Move
    effect: Effect
    cost: Cost
    priority: Literal["first", "high", "medium", "low"]
    standing: Standing
    record: tuple[str, ...]  # a sentence for each trial
