"""What the expansion page shows, as frozen values: everything is counted and worded here, the template only places it.

Lengths called `..._units` are sixteenths of the reader's font size, so that graphics grow with the text beside them.
Percentages are floats in [0, 100] ready for CSS. Text is plain text: escaping is the template's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftset.records import Verdict

Status = Literal["admitted", "dropped", "pending"]
CaptionFate = Literal["kept", "corrected", "composed", "edited", "missing"]


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """One training folder that was built: what the caller of `expansion_page` states about it."""

    name: str  # Name of the build, unique in the project.
    plan: str  # "originals", "equal", "weighted" or "sequential".
    images: int  # Pictures in the folder, originals and generated together.
    steps: int  # Optimizer steps the training configuration asks for.
    real_mass: float  # Probability in [0, 1] that a training draw is an original.
    size: int  # Edge of the exported pictures, px.
    folder: str  # Where it lies, relative to the project.
    reviewed: str  # "none", or a sentence saying how many were reviewed with which bound.


@dataclass(frozen=True, slots=True)
class Picture:
    """A native-size PNG; the page holds each one once, as a CSS class."""

    key: str  # CSS class, "p0", "p1", ...
    data_uri: str  # "data:image/png;base64,...".


@dataclass(frozen=True, slots=True)
class Tile:
    """One place where a picture is shown."""

    key: str | None  # `Picture.key`, or None where the native picture is not known.
    alt: str  # What a person who cannot see it is told.
    width: int  # Native cells, for the aspect ratio.
    height: int  # Native cells.


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to do now."""

    why: str  # One sentence.
    command: str  # What to type in the project folder.


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The set as a sum: originals + admitted."""

    originals: tuple[Tile, ...]  # A sample of the originals.
    admitted: tuple[Tile, ...]  # A sample of the admitted candidates, best first.
    original_count: int  # All originals.
    admitted_count: int  # All admitted candidates.
    total: int  # Their sum.


@dataclass(frozen=True, slots=True)
class Outcome:
    """One end of the funnel."""

    title: str  # "Admitted", "Under the quality gate", ...
    detail: str  # One explaining sentence.
    count: int  # Candidates that ended here.
    share: float  # Percent of what came in.
    kind: Literal["admitted", "dropped", "pending", "unreadable"]  # Sets the color.
    anchor: str | None  # Id of the group of cards below, None where there is none.
    row_units: float  # Height of the row of text beside the ribbon.
    ribbon: str  # SVG path in the funnel's box.


@dataclass(frozen=True, slots=True)
class Funnel:
    """Where every candidate went; the outcomes add up to `came_in`."""

    came_in: int  # Candidate files found.
    unreadable: int  # Files among them that could not be used.
    measured: int  # The rest.
    outcomes: tuple[Outcome, ...]  # Top to bottom.
    height_units: float  # Height of the graphic; its width is 100 units, stretched to the page.
    stack_top_units: float  # Where the bar at the left begins.
    trunk: str  # SVG path from "came in" to "measured"; "" where nothing was lost in between.
    came_in_bar: str  # SVG path of the bar at the left.
    measured_bar: str  # SVG path of the bar in the middle; "" where nothing was lost before it.


@dataclass(frozen=True, slots=True)
class Swatch:
    """A color with its word."""

    word: str  # Color word.
    hex: str | None  # "#rrggbb", or None where the word's color is not known.
    share: float  # Percent of the background.


@dataclass(frozen=True, slots=True)
class AskedSeen:
    """The background the prompt asked for against the one in the picture."""

    asked: Swatch | None  # None where nothing was asked.
    seen: tuple[Swatch, ...]  # Largest share first; empty where it was not read.
    seen_text: str  # "gray, solid".
    verdict: Verdict | None  # None where nothing was asked.


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """A run of caption text."""

    kind: Literal["same", "old", "new", "gap"]  # Unchanged, struck, highlighted, or left out for brevity.
    text: str  # The words; empty for a gap.


@dataclass(frozen=True, slots=True)
class CaptionView:
    """What became of a candidate's caption."""

    fate: CaptionFate  # Whether the text was kept, corrected, composed, edited by hand, or is missing.
    label: str  # The fate in words.
    pieces: tuple[DiffPiece, ...]  # The difference, shortened; empty where nothing changed.
    full: str  # The whole training caption, "" where there is none.
    whys: tuple[str, ...]  # One reason per change.


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the score, or any other named number."""

    name: str  # In words.
    value: str  # Formatted.
    percent: float  # Length of its bar; 0 where it has none.


@dataclass(frozen=True, slots=True)
class Companion:
    """The picture a candidate is compared with."""

    label: str  # "Nearest original", "Made from", "Likely made from", "Copy of", "Repeats".
    tile: Tile  # The picture.
    name: str  # Its file name.
    note: str  # Distance and mirroring, "" where not measured.
    mirrored: bool  # Show it flipped, as it was compared.


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim of the caption."""

    slot: str  # What it speaks of.
    claimed: str  # What it says.
    seen: str  # What was seen, "" where nothing could be said.
    verdict: Verdict  # The comparison.


