"""Frozen dataclasses that travel between the stages: no behaviour, no input or output.

Stages never call each other; they meet in these records and in the catalog. Units are in the field comments:
px are pixels of the stored file, cells are pixels of the native grid, distances are OKLab unless named otherwise,
shares lie in [0, 1], times are ISO 8601 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Origin = Literal["original", "generated"]
BackgroundKind = Literal["solid", "gradient", "split", "pattern", "noisy"]
Verdict = Literal["confirmed", "contradicted", "unverifiable"]
SourceBasis = Literal["name", "prompts", "nearest"]
PromptKind = Literal["training", "candidate", "generic", "unseen"]
ReviewVerdict = Literal["approved", "rejected", "skipped"]
VerdictState = Literal["approved", "rejected", "skipped", "withdrawn"]  # withdrawn: as if it had not been given
VerdictAct = Literal["give", "undo", "redo", "import"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a generated image says it was made; every field is None or empty where nothing says so."""

    negative_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str | None = None
    model: str | None = None
    loras: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)  # further keys, verbatim


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One ingested file. `text` is the caption of an original or the prompt of a candidate, as it came in."""

    path: str  # absolute
    sha256: str  # of the file's bytes, hex
    origin: Origin
    generation: int  # originals 0; 1 + the highest generation of anything the generator was tuned on
    width: int  # px
    height: int  # px
    format: str  # "PNG", "JPEG", "WEBP", "BMP", "TIFF"
    size_bytes: int
    mtime_ns: int
    text: str | None = None
    text_source: str | None = None  # "lad_001.txt", "prompts.json", "PNG parameters", ...
    provenance: Provenance = field(default_factory=Provenance)
    source_original: str | None = None  # absolute path of the original it was made from, where that is stated
    source_basis: SourceBasis | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """An input file that was not taken, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid of native cells inside a stored image. Cell edges lie at `offset + k * cell` px."""

    width: int  # cells
    height: int  # cells
    cell_w: float  # px, may be fractional: 512 / 24 = 21.33
    cell_h: float  # px
    offset_x: float  # px of the first cell's left edge; 0 where the grid fills the picture
    offset_y: float  # px
    confidence: float  # 0-1: share of edge energy the grid explains beyond chance


@dataclass(frozen=True, slots=True)
class ColorShare:
    """One colour of an image part."""

    word: str  # best word
    hex: str  # "#rrggbb"
    share: float
    words: tuple[str, ...] = ()  # every acceptable word, best first


@dataclass(frozen=True, slots=True)
class Background:
    """What is behind the figure. `value` is the word of the largest share, or "unknown"."""

    kind: BackgroundKind
    value: str
    colors: tuple[ColorShare, ...]
    confidence: float  # 0-1


@dataclass(frozen=True, slots=True)
class TraitSeen:
    """What a detector says of one slot: a value with a confidence, or "unknown".

    `cells` are the native cells that speak for the answer most, (y, x) each, the strongest first. `words` are further
    values that are partly seen, or that others may call it by: a caption that names one of them is not wrong.
    `reliability` is how well the detector did on originals it had not seen, as balanced accuracy.
    """

    value: str
    confidence: float | None = None
    cells: tuple[tuple[int, int], ...] = ()
    words: tuple[str, ...] = ()
    reliability: float | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """Everything seen in one image, by slot. `slots` holds hair, figure, eyes, ...; `accessories` is keyed by term."""

    background: Background | None = None
    slots: dict[str, TraitSeen] = field(default_factory=dict)
    accessories: dict[str, TraitSeen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Region:
    """A connected region of differing native cells: its bounding box [x0, x1) x [y0, y1) and size, in cells."""

    x0: int
    y0: int
    x1: int
    y1: int
    cells: int


@dataclass(frozen=True, slots=True)
class Nearest:
    """The closest original at native size, over a horizontal flip and shifts of up to one cell."""

    path: str
    distance: float  # mean OKLab distance per cell
    flipped: bool = False
    shift: tuple[int, int] = (0, 0)  # (dy, dx) cells
    regions: tuple[Region, ...] = ()  # where the picture differs beyond its render noise


@dataclass(frozen=True, slots=True)
class Assessment:
    """What assess says of one image, given the originals of its project and the other candidates."""

    grid: Grid | None
    score: float | None  # 0-10; None where the picture could not be measured
    score_parts: dict[str, float]
    measures: dict[str, float]
    traits: Traits
    copy_of: str | None = None  # path of the original it repeats
    repeat_of: str | None = None  # path of the better candidate it repeats
    nearest_original: Nearest | None = None
    source_original: str | None = None  # path of the original it is a variation of, by the nearest match
    notes: tuple[str, ...] = ()  # why something could not be measured


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caption says of one slot against what was seen."""

    slot: str  # "background", "hair", "accessory:crown", ...
    claimed: str
    seen: str | None
    verdict: Verdict
    span: tuple[int, int] | None = None  # characters of the caption the claim was read from


