"""What a selection is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from graftset.errors import UserError

if TYPE_CHECKING:  # pydantic is not loaded for a policy made by hand
    from graftset.config import SelectSettings

WrongBackground = Literal["recaption", "drop"]
WrongAccessory = Literal["recaption", "drop"]


@dataclass(frozen=True, slots=True)
class Floors:
    """What the admitted set is held against; a floor that is missed becomes a note, nothing is dropped for it."""

    total_variation: float = 0.10  # largest distance of a trait's values to their target, 0-1
    vendi_ratio: float = 0.90  # least Vendi score, as a ratio to the originals' at equal n


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds and wishes of one selection.

    Raises:
        UserError: A value is out of range.
    """

    count: int | None = None  # candidates asked for; None: all that pass
    min_score: float = 8.0  # 0-10
    wrong_background: WrongBackground = "recaption"
    wrong_accessory: WrongAccessory = "recaption"
    seed: int = 0
    max_generation: int = 1
    floors: Floors = field(default_factory=Floors)

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise UserError(
                "Nothing would be selected", field="count", value=self.count, remedy="Ask for 1 or more, or for --all"
            )
        if not 0.0 <= self.min_score <= 10.0:
            raise UserError(
                "Scores run from 0 to 10", field="min_score", value=self.min_score, remedy="Give a score of that range"
            )
        if self.wrong_background not in ("recaption", "drop"):
            raise UserError(
                "Unknown policy for wrong backgrounds",
                field="wrong_background",
                value=self.wrong_background,
                remedy="Write recaption or drop",
            )
        if self.wrong_accessory not in ("recaption", "drop"):
            raise UserError(
                "Unknown policy for wrong accessories",
                field="wrong_accessory",
                value=self.wrong_accessory,
                remedy="Write recaption or drop",
            )
        if self.seed < 0:
            raise UserError("A seed is not negative", field="seed", value=self.seed, remedy="Give 0 or more")
        if self.max_generation < 1:
            raise UserError(
                "Every candidate is of generation 1 or higher",
                field="max_generation",
                value=self.max_generation,
                remedy="Give 1 or more",
            )


def policy_from_settings(settings: SelectSettings) -> Policy:
    """The policy that graftset.toml asks for; `count = 0` there means all that pass."""
    return Policy(
        count=settings.count or None,
        min_score=settings.min_score,
        wrong_background=settings.wrong_background,
        wrong_accessory=settings.wrong_accessory,
        seed=settings.seed,
        max_generation=settings.max_generation,
        floors=Floors(settings.floors.total_variation, settings.floors.vendi_ratio),
    )
