"""An image file as a trainer opens it: Pillow's plain `convert("RGB")`, with nothing made good.

`reading.py` decodes strictly and mends: EXIF orientation is applied and transparency laid over white. Trainers do
neither, so whoever foretells what one will see has to open the file in its way: the picture lies as it is stored, and a
transparent pixel shows the color hidden under it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graftset.imageio.broken import BrokenImageError
from graftset.imageio.pixels import MAX_PIXELS, orientation_of

_HEADER_BYTES = 26  # of a PNG: signature, length and name of IHDR, width, height, bit depth, color type
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@dataclass(frozen=True, slots=True, eq=False)
class PlainImage:
    """One image as Pillow opens it."""

    rgb: NDArray[np.uint8]  # [H, W, 3] as stored, alpha dropped
    orientation: int  # EXIF, 1 to 8; not applied
    transparent: float  # share of pixels that are not opaque, 0-1
    hidden_colors: int  # colors under fully transparent pixels, which show once alpha is dropped


def plain_size(path: Path) -> tuple[int, int]:
    """Width and height in px from the header, as stored.

    Raises:
        BrokenImageError: Pillow does not know the file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError as error:
        raise BrokenImageError(f"cannot be read: {error.strerror or error}") from error
    if head.startswith(_PNG) and len(head) == _HEADER_BYTES:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    with _opened(path) as image:
        return image.size


def plain_rgb(path: Path) -> PlainImage:
    """Decode a file as Pillow does.

    Raises:
        BrokenImageError: Pillow cannot decode it, or it is larger than `MAX_PIXELS`.
    """
    with _opened(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise BrokenImageError(f"is larger than {MAX_PIXELS // 1_000_000} megapixels")
        orientation = orientation_of(image)
        rgb = np.array(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)
        transparent, hidden = 0.0, 0
        if image.has_transparency_data:
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
            transparent = float((alpha < 255).mean())
            hidden = color_count(rgb[alpha == 0])
        return PlainImage(rgb, orientation, transparent, hidden)


def color_count(rgb: NDArray[np.uint8]) -> int:
    """Number of different colors in `uint8 [..., 3]`."""
    packed = rgb.reshape(-1, 3).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    return int(np.unique(packed).size)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                yield image
    except BrokenImageError:
        raise
    except Exception as error:  # Pillow's decoders raise anything from struct.error to SyntaxError on bad input.
        raise BrokenImageError(f"cannot be opened: {type(error).__name__}: {error}") from error
