"""What a drawn portrait, a drawn candidate and the whole sample set are made of: the truth tests read.

Frozen dataclasses with JSON and nothing else. Colors are `Tint`s: the word a caption uses and the base color that
was painted; shades of it are derived while drawing. Cells are counted from the top left of the 24 x 24 native grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from graftset.records import BackgroundKind, Provenance, Region

NATIVE = 24  # cells per side of a portrait

Style = Literal["classic", "soft"]
Figure = Literal["lady", "lad"]
Mouth = Literal["neutral", "smile"]
FacialHair = Literal["stubble", "beard"]
Layer = Literal["backdrop", "hair_tint", "headwear", "eyewear", "earring", "necklace"]  # what a variation changes
Layout = Literal["solid", "horizontal", "vertical", "radial", "split", "checker", "stripes"]
Fault = Literal["wrong_background", "off_grid", "blur", "texture_noise", "melted_face", "copy", "repeat"]
RenderFault = Literal["off_grid", "blur", "texture_noise", "melted_face"]
TextKind = Literal["sidecar", "parameters", "none"]


@dataclass(frozen=True, slots=True)
class Tint:
    """A color with the word captions use for it."""

    word: str
    hex: str  # "#rrggbb"


@dataclass(frozen=True, slots=True)
class Wear:
    """Something worn: a headwear, eyewear, earring or necklace."""

    term: str  # as captions name it: "top hat", "sunglasses", ...
    tint: Tint


@dataclass(frozen=True, slots=True)
class Garment:
    """What covers the shoulders."""

    term: str  # "hoodie", "collared shirt", ...
    tint: Tint
    second: Tint  # the shirt under a suit, the cords of a hoodie, ...


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What is behind the figure. `kind` is what a detector should answer, `layout` how it is laid out."""

    kind: BackgroundKind
    layout: Layout
    tints: tuple[Tint, ...]  # one for solid, two otherwise; the first one starts at the top left


@dataclass(frozen=True, slots=True)
class PortraitSpec:
    """Every layer of one portrait. Two equal specs draw the same picture."""

    figure: Figure
    skin: Tint
    hair: str  # style: "bob", "mohawk", ..., "bald"
    hair_tint: Tint  # not visible when bald
    eyes: Tint  # hidden behind sunglasses
    mouth: Mouth
    garment: Garment
    backdrop: Backdrop
    headwear: Wear | None = None
    eyewear: Wear | None = None
    earring: Wear | None = None
    necklace: Wear | None = None
    facial_hair: FacialHair | None = None
    texture: int = 0  # seed of the shading of hair
    wording: int = 0  # seed of the caption's wording

    @property
    def worn(self) -> dict[str, Wear]:
        """What is worn, by field name."""
        pieces = (
            ("headwear", self.headwear),
            ("eyewear", self.eyewear),
            ("earring", self.earring),
            ("necklace", self.necklace),
        )
        return {name: wear for name, wear in pieces if wear is not None}

    @property
    def accessories(self) -> tuple[str, ...]:
        """Terms of everything a caption would call an accessory, facial hair among them."""
        terms = tuple(wear.term for wear in self.worn.values())
        return terms if self.facial_hair is None else (*terms, self.facial_hair)


@dataclass(frozen=True, slots=True)
class OriginalTruth:
    """One drawn original."""

    name: str  # file stem
    spec: PortraitSpec
    caption: str
    claims: dict[str, str]  # what the caption says, by slot: {"background": "green", "accessory:crown": "present"}
    twin_of: str | None = None  # the original it repeats but for `twin_change`
    twin_change: Layer | None = None


@dataclass(frozen=True, slots=True)
class CandidateTruth:
    """One drawn candidate: what was asked for, what the picture shows, and what is wrong with it."""

    name: str  # file stem
    spec: PortraitSpec  # what the picture shows, before any render fault
    prompt: str | None  # None where the file says nothing
    claims: dict[str, str]  # what the prompt says, by slot; empty without a prompt
    text: TextKind  # where the prompt is
    provenance: Provenance
    source_original: str | None  # stem of the original it varies; None for a new combination
    source_in_name: bool  # whether the file name tells that original
    change: tuple[str, ...]  # fields of the spec that differ from the source; empty for copies and new combinations
    region: Region | None  # bounding box and number of the cells that differ from the source
    region_rows: tuple[str, ...]  # the same cell by cell: "#" differs, "." does not; empty without a source
    faults: tuple[Fault, ...]
    severity: float | None  # of the render fault, in [0, 1]
    repeat_of: str | None  # stem of the candidate this one renders again
    render_seed: int


@dataclass(frozen=True, slots=True)
class SampleTruth:
    """Everything known of a drawn sample set; `truth.json` holds the same."""

    style: Style
    seed: int
    size: int  # px per side of a candidate
    originals: tuple[OriginalTruth, ...]
    candidates: tuple[CandidateTruth, ...]
    version: int = field(default=1)  # of the layout of truth.json

    def to_json(self) -> str:
        """Everything as one JSON document, readable and the same on every platform."""
        return _adapter().dump_json(self, indent=1).decode("utf-8") + "\n"

    @classmethod
    def from_json(cls, text: str) -> SampleTruth:
        """The inverse of `to_json`; raises pydantic's `ValidationError` on anything else."""
        return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[SampleTruth]:
    return TypeAdapter(SampleTruth)
