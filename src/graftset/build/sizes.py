"""Which size the training images get.

Three grids have to agree: the picture's own cells, the 8 px cells of the VAE (one latent each) and the 64 px steps of
the U-Net, which halves its latents three times. A size on all three keeps every native cell whole and sharp; 512 px for
24 cells does not (512 / 24 = 21.33, so cells become 21 or 22 px).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from graftset.errors import BuildError

VAE_STEP = 8  # px of one latent
UNET_STEP = 64  # px of one latent at the U-Net's deepest level
LARGEST_REQUEST = 2048  # px

Base = Literal["sd15", "sdxl"]


@dataclass(frozen=True, slots=True)
class Sides:
    """What a base model trains well at: px, geometric mean of both sides of an image."""

    name: str
    target: int
    smallest: int
    largest: int


SIDES: Mapping[Base, Sides] = MappingProxyType(
    {
        "sd15": Sides("SD 1.5", 576, 512, 832),  # a little over the 512 px that it was trained on
        "sdxl": Sides("SDXL", 1024, 832, 1280),  # 1024 px in many shapes
    }
)


@dataclass(frozen=True, slots=True)
class TrainingSize:
    """The size of every exported image, and why."""

    width: int  # px
    height: int  # px
    native_width: int  # cells
    native_height: int  # cells
    requested: bool = False  # by the user
    base: Base = "sd15"

    @property
    def cell_width(self) -> float:
        """Width of one native cell, px; may be fractional."""
        return self.width / self.native_width

    @property
    def cell_height(self) -> float:
        """Height of one native cell, px; may be fractional."""
        return self.height / self.native_height

    @property
    def whole_cells(self) -> bool:
        """Whether every native cell becomes a rectangle of the same whole size."""
        return self.width % self.native_width == 0 and self.height % self.native_height == 0

    @property
    def tier(self) -> int:
        """How well cells, VAE and U-Net agree: 0 cells are whole blocks of latents, 3 cells are uneven."""
        if not self.whole_cells:
            return 3
        if self.width % UNET_STEP or self.height % UNET_STEP:
            return 2
        return 0 if self.cell_width % VAE_STEP == 0 and self.cell_height % VAE_STEP == 0 else 1

    @property
    def reason(self) -> str:
        """Why this size, as a sentence for the user and the manifest."""
        asked = "As requested. " if self.requested else ""
        shape = f"{self.width} x {self.height} px"
        if self.tier == 3:
            why = (
                ""
                if self.requested
                else f"; no size near {SIDES[self.base].target} px keeps them whole on the VAE's 8 px grid"
            )
            return f"{asked}{shape}: {self._unevenness}{why}."
        grid = (
            "a whole block of the VAE's 8 px grid, and both sides are multiples of 64 px",
            "and both sides are multiples of 64 px",
            "and both sides are multiples of the VAE's 8 px",
        )[self.tier]
        return (
            f"{asked}{shape}: every cell of the native {self.native_width} x {self.native_height} becomes exactly "
            f"{self.cell_width:g} x {self.cell_height:g} px, {grid}."
        )

    @property
    def warning(self) -> str | None:
        """What this size costs, as a sentence; None where it costs nothing."""
        shape = f"{self.width} x {self.height} px"
        parts = []
        if not self.whole_cells:
            parts.append(f"Cells are not whole at {shape}: {self._unevenness}.")
        sides = SIDES[self.base]
        if _side(self) > sides.largest:
            parts.append(
                f"{shape} is more than {sides.name} trains well at; if these are not the native pixels, give a size."
            )
        return " ".join(parts) or None

    @property
    def _unevenness(self) -> str:
        # Rows and columns are cut alike unless the shape had to be rounded; the uneven axis is the one to show.
        across = self.width % self.native_width != 0
        side, cells = (self.width, self.native_width) if across else (self.height, self.native_height)
        low, high = side // cells, math.ceil(side / cells)
        return f"{side} / {cells} = {side / cells:.2f}, so cells become {low} or {high} px"


def choose_size(
    native_width: int, native_height: int, *, requested: int | None = None, base: Base = "sd15"
) -> TrainingSize:
    """Choose the training size for one native size.

    Cells that are whole blocks of latents come first, then sizes on the U-Net's 64 px steps, then sizes on the VAE's
    8 px grid, then uneven cells; among equals the size nearest to 576 px (SDXL: 1024 px), the smaller one of two.

    Args:
        native_width: Cells across.
        native_height: Cells down.
        requested: Width the user asks for, px; the height follows the native shape.
        base: The base model that is trained.

    Raises:
        BuildError: The requested width is off the 8 px grid, too large, or would drop native cells.
    """
    if requested is not None:
        return _requested_size(native_width, native_height, requested, base)
    scales = range(1, max(1, LARGEST_REQUEST // max(native_width, native_height)) + 1)
    sizes = (
        TrainingSize(
            _round_up(native_width * scale), _round_up(native_height * scale), native_width, native_height, base=base
        )
        for scale in scales
    )
    target = SIDES[base].target
    return min(sizes, key=lambda size: (not _is_trainable(size), size.tier, abs(_side(size) - target), size.width))


def _requested_size(native_width: int, native_height: int, width: int, base: Base) -> TrainingSize:
    height = round(width * native_height / native_width / VAE_STEP) * VAE_STEP
    if width % VAE_STEP or width > LARGEST_REQUEST or width < native_width or height < native_height:
        chosen = choose_size(native_width, native_height, base=base)
        raise BuildError(
            f"A training image of {native_width} x {native_height} cells must be a multiple of {VAE_STEP} px wide, "
            f"at most {LARGEST_REQUEST} px, with at least one px for each cell",
            field="size",
            value=width,
            remedy=f"Leave the size out to get {chosen.width} x {chosen.height} px",
        )
    return TrainingSize(width, height, native_width, native_height, requested=True, base=base)


def _side(size: TrainingSize) -> float:
    return math.sqrt(size.width * size.height)


def _is_trainable(size: TrainingSize) -> bool:
    return SIDES[size.base].smallest <= _side(size) <= SIDES[size.base].largest


def _round_up(pixels: int) -> int:
    return math.ceil(pixels / VAE_STEP) * VAE_STEP
