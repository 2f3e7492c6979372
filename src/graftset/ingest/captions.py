"""The caption files beside images: which one belongs to which image, and what it says."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from graftset.ingest.decoding import UnreadableTextError, decode_text, one_line
from graftset.ingest.names import nfc
from graftset.ingest.notes import Notes
from graftset.records import Skip

MAX_CAPTION = 1 << 20
"""Bytes; a longer caption file is not read."""


class CaptionFiles:
    """Pairs images with caption files.

    `a.png` takes `a.txt`, else `a.caption`, else `a.png.txt`, each with its suffix in any case.

    Args:
        captions: All caption files of a folder and its subfolders.
    """

    def __init__(self, captions: Iterable[Path]) -> None:
        self._by_place = {_place(path.parent, path.stem, path.suffix): path for path in captions}

    def of(self, image: Path) -> Path | None:
        """Return the caption file of an image, or None."""
        return next((self._by_place[place] for place in _places(image) if place in self._by_place), None)

    def without_image(self, images: Iterable[Path]) -> list[Skip]:
        """Return the caption files that no image could take."""
        taken = {place for image in images for place in _places(image)}
        orphans = [path for place, path in self._by_place.items() if place not in taken]
        return [Skip(str(path), "is a caption without an image") for path in sorted(orphans)]

    def remark_shared(self, images: Iterable[Path], notes: Notes) -> None:
        """Remark on images of one stem, `a.png` and `a.jpg`, that take the same caption file."""
        takers: dict[Path, list[str]] = defaultdict(list)
        for image in images:
            if (caption := self.of(image)) is not None:
                takers[caption].append(image.name)
        for names in takers.values():
            if len(names) > 1:
                notes.add("Images of one name that share a caption file", " and ".join(names))


def read_caption(path: Path, notes: Notes) -> str | None:
    """Return the caption in a file, its first line with text, or None; whatever is odd about it is remarked.

    Trainers read only the first line, so the others were never part of the caption.
    """
    try:
        if path.stat().st_size > MAX_CAPTION:
            notes.add(f"Captions larger than {MAX_CAPTION >> 20} MiB, taken as no text", path.name)
            return None
        text, guessed = decode_text(path.read_bytes())
    except UnreadableTextError as error:
        notes.add(f"Captions taken as no text because the file {error}", path.name)
        return None
    except OSError as error:
        notes.add(f"Captions that cannot be read ({error.strerror or error})", path.name)
        return None
    if guessed:
        notes.add("Captions that are not UTF-8, read as Windows-1252", path.name)
    lines = [line for line in map(one_line, text.splitlines()) if line is not None]
    if not lines:
        notes.add("Empty captions, taken as no text", path.name)
        return None
    if len(lines) > 1:
        notes.add("Captions of several lines, of which the first is used, as trainers do", path.name)
    return lines[0]


def _places(image: Path) -> tuple[str, str, str]:
    return (
        _place(image.parent, image.stem, ".txt"),
        _place(image.parent, image.stem, ".caption"),
        _place(image.parent, image.name, ".txt"),
    )


def _place(folder: Path, stem: str, suffix: str) -> str:
    return os.path.join(folder, nfc(stem) + suffix.lower())
