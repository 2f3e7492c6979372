"""Every setting as one field, with its default, its limits and what it means.

The file that `graftset init` writes is generated from these fields, so the two cannot differ. Paths are kept as they
are written; `Project` resolves them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from graftset.config.experiments import DecideSettings, ExperimentSettings, SuggestSettings
from graftset.config.painting import SamplingSettings, TrackingSettings
from graftset.config.plans import BUILT_IN_PLANS, PlanSettings, plan_name
from graftset.config.section import Section, Words, as_tuple
from graftset.config.training import TrainSettings

FILE_NAME = "graftset.toml"
NAME_FIELDS = ("plan", "size")  # what a build name may contain

Plan = str  # a built-in plan, or one defined under [plans]


def _folder_name_template(template: str) -> str:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"not a template: {error}") from error
    fields = [name for _, name, _, _ in parts if name is not None]
    plain = not any(spec or conversion for _, _, spec, conversion in parts)
    if "plan" not in fields or not plain or not set(fields) <= set(NAME_FIELDS):
        raise ValueError("a build name holds {plan}, and may hold {size}, and no other field")
    literal = "".join(text for text, _, _, _ in parts)
    if re.search(r'[\\/:*?"<>|\x00-\x1f]', literal) or template.startswith((".", "-", " ")):
        raise ValueError("a build name is a plain folder name: no separators, no leading dot, dash or space")
    return template


def _without_repeats(plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
    if len(set(plans)) != len(plans):
        raise ValueError("the same plan is named twice")
    return plans


def _one_line(text: str) -> str:
    if not text.isprintable() or " --" in text:
        raise ValueError('one line of plain text without " --", which would begin an option')
    return text.strip()


PathText = Annotated[str, Field(min_length=1)]
Folders = Annotated[tuple[PathText, ...], BeforeValidator(as_tuple), Field(min_length=1)]
Plans = Annotated[tuple[Plan, ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(_without_repeats)]
WordLists = dict[str, Words]
NameTemplate = Annotated[str, AfterValidator(_folder_name_template)]


class ProjectSettings(Section):
    """Where the pictures are."""

    originals: PathText = Field(
        description="Folder of the originals, with their captions. Relative to this file's folder, or absolute.",
        examples=["originals"],
    )
    candidates: Folders = Field(
        description="Folder of generated candidates, or an array of folders.", examples=["generated"]
    )
    prompts: PathText | None = Field(
        default=None,
        description="File with the prompts of the candidates: a JSON list or map, or CSV. For those that have none "
        "beside them or inside them.",
        examples=["prompts.json"],
    )


class CatalogSettings(Section):
    """Where everything known of the pictures is kept."""

    url: str = Field(
        default="",
        description="SQLAlchemy URL of the catalog, e.g. postgresql+psycopg://user@host/name. Empty: the SQLite file "
        ".graftset/catalog.db in this folder.",
        examples=["postgresql+psycopg://user@host/name"],
    )


class AssessSettings(Section):
    """How pictures are measured."""

    workers: int = Field(
        default=0, ge=0, description="Processes that measure pictures at the same time. 0: one for each core."
    )


class AuditSettings(Section):
    """What captions are held to."""

    trigger: str = Field(
        default="",
        description="Words that every caption should hold, because prompts call the style up with them. Empty: what "
        "nearly all of the originals' captions begin with.",
        examples=["bespoke punk"],
    )


class VocabularySettings(Section):
    """Words that captions use: what is learned from the originals' captions can be added to and corrected here."""

    accessories: Words = Field(
        default=(),
        description="Things to wear or to have that are always looked for, as the captions call them, without colors.",
        examples=[["monocle", "laser eyes"]],
    )
    clothing: Words = Field(
        default=(), description="Words for pieces of clothing, of one or two words.", examples=[["poncho"]]
    )
    figure: Words = Field(
        default=(), description="Words, one each, for who is portrayed.", examples=[["goblin", "knight"]]
    )
    ignore: Words = Field(
        default=(),
        description="Terms that are never learned or claimed, whatever the captions say.",
        examples=[["elegant clothing"]],
    )
    synonyms: WordLists = Field(
        default_factory=dict,
        description='Other words for a term: { sunglasses = ["shades", "dark glasses"] } reads both as sunglasses.',
        examples=[{"sunglasses": ["shades", "dark glasses"]}],
    )
    slots: WordLists = Field(
        default_factory=dict,
        description='Slots of your own, each with the words that are its values: { pose = ["facing left", "facing '
        'right"] }.',
        examples=[{"pose": ["facing left", "facing right"]}],
    )


