"""Whether the files that a training set rests on are still those that were taken in.

Builds are made of the native pictures in the catalog, so that they are possible without the files; but whoever changed
a file since means the changed one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.build.folder import some_names
from graftset.catalog import Catalog
from graftset.errors import UserError
from graftset.files import sha256_file
from graftset.phrases import counted, noun
from graftset.records import ImageView


@dataclass(frozen=True, slots=True)
class Sources:
    """Files that are not as they were when they were taken in, by name."""

    missing: tuple[str, ...]  # gone, or not to be read
    changed: tuple[str, ...]  # of other content

    def warnings(self) -> list[str]:
        """A sentence for each kind, with what to do."""
        told = []
        if self.missing:
            number = len(self.missing)
            told.append(
                f"{counted(number, 'file')} no longer where {noun(number, 'it was', 'they were')}: "
                f"{some_names(self.missing)}. The pictures measured before are used; to build without "
                f"{noun(number, 'it', 'them')}, run ingest, assess and select first"
            )
        if self.changed:
            number = len(self.changed)
            told.append(
                f"{counted(number, 'file')} changed since {noun(number, 'it was', 'they were')} taken in: "
                f"{some_names(self.changed)}. The pictures measured before are used; to build from what is "
                "there now, run ingest, assess, caption and select first"
            )
        return told

    def refuse(self) -> None:
        """Make an error of what `warnings` says.

        Raises:
            UserError: A file is missing or changed.
        """
        if self.missing or self.changed:
            raise UserError(
                "Files are not as they were when they were taken in",
                field="images",
                value=some_names([*self.missing, *self.changed]),
                remedy="Run ingest, assess, caption and select, or build without --strict",
            )


def check_sources(catalog: Catalog, views: Sequence[ImageView]) -> Sources:
    """Look whether files are there, of the size and time that are known; only those of another time are read."""
    known = catalog.known_files()
    missing, changed = [], []
    for view in views:
        record = known.get(view.path)
        try:
            status = os.stat(view.path)
            if record is None or (status.st_size, status.st_mtime_ns) == (record.size_bytes, record.mtime_ns):
                continue
            if status.st_size != record.size_bytes or sha256_file(Path(view.path)) != record.sha256:
                changed.append(Path(view.path).name)
        except OSError:
            missing.append(Path(view.path).name)
    return Sources(tuple(sorted(missing)), tuple(sorted(changed)))
