"""What a decision says, as frozen values: the five success metrics of every arm, the matrix, and who overrode it.

Source: measurement.md, sections 7 (success of an expansion) and 8 (the matrix).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Word = Literal["adopt", "try next", "reject", "undecided"]
State = Literal["held", "likely", "missed", "failed", "open"]
Certainty = Literal["bound", "point"]
BaselineState = Literal["finished", "unfinished", "absent"]

WORDS: tuple[Word, ...] = ("adopt", "try next", "reject", "undecided")
FORMAT_VERSION = 1

ALL, SUBSET, FIRST, NOT_YET = "use all", "high-quality subset", "originals first", "do not use yet"
SCENARIOS: Mapping[str, str] = MappingProxyType(
    {
        ALL: "train on every admitted image beside the originals",
        SUBSET: "train on the best of the admitted beside the originals",
        FIRST: "train on the originals alone first, then on all together",
        NOT_YET: "train on the originals alone for now",
    }
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a decision is held against; `[decide]` of graftset.toml. Defaults are judgments unless said otherwise.

    Attributes:
        review_bound: Least one-sided bound on the share of right images for "adopt" (measurement.md, section 3).
        original_accuracy: Least original accuracy of an arm.
        quality: Least mean quality, 0-10.
        convergence_slack: How much later than the baseline an arm may converge, as a share of the baseline's images.
        stability_slack: How much more an arm may swing, in multiples of the sampling noise.
        certainty: "bound": a metric counts as held where its interval says so; "point": where the figure does.
    """

    review_bound: float = 0.90
    original_accuracy: float = 0.95
    quality: float = 8.0
    convergence_slack: float = 0.10
    stability_slack: float = 0.25
    certainty: Certainty = "bound"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure with its interval. `unit` is "points" (of percent), "0-10", "images seen", ..."""

    name: str
    unit: str
    point: float | None
    low: float | None
    high: float | None
    level: float | None = None  # confidence of the interval


@dataclass(frozen=True, slots=True)
class Metric:
    """One of the five success metrics of an arm.

    Attributes:
        figure: The arm's own figure, in the unit of `change`.
        baseline: The baseline's.
        change: Arm minus baseline with its interval.
        bound: The end of the interval that has to reach `wanted`; of quality, the baseline's mean plus the lower end.
        wanted: In words, with the threshold.
        state: "held" the bound says so, "likely" only the figure does, "missed" the figure does not, "failed" the
            interval excludes it, "open" nothing can be told.
        why: A sentence.
    """

    name: str
    figure: float | None
    baseline: float | None
    change: Quantity
    bound: float | None
    wanted: str
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class ArmSuccess:
    """One arm held against the five metrics."""

    arm: str
    scenario: str | None  # None: a control
    directional: bool
    reviewed: float | None  # lower bound on the share of right images in its build; None: nobody reviewed it
    metrics: tuple[Metric, ...]
    harms: tuple[str, ...]  # primary endpoints that are HURT by more than their margin can excuse, as sentences
    verdict: Word
    missing: tuple[str, ...]  # what stands between it and "adopt"

    def metric(self, name: str) -> Metric:
        """A metric by name."""
        return next(one for one in self.metrics if one.name == name)


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario of the matrix.

    Attributes:
        scenario: A key of `SCENARIOS`.
        arm: The arm that stands for it; None where none was trained.
        risk: What may be lost: the change of original accuracy at equal exposures.
        reward: What may be won: the change of obeyed backgrounds of the candidates' wordings.
        evidence: What the verdict rests on, a sentence each.
        missing: For verdicts other than "adopt": what would make it one.
    """

    scenario: str
    arm: str | None
    risk: Quantity | None
    reward: Quantity | None
    evidence: tuple[str, ...]
    verdict: Word
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word against the matrix."""

    scenario: str
    before: Word
    verdict: Word
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with everything it rests on. Records are numbered and never changed; the newest one holds."""

    number: int  # from 1; 0 while it is not kept
    at: str  # ISO 8601 UTC
    experiments: tuple[str, ...]
    baseline: str | None  # name of the arm
    baseline_state: BaselineState
    scenario: str  # what is decided for
    verdict: Word  # of that row
    sentence: str
    rows: tuple[Row, ...]  # as the rules have them, before any override
    arms: tuple[ArmSuccess, ...]
    directional: bool  # some arm has too few seeds for a verdict that counts
    thresholds: Thresholds
    inputs: Mapping[str, str] = field(default_factory=dict)  # file or "run/checkpoint" -> SHA-256
    override: Override | None = None
    notes: tuple[str, ...] = ()
    by: str = "rules"
    graftset: str = ""
    format_version: int = FORMAT_VERSION

    def row(self, scenario: str) -> Row:
        """A row of the matrix."""
        return next(row for row in self.rows if row.scenario == scenario)
