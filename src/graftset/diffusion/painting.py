"""Painting pictures: from noise to pixels in a few steps, every picture from a random generator of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from graftset.diffusion.heads import Head
from graftset.diffusion.network import Network, Tags
from graftset.diffusion.text import I64, CaptionEncoder, TagBatch, batch_tags

STEPS = 20
BATCH = 16


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture to paint: what it shall show, and the key and seed of its noise."""

    text: str
    key: str  # the same key and seed, the same noise: the prompt's id
    seed: int


@dataclass(frozen=True, slots=True)
class Painter:
    """Everything that paints: network, head, captions and size."""

    network: Network
    head: Head
    captions: CaptionEncoder
    height: int  # cells
    width: int  # cells
    steps: int = STEPS
    guidance: float = 1.0  # 1: none; above, the caption counts for more (Ho & Salimans 2022)


def paint(
    painter: Painter, wishes: Sequence[Wish], *, batch: int = BATCH, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.uint8]:
    """Paint pictures.

    Euler steps along the straight line from noise (level 1) to picture (level 0): at level t the network answers what
    the clean picture is, and the noisy one moves that way. A picture depends on its own wish only, on a CPU to the bit:
    short batches are filled up, because the kernels chosen for another size may round differently.

    Args:
        painter: What paints.
        wishes: The pictures wanted.
        batch: Pictures painted at once.
        progress: Called with pictures painted and pictures in all.

    Returns:
        `uint8 [N, H, W, 3]`.
    """
    painted = np.empty((len(wishes), painter.height, painter.width, 3), dtype=np.uint8)
    for start in range(0, len(wishes), batch):
        some = list(wishes[start : start + batch])
        full = some + some[-1:] * (batch - len(some))
        painted[start : start + len(some)] = _paint_batch(painter, full)[: len(some)]
        if progress is not None:
            progress(start + len(some), len(wishes))
    return painted


def noise(wish: Wish, height: int, width: int) -> NDArray[np.float32]:
    """The noise a picture begins as, `float32 [3, height, width]`: the same for every arm and batch size."""
    key = int.from_bytes(hashlib.sha256(wish.key.encode()).digest()[:8], "little")
    return np.random.default_rng([wish.seed, key]).standard_normal((3, height, width), dtype=np.float32)


@torch.no_grad()
def _paint_batch(painter: Painter, wishes: Sequence[Wish]) -> NDArray[np.uint8]:
    parameter = next(painter.network.parameters())
    device, dtype = parameter.device, parameter.dtype
    x = torch.from_numpy(np.stack([noise(wish, painter.height, painter.width) for wish in wishes])).to(device)
    captions = [painter.captions.tags(wish.text) for wish in wishes]
    tags = to_tags(batch_tags(captions), device)
    empty: list[tuple[I64, ...]] = [() for _ in wishes]
    untold = to_tags(batch_tags(empty), device)
    plain = torch.zeros(len(wishes), 3, device=device)
    levels = np.linspace(1, 0, painter.steps + 1)
    for level, following in pairwise(levels.tolist()):
        at = torch.full((len(wishes),), level, dtype=torch.float32, device=device)
        answer = painter.network(x.to(dtype), at, plain, tags)
        if painter.guidance != 1:
            other = painter.network(x.to(dtype), at, plain, untold)
            answer = other + painter.guidance * (answer - other)
        if following == 0:
            break
        x = x + (following - level) / level * (x - painter.head.clean(answer))
    return painter.head.pixels(answer)


def to_tags(batch: TagBatch, device: torch.device | str) -> Tags:
    """Arrays -> tensors on a device."""
    return Tags(*(torch.from_numpy(a).to(device) for a in (batch.rows, batch.starts, batch.weights, batch.places)))
