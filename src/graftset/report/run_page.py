"""What is on the page of one run, as typed values: the template only lays them out, and so may a web application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftset.report.page import Meaning, Part, Picture, SkippedFile, Tile
from graftset.report.plots import LineChart

Mark = Literal["right", "partly", "wrong", "untold"]
State = Literal["met", "likely", "missed", "open"]


@dataclass(frozen=True, slots=True)
class ChartView:
    """One measure over the checkpoints."""

    title: str
    meaning: str
    chart: LineChart
    rows: tuple[tuple[str, ...], ...]  # the same as a table: checkpoint, then a value for each line
    heads: tuple[str, ...]
    settled: str  # convergence and stability in a sentence; "" where nothing can be said


@dataclass(frozen=True, slots=True)
class CriterionView:
    """One success criterion."""

    title: str
    wanted: str
    found: str  # point and bound, or why there is none
    state: State
    verdict: str  # the state in words


@dataclass(frozen=True, slots=True)
class WindowView:
    """A part of the run and the measure it is read for."""

    title: str
    checkpoints: str
    value: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One measure at one checkpoint, group by group."""

    title: str
    meaning: str
    better: str
    cells: tuple[str, ...]  # a text for each group of the table; "" where the group has no such figure


@dataclass(frozen=True, slots=True)
class SheetCell:
    """What one prompt was painted as at one checkpoint; `tile` is None where the picture is missing."""

    tile: Tile | None
    mark: Mark
    text: str  # what was right and wrong, for everyone


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One prompt over the checkpoints, beside the original it is the caption of."""

    prompt: str
    asked: str  # what it asks for, in words
    reference: Tile | None
    cells: tuple[SheetCell, ...]


@dataclass(frozen=True, slots=True)
class SheetView:
    """The prompts of one group."""

    anchor: str
    title: str
    meaning: str
    rows: tuple[SheetRow, ...]
    total: int  # prompts of the group; more than rows where some are not shown
    has_originals: bool  # whether any of them is an original's caption


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything on the page of one run, top to bottom."""

    project: str
    version: str
    run: str
    made_at: str  # when the newest card was made, ISO 8601 UTC
    live: bool  # the run goes on: the page asks to be loaded again
    state: str  # "10 of 10 checkpoints", ...
    verdict: str  # the whole result in one sentence
    lede: str
    facts: tuple[Part, ...]  # what was trained and how
    notes: tuple[str, ...]
    criteria: tuple[CriterionView, ...]
    windows: tuple[WindowView, ...]
    best: str  # the best checkpoint and what it is worth, in a sentence
    charts: tuple[ChartView, ...]
    groups: tuple[str, ...]  # columns of the figures
    figures_of: str  # the checkpoint the figures are of
    figures: tuple[FigureRow, ...]
    distances: tuple[str, ...]  # a sentence each
    style: str  # whether style consistency may be used, and why
    sheets: tuple[SheetView, ...]
    checkpoints: tuple[str, ...]  # columns of the sheets
    meanings: tuple[Meaning, ...]
    evaluator: str  # version and prompt set, for whoever compares pages
    skipped: tuple[SkippedFile, ...]
    skipped_more: int
    pictures: tuple[Picture, ...]
    back: str = ""  # address of the list of runs, where one serves the page; "" in a file
