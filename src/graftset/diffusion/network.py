"""The network: a small U-Net on native cells, told the noise level, the augmentation and the caption.

Three resolutions (1, 1/2, 1/4), each half with one residual block a level; skips are added, not concatenated, which
costs a third less for the same weights. Four cells become one, and one four, by moving them into channels and back
(Shi et al. 2016): each of the four has weights of its own then, so that detail survives. The caption acts twice:
pooled, as scale and shift of every block (FiLM, Perez et al. 2018), and tag by tag, through attention at the coarsest
level, where the cells attend to themselves and to the tags at once. Waves of the position of each cell join the input,
because portraits are aligned.

Sizes that are no multiple of 4 are padded at the right and lower edge and cut again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4  # of the coarsest level, cells
AUGMENTATIONS = 3  # flip, shift down, shift right
_OCTAVES = (1.0, 2.0, 4.0, 8.0, 16.0)  # half turns over a side
POSITIONS = 4 * len(_OCTAVES)  # channels that say where a cell is


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """What decides the number and shape of the weights."""

    inputs: int = 3  # channels of a noisy picture
    outputs: int = 128  # channels of the answer: colors of the palette, or 3
    channels: tuple[int, int, int] = (32, 64, 128)  # from fine to coarse
    middle_blocks: int = 2
    embedding: int = 128  # of noise level, augmentation and pooled caption
    text: int = 64  # of one tag
    rows: int = 4096  # of the hashed table of words
    heads: int = 4
    groups: int = 8
    scale: float = 1.0  # of the answer


@dataclass(frozen=True, slots=True)
class Tags:
    """The captions of a batch of B, every tag as a bag of table rows.

    `rows` and `weights` of all N tags stand one after the other, tag i beginning at `starts[i]`; `places [B, T]` says
    which tags a caption has: 0 is no tag, i + 1 tag i.
    """

    rows: Tensor  # int64 [sum of bag sizes]
    starts: Tensor  # int64 [N]
    weights: Tensor  # float [sum of bag sizes], bag size ** -0.5
    places: Tensor  # int64 [B, T]


class Block(nn.Module):
    """Residual block: norm, scale and shift, SiLU, 3 x 3 convolution, twice; the second one begins at zero."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, film: Tensor) -> Tensor:
        """`x [B, inputs, H, W]`, `film [B, 2 * outputs]` -> `[B, outputs, H, W]`."""
        h = self.conv1(functional.silu(self.norm1(x)))
        scale, shift = film[:, :, None, None].chunk(2, dim=1)
        h = functional.silu(torch.addcmul(shift, self.norm2(h), scale + 1))
        answer: Tensor = self.skip(x) + self.conv2(h)
        return answer


