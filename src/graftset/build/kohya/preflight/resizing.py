"""A picture as sd-scripts resizes and crops it, without OpenCV.

Pure. `lanczos`, `box` and `nearest` are Pillow's own, as there (its `nearest` is OpenCV's INTER_NEAREST_EXACT). `area`,
`bilinear` and `bicubic` are OpenCV's there and written anew here as weights along each axis; docs/preflight.md says
how near they come.

Source: `resize_image` in `library/utils.py` and `trim_and_resize_if_required` in `library/train_util.py` of
kohya-ss/sd-scripts at commit 48d368fa; `modules/imgproc/src/resize.cpp` of OpenCV 4.10 for the weights.
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
    {
        "lanczos": Image.Resampling.LANCZOS,
        "box": Image.Resampling.BOX,
        "nearest": Image.Resampling.NEAREST,
    }
)
_Tap = Callable[[int, int], tuple[NDArray[np.int64], NDArray[np.float64]]]


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
    if method == "area" and width >= size[0] and height >= size[1]:
        if (width, height) == (2 * size[0], 2 * size[1]):  # OpenCV's shortcut: (a + b + c + d + 2) >> 2
            blocks = rgb.reshape(size[1], 2, size[0], 2, 3).astype(np.uint16).sum(axis=(1, 3))
            return ((blocks + 2) >> 2).astype(np.uint8)
        across, down = _area_weights(width, size[0]), _area_weights(height, size[1])
        return _rounded(_apply(_apply(rgb.astype(np.float32), down, 0), across, 1))
    taps = _TAPS[method]
    mixed = _by_taps(_by_taps(rgb.astype(np.float64), size[0], 1, taps), size[1], 0, taps)
    return _rounded(mixed)


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


def _by_taps(pixels: NDArray[np.float64], target: int, axis: int, taps: _Tap) -> NDArray[np.float64]:
    """Each target line as a weighted sum of a few source lines; beyond the border the last line is repeated."""
    length = pixels.shape[axis]
    starts, weights = taps(length, target)
    # OpenCV keeps weights of 8-bit pictures in steps of 1/2048.
    weights = np.rint(weights * 2048) / 2048
    shape = [1] * pixels.ndim
    shape[axis] = target
    total = np.zeros([*pixels.shape[:axis], target, *pixels.shape[axis + 1 :]])
    for tap in range(weights.shape[1]):
        lines = np.clip(starts + tap, 0, length - 1)
        total += np.take(pixels, lines, axis=axis) * weights[:, tap].reshape(shape)
    return total


def _linear_taps(length: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    at = (np.arange(target) + 0.5) * (length / target) - 0.5
    starts = np.floor(at).astype(np.int64)
    fraction = at - starts
    fraction = np.where((starts < 0) | (starts >= length - 1), 0.0, fraction)
    starts = np.clip(starts, 0, length - 1)
    return starts, np.stack([1 - fraction, fraction], axis=1)


def _area_taps(length: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """OpenCV's INTER_AREA where it enlarges: two lines whose weights have steep flanks."""
    scale = length / target
    index = np.arange(target)
    starts = np.floor(index * scale).astype(np.int64)
    fraction = (index + 1) - (starts + 1) / scale
    fraction = np.where(fraction <= 0, 0.0, fraction - np.floor(fraction))
    fraction = np.where(starts >= length - 1, 0.0, fraction)
    return np.clip(starts, 0, length - 1), np.stack([1 - fraction, fraction], axis=1)


def _cubic_taps(length: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    at = (np.arange(target) + 0.5) * (length / target) - 0.5
    starts = np.floor(at).astype(np.int64)
    x = at - starts
    a = -0.75
    far = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    other = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return starts - 1, np.stack([far, near, other, 1 - far - near - other], axis=1)


_TAPS: Mapping[str, _Tap] = MappingProxyType(
    {
        "area": _area_taps,
        "bilinear": _linear_taps,
        "linear": _linear_taps,
        "bicubic": _cubic_taps,
        "cubic": _cubic_taps,
    }
)
METHODS = frozenset({*_BY_PILLOW, *_TAPS})
"""Every name sd-scripts takes."""


def whole_factor(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    """Whether both sides grow by one whole factor, so that every pixel becomes a square of the same size."""
    return all(after % before == 0 for before, after in zip(size, resized, strict=True)) and math.isclose(
        resized[0] / size[0], resized[1] / size[1]
    )


def _rounded(values: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