class FloorSettings(Section):
    """How far an admitted set may stray before `select` says so. Nothing is dropped for it."""

    total_variation: float = Field(
        default=0.10,
        ge=0,
        le=1,
        description="Largest total variation distance (0-1) between the backgrounds of the admitted and their target, "
        "which is proportional to the square root of each background's count among the originals.",
    )
    vendi_ratio: float = Field(
        default=0.90,
        ge=0,
        description="Least Vendi score (effective number of different pictures) of the admitted, as a ratio to that "
        "of equally many originals.",
    )


class SelectSettings(Section):
    """Which candidates are admitted."""

    count: int = Field(default=0, ge=0, description="How many candidates to admit. 0: all that pass the gates.")
    min_score: float = Field(
        default=8.0,
        ge=0,
        le=10,
        description="Lowest quality score (0-10) that is admitted. 10 is an original, 8 is what a careful owner would "
        "train on, 5 needs repair, 2 is useless.",
    )
    wrong_background: Literal["recaption", "drop"] = Field(
        default="recaption",
        description='What becomes of a candidate whose background is not the one asked for: "recaption" admits it '
        'under a corrected caption, "drop" does not admit it.',
    )
    wrong_accessory: Literal["recaption", "drop"] = Field(
        default="recaption",
        description='What becomes of a candidate without something its prompt says is worn: "recaption" admits it '
        'under a caption that no longer says so, "drop" does not admit it.',
    )
    seed: int = Field(default=0, ge=0, description="Seed of every random draw: the same seed, the same selection.")
    max_generation: int = Field(
        default=1,
        ge=1,
        description="Highest generation admitted. 1: painted by models that were tuned on originals only; 2: also by "
        "models that were tuned on admitted candidates.",
    )
    floors: FloorSettings = Field(default_factory=FloorSettings, description=FloorSettings.__doc__)


class ReviewSettings(Section):
    """How the admitted are reviewed. What is set here is what a new plan begins with."""

    plan: Literal["fixed", "sequential"] = Field(
        default="fixed",
        description='How the admitted are sampled: "fixed" reviews a number that is fixed before, "sequential" goes on '
        "until the target is shown and may be watched.",
    )
    allowed: int = Field(
        default=2,
        ge=0,
        description="Errors that a fixed plan may find. More errors allowed, more pictures to review, and fewer good "
        "sets that fail by chance.",
    )
    target: float = Field(
        default=0.90, gt=0, lt=1, description="Share of the admitted (0-1) that is to be shown to be right."
    )
    confidence: float = Field(
        default=0.95, ge=0.5, lt=1, description="Confidence (0-1) with which it is shown, one-sided."
    )
    seed: int = Field(default=0, ge=0, description="Seed of the draw: the same seed and set, the same sample.")


class SampleSettings(Section):
    """Pictures that a trainer paints at every checkpoint: the same prompts and seeds for every plan."""

    training: int = Field(default=6, ge=0, description="Captions of originals: does it recall what it was trained on?")
    candidate: int = Field(default=4, ge=0, description="Wordings that candidates were asked for in.")
    generic: int = Field(
        default=6, ge=0, description="Plain wordings in the originals' grammar, over figures and background colors."
    )
    unseen: int = Field(default=4, ge=0, description="Combinations of traits that no caption holds.")
    steps: int = Field(default=28, ge=1, le=1000, description="Steps of the sampler.")
    scale: float = Field(default=7.0, gt=0, description="Guidance scale.")
    negative: Annotated[str, AfterValidator(_one_line)] = Field(
        default="",
        description="Negative prompt of all. Empty: none, so that pictures show what was learned and nothing else.",
        examples=["blurry, smooth shading"],
    )
    seed: int = Field(default=1000, ge=0, description="Seed of the first prompt; each further one has the next.")


class BuildSettings(Section):
    """Which training sets are built."""

    plans: Plans = Field(
        default=("originals", "equal", "weighted", "sequential"),
        description="Mixing plans that `expand` builds. originals: without the generated; equal: every picture as "
        "often; weighted: originals at least twice as often; sequential: originals first, then all. Control arms: "
        "as-asked, corrected and random. Or names of your own plans, see docs/plans.md.",
    )
    size: int = Field(
        default=0,
        ge=0,
        description="Width of the training images in px. 0: chosen so that native cells stay whole.",
        examples=[576],
    )
    batch_size: int = Field(default=4, ge=1, description="Images in one training step.")
    epochs: int = Field(default=10, ge=1, description="How often the training goes over the set.")
    budget: int = Field(
        default=0,
        ge=0,
        description="Training steps of every build, in place of epochs: plans of different numbers of images are "
        "compared at equal steps. 0: each plan trains its epochs, so larger sets take more steps.",
        examples=[510],
    )
    base: Literal["sd15", "sdxl"] = Field(
        default="sd15",
        description="Base model that the builds are trained on: sd15 (Stable Diffusion 1.5) or sdxl. It decides the "
        "training size and the trainer's settings.",
    )
    seed: int = Field(
        default=0, ge=0, description="Seed of what builds draw at random: the plan random, sample prompts."
    )
    flip: bool = Field(
        default=False,
        description="Whether the trainer may mirror pictures. Light, parting and jewelry have a side.",
    )
    colors: Literal["merged", "as-painted"] = Field(
        default="merged",
        description='Colors of generated pictures: "merged" makes one color of those that differ by render noise alone '
        'and moves no cell by 5 CIEDE2000 or more, "as-painted" leaves each cell its own. Originals are never changed.',
    )
    name: NameTemplate = Field(default="{plan}", description="Folder name of a build; {plan} and {size} are filled in.")
    samples: SampleSettings = Field(default_factory=SampleSettings, description=SampleSettings.__doc__)


