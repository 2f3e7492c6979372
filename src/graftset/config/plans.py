"""Mixing plans that a user writes into graftset.toml, under `[plans.NAME]`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from graftset.config.section import Section, as_tuple

BUILT_IN_PLANS = ("originals", "equal", "weighted", "sequential", "as-asked", "corrected", "random")


def plan_name(name: str) -> str:
    """The name of a plan of one's own, which is not that of a built-in one."""
    if name in BUILT_IN_PLANS:
        raise ValueError(f"{name} is a built-in plan; give yours another name")
    return _plain_name(name)


def _plain_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
        raise ValueError("a name has letters, digits, dashes and underscores, at most 40")
    return name


class UseSettings(Section):
    """Images that a stage of a plan shows."""

    images: Literal["originals", "admitted", "best", "relabeled", "random"] = Field(
        description="originals; admitted: all that the selection kept; best: the first `count` of them by its ranking; "
        "relabeled: those of the admitted whose caption was corrected; random: `count` drawn from all candidates "
        "whatever the gates say.",
        examples=["best"],
    )
    count: int | None = Field(
        default=None,
        ge=1,
        description="How many, of best and random. Without it: as many as are admitted.",
        examples=[50],
    )
    repeats: int | None = Field(
        default=None, ge=1, le=1000, description="Times each is shown in one epoch; without it once.", examples=[2]
    )
    weight: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="In place of repeats: how often each is shown, in relation to the other weights of the stage.",
        examples=[1.5],
    )
    loss_weight: float = Field(
        default=1.0, gt=0, le=10, description="Factor on the loss of these images; kohya can do it by is_reg only."
    )
    where: dict[str, str] = Field(
        default_factory=dict,
        description="Only those seen to have these traits, by slot.",
        examples=[{"background": "green"}],
    )

    @model_validator(mode="after")
    def _consistent(self) -> UseSettings:
        faults = []
        if self.count is not None and self.images in ("originals", "admitted", "relabeled"):
            faults.append(f'"{self.images}" takes all there are and no count; "best" and "random" take one')
        if self.repeats is not None and self.weight is not None:
            faults.append("repeats and weight exclude each other")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class StageSettings(Section):
    """One stage of a plan: a run of the trainer that goes on from the stage before."""

    name: Annotated[str, AfterValidator(_plain_name)] | None = Field(
        default=None, description="Without it: stage1, stage2, ...", examples=["combined"]
    )
    share: int = Field(
        default=1, ge=1, le=1000, description="Of the epochs or the budget, in relation to the other stages' shares."
    )
    least_real_mass: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Originals are repeated more often where fewer of the images shown would be originals.",
        examples=[0.5],
    )
    use: Annotated[tuple[UseSettings, ...], BeforeValidator(as_tuple), Field(min_length=1)] = Field(
        description="What it shows. An image that several entries would take is taken by the first.",
        examples=[[{"images": "originals"}]],
    )


class PlanSettings(Section):
    """A mixing plan of your own."""

    summary: str = Field(default="", description="What it is for, in a few words.", examples=["half of the best"])
    captions: Literal["corrected", "as-asked"] = Field(
        default="corrected",
        description="corrected: generated images under their current captions; as-asked: under the prompts that they "
        "came with.",
    )
    epochs: int | None = Field(default=None, ge=1, description="Without it: those of [build].", examples=[10])
    override_real_mass: str = Field(
        default="",
        description="Why fewer than half of the images shown may be originals; without a reason that is refused.",
        examples=["the pool was reviewed in full"],
    )
    stages: Annotated[tuple[StageSettings, ...], BeforeValidator(as_tuple), Field(min_length=1)] = Field(
        description="The stages in their order; one for a plan that shows all from the start.",
        examples=[[{"use": [{"images": "originals"}]}]],
    )
