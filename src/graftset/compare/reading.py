"""Comparisons as JSON files: written whole, read back as the same values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graftset.compare.records import FORMAT_VERSION, Comparison
from graftset.errors import UserError
from graftset.files import write_whole

_COMPARISON = TypeAdapter(Comparison)
_REMEDY = "Compare again: graftset compare --experiment NAME"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON values; `directional` says in words what the number of seeds allows."""
    document: dict[str, Any] = _COMPARISON.dump_python(comparison, mode="json")
    return document


def from_json(document: object, *, where: str) -> Comparison:
    """A comparison from JSON values.

    Raises:
        UserError: It is none, or of a later version; `where` names the place.
    """
    try:
        if isinstance(document, dict) and document.get("format_version", 0) > FORMAT_VERSION:
            raise UserError(
                "This comparison was written by a later graftset",
                field="format_version",
                value=document["format_version"],
                remedy="Update graftset",
            )
        return _COMPARISON.validate_python(document)
    except (ValidationError, TypeError) as error:
        why = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UserError(f"This is no comparison: {why}", field="comparison", value=where, remedy=_REMEDY) from error


def write_comparisons(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Write the comparisons of an experiment, whole or not at all.

    Raises:
        UserError: They cannot be written.
    """
    content = {"format_version": FORMAT_VERSION, "comparisons": [as_json(one) for one in comparisons]}
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_comparisons(path: Path) -> tuple[Comparison, ...]:
    """The comparisons of an experiment, in the order of its arms.

    Raises:
        UserError: They are not there, cannot be read, or are none.
    """
    try:
        document = json.loads(path.read_bytes())
        listed = document["comparisons"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"The comparisons cannot be read: {error}", field="comparisons", value=str(path), remedy=_REMEDY
        ) from error
    return tuple(from_json(one, where=str(path)) for one in listed)