@dataclass(frozen=True, slots=True)
class CaptionChange:
    """One edit of a caption: the text at `span` of the old caption becomes `new`."""

    slot: str
    span: tuple[int, int]
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class CaptionProposal:
    """A caption that says what is there, with the reasons for every word that moved."""

    text: str
    composed: bool  # True: written from seen traits because the image had no text
    claims: tuple[Claim, ...]
    changes: tuple[CaptionChange, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What review says of an image: the latest verdict of a person that was given on what the image is now."""

    verdict: ReviewVerdict
    reviewer: str
    at: str
    reason: str | None = None
    conflict: bool = False  # reviewers disagree, and nobody has settled it


@dataclass(frozen=True, slots=True)
class VerdictEntry:
    """One line of the verdicts, which are append-only: what one reviewer says of one image from then on.

    The newest entry of a reviewer on an image is their verdict. An undo or redo is an entry too: it holds the verdict
    that applies after it.
    """

    path: str
    sha256: str  # of the picture it was said of
    caption: str | None  # training caption it was said of
    verdict: VerdictState
    reviewer: str
    action: str  # unique id of the action that wrote it, by the client: a repeated request writes nothing
    act: VerdictAct = "give"
    of: str | None = None  # the action that an undo or redo concerns
    reason: str | None = None
    plan: int | None = None  # the plan it counts for; None: free browsing
    settles: bool = False  # given where reviewers disagree: decides for all
    at: str = ""  # ISO 8601 UTC
    number: int = 0  # in the order they were written, from 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """One image of a plan's sample, as it was when it was drawn."""

    path: str
    sha256: str
    caption: str | None  # its training caption


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """How a set is sampled, fixed before the first verdict. The newest plan is the open one."""

    kind: str  # a name in review.PLANS: "fixed", "sequential"
    n: int  # images to be reviewed; for a sequential plan the whole pool, of which fewer usually do
    allowed: int | None  # errors a fixed plan may find; None for a sequential one
    target: float  # share right that is to be shown, 0-1
    confidence: float  # one-sided, 0-1
    seed: int
    pool: int  # images of the pool
    pool_definition: str  # e.g. "admitted by the selection of 2026-11-28T09:00:00+00:00"
    drawn: tuple[Drawn, ...]  # in the order they are to be reviewed
    by: str
    members: tuple[str, ...] = ()  # content hashes of the whole pool, sorted
    at: str = ""  # ISO 8601 UTC
    number: int = 0  # counts the plans of a project from 1


@dataclass(frozen=True, slots=True)
class ImageView:
    """Everything known of one image: what `graftset images --json` prints, and what select, build and report read.

    `prompt` is the text a candidate came with (None for originals). `caption` is the current caption: an original's
    own, or, for a candidate, one that was applied or edited (None until then).
    """

    path: str
    sha256: str
    origin: Origin
    generation: int
    width: int  # px
    height: int  # px
    prompt: str | None = None
    caption: str | None = None
    caption_author: str | None = None  # who applied or edited it; None where it is as it came in
    proposed_caption: str | None = None
    composed: bool = False
    text_source: str | None = None
    grid: Grid | None = None
    score: float | None = None  # 0-10
    score_parts: dict[str, float] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    claims: tuple[Claim, ...] = ()
    changes: tuple[CaptionChange, ...] = ()
    copy_of: str | None = None
    repeat_of: str | None = None
    source_original: str | None = None
    source_basis: SourceBasis | None = None
    nearest_original: Nearest | None = None
    provenance: Provenance = field(default_factory=Provenance)
    review: Review | None = None
    stale_review: Review | None = None  # given on another picture or caption than this one: it does not count
    selected: bool | None = None
    reasons: tuple[str, ...] = ()

    @property
    def training_caption(self) -> str | None:
        """The caption a build uses: the current one, else the proposal."""
        return self.caption if self.caption is not None else self.proposed_caption


@dataclass(frozen=True, slots=True)
class Choice:
    """The selection's verdict on one candidate: kept or dropped, with every reason."""

    path: str
    sha256: str
    selected: bool
    reasons: tuple[str, ...]
    rank: int | None = None  # 0 is the first one picked


@dataclass(frozen=True, slots=True)
class Selection:
    """One run of select: the policy it followed and its verdict on every candidate."""

    policy: dict[str, object]
    choices: tuple[Choice, ...]
    notes: tuple[str, ...]  # sentences for the user: fewer than asked and why, alarms, floors missed
    figures: dict[str, float]  # total variation, Vendi ratio, ...
    at: str = ""


@dataclass(frozen=True, slots=True)
class SamplePrompt:
    """One prompt that every arm of an experiment paints at every checkpoint, with the same seeds.

    `kind` says what it measures: "training" (an original's caption: recall), "candidate" (the wording a candidate was
    asked for in), "generic" (a plain wording of traits) and "unseen" (a combination no training caption holds) measure
    obedience.
    """

    id: str  # e.g. "generic-007": the same prompt has the same id in every arm
    kind: PromptKind
    text: str
    expects: dict[str, str] = field(default_factory=dict)  # slot -> word; "accessory:crown" -> "present" or "absent"
    reference: str | None = None  # sha256 of the original that has this caption
