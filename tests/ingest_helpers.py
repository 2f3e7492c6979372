"""A catalog in memory, and small images to ingest."""

from __future__ import annotations

import dataclasses
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from graftset.imageio import encode_png
from graftset.ingest import IngestReport, ingest
from graftset.records import ImageRecord, Skip

A1111 = (
    "a lady, brown hair <lora:portraits:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Size: 512x512, Model hash: 45dee52b, Model: v1-5"
)


class MemoryCatalog:
    """The catalog's part of the contract, kept in dictionaries; `calls` lists what was asked of it."""

    def __init__(self) -> None:
        self.images: dict[str, ImageRecord] = {}
        self.missing: set[str] = set()
        self.skips: dict[str, tuple[int, int, str]] = {}
        self.calls: list[tuple[str, Any]] = []

    def known_files(self) -> Mapping[str, ImageRecord]:
        return {path: record for path, record in self.images.items() if path not in self.missing}

    def known_skips(self) -> Mapping[str, tuple[int, int, str]]:
        return dict(self.skips)

    def save_images(self, records: Sequence[ImageRecord]) -> None:
        self.calls.append(("save_images", [record.path for record in records]))
        for record in records:
            self.images[record.path] = record
            self.missing.discard(record.path)

    def save_skips(self, skips: Sequence[tuple[Skip, int, int]]) -> None:
        self.calls.append(("save_skips", [skip.path for skip, _, _ in skips]))
        for skip, size, mtime in skips:
            self.skips[skip.path] = (size, mtime, skip.reason)

    def forget_skips(self, paths: Sequence[str]) -> None:
        self.calls.append(("forget_skips", list(paths)))
        for path in paths:
            del self.skips[path]

    def mark_missing(self, paths: Sequence[str]) -> None:
        self.calls.append(("mark_missing", list(paths)))
        self.missing.update(paths)

    def rename(self, old_path: str, new_path: str) -> None:
        self.calls.append(("rename", (old_path, new_path)))
        self.images[new_path] = dataclasses.replace(self.images.pop(old_path), path=new_path)


class Project:
    """An `originals` and a `generated` folder, and what ingesting them gives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.originals = root / "originals"
        self.generated = root / "generated"
        self.originals.mkdir()
        self.generated.mkdir()
        self.catalog = MemoryCatalog()
        self._seed = 0

    def image(self, path: str, caption: str | bytes | None = None) -> Path:
        """Write a PNG unlike all before, and `<stem>.txt` beside it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._seed += 1
        target.write_bytes(tiny_png(self._seed))
        if caption is not None:
            self.file(os.path.splitext(path)[0] + ".txt", caption)
        return target

    def file(self, path: str, content: str | bytes) -> Path:
        """Write any file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def ingest(self, prompts: str | None = None, **options: Any) -> IngestReport:
        """Run the stage on both folders."""
        options.setdefault("originals", self.originals)
        options.setdefault("candidates", self.generated)
        return ingest(self.catalog, prompts=self.root / prompts if prompts else None, **options)

    def record(self, path: str) -> ImageRecord:
        """Return the record of an image that is not missing."""
        return self.catalog.known_files()[str(self.root / path)]

    def taken(self) -> list[str]:
        """Return the paths of all images taken and not missing, relative and sorted."""
        return sorted(Path(path).relative_to(self.root).as_posix() for path in self.catalog.known_files())

    def skipped(self) -> dict[str, str]:
        """Return the reasons by relative path."""
        return {os.path.relpath(path, self.root): reason for path, (_, _, reason) in self.catalog.skips.items()}


def tiny_png(seed: int) -> bytes:
    """A PNG of 4 x 4 px whose pixels follow from the seed."""
    return encode_png(np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8))


def png_with(path: Path, **texts: str) -> None:
    """Write a PNG with text chunks."""
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    Image.new("RGB", (4, 4), (1, 2, 3)).save(path, "PNG", pnginfo=info)


def exif_comment(raw: bytes, orientation: int = 1) -> bytes:
    """An EXIF block with an orientation and a UserComment of these bytes, written field by field.

    Source: TIFF 6.0, section 2: a header, then directories of (tag, type, count, value or its offset).
    """
    header = struct.pack("<2sHI", b"II", 42, 8)
    top = struct.pack("<HHHIIHHIII", 2, 0x0112, 3, 1, orientation, 0x8769, 4, 1, 38, 0)
    comment = struct.pack("<HHHIII", 1, 0x9286, 7, len(raw), 56, 0)
    return b"Exif\0\0" + header + top + comment + raw.ljust(4, b"\0")


def piexif_unicode(text: str) -> bytes:
    """A UserComment as piexif, which the web UI uses, encodes it."""
    return b"UNICODE\0" + text.encode("utf-16-be")