@dataclass(frozen=True, slots=True)
class TraitRow:
    """One trait as it was seen, with the cells that speak for it."""

    name: str  # "Hair", "Crown".
    value: str  # "brown", "present".
    detail: str  # Confidence and reliability in words.
    outlines: str  # SVG path around the cells that speak for it, in cells; "" where none are known.


@dataclass(frozen=True, slots=True)
class Card:
    """One candidate on the contact sheet."""

    name: str  # File name.
    path: str  # Path below the folder all images share.
    status: Status  # What the selection said.
    tile: Tile  # The candidate itself.
    outlines: str  # SVG path around the differing regions, in cells; "" where none or most of the picture differs.
    difference: str  # How much differs from the companion, in words.
    companion: Companion | None  # None where nothing is near or its picture is not known.
    score: str | None  # "7.9", None where it was not scored.
    score_percent: float  # Length of the score's bar.
    parts: tuple[Part, ...]  # What the score is made of, weakest first.
    background: AskedSeen | None  # None where neither asked nor read.
    caption: CaptionView  # The caption and what changed in it.
    changed: bool  # The caption it would train with differs from the prompt it came with.
    reasons: tuple[str, ...]  # Why it was kept or dropped.
    claims: tuple[ClaimRow, ...]  # Every claim of the prompt.
    traits: tuple[TraitRow, ...]  # What was seen: slots with a value, and what is worn.
    measures: tuple[Part, ...]  # Every measure, without bars.
    facts: tuple[Part, ...]  # Seed, model, review and the like, without bars.


@dataclass(frozen=True, slots=True)
class Group:
    """Cards that share a fate."""

    anchor: str  # HTML id.
    title: str  # "Admitted", "Copies of an original", ...
    detail: str  # One explaining sentence.
    status: Status  # Sets the color.
    total: int  # Candidates in it, shown or not.
    cards: tuple[Card, ...]  # The cards shown.
    has_changed: bool  # A card shown has a changed caption.


@dataclass(frozen=True, slots=True)
class Sheet:
    """The contact sheet."""

    groups: tuple[Group, ...]  # Admitted first.
    total: int  # All candidates.
    admitted: int  # All admitted candidates.
    dropped: int  # All dropped candidates.
    changed: int  # All candidates with a changed caption.
    left_out: str  # How many cards are not shown and why; "" where all are.


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One value of a trait, before and after."""

    word: str  # The value.
    hex: str | None  # Its color, for color words.
    before: int  # Originals with it.
    after: int  # Originals and admitted candidates with it.
    before_percent: float  # Share of the originals that were read.
    after_percent: float  # Share of the new set that was read.
    before_bar: float  # Length of the bar, percent of the longest one.
    after_bar: float  # Length of the bar, percent of the longest one.


@dataclass(frozen=True, slots=True)
class Balance:
    """How the values of one trait are spread, before and after."""

    title: str  # "Background", "Hair", ...
    rows: tuple[BalanceRow, ...]  # Most frequent first.
    coverage: str  # On how many pictures the trait could be read.
    shift: str  # Total variation between before and after, in words; "" where it has no meaning.


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """How far one detector can be trusted, by originals it had not seen."""

    name: str  # "Crown", "Hair", "Skin, dark".
    positives: str  # Originals whose captions name it.
    accuracy: str  # Balanced accuracy.
    interval: str  # Its 95 % interval.
    coverage: str  # Share of the originals that are answered.
    answers: bool  # False: it always says "unknown".


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the selection with its meaning."""

    title: str  # Its name in words.
    value: str  # Formatted.
    meaning: str  # One plain sentence; "" where none is known.


