"""The small pieces that page contexts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftset.report.page import DiffPiece

Tone = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go: `count` is how much is there, where that is known."""

    label: str
    url: str
    name: str = ""
    count: int | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Candidates by state."""

    pending: int
    approved: int
    rejected: int
    skipped: int
    conflicts: int

    @property
    def all(self) -> int:
        """Every candidate."""
        return self.pending + self.approved + self.rejected + self.skipped

    @property
    def reviewed(self) -> int:
        """Those with a decision."""
        return self.approved + self.rejected


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known, with its name."""

    name: str
    value: str
    tone: Tone = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run beside others, by the figures of its newest checkpoint; "–" where there is none."""

    name: str
    url: str | None  # its page; None before anything was evaluated
    state: str
    trained: str  # build and seed; "" for pictures of somebody else's trainer
    recall: str
    obedience: str
    quality: str
    best: str  # checkpoint
    resume: str = ""  # the command that goes on with a run that was stopped


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with its share of a whole, 0-100, for a drawn bar."""

    name: str
    value: str
    percent: float
    tone: Tone = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several; `key` is the digit or word that is sent."""

    key: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture at native size. `native` is None where it was not measured; `file` is the stored file."""

    sha256: str
    name: str
    native: str | None
    file: str
    full: str  # address of the full-size page
    width: int  # cells, or px where it was not measured
    height: int
    alt: str
    outlines: str = ""  # SVG path of the regions that differ from the companion


@dataclass(frozen=True, slots=True)
class Companion:
    """What a candidate is compared with."""

    label: str  # "Nearest original", "Copy of", ...
    name: str
    native: str | None
    file: str
    width: int
    height: int
    alt: str
    mirrored: bool
    note: str
    caption: str


@dataclass(frozen=True, slots=True)
class Swatch:
    """A color with its word and its share of a strip, 0-100."""

    word: str
    hex: str | None
    start: float = 0.0
    share: float = 100.0


@dataclass(frozen=True, slots=True)
class TraitRow:
    """One slot: what was asked for beside what is seen."""

    slot: str
    label: str
    asked: str
    asked_swatch: Swatch | None
    seen: str
    seen_swatches: tuple[Swatch, ...]
    verdict: str  # confirmed, contradicted, unverifiable; empty where nothing was asked
    confidence: str  # "94 %" or empty
    evidence: str  # SVG path of the cells that speak for it; empty where there are none


@dataclass(frozen=True, slots=True)
class Chip:
    """One change of a caption that can be accepted or refused."""

    number: int
    slot: str
    old: str
    new: str
    why: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class CaptionBox:
    """The caption of a candidate."""

    label: str
    text: str  # as it would be trained with
    asked: str  # as it came in
    proposed: str
    chips: tuple[Chip, ...]
    pieces: tuple[DiffPiece, ...]
    tokens: int
    limit: int
    differs: bool  # whether the text differs from the proposal


@dataclass(frozen=True, slots=True)
class Cell:
    """One candidate on the contact sheet."""

    sha256: str
    name: str
    native: str | None
    url: str
    score: str
    standing: str
    selected: bool | None
    alt: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlanOption:
    """A sampling plan that can be chosen."""

    key: str
    label: str
    n: int  # pictures to look at; for a sequential plan where nothing is wrong
    promise: str
    chance: str
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan under way: how far it is and what it shows."""

    label: str
    sentence: str
    done: int
    of: int
    left: str
    wrong: int
    estimate: float  # share right, 0-1
    bound: float  # lower, 0-1
    target: float
    reached: bool
    finished: bool
    next: str | None
    since: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one reviewer says."""

    reviewer: str
    verdict: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A candidate on which reviewers disagree."""

    cell: Cell
    says: tuple[Said, ...]
    seen: str
    action: str


@dataclass(frozen=True, slots=True)
class Slice:
    """One trait: for each value its share among originals, candidates and admitted."""

    trait: str
    rows: tuple[SliceRow, ...]
    unknown: str


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One value of a trait; shares are percents of the widest bar."""

    value: str
    hex: str | None
    originals: int
    candidates: int
    admitted: int
    originals_percent: float
    admitted_percent: float
    acceptance: str
    tone: Tone
    url: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the audit with how often it found something."""

    name: str
    meaning: str
    severity: str
    count: int
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding."""

    id: str
    rule: str
    severity: str
    message: str
    before: str
    words: str
    after: str
    fix: tuple[DiffPiece, ...]  # what the caption would read; empty where only a person can tell
    picture: Cell | None
    dismissed: bool = False  # it is restored, not dismissed


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """A key with what it does, and the name by which the script knows it."""

    keys: tuple[str, ...]
    does: str
    action: str


@dataclass(frozen=True, slots=True)
class FieldHelp:
    """A field of the filter language."""

    name: str
    example: str
    meaning: str
