"""What is on the page of an experiment, as typed values: the template only lays them out.

Places called `..._at` are percentages of a strip's width, ready for CSS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftset.report.page import Meaning, Part, Picture, Tile
from graftset.report.run_page import ChartView

Tone = Literal["good", "bad", "maybe", "open"]


@dataclass(frozen=True, slots=True)
class ArmView:
    """One arm in a few words."""

    name: str
    told: str  # what it did, in a sentence for anyone
    tone: Tone
    facts: str  # what it was trained on
    runs: tuple[tuple[str, str | None], ...]  # run, and where its page lies beside this one


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One difference as a point with its interval."""

    arm: str
    text: str  # "+20.0 points (14.0 to 26.0)"
    word: str  # the verdict
    tone: Tone
    point_at: float
    low_at: float
    width: float
    open_low: bool  # the interval goes on beyond the strip
    open_high: bool
    note: str  # what would settle it, and the like


@dataclass(frozen=True, slots=True)
class ForestView:
    """One endpoint over all arms."""

    title: str
    meaning: str
    low: str  # what stands at the ends of the axis
    high: str
    zero_at: float
    margin_at: float
    margin_width: float
    margin: str
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One scenario."""

    title: str
    meaning: str
    arm: str
    risk: str
    reward: str
    evidence: tuple[str, ...]
    verdict: str
    tone: Tone
    missing: tuple[str, ...]
    chosen: bool


@dataclass(frozen=True, slots=True)
class MetricCell:
    """One success metric of one arm."""

    state: str
    tone: Tone
    why: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One success metric over all arms."""

    title: str
    wanted: str
    cells: tuple[MetricCell, ...]


@dataclass(frozen=True, slots=True)
class PairView:
    """One prompt as both arms painted it from the same noise."""

    prompt: str
    measure: str
    baseline: str  # the figure
    arm: str
    better: bool | None
    pictures: tuple[tuple[Tile, Tile], ...]  # baseline, arm


@dataclass(frozen=True, slots=True)
class GalleryView:
    """The most changed prompts of one arm."""

    anchor: str
    arm: str
    pairs: tuple[PairView, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """Figures for the statistician."""

    title: str
    meaning: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def folded(self) -> bool:
        """Whether it is long enough to be opened on demand."""
        return len(self.rows) > 16


@dataclass(frozen=True, slots=True)
class NextTry:
    """What to try next."""

    title: str
    why: str
    effect: str
    confidence: str
    cost: str
    command: str


@dataclass(frozen=True, slots=True)
class ExperimentPage:
    """Everything on the page of one experiment, top to bottom."""

    project: str
    version: str
    experiment: str
    made_at: str
    directional: bool
    state: str  # "3 arms, 2 seeds each"
    verdict: str  # the whole result in one sentence
    lede: str
    decided: str  # by the rules, or by whom and why
    notes: tuple[str, ...]
    facts: tuple[Part, ...]
    arms: tuple[ArmView, ...]
    forests: tuple[ForestView, ...]
    charts: tuple[ChartView, ...]
    matrix: tuple[MatrixRow, ...]
    metric_arms: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    galleries: tuple[GalleryView, ...]
    next_tries: tuple[NextTry, ...]
    method: tuple[str, ...]
    tables: tuple[TableView, ...]
    meanings: tuple[Meaning, ...]
    inputs: tuple[tuple[str, str], ...]
    inputs_more: int
    pictures: tuple[Picture, ...]
