"""What the network answers for every cell, and how an answer becomes a loss, a clean picture and pixels.

A head is the one place where the two kinds of answer differ: a color of the palette (`PaletteHead`, the default:
crisp pictures, learned by cross-entropy) or a color as such (`ContinuousHead`, for sets whose colors no palette holds).
Pictures are noised in RGB between -1 and 1 either way, so that the sampler does not know the difference.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from graftset.diffusion.palette import Palette

U8 = NDArray[np.uint8]


class Head(Protocol):
    """One kind of answer."""

    @property
    def outputs(self) -> int:
        """Channels of the network's answer."""

    def encode(self, rgb: U8) -> U8:
        """Pictures `uint8 [N, H, W, 3]` as training targets, to be kept in memory."""

    def colors(self, targets: Tensor) -> Tensor:
        """Targets of a batch as colors in [-1, 1]: `[B, H, W, ...]` -> float32 `[B, 3, H, W]`."""

    def loss(self, answer: Tensor, level: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of the network's answer `[B, H, W, outputs]` to pictures at noise levels `[B]`."""

    def clean(self, answer: Tensor) -> Tensor:
        """The expected clean picture, float32 `[B, 3, H, W]` in [-1, 1]."""

    def pixels(self, answer: Tensor) -> U8:
        """The picture itself, `uint8 [B, H, W, 3]`."""


class PaletteHead:
    """Every cell is one of the palette's colors; trained by cross-entropy."""

    def __init__(self, palette: Palette, device: torch.device | str = "cpu") -> None:
        self.palette = palette
        self.outputs = len(palette.colors)
        self._colors = _to_unit(torch.from_numpy(palette.colors)).to(device)  # [K, 3]

    def encode(self, rgb: U8) -> U8:
        """Palette indices `uint8 [N, H, W]`."""
        return self.palette.indices(rgb)

    def colors(self, targets: Tensor) -> Tensor:
        """Colors of indices `[B, H, W]`."""
        return functional.embedding(targets, self._colors).permute(0, 3, 1, 2)

    def loss(self, answer: Tensor, level: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, every noise level alike."""
        return functional.cross_entropy(answer.flatten(0, 2).float(), targets.flatten())

    def clean(self, answer: Tensor) -> Tensor:
        """The mean color under the answer's probabilities."""
        return (answer.float().softmax(-1) @ self._colors).permute(0, 3, 1, 2)

    def pixels(self, answer: Tensor) -> U8:
        """The likeliest color of every cell."""
        painted: U8 = self.palette.colors[answer.argmax(-1).cpu().numpy()]
        return painted


class ContinuousHead:
    """Every cell is any color; trained by squared error."""

    outputs = 3

    def encode(self, rgb: U8) -> U8:
        """The pictures themselves."""
        return rgb

    def colors(self, targets: Tensor) -> Tensor:
        """Colors of `[B, H, W, 3]`."""
        return _to_unit(targets).permute(0, 3, 1, 2)

    def loss(self, answer: Tensor, level: Tensor, targets: Tensor) -> Tensor:
        """Squared error, weighted by 1 / level squared (the error of the velocity), at most 1 / 0.05."""
        error = (answer.float() - _to_unit(targets)).square().mean((1, 2, 3))
        return (error / (level.square() + 0.05)).mean()

    def clean(self, answer: Tensor) -> Tensor:
        """The answer itself."""
        return answer.float().clamp(-1, 1).permute(0, 3, 1, 2)

    def pixels(self, answer: Tensor) -> U8:
        """The answer in 8 bits."""
        return ((answer.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()


def _to_unit(rgb: Tensor) -> Tensor:
    return rgb.float() / 127.5 - 1
