"""Synthetic images and captions for the tests of `graftset.build`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graftset.records import Grid, ImageView, Origin

CELLS = 24


def make_view(
    name: str,
    origin: Origin = "original",
    *,
    caption: str | None = "pixel art, portrait of a lady, red hair, blue background",
    folder: str = "/pictures",
    native: tuple[int, int] = (CELLS, CELLS),
    content: str | None = None,
    **fields: Any,
) -> ImageView:
    """An image that exists as a record only; `content` decides its hash and its pixels.

    A generated one came with its caption as the prompt; `fields` replaces any field of the record.
    """
    sha256 = hashlib.sha256((content or f"{origin} {name}").encode()).hexdigest()
    usual: dict[str, Any] = {
        "path": f"{folder}/{name}",
        "sha256": sha256,
        "origin": origin,
        "generation": 0 if origin == "original" else 1,
        "width": native[0],
        "height": native[1],
        "prompt": None if origin == "original" else caption,
        "caption": caption,
        "grid": Grid(*native, 1.0, 1.0, 0.0, 0.0, 1.0),
        "score": None if origin == "original" else 8.25,
    }
    return ImageView(**usual | fields)


def make_views(originals: int, generated: int, *, folder: str = "/pictures") -> list[ImageView]:
    """So many originals and generated images with captions of their own."""
    return [
        make_view(
            f"{origin}_{number:03}.png",
            origin,
            caption=f"pixel art, portrait of a lady, look {number}, {origin} background",
            folder=folder,
        )
        for origin, count in (("original", originals), ("generated", generated))
        for number in range(count)
    ]


def native_pixels(view: ImageView) -> NDArray[np.uint8]:
    """uint8 [cells down, cells across, 3] drawn from the image's hash."""
    rng = np.random.default_rng(int(view.sha256[:12], 16))
    assert view.grid is not None
    return rng.integers(0, 256, (view.grid.height, view.grid.width, 3), dtype=np.uint8)


def folder_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shuffled(views: Sequence[ImageView], seed: int) -> list[ImageView]:
    """The same images in another order."""
    return [views[index] for index in np.random.default_rng(seed).permutation(len(views))]
