"""A fixed palette: the classes the network chooses from. Every arm of an experiment shares one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.pixels.color import oklab_to_srgb, srgb_to_oklab

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

SIZE = 256  # colors; as many fit one byte
_FLATNESS = 1.5  # a color counts by its cells in each picture to this power: large flat areas stay exact
_NEAR = 0.02  # OKLab: a mean gives way to a color that people can hardly tell from it
_ROUNDS = 24  # of k-means; the error moves by less than 1 % after a dozen
_BLOCK = 1 << 14  # colors compared with the palette at once


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Colors `uint8 [K, 3]`, the most used first."""

    colors: U8

    @classmethod
    def from_bytes(cls, data: bytes) -> Palette:
        """The palette whose colors are `data`, three bytes each."""
        return cls(np.frombuffer(data, dtype=np.uint8).reshape(-1, 3).copy())

    def indices(self, rgb: U8) -> U8:
        """The nearest color (OKLab) of every pixel: `uint8 [..., 3]` -> `uint8 [...]`."""
        codes, inverse = np.unique(_codes(rgb), return_inverse=True)
        nearest = _nearest(srgb_to_oklab(_from_codes(codes)), srgb_to_oklab(self.colors))[0]
        return nearest.astype(np.uint8)[inverse].reshape(rgb.shape[:-1])

    def error(self, rgb: U8) -> float:
        """Mean OKLab distance of pixels to their color of the palette."""
        codes, counts = np.unique(_codes(rgb), return_counts=True)
        distance = _nearest(srgb_to_oklab(_from_codes(codes)), srgb_to_oklab(self.colors))[1]
        return float(np.average(distance, weights=counts))


def make_palette(originals: Iterable[U8], candidates: Iterable[U8] = (), *, size: int = SIZE) -> Palette:
    """All colors of the pictures where those are at most `size`, else the `size` that stand for them best.

    Weighted k-means in OKLab from the most used colors that differ; every mean then gives way to the most used color
    near it, so that the colors of large flat areas stay exact.

    Args:
        originals: `uint8 [..., 3]` each.
        candidates: Likewise; however many they are, together they count no more than the originals.
        size: Most colors of the palette.
    """
    weights, others = _weights(originals), _weights(candidates)
    scale = min(1.0, sum(weights.values()) / (sum(others.values()) or 1.0))
    for code, weight in others.items():
        weights[code] = weights.get(code, 0.0) + scale * weight
    codes = np.array(sorted(weights), dtype=np.uint32)
    counted = np.array([weights[code] for code in codes.tolist()])
    if len(codes) > size:
        return Palette(_k_means(codes, counted, size))
    return Palette(_from_codes(codes[np.argsort(-counted, kind="stable")]))


def _weights(pictures: Iterable[U8]) -> dict[int, float]:
    """How much each color counts, by its code."""
    weights: dict[int, float] = {}
    for picture in pictures:
        codes, counts = np.unique(_codes(picture), return_counts=True)
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
            weights[code] = weights.get(code, 0.0) + count**_FLATNESS
    return weights


def _k_means(codes: NDArray[np.uint32], weight: NDArray[np.float64], size: int) -> U8:
    lab = srgb_to_oklab(_from_codes(codes))
    centers = _spread(lab, weight, size)
    for _ in range(_ROUNDS):
        own = _nearest(lab, centers)[0]
        total = np.bincount(own, weight, size)
        sums = np.stack([np.bincount(own, weight * lab[:, axis], size) for axis in range(3)], axis=1)
        centers = np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], centers).astype(np.float32)
    own, distance = _nearest(lab, centers)
    used = np.bincount(own, weight, size)
    palette = oklab_to_srgb(centers)
    colors = _from_codes(codes)
    for index in range(size):
        near = np.flatnonzero((own == index) & (distance <= _NEAR))
        if len(near):
            palette[index] = colors[near[weight[near].argmax()]]
    return palette[np.argsort(-used, kind="stable")]


def _spread(lab: F32, weight: NDArray[np.float64], size: int) -> F32:
    """Starting centers: again and again the color with the largest weight x squared distance to those chosen."""
    chosen = [int(weight.argmax())]
    gap = ((lab - lab[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < size:
        chosen.append(int((weight * gap).argmax()))
        np.minimum(gap, ((lab - lab[chosen[-1]]) ** 2).sum(axis=1), out=gap)
    return lab[chosen]


def _nearest(lab: F32, centers: F32) -> tuple[NDArray[np.intp], F32]:
    """Index of and distance to the nearest center, both [N]."""
    index = np.empty(len(lab), dtype=np.intp)
    distance = np.empty(len(lab), dtype=np.float32)
    norms = (centers**2).sum(axis=1)
    for start in range(0, len(lab), _BLOCK):
        part = slice(start, start + _BLOCK)
        index[part] = (norms - 2 * lab[part] @ centers.T).argmin(axis=1)
        distance[part] = np.linalg.norm(lab[part] - centers[index[part]], axis=1)
    return index, distance


def _codes(rgb: U8) -> NDArray[np.uint32]:
    flat = rgb.reshape(-1, 3).astype(np.uint32)
    return np.asarray(flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2], dtype=np.uint32)


def _from_codes(codes: NDArray[np.uint32]) -> U8:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8)
