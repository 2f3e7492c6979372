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
from torch.nn import functional as F

from graftset.diffusion.palette import Palette

U8 = NDArray[np.uint8]

import os

LEAST_LEVEL = float(os.environ.get("LL", "0.3"))


class Head(Protocol):
    """One kind of answer."""

    @property
    def outputs(self) -> int:
        """Channels of the network's answer."""

    def encode(self, rgb: U8) -> U8:
        """Pictures `uint8 [N, H, W, 3]` as training targets, to be kept in memory."""

    def colors(self, targets: Tensor) -> Tensor:
        """Targets of a batch as colors in [-1, 1]: `[B, H, W, ...]` -> float32 `[B, 3, H, W]`."""

    def loss(self, answer: Tensor, noisy: Tensor, level: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of the network's answer `[B, H, W, outputs]` to pictures `[B, 3, H, W]` at noise levels `[B]`."""

    def clean(self, answer: Tensor, noisy: Tensor, level: Tensor) -> Tensor:
        """The expected clean picture, float32 `[B, 3, H, W]` in [-1, 1]."""

    def pixels(self, answer: Tensor, noisy: Tensor, level: Tensor) -> U8:
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
        return F.embedding(targets, self._colors).permute(0, 3, 1, 2)

    def logits(self, answer: Tensor, noisy: Tensor, level: Tensor) -> Tensor:
        """Log probability of every color but for a constant, float32 `[B, H, W, K]`: what the network adds to Bayes.

        A cell of color c is noised to x with the density exp(-(x - (1 - t) c)^2 / 2 t^2): how well each color explains
        what is seen there is known exactly, and only the prior, from the caption and the other cells, is left to learn.
        """
        t = level.clamp(min=LEAST_LEVEL)[:, None, None, None]
        shrunk = (1 - t) / t
        seen = torch.cat([noisy.permute(0, 2, 3, 1) / t, shrunk.expand(-1, *noisy.shape[2:], 1) / 2], 3) * shrunk
        known = seen @ torch.cat([self._colors, -self._colors.square().sum(1, keepdim=True)], 1).T
        return known + answer

    def loss(self, answer: Tensor, noisy: Tensor, level: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, every noise level alike."""
        return F.cross_entropy(self.logits(answer, noisy, level).flatten(0, 2), targets.flatten())

    def clean(self, answer: Tensor, noisy: Tensor, level: Tensor) -> Tensor:
        """The mean color under the answer's probabilities."""
        return (self.logits(answer, noisy, level).softmax(-1) @ self._colors).permute(0, 3, 1, 2)

    def pixels(self, answer: Tensor, noisy: Tensor, level: Tensor) -> U8:
        """The likeliest color of every cell."""
        return self.palette.colors[self.logits(answer, noisy, level).argmax(-1).cpu().numpy()]


class ContinuousHead:
    """Every cell is any color; trained by squared error."""

    outputs = 3

    def encode(self, rgb: U8) -> U8:
        """The pictures themselves."""
        return rgb

    def colors(self, targets: Tensor) -> Tensor:
        """Colors of `[B, H, W, 3]`."""
        return _to_unit(targets).permute(0, 3, 1, 2)

    def loss(self, answer: Tensor, noisy: Tensor, level: Tensor, targets: Tensor) -> Tensor:
        """Squared error, weighted by 1 / level squared (the error of the velocity), at most 1 / 0.05."""
        error = (answer.float() - _to_unit(targets)).square().mean((1, 2, 3))
        return (error / (level.square() + 0.05)).mean()

    def clean(self, answer: Tensor, noisy: Tensor, level: Tensor) -> Tensor:
        """The answer itself."""
        return answer.float().clamp(-1, 1).permute(0, 3, 1, 2)

    def pixels(self, answer: Tensor, noisy: Tensor, level: Tensor) -> U8:
        """The answer in 8 bits."""
        return ((answer.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()


def _to_unit(rgb: Tensor) -> Tensor:
    return rgb.float() / 127.5 - 1