class Attention(nn.Module):
    """The cells of the coarsest level attend to one another and to the tags."""

    def __init__(self, channels: int, text: int, heads: int, groups: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups, channels)
        self.from_cells = nn.Linear(channels, 3 * channels)
        self.from_tags = nn.Linear(text, 2 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """`x [B, C, H, W]`, `tags [B, T, text]`, `mask [B, T]` (0 or -inf) -> `[B, C, H, W]`."""
        batch, channels, height, width = x.shape
        cells = self.norm(x).flatten(2).transpose(1, 2)  # [B, HW, C]
        q, k, v = self._split(self.from_cells(cells), 3)
        tag_k, tag_v = self._split(self.from_tags(tags), 2)
        seen = functional.pad(mask, (height * width, 0))[:, None, None, :]
        # Spelled out: at these sizes the fused attention's way back takes five times as long on a CPU in bfloat16.
        scores = q @ torch.cat([k, tag_k], 2).transpose(2, 3) * q.shape[-1] ** -0.5 + seen
        h = scores.softmax(-1) @ torch.cat([v, tag_v], 2)
        added: Tensor = self.out(h.transpose(1, 2).flatten(2))
        return x + added.transpose(1, 2).reshape(batch, channels, height, width)

    def _split(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """`[B, L, parts * C]` -> `parts` times `[B, heads, L, C / heads]`."""
        batch, length, _ = x.shape
        return x.view(batch, length, parts, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)


class TextEncoder(nn.Module):
    """Tags -> one vector each, and one for the whole caption. No vocabulary: every arm has the same weights."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(shape.rows, shape.text))
        self.nothing = nn.Parameter(torch.zeros(1, shape.text))  # stands for "no caption"
        self.mix = nn.Sequential(
            nn.Linear(shape.text, 2 * shape.text), nn.SiLU(), nn.Linear(2 * shape.text, shape.text)
        )
        self.pooled = nn.Sequential(
            nn.LayerNorm(shape.text),
            nn.Linear(shape.text, 2 * shape.embedding),
            nn.SiLU(),
            nn.Linear(2 * shape.embedding, shape.embedding),
        )

    def forward(self, tags: Tags) -> tuple[Tensor, Tensor, Tensor]:
        """-> tags `[B, T, text]`, mask `[B, T]` (0 or -inf), pooled `[B, embedding]`."""
        bags = functional.embedding_bag(
            tags.rows, self.table, tags.starts, mode="sum", per_sample_weights=tags.weights.to(self.table.dtype)
        )
        vectors = torch.cat([self.nothing, bags])[tags.places]
        vectors = vectors + self.mix(vectors)
        present = tags.places > 0
        # A caption without tags still shows its first place, the vector for nothing.
        present = torch.cat([present[:, :1] | ~present.any(1, keepdim=True), present[:, 1:]], 1)
        weight = present.to(vectors.dtype)[:, :, None]
        pooled = (vectors * weight).sum(1) / weight.sum(1).sqrt()
        mask = torch.zeros_like(weight[:, :, 0]).masked_fill(~present, -math.inf)
        return vectors, mask, self.pooled(pooled)


class Network(nn.Module):
    """Noisy pictures, noise level, augmentation and captions -> what the clean pictures are."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        fine, half, coarse = shape.channels
        groups, e = shape.groups, shape.embedding
        self.text = TextEncoder(shape)
        self.embed = nn.Sequential(nn.Linear(e // 2 + AUGMENTATIONS, e), nn.SiLU(), nn.Linear(e, e))
        self.stem = nn.Conv2d(shape.inputs + POSITIONS, fine, 3, padding=1)
        self.down = nn.ModuleList([Block(fine, fine, groups), Block(half, half, groups), Block(coarse, coarse, groups)])
        self.merge = nn.ModuleList([nn.Conv2d(4 * fine, half, 1), nn.Conv2d(4 * half, coarse, 1)])
        self.middle = nn.ModuleList([Block(coarse, coarse, groups) for _ in range(shape.middle_blocks)])
        self.attention = nn.ModuleList(
            [Attention(coarse, shape.text, shape.heads, groups) for _ in range(shape.middle_blocks)]
        )
        self.up = nn.ModuleList([Block(coarse, coarse, groups), Block(half, half, groups), Block(fine, fine, groups)])
        self.split = nn.ModuleList([nn.Conv2d(coarse, 4 * half, 1), nn.Conv2d(half, 4 * fine, 1)])
        self.norm = nn.GroupNorm(groups, fine)
        self.head = nn.Linear(fine, shape.outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.films = [2 * c for c in (fine, half, coarse, *[coarse] * shape.middle_blocks, coarse, half, fine)]
        self.film = nn.Linear(e, sum(self.films))
        nn.init.normal_(self.film.weight, std=e**-0.5)
        nn.init.zeros_(self.film.bias)

    def forward(self, noisy: Tensor, level: Tensor, augmentation: Tensor, tags: Tags) -> Tensor:
        """Answer for every cell.

        Args:
            noisy: `[B, inputs, H, W]`.
            level: Noise level in [0, 1], `[B]`.
            augmentation: Flip (0 or 1), shift down and right (-1, 0, 1), `[B, 3]`; all 0 for none.
            tags: The captions.

        Returns:
            `[B, H, W, outputs]`.
        """
        vectors, mask, pooled = self.text(tags)
        known = torch.cat([_waves(level, self.shape.embedding // 2), augmentation], 1).to(noisy.dtype)
        films = iter(self.film(functional.silu(self.embed(known) + pooled)).split(self.films, 1))
        height, width = noisy.shape[2:]
        x = _pad(torch.cat([noisy, _positions(noisy)], 1))
        x = self.stem(x)
        skips = []
        for i, block in enumerate(self.down):
            if i > 0:
                x = self.merge[i - 1](functional.pixel_unshuffle(x, 2))
            x = block(x, next(films))
            skips.append(x)
        for block, attention in zip(self.middle, self.attention, strict=True):
            x = attention(block(x, next(films)), vectors, mask)
        for i, block in enumerate(self.up):
            if i > 0:
                x = functional.pixel_shuffle(self.split[i - 1](x), 2)
            x = block(x + skips.pop(), next(films))
        x = functional.silu(self.norm(x))[:, :, :height, :width]
        # Channels last: a softmax over them is then four times as fast.
        answer: Tensor = self.head(x.permute(0, 2, 3, 1))
        return self.shape.scale * answer


def _waves(level: Tensor, size: int) -> Tensor:
    """Sines and cosines of the noise level, `[B]` -> `[B, size]`."""
    frequencies = torch.exp(torch.linspace(0, math.log(100), size // 2, device=level.device)) * math.pi
    angles = level[:, None].float() * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


def _positions(like: Tensor) -> Tensor:
    """Sines and cosines of the row and column of every cell, from the whole side to 3 cells, `[B, POSITIONS, H, W]`."""
    batch, _, height, width = like.shape
    waves = []
    for size in (height, width):
        turns = torch.linspace(0, math.pi, size, device=like.device)
        angles = turns[:, None] * torch.tensor(_OCTAVES, device=like.device)
        waves.append(torch.cat([angles.sin(), angles.cos()], 1).T)  # [2 * octaves, size]
    rows = waves[0][:, :, None].expand(-1, -1, width)
    columns = waves[1][:, None, :].expand(-1, height, -1)
    return torch.cat([rows, columns]).to(like.dtype).expand(batch, POSITIONS, height, width)


def _pad(x: Tensor) -> Tensor:
    height, width = x.shape[2:]
    return functional.pad(x, (0, -width % STRIDE, 0, -height % STRIDE)) if height % STRIDE or width % STRIDE else x
