"""Scorecards as JSON files: written whole, read back as the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graftset.errors import UserError
from graftset.files import write_whole
from graftset.scorecards.records import FORMAT_VERSION, Scorecard

_CARD = TypeAdapter(Scorecard)


def as_json(card: Scorecard) -> dict[str, Any]:
    """A scorecard as JSON values."""
    document: dict[str, Any] = _CARD.dump_python(card, mode="json")
    return document


def from_json(document: object, *, where: str) -> Scorecard:
    """A scorecard from JSON values.

    Raises:
        UserError: It is none, or of a later version; `where` names the place.
    """
    try:
        if isinstance(document, dict) and document.get("format_version", 0) > FORMAT_VERSION:
            raise UserError(
                "This scorecard was written by a later graftset",
                field="format_version",
                value=document["format_version"],
                remedy="Update graftset",
            )
        return _CARD.validate_python(document)
    except (ValidationError, TypeError) as error:
        raise UserError(
            f"This is no scorecard: {_first(error)}", field="scorecard", value=where, remedy="Evaluate the run again"
        ) from error


def write_scorecard(card: Scorecard, path: Path) -> None:
    """Write a scorecard, whole or not at all; missing folders are made.

    Raises:
        UserError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of the scorecards cannot be made: {error.strerror or error}",
            field="scorecards",
            value=str(path.parent),
            remedy="Check that the run folder may be written to and has space left",
        ) from error
    write_whole(path, json.dumps(as_json(card), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_scorecard(path: Path) -> Scorecard:
    """Read a scorecard.

    Raises:
        UserError: It is not there, cannot be read, or is none.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"The scorecard cannot be read: {error}",
            field="scorecard",
            value=str(path),
            remedy="Evaluate the run again",
        ) from error
    return from_json(document, where=str(path))


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return str(error)
