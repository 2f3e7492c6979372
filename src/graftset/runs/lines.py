"""JSON files and lines of a run folder: written alike, and read with a sentence on what is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from graftset.errors import UserError

T = TypeVar("T")


def parsed(kind: TypeAdapter[T], content: bytes, path: Path) -> T:
    """A JSON document as a typed value.

    Raises:
        UserError: It is damaged.
    """
    try:
        return kind.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path.name} cannot be read: {f'{where}: ' if where else ''}{first['msg']}",
            field="run",
            value=str(path),
            remedy="Move it away and make it again",
        ) from error


def to_json(content: Any) -> str:
    """A record as the text of its JSON file."""
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def json_line(content: Any) -> str:
    """A record as a line of JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"
