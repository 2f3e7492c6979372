"""Prompts files, which the user names, and metadata tables, which lie in image folders: who they speak of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath

from graftset.errors import UserError
from graftset.ingest.decoding import UnreadableTextError, decode_text
from graftset.ingest.names import NameIndex, nfc
from graftset.ingest.notes import Notes
from graftset.ingest.statements import Entry, MalformedError, Statement, read_csv, read_json, read_json_lines
from graftset.phrases import counted

MAX_BYTES = 256 << 20
"""A larger prompts file or metadata table is not read."""

_REMEDY = (
    'Give a JSON list of objects like {"file": "a.png", "prompt": "..."}, a JSON map from file name to prompt, '
    "or a CSV file with the columns file and prompt"
)


def read_prompts(path: Path) -> list[Entry]:
    """Read a prompts file: JSON, JSON lines or CSV, told apart by its content.

    Raises:
        UserError: Missing, unreadable, empty or of another shape.
    """
    try:
        entries = _read_entries(path)
    except MalformedError as error:
        raise UserError(f"The prompts file {error}", field="prompts", value=str(path), remedy=_REMEDY) from error
    if not entries:
        raise UserError("The prompts file holds no entry", field="prompts", value=str(path), remedy=_REMEDY)
    return entries


def assign(
    entries: Sequence[Entry], images: Sequence[Path], bases: Sequence[Path], notes: Notes
) -> dict[Path, Statement]:
    """Return what the entries of a prompts file say of each image.

    An entry that could mean several images, or none, is remarked and left out. Of several entries for one image the one
    whose key fits closest counts, and of equals the first.

    Args:
        entries: As `read_prompts` gives them.
        images: Every image file, in order: a list without names is dealt out along it.
        bases: The folders that paths may be relative to.

    Raises:
        UserError: A list without names of another length than `images`.
    """
    if entries[0].key is None:
        if len(entries) != len(images):
            raise UserError(
                f"The prompts file is a list of {counted(len(entries), 'prompt')} without names, for "
                f"{counted(len(images), 'candidate')}",
                field="prompts",
                remedy='Name the image of each prompt: [{"file": "a.png", "prompt": "..."}, ...]',
            )
        return dict(zip(images, (entry.statement for entry in entries), strict=True))
    index = NameIndex(images, bases)
    closest: dict[Path, tuple[int, Statement]] = {}
    for entry in entries:
        key = entry.key or ""
        meant, looseness = index.find(key)
        if not meant:
            notes.add("Entries of the prompts file that name no candidate", key)
        elif len(meant) > 1:
            notes.add("Entries of the prompts file that could mean several candidates, left out", key)
        else:
            known = closest.get(meant[0])
            if known is not None:
                notes.add("Candidates with several entries in the prompts file, of which one is used", meant[0].name)
            if known is None or looseness < known[0]:
                closest[meant[0]] = (looseness, entry.statement)
    return {image: statement for image, (_, statement) in closest.items()}


class MetadataTables:
    """What the `metadata.jsonl` and `metadata.csv` of a folder and its subfolders say.

    Their file names are relative to the table's own folder, as in the ImageFolder format of the `datasets` library. The
    table closest to an image counts, and JSON lines before CSV.
    """

    def __init__(self, tables: Iterable[Path], images: Iterable[Path], notes: Notes) -> None:
        self._said: dict[str, tuple[Statement, str]] = {}
        known = {nfc(str(image)) for image in images}
        # Later ones replace earlier ones, so the closest come last, and metadata.jsonl after metadata.csv.
        for table in sorted(tables, key=lambda path: (len(path.parts), path)):
            try:
                entries = _read_entries(table)
            except MalformedError as error:
                notes.add(f"Metadata tables left out because the file {error}", str(table))
                continue
            for entry in entries:
                target = nfc(os.path.normpath(table.parent / _posix(entry.key or "")))
                if target in known:
                    self._said[target] = (entry.statement, table.name)
                else:
                    notes.add(f"Entries of {table.name} that name no image", entry.key or "")

    def of(self, image: Path) -> tuple[Statement | None, str | None]:
        """Return what is said of an image, and the name of the table that says it."""
        return self._said.get(nfc(str(image)), (None, None))


def original_meant(key: str, originals: NameIndex, notes: Notes) -> Path | None:
    """Return the one original that a statement names, or None with a remark."""
    meant, _ = originals.find(key)
    if len(meant) == 1:
        return meant[0]
    notes.add(
        "Stated source originals that could be several files" if meant else "Stated source originals not found", key
    )
    return None


def _read_entries(path: Path) -> list[Entry]:
    try:
        if path.is_dir():
            raise MalformedError("is a folder")
        if not path.exists():
            raise MalformedError("does not exist")
        if not path.is_file():
            raise MalformedError("is a pipe or device")
        if path.stat().st_size > MAX_BYTES:
            raise MalformedError(f"is larger than {MAX_BYTES >> 20} MiB")
        text, _ = decode_text(path.read_bytes())
    except OSError as error:
        raise MalformedError(f"cannot be read: {error.strerror or error}") from error
    except UnreadableTextError as error:
        raise MalformedError(str(error)) from error
    if not text.strip():
        raise MalformedError("is empty")
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return read_json_lines(text)
    is_json = path.suffix.lower() == ".json" or text.lstrip().startswith(("[", "{"))
    return read_json(text) if is_json else read_csv(text)


def _posix(key: str) -> str:
    return PureWindowsPath(key).as_posix() if "\\" in key else key
