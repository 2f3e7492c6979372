"""What a plan asks for, before it meets images; and the plans that every project has.

A plan of the user's own (`[plans.NAME]` in graftset.toml) becomes the same value as a built-in one and goes the same
way from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from graftset.errors import UserError

if TYPE_CHECKING:  # pydantic is not loaded for a plan made by hand
    from graftset.config import PlanSettings

Source = Literal["originals", "admitted", "best", "relabeled", "random"]
Captions = Literal["corrected", "as-asked"]


@dataclass(frozen=True, slots=True)
class Use:
    """Images that a stage shows.

    Attributes:
        images: "originals"; "admitted", all that the selection kept; "best", the first `count` of those by its ranking;
            "relabeled", those of the admitted whose caption is another than the prompt they came with; "random",
            `count` drawn from all candidates whatever the gates say.
        count: Of "best" and "random"; None takes as many as are admitted.
        repeats: Times each is shown in one epoch.
        weight: In place of repeats: how often each is shown, in relation to the other weights of the stage.
        loss_weight: Factor on their loss.
        where: Only those that were seen to have these traits, by slot: {"hair": "brown", "accessory:crown": "present"}.
    """

    images: Source
    count: int | None = None
    repeats: int = 1
    weight: Fraction | None = None
    loss_weight: float = 1.0
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage of a plan.

    Attributes:
        uses: What it shows. An image that several of them would take is taken by the first.
        share: Of the epochs or the budget, in relation to the shares of the other stages.
        least_real_mass: Originals are repeated more often than asked where fewer of the shown images would be real.
    """

    name: str
    uses: tuple[Use, ...]
    share: int = 1
    least_real_mass: Fraction | None = None


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """A plan before it meets images.

    Attributes:
        captions: "corrected" trains generated images under their current captions, "as-asked" under the prompts that
            they came with.
        only_asked: Of the generated images only those that came with a prompt, whatever they are trained under.
        epochs: Over all stages; None leaves that to the settings.
        override: Why fewer than half originals are accepted; empty where they are not.
    """

    summary: str
    stages: tuple[StageSpec, ...]
    captions: Captions = "corrected"
    only_asked: bool = False
    epochs: int | None = None
    override: str = ""

    @property
    def uses_generated(self) -> bool:
        """Whether it asks for generated images at all."""
        return any(use.images != "originals" for stage in self.stages for use in stage.uses)

    @property
    def draws_from_pool(self) -> bool:
        """Whether it may use candidates that the selection dropped."""
        return any(use.images == "random" for stage in self.stages for use in stage.uses)


_ORIGINALS = Use("originals")


def _together(generated: Use, *, originals: int = 1, least_real_mass: Fraction | None = None) -> tuple[StageSpec, ...]:
    return (StageSpec("combined", (Use("originals", repeats=originals), generated), 1, least_real_mass),)


PLANS: Mapping[str, PlanSpec] = MappingProxyType(
    {
        "originals": PlanSpec("originals only, the baseline", (StageSpec("originals", (_ORIGINALS,)),)),
        "equal": PlanSpec("every image equally often", _together(Use("admitted"))),
        "weighted": PlanSpec(
            "each original at least twice as often as a generated image",
            _together(Use("admitted"), originals=2, least_real_mass=Fraction(2, 3)),
        ),
        "sequential": PlanSpec(
            "originals first, then all together",
            (
                StageSpec("originals", (_ORIGINALS,)),
                StageSpec("combined", (_ORIGINALS, Use("admitted")), least_real_mass=Fraction(1, 2)),
            ),
        ),
        "as-asked": PlanSpec(
            "control: every image equally often, the generated under the prompts as asked; tests the captions",
            _together(Use("best")),
            captions="as-asked",
            only_asked=True,
        ),
        "corrected": PlanSpec(
            "control: the pictures of as-asked under their corrected captions; nothing else differs between the two",
            _together(Use("best")),
            only_asked=True,
        ),
        "random": PlanSpec(
            "control: every image equally often, the generated drawn at random past all gates; tests the filter",
            _together(Use("random")),
        ),
    }
)
"""The plans of every project. The last three are control arms: see docs/plans.md."""

LABEL_PLANS: Mapping[str, PlanSpec] = MappingProxyType(
    {
        "relabeled": PlanSpec(
            "control: originals and the admitted whose captions were corrected, under these",
            _together(Use("relabeled")),
            only_asked=True,
        ),
        "mislabeled": PlanSpec(
            "control: the pictures of relabeled under the prompts as asked; only wrong words differ between the two",
            _together(Use("relabeled")),
            captions="as-asked",
            only_asked=True,
        ),
    }
)
"""Controls for projects where captions were corrected: what the others hold besides dilutes the question."""


def plan_named(name: str, own: Mapping[str, PlanSpec] = MappingProxyType({})) -> PlanSpec:
    """The plan of a name, a built-in or one of the user's own.

    Raises:
        UserError: There is no such plan.
    """
    known = {**own, **PLANS}
    if name not in known:
        raise UserError("No such mixing plan", field="plan", value=name, remedy=f"Use one of: {', '.join(known)}")
    return known[name]


def plans_from_settings(settings: Mapping[str, PlanSettings]) -> dict[str, PlanSpec]:
    """The plans that graftset.toml defines under `[plans.NAME]`, and those of `LABEL_PLANS`."""
    return {**LABEL_PLANS, **{name: _spec(name, plan) for name, plan in settings.items()}}


def _spec(name: str, plan: PlanSettings) -> PlanSpec:
    stages = [
        StageSpec(
            name=stage.name or f"stage{number}",
            uses=tuple(
                Use(
                    images=use.images,
                    count=use.count,
                    repeats=use.repeats or 1,
                    # A decimal as it is written: 1.1 is 11/10, not the binary fraction nearest to it.
                    weight=None if use.weight is None else Fraction(str(use.weight)),
                    loss_weight=use.loss_weight,
                    where=dict(use.where),
                )
                for use in stage.use
            ),
            share=stage.share,
            least_real_mass=None if stage.least_real_mass is None else Fraction(str(stage.least_real_mass)),
        )
        for number, stage in enumerate(plan.stages, start=1)
    ]
    summary = plan.summary or f"the plan {name} of graftset.toml"
    asked = plan.captions == "as-asked"
    return PlanSpec(summary, tuple(stages), plan.captions, asked, plan.epochs, plan.override_real_mass)
