"""What experiments ask, what is decided on them, and what the next ones are planned with: tables of graftset.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from graftset.config.section import Section


class DecideSettings(Section):
    """What an arm has to show before it is adopted. Defaults are judgments: change them to what you need."""

    review_bound: float = Field(
        default=0.90,
        ge=0,
        le=1,
        description="Share of the admitted images (0-1) that a review must have shown to be right, with 95 % "
        "confidence.",
    )
    original_accuracy: float = Field(
        default=0.95,
        ge=0,
        le=1,
        description="Original accuracy (0-1) that an arm must reach, besides being no worse than the originals alone.",
    )
    quality: float = Field(default=8.0, ge=0, le=10, description="Mean quality score (0-10) that an arm must hold.")
    convergence_slack: float = Field(
        default=0.10,
        ge=0,
        le=1,
        description="How much later an arm may converge, as a share of the images that the originals alone take.",
    )
    stability_slack: float = Field(
        default=0.25,
        ge=0,
        description="How much more an arm may swing from checkpoint to checkpoint, in multiples of the sampling noise.",
    )
    certainty: Literal["bound", "point"] = Field(
        default="bound",
        description='What must reach these: "bound", the end of the interval; "point", the figure alone.',
    )


class SuggestSettings(Section):
    """What the suggested experiments are planned with."""

    seeds: int = Field(default=5, ge=1, le=99, description="Training seeds of each arm. A verdict needs 5.")
    gpu_seconds_per_step: float = Field(
        default=1.0,
        gt=0,
        description="Seconds of one training step of your trainer on your GPU: for the hours that are named.",
    )
    minutes_per_image: float = Field(
        default=0.0,
        ge=0,
        description="Minutes that one admitted image costs you to make. 0: images are counted but not turned into "
        "hours.",
    )


class ExperimentSettings(Section):
    """What experiments paint and when a difference is too small to matter. Read when an experiment is defined."""

    seeds: int = Field(default=5, ge=2, description="Training seeds of every arm. Fewer than 5 are directional only.")
    training: int = Field(default=30, ge=0, description="Captions of originals that every checkpoint paints.")
    candidate: int = Field(default=40, ge=0, description="Wordings of candidates that some arm holds.")
    generic: int = Field(default=16, ge=0, description="Plain wordings over figures and background colors.")
    unseen: int = Field(default=14, ge=0, description="Combinations of traits that no caption holds.")
    accuracy_margin: float = Field(
        default=0.05, gt=0, lt=1, description="Loss of original or variation accuracy that does not matter."
    )
    quality_margin: float = Field(
        default=0.25, gt=0, lt=10, description="Loss of the quality score (0-10) that does not matter."
    )
