"""A file -> its pixels, or its header only. Every file is read once, and hashed as it was read."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graftset.errors import SkipFile
from graftset.imageio.broken import BrokenImageError
from graftset.imageio.pixels import decode, detect_format, read_size
from graftset.imageio.text import embedded_text

MAX_BYTES = 512 << 20
"""Larger files are refused unread: no picture within `MAX_PIXELS` needs as much."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """One decoded image file."""

    rgb: NDArray[np.uint8]  # [H, W, 3] sRGB, upright, laid over white where it was not opaque
    sha256: str  # of the file's bytes, hex
    width: int  # px, upright
    height: int  # px, upright
    format: str  # "PNG", "JPEG", "WEBP", "BMP", "TIFF", by content
    has_alpha: bool  # some pixel was not opaque, so white shows
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ProbedImage:
    """What one image file says of itself without decoding its pixels."""

    sha256: str  # of the file's bytes, hex
    width: int  # px, upright
    height: int  # px, upright
    format: str  # "PNG", "JPEG", "WEBP", "BMP", "TIFF", by content
    size_bytes: int
    mtime_ns: int
    text: dict[str, str]  # texts inside the file by keyword; see `embedded_text`


def read_rgb(path: Path) -> LoadedImage:
    """Read, hash and decode one image file.

    Raises:
        SkipFile: With the one reason why it cannot be used.
    """
    data, mtime_ns = _read_whole(path)
    try:
        kind = detect_format(data)
        rgb, has_alpha = decode(data, kind)
    except BrokenImageError as error:
        raise SkipFile(str(path), str(error)) from error
    height, width = rgb.shape[:2]
    digest = hashlib.sha256(data).hexdigest()
    return LoadedImage(rgb, digest, width, height, kind, has_alpha, len(data), mtime_ns)


def probe(path: Path) -> ProbedImage:
    """Read and hash one image file, and take its size and texts from the header.

    Files that are cut short are found here, and damaged PNGs; damage inside the pixels of the other formats is found
    by `read_rgb`.

    Raises:
        SkipFile: With the one reason why it cannot be used.
    """
    data, mtime_ns = _read_whole(path)
    try:
        kind = detect_format(data)
        width, height = read_size(data, kind)
    except BrokenImageError as error:
        raise SkipFile(str(path), str(error)) from error
    digest = hashlib.sha256(data).hexdigest()
    return ProbedImage(digest, width, height, kind, len(data), mtime_ns, embedded_text(data))


def _read_whole(path: Path) -> tuple[bytes, int]:
    """Return the bytes of a regular file and its modification time in ns."""
    try:
        status = os.stat(path)
        # Asked before opening: opening a named pipe would wait for a writer for ever.
        if stat.S_ISDIR(status.st_mode):
            raise SkipFile(str(path), "is a folder, not an image file")
        if not stat.S_ISREG(status.st_mode):
            raise SkipFile(str(path), "is a pipe, socket or device, not an image file")
        if status.st_size == 0:
            raise SkipFile(str(path), "is empty (0 bytes)")
        if status.st_size > MAX_BYTES:
            raise SkipFile(str(path), f"is larger than {MAX_BYTES >> 20} MiB")
        data = path.read_bytes()
    except FileNotFoundError as error:
        reason = "is a link to nothing" if path.is_symlink() else "is not there"
        raise SkipFile(str(path), reason) from error
    except OSError as error:
        raise SkipFile(str(path), f"cannot be read: {error.strerror or error}") from error
    if len(data) != status.st_size:
        raise SkipFile(str(path), "changed while it was being read")
    return data, status.st_mtime_ns
