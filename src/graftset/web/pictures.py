"""Pictures, by their hash and nothing else: no address holds a path, so none can be made to lead anywhere."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from graftset.errors import SkipFile
from graftset.imageio import encode_png, probe, read_rgb
from graftset.records import ImageView
from graftset.web.failures import not_found

FOR_EVER = "private, max-age=31536000, immutable"  # what a hash names never changes
_MAX_KEPT = 50_000  # native pictures of a few hundred bytes

# What every browser shows as it is; the rest is sent as PNG. The format is read from the content, never from the name.
_SHOWN = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "BMP": "image/bmp"}


class Pictures:
    """Hands out pictures.

    Args:
        native_png: The native-size PNG of an image; None where it was not measured.
    """

    def __init__(self, native_png: Callable[[ImageView], bytes | None]) -> None:
        self._native_png = native_png
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def native(self, view: ImageView) -> bytes:
        """The picture at native size, as PNG.

        Raises:
            Refusal: It was not measured.
        """
        kept = self._kept.get(view.sha256)
        if kept is not None:
            return kept
        png = self._native_png(view)
        if png is None:
            raise not_found("native picture", view.sha256, "Run `graftset assess`.")
        with self._lock:
            if len(self._kept) < _MAX_KEPT:
                self._kept[view.sha256] = png
        return png

    def file(self, view: ImageView) -> tuple[bytes, str]:
        """The file as it lies on the disk, and its media type; verified, because it may have changed since ingest.

        Raises:
            Refusal: It is gone or is another picture now.
        """
        path = Path(view.path)
        try:
            kind = probe(path).format  # nothing but a regular file of a sensible size is opened
            data = path.read_bytes()
        except (SkipFile, OSError):
            raise not_found("file", path.name, "It was moved or deleted; run `graftset ingest`.") from None
        if hashlib.sha256(data).hexdigest() != view.sha256:
            raise not_found("file", path.name, "It changed since it was read; run `graftset ingest`.")
        if kind in _SHOWN:
            return data, _SHOWN[kind]
        return encode_png(read_rgb(path).rgb), "image/png"
