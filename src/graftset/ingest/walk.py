"""Which files of a folder are images, captions or metadata tables, at any depth and always in the same order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from graftset.ingest.notes import printable
from graftset.records import Skip

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
CAPTION_SUFFIXES = frozenset({".txt", ".caption"})
METADATA_NAMES = frozenset({"metadata.jsonl", "metadata.csv"})

_IGNORED_NAMES = frozenset({"__macosx", "thumbs.db"})

FolderIdentity = tuple[int, int]
"""Device and inode number: the same for every path that leads to one folder."""


@dataclass(slots=True)
class Found:
    """What lies in one folder and below it; every path is absolute and ordered by its posix form."""

    root: Path
    images: list[Path] = field(default_factory=list)
    captions: list[Path] = field(default_factory=list)
    metadata: list[Path] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)  # files of no use here, by suffix


def walk(root: Path, *, exclude: Iterable[Path] = ()) -> Found:
    """Find the files of use in `root` and below.

    Names with a leading dot, `__MACOSX` and `Thumbs.db` are passed over. Links are followed, but no folder is entered
    twice, so a loop of links ends. What cannot be listed or has a name no database can store becomes a `Skip`.

    Args:
        root: An existing folder.
        exclude: Folders that are not entered, whichever path leads to them.
    """
    found = Found(root)
    entered = {_identity(folder) for folder in exclude}
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            identity = _identity(folder)
            if identity in entered:
                continue
            entered.add(identity)
            with os.scandir(folder) as entries:
                children = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.skips.append(Skip(str(folder), f"cannot be listed: {error.strerror or error}"))
            continue
        # The last one is popped first; reversed, the first of two links to one folder is the one entered.
        pending.extend(reversed([Path(child.path) for child in children if _file(found, child)]))
    for paths in (found.images, found.captions, found.metadata):
        paths.sort(key=Path.as_posix)
    return found


def _file(found: Found, entry: os.DirEntry[str]) -> bool:
    """File one entry under what it is; tell whether it is a folder to enter."""
    name = entry.name
    if name.startswith(".") or name.lower() in _IGNORED_NAMES:
        return False
    if not _is_utf_8(name):
        found.skips.append(Skip(printable(entry.path), "has a name that is not valid UTF-8"))
        return False
    if entry.is_dir():
        return True
    suffix = os.path.splitext(name)[1].lower()
    if suffix in IMAGE_SUFFIXES:
        found.images.append(Path(entry.path))
    elif name in METADATA_NAMES and entry.is_file():
        found.metadata.append(Path(entry.path))
    elif suffix in CAPTION_SUFFIXES and entry.is_file():
        found.captions.append(Path(entry.path))
    else:
        found.others[suffix or "without a suffix"] += 1
    return False


def _identity(folder: Path) -> FolderIdentity:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _is_utf_8(name: str) -> bool:
    # Python shows bytes that are not UTF-8 as lone surrogates, which neither SQLite nor JSON can hold.
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