class EvaluateSettings(Section):
    """What a training run should reach, and by when. Defaults are judgments, not laws: change them to what you need."""

    original_accuracy: float = Field(
        default=0.95,
        ge=0,
        le=1,
        description="Share of the originals' background and hair colors that pictures painted from their captions "
        "should get right.",
    )
    style_consistency: float = Field(
        default=0.90, ge=0, le=1, description="Probability of being in style that pictures should have on average."
    )
    quality: float = Field(
        default=8.0, ge=0, le=10, description="Quality score (0-10) pictures should have on average."
    )
    by_checkpoint: int = Field(
        default=7, ge=1, le=10, description="The checkpoint, of ten, at which these three are judged."
    )
    delta: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="How far below its end a run may be and still count as arrived, as a share of the measure's range.",
    )


class Settings(Section):
    """All of graftset.toml."""

    project: ProjectSettings = Field(description=ProjectSettings.__doc__)
    catalog: CatalogSettings = Field(default_factory=CatalogSettings, description=CatalogSettings.__doc__)
    assess: AssessSettings = Field(default_factory=AssessSettings, description=AssessSettings.__doc__)
    vocabulary: VocabularySettings = Field(default_factory=VocabularySettings, description=VocabularySettings.__doc__)
    audit: AuditSettings = Field(default_factory=AuditSettings, description=AuditSettings.__doc__)
    select: SelectSettings = Field(default_factory=SelectSettings, description=SelectSettings.__doc__)
    review: ReviewSettings = Field(default_factory=ReviewSettings, description=ReviewSettings.__doc__)
    build: BuildSettings = Field(default_factory=BuildSettings, description=BuildSettings.__doc__)
    evaluate: EvaluateSettings = Field(default_factory=EvaluateSettings, description=EvaluateSettings.__doc__)
    train: TrainSettings = Field(default_factory=TrainSettings, description=TrainSettings.__doc__)
    experiment: ExperimentSettings = Field(default_factory=ExperimentSettings, description=ExperimentSettings.__doc__)
    sampling: SamplingSettings = Field(default_factory=SamplingSettings, description=SamplingSettings.__doc__)
    tracking: TrackingSettings = Field(default_factory=TrackingSettings, description=TrackingSettings.__doc__)
    decide: DecideSettings = Field(default_factory=DecideSettings, description=DecideSettings.__doc__)
    suggest: SuggestSettings = Field(default_factory=SuggestSettings, description=SuggestSettings.__doc__)
    plans: dict[Annotated[str, AfterValidator(plan_name)], PlanSettings] = Field(
        default_factory=dict, description="Mixing plans of your own, each under [plans.NAME]."
    )

    @model_validator(mode="after")
    def _plans_are_known(self) -> Settings:
        known = (*BUILT_IN_PLANS, *self.plans)
        unknown = [plan for plan in self.build.plans if plan not in known]
        if unknown:
            raise PydanticCustomError(
                "unknown_plan",
                "Plans that are neither built in nor defined under [plans]: {names}",
                {"field": "build.plans", "names": ", ".join(unknown), "known": ", ".join(known)},
            )
        return self


def items_of(field: FieldInfo) -> type[Section] | None:
    """The table of which a field holds several, by name or in a list; None where it holds none."""
    kinds = [kind for outer in get_args(field.annotation) for kind in (outer, *get_args(outer))]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


def section_of(field: FieldInfo) -> type[Section] | None:
    """The table that a field holds; None where the field is a key."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def tables(section: type[Section] = Settings, path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Every table under its dotted path, outer before inner; the root table has the empty path."""
    yield path, section
    for name, field in section.model_fields.items():
        inner = section_of(field)
        if inner is not None:
            yield from tables(inner, f"{path}.{name}".lstrip("."))