@dataclass(frozen=True, slots=True)
class Bin:
    """One column of the histogram."""

    lower: float  # Score at its left edge; columns are half a point wide.
    admitted: int  # Admitted candidates in it.
    dropped: int  # Dropped candidates in it.
    pending: int  # Candidates without a verdict in it.
    admitted_bar: float  # Percent of the tallest column.
    dropped_bar: float  # Percent of the tallest column.
    pending_bar: float  # Percent of the tallest column.


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """How the scores are spread."""

    bins: tuple[Bin, ...]  # 0 to 10.
    gate: str | None  # Lowest score admitted, None where there is no gate.
    gate_percent: float  # Where the gate stands on the axis.
    tallest: int  # Candidates in the tallest column.
    summary: str  # The chart in one sentence, for everyone.
    spoken: str  # Every column that is not empty, for screen readers.
    originals_percent: float  # Where on the axis the originals' own scores begin (5th percentile); 100 where unknown.
    reference: str  # What 10 means, with the originals' own scores where known.


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One measure over the whole set."""

    title: str  # Its name in words.
    unit: str  # Unit, "" where it has none.
    better: str  # Which way is better.
    originals: str  # Median of the originals.
    originals_range: str  # Their 5th to 95th percentile.
    admitted: str  # Median of the admitted candidates.
    dropped: str  # Median of the dropped candidates.


@dataclass(frozen=True, slots=True)
class BuildRow:
    """One build with its plan explained."""

    name: str  # Name of the build.
    plan: str  # Its mixing plan.
    meaning: str  # What the plan does, one sentence; "" for a plan of someone else's.
    images: str  # Pictures in it.
    steps: str  # Optimizer steps.
    size: str  # Edge, px.
    real_percent: float  # Percent of training draws that are originals.
    folder: str  # Where it lies.
    reviewed: str  # What has been reviewed.


@dataclass(frozen=True, slots=True)
class Meaning:
    """One measure explained."""

    title: str  # Its name in words.
    text: str  # One sentence.
    unit: str  # Unit, "" where it has none.
    better: str  # Which way is better.


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """An input file that was not taken."""

    name: str  # Path below the folder all files share.
    reason: str  # Why.


@dataclass(frozen=True, slots=True)
class ExpansionPage:
    """Everything on the page, top to bottom."""

    project: str  # Name of the project.
    version: str  # Version of graftset that measured and wrote this.
    made_at: str  # When the selection was made, ISO 8601 UTC; "" where not known.
    reviewed: str  # "none", or how far a person has reviewed the admitted candidates.
    verdict: str  # The whole result in one sentence.
    lede: str  # The sentences under it: what was lost, what was written, how far it can be trusted.
    next_steps: tuple[NextStep, ...]  # What to do now, most useful first.
    notes: tuple[str, ...]  # Sentences worth knowing: fewer than asked, floors missed.
    mosaic: Mosaic  # The set as a sum of pictures.
    funnel: Funnel | None  # None where no candidate came in.
    sheet: Sheet  # Every candidate beside its companion.
    balances: tuple[Balance, ...]  # Trait balance, background first.
    reliability: tuple[ReliabilityRow, ...]  # How far the detectors of traits can be trusted.
    figures: tuple[Figure, ...]  # Numbers of the selection.
    scores: ScoreChart | None  # None where nothing was scored.
    measures: tuple[MeasureRow, ...]  # Measures of the originals and the candidates.
    builds: tuple[BuildRow, ...]  # What was built.
    policy: tuple[str, ...]  # The rules of the selection as sentences.
    meanings: tuple[Meaning, ...]  # What each measure on the page means.
    skipped: tuple[SkippedFile, ...]  # Files that were not taken, with reasons.
    skipped_more: int  # Further skipped files, not listed.
    pictures: tuple[Picture, ...]  # Every native picture the page shows, once.
