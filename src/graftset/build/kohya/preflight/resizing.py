"""A picture as sd-scripts resizes and crops it, without OpenCV.

Pure. `lanczos` and `box` are Pillow's there and here. The others are OpenCV's there and written anew here from its
arithmetic: `nearest` is the same to the pixel; `area`, `bilinear` and `bicubic` differ by one level in a few values at
most, as docs/preflight.md counts.

Source: `resize_image` in `library/utils.py` and `trim_and_resize_if_required` in `library/train_util.py` of
kohya-ss/sd-scripts at commit 48d368fa; `modules/imgproc/src/resize.cpp` of OpenCV 4.10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graftset.build.kohya.preflight.buckets import Placement

_BY_PILLOW: Mapping[str, Image.Resampling] = MappingProxyType(
    {"lanczos": Image.Resampling.LANCZOS, "box": Image.Resampling.BOX}
)
_ONE = 2048  # OpenCV's weights for 8-bit pictures are whole numbers of 1/2048
_Taps = tuple[NDArray[np.int64], NDArray[np.float32]]


def interpolation(given: str | None, size: tuple[int, int], resized: tuple[int, int]) -> str | None:
    """The method sd-scripts uses, None where the picture has its size already: without a setting area or Lanczos."""
    if size == resized:
        return None
    if given is not None:
        return given
    return "area" if size[0] >= resized[0] and size[1] >= resized[1] else "lanczos"


def seen(rgb: NDArray[np.uint8], placement: Placement, method: str | None) -> NDArray[np.uint8]:
    """What the trainer encodes: `uint8 [H, W, 3]` resized by `method`, then cropped at its middle to the bucket."""
    pixels = rgb if method is None else resize(rgb, placement.resized, method)
    (left, top), (width, height) = (lost // 2 for lost in placement.cropped), placement.bucket
    return pixels[top : top + height, left : left + width]


def resize(rgb: NDArray[np.uint8], size: tuple[int, int], method: str) -> NDArray[np.uint8]:
    """`uint8 [H, W, 3]` at `size` (width, height) by a method of sd-scripts.

    Raises:
        KeyError: No such method.
    """
    if method in _BY_PILLOW:
        return np.asarray(Image.fromarray(rgb).resize(size, _BY_PILLOW[method]))
    height, width = rgb.shape[:2]
    if method == "nearest":
        return rgb[_nearest_lines(height, size[1])][:, _nearest_lines(width, size[0])]
    if method == "area" and width >= size[0] and height >= size[1]:
        return _smaller_by_area(rgb, size)
    taps = _TAPS[method]
    across, down = taps(width, size[0]), taps(height, size[1])
    mixed = _mixed(rgb.astype(np.int64), across, axis=1)
    if across[1].shape[1] > 2:
        return _levels((_mixed(mixed, down, axis=0) + _ONE * _ONE // 2) // (_ONE * _ONE))
    # The vertical pass of two lines drops four bits, then sixteen of each line's share, and rounds what is left.
    starts, weights = _whole(down)
    lines = [
        (weights[:, tap, None, None] * (np.take(mixed, _inside(starts + tap, height), axis=0) >> 4)) >> 16
        for tap in range(2)
    ]
    return _levels((lines[0] + lines[1] + 2) >> 2)


def _nearest_lines(length: int, target: int) -> NDArray[np.int64]:
    """INTER_NEAREST_EXACT: the source line of each target line, by a step in sixteen binary places."""
    step = ((length << 16) + target // 2) // target
    lines: NDArray[np.int64] = (step * np.arange(target, dtype=np.int64) + step // 2 - length % 2) >> 16
    return np.minimum(lines, length - 1)


def _smaller_by_area(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    if (width, height) == (2 * size[0], 2 * size[1]):  # OpenCV's shortcut: (a + b + c + d + 2) >> 2
        blocks = rgb.reshape(size[1], 2, size[0], 2, 3).astype(np.uint16).sum(axis=(1, 3))
        return _levels((blocks + 2) >> 2)
    across, down = _area_weights(width, size[0]), _area_weights(height, size[1])
    return _levels(np.rint(_apply(_apply(rgb.astype(np.float32), across, 1), down, 0)))


def _inside(lines: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.clip(lines, 0, length - 1)


def _whole(taps: _Taps) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts, weights = taps
    return starts, np.rint(weights * np.float32(_ONE)).astype(np.int64)


def _mixed(values: NDArray[np.int64], taps: _Taps, axis: int) -> NDArray[np.int64]:
    """Each target line as a sum of a few source lines, times 2048; beyond the border the last line is repeated."""
    starts, weights = _whole(taps)
    length = values.shape[axis]
    shape = [1] * values.ndim
    shape[axis] = len(starts)
    total = np.zeros([*values.shape[:axis], len(starts), *values.shape[axis + 1 :]], dtype=np.int64)
    for tap in range(weights.shape[1]):
        lines = np.take(values, _inside(starts + tap, length), axis=axis)
        total += lines * weights[:, tap].reshape(shape)
    return total


def _area_weights(length: int, target: int) -> NDArray[np.float32]:
    """float32 [target, length]: the share of each source pixel in each target pixel."""
    scale = length / target
    edges = np.arange(target)[:, None] * scale
    pixels = np.arange(length)[None, :]
    overlap = np.minimum(edges + scale, pixels + 1) - np.maximum(edges, pixels)
    overlap = np.clip(overlap, 0, 1)
    overlap[overlap < 1e-3] = 0  # OpenCV drops slivers
    weights: NDArray[np.float32] = (overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights


def _apply(pixels: NDArray[np.float32], weights: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    result: NDArray[np.float32] = np.moveaxis(np.tensordot(weights, pixels, axes=(1, axis)), 0, axis)
    return result


def _linear_taps(length: int, target: int) -> _Taps:
    at = ((np.arange(target) + 0.5) / (target / length) - 0.5).astype(np.float32)
    starts = np.floor(at).astype(np.int64)
    return _two_taps(starts, at - starts.astype(np.float32), length)


def _area_taps(length: int, target: int) -> _Taps:
    """INTER_AREA where it enlarges: two lines whose weights have steep flanks."""
    grown = target / length
    index = np.arange(target)
    starts = np.floor(index * (1 / grown)).astype(np.int64)
    fraction = ((index + 1) - (starts + 1) * grown).astype(np.float32)
    return _two_taps(starts, np.where(fraction <= 0, np.float32(0), fraction - np.floor(fraction)), length)


def _two_taps(starts: NDArray[np.int64], fraction: NDArray[np.float32], length: int) -> _Taps:
    fraction = np.where((starts < 0) | (starts >= length - 1), np.float32(0), fraction)
    return _inside(starts, length), np.stack([1 - fraction, fraction], axis=1).astype(np.float32)


def _cubic_taps(length: int, target: int) -> _Taps:
    at = ((np.arange(target) + 0.5) / (target / length) - 0.5).astype(np.float32)
    starts = np.floor(at).astype(np.int64)
    x = at - starts.astype(np.float32)
    a = -0.75
    far = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    other = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return starts - 1, np.stack([far, near, other, 1 - far - near - other], axis=1).astype(np.float32)


_TAPS: Mapping[str, Callable[[int, int], _Taps]] = MappingProxyType(
    {
        "area": _area_taps,
        "bilinear": _linear_taps,
        "linear": _linear_taps,
        "bicubic": _cubic_taps,
        "cubic": _cubic_taps,
    }
)
METHODS = frozenset({*_BY_PILLOW, *_TAPS, "nearest"})
"""Every name sd-scripts takes."""


def whole_factor(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    """Whether both sides grow by one whole factor, so that every pixel becomes a square of the same size."""
    return all(after % before == 0 for before, after in zip(size, resized, strict=True)) and math.isclose(
        resized[0] / size[0], resized[1] / size[1]
    )


def _levels(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.clip(values, 0, 255).astype(np.uint8)
    return levels
