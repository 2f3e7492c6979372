"""Which file a name means: the keys of a prompts file, and the original a candidate is named after.

Names are compared in Unicode form NFC, since macOS stores "é" in two characters where other systems store one.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from graftset.ingest.walk import IMAGE_SUFFIXES


class NameIndex:
    """Finds files by what a person writes for them.

    Args:
        paths: The files that can be meant, absolute.
        bases: The folders a relative path may be relative to.
    """

    def __init__(self, paths: Iterable[Path], bases: Sequence[Path]) -> None:
        self._by_path: dict[str, list[Path]] = defaultdict(list)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in paths:
            relative = {path.relative_to(base).as_posix() for base in bases if path.is_relative_to(base)}
            for form in {path.as_posix(), *relative}:
                self._by_path[nfc(form)].append(path)
            self._by_name[nfc(path.name)].append(path)
            self._by_stem[nfc(path.stem)].append(path)

    def find(self, key: str) -> tuple[list[Path], int]:
        """Return the files `key` means, more than one where it is ambiguous, and how loosely it had to be read.

        The first reading that finds a file counts: the path, the file name, the stem, and last the end of a path from
        another machine as a file name or, whatever its image suffix, as a stem.
        """
        # A backslash is a separator where the key was written on Windows, and a letter of a name elsewhere.
        last = PureWindowsPath(key) if "\\" in key else PurePosixPath(key)
        readings = [
            (self._by_path, str(PurePosixPath(key))),
            (self._by_path, last.as_posix()),
            (self._by_name, key),
            (self._by_stem, key),
            (self._by_name, last.name),
        ]
        if last.suffix.lower() in IMAGE_SUFFIXES:
            readings.append((self._by_stem, last.stem))
        for looseness, (files, form) in enumerate(readings):
            if paths := files.get(nfc(form)):
                return paths, looseness
        return [], len(readings)


def originals_by_stem(originals: Iterable[Path]) -> dict[str, Path]:
    """Return the originals a candidate can be named after.

    Left out are stems that several originals have, and stems without a letter: a number is not a name, and
    `00001-1234567.png` is a generator's count, not a variation of `00001.png`.
    """
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in originals:
        by_stem[nfc(path.stem)].append(path)
    return {
        stem: paths[0]
        for stem, paths in by_stem.items()
        if len(paths) == 1 and any(letter.isalpha() for letter in stem)
    }


def named_after(candidate: Path, by_stem: Mapping[str, Path]) -> Path | None:
    """Return the original whose stem the candidate's begins with, followed by a separator and a suffix.

    Separators are all characters but letters and digits, so that `lad_1` never claims `lad_10`; the longest stem wins.

    >>> originals = {"lady_001_hazelnut": Path("lady_001_hazelnut.png")}
    >>> named_after(Path("lady_001_hazelnut (2).png"), originals)
    PosixPath('lady_001_hazelnut.png')
    """
    stem = nfc(candidate.stem)
    for end in range(len(stem) - 1, 0, -1):
        if not stem[end].isalnum() and stem[:end] in by_stem:
            return by_stem[stem[:end]]
    return None


def nfc(name: str) -> str:
    """Return a name in Unicode form NFC."""
    return unicodedata.normalize("NFC", name)
