"""The native pictures of a page, each embedded once however often it is shown."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable

from graftset.records import ImageView
from graftset.report.page import Picture, Tile

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UNKNOWN_SIZE = (24, 24)  # cells, for the shape of the empty tile


class Album:
    """Hands out tiles and remembers which pictures the page must hold.

    Args:
        native_png: Gives the bytes of the native-size PNG of an image by its SHA-256, or None where there is none.
    """

    def __init__(self, native_png: Callable[[str], bytes | None]) -> None:
        self._native_png = native_png
        self._tiles: dict[str, tuple[Picture | None, tuple[int, int]]] = {}

    def tile(self, image: ImageView, alt: str) -> Tile:
        """Return a tile of `image`; one without a native picture gets an empty tile of its own shape."""
        if image.sha256 not in self._tiles:
            self._tiles[image.sha256] = self._embed(image)
        picture, (width, height) = self._tiles[image.sha256]
        return Tile(key=picture.key if picture else None, alt=alt, width=width, height=height)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture that was handed out, in the order of first use."""
        return tuple(picture for picture, _ in self._tiles.values() if picture is not None)

    def _embed(self, image: ImageView) -> tuple[Picture | None, tuple[int, int]]:
        png = self._native_png(image.sha256)
        size = png_size(png) if png else None
        if png is None or size is None:
            return None, (image.grid.width, image.grid.height) if image.grid else _UNKNOWN_SIZE
        uri = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
        return Picture(key=f"p{len(self._tiles)}", data_uri=uri), size


class PngAlbum:
    """Hands out tiles of native PNGs by a key of the caller's, each picture embedded once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Picture | None, tuple[int, int]]] = {}

    def tile(self, key: str, give: Callable[[], bytes | None], alt: str) -> Tile:
        """A tile of the picture that `give` gives; where it gives none, an empty one."""
        if key not in self._known:
            png = give()
            size = png_size(png) if png else None
            if png is None or size is None:
                self._known[key] = None, _UNKNOWN_SIZE
            else:
                uri = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
                self._known[key] = Picture(f"p{len(self._known)}", uri), size
        picture, (width, height) = self._known[key]
        return Tile(picture.key if picture else None, alt, width, height)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture that was handed out, in the order of first use."""
        return tuple(picture for picture, _ in self._known.values() if picture is not None)


def png_size(png: bytes) -> tuple[int, int] | None:
    """Read width and height, px, from a PNG's header; None for anything that is not a PNG."""
    if not png.startswith(_PNG_SIGNATURE) or len(png) < 24:
        return None
    width, height = struct.unpack(">II", png[16:24])
    return (width, height) if width and height else None
