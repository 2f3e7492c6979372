"""What a prompts file or a metadata table says of images: JSON, JSON lines and CSV in the shapes people have.

Every shape ends as `Entry` objects: the key that names the image and what is said of it. Column and key names are
compared without case.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graftset.errors import GraftsetError
from graftset.ingest.decoding import one_line

FILE_KEYS = ("file_name", "file", "image", "path", "name")
TEXT_KEYS = ("prompt", "text", "caption")
ORIGINAL_KEYS = ("source_original", "source", "original")

_WHOLE_NUMBER = re.compile(r"\s*(-?[0-9]{1,20})(?:\.0*)?\s*")
_LARGEST_SEED = 2**64 - 1


class MalformedError(GraftsetError):
    """The file has none of the shapes; the message goes on from "the file ..."."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of one image."""

    text: str | None = None
    original: str | None = None  # as written: a path, a file name or a stem
    seed: int | None = None
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement and the key that names its image; `key` is None in a plain list, where the order counts."""

    key: str | None
    statement: Statement


def read_json(text: str) -> list[Entry]:
    """Read a list of objects, a list of strings (null for none), or a map from name to string or object.

    Raises:
        MalformedError: Not JSON, or of another shape.
    """
    document = _parse_json(text)
    if isinstance(document, dict):
        return [_mapped_entry(str(key), value) for key, value in document.items()]
    if not isinstance(document, list):
        raise MalformedError(f"holds {_named(document)} where a list or a map is needed")
    if any(isinstance(item, str) for item in document) and all(isinstance(item, str | None) for item in document):
        return [Entry(None, Statement(text=one_line(item or ""))) for item in document]
    return [_object_entry(item, f"entry {number}") for number, item in enumerate(document, start=1)]


def read_json_lines(text: str) -> list[Entry]:
    """Read one JSON object a line; empty lines are passed over.

    Raises:
        MalformedError: A line is not a JSON object that names an image.
    """
    numbered = enumerate(text.splitlines(), start=1)
    return [_object_entry(_parse_json(line), f"line {number}") for number, line in numbered if line.strip()]


def read_csv(text: str) -> list[Entry]:
    """Read a table whose first row names its columns; commas, semicolons and tabs are told apart by that row.

    Raises:
        MalformedError: No column names the image, or a row names none.
    """
    header_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=header_line.count)
    rows = _rows(text, delimiter)
    header = [name.strip().lower() for name in next(rows, [])]
    if not any(key in header for key in FILE_KEYS):
        raise MalformedError(f"has no column {_any_of(FILE_KEYS)} in its first row")
    entries = []
    for number, row in enumerate(rows, start=2):
        if any(cell.strip() for cell in row):
            entries.append(_object_entry(dict(zip(header, row, strict=False)), f"row {number}"))
    return entries


def _rows(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise MalformedError(f"is not CSV: {error}") from error


def _parse_json(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise MalformedError("is nested too deeply") from error
    except ValueError as error:
        raise MalformedError(f"is not JSON: {error}") from error


def _mapped_entry(key: str, value: object) -> Entry:
    if value is None or isinstance(value, str):
        return Entry(key, Statement(text=one_line(value or "")))
    if isinstance(value, dict):
        return Entry(key, _statement(_lowered(value), f"the entry {key!r}"))
    raise MalformedError(f"holds {_named(value)} at {key!r} where a prompt or an object is needed")


def _object_entry(item: object, where: str) -> Entry:
    if not isinstance(item, dict):
        raise MalformedError(f"holds {_named(item)} in {where} where an object is needed")
    fields = _lowered(item)
    key = _first(fields, FILE_KEYS)
    if not isinstance(key, str) or not key.strip():
        raise MalformedError(f"names no image in {where}: {_any_of(FILE_KEYS)} is missing or empty")
    return Entry(key.strip(), _statement(fields, where))


def _statement(fields: Mapping[str, object], where: str) -> Statement:
    return Statement(
        text=_text(fields, TEXT_KEYS, where),
        original=_text(fields, ORIGINAL_KEYS, where),
        seed=_integer(fields, "seed", where),
        generation=_integer(fields, "generation", where),
    )


def _lowered(item: Mapping[object, object]) -> dict[str, object]:
    return {str(key).strip().lower(): value for key, value in item.items()}


def _first(fields: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((fields[key] for key in keys if fields.get(key) not in (None, "")), None)


def _text(fields: Mapping[str, object], keys: Sequence[str], where: str) -> str | None:
    value = _first(fields, keys)
    if value is not None and not isinstance(value, str):
        raise MalformedError(f"holds {_named(value)} in {where} where {_any_of(keys)} needs text")
    return one_line(value or "")


def _integer(fields: Mapping[str, object], key: str, where: str) -> int | None:
    """Return a whole number, which may be text or 42.0 as spreadsheets write it; None for a negative: "random"."""
    value = fields.get(key)
    if value is None or value == "":
        return None
    written = _WHOLE_NUMBER.fullmatch(value) if isinstance(value, str) else None
    if written is not None:
        number = int(written[1])
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value % 1 == 0:
        number = int(value)
    else:
        raise MalformedError(f"holds {value!r} in {where} where {key!r} needs a whole number")
    if number > _LARGEST_SEED:
        raise MalformedError(f"holds {number} in {where} where {key!r} must be below 2**64")
    return number if number >= 0 else None


def _named(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _any_of(keys: Sequence[str]) -> str:
    return " or ".join(repr(key) for key in keys)
