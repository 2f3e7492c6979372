"""Decisions as numbered JSON files: added, never changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graftset.decide.records import FORMAT_VERSION, Decision
from graftset.errors import UserError
from graftset.files import write_new

_DECISION = TypeAdapter(Decision)
_NUMBERED = re.compile(r"([0-9]{1,9})\.json")


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision as JSON values."""
    document: dict[str, Any] = _DECISION.dump_python(decision, mode="json")
    return document


def keep(decision: Decision, folder: Path) -> Decision:
    """Add a decision under the next number; one that says what the newest says already is not added again.

    Args:
        decision: Its number is not asked for.
        folder: `decisions/` of a project; made where it is missing.

    Returns:
        The decision with its number: the new one, or the equal one that was there.

    Raises:
        UserError: It cannot be written, or the newest that is there is damaged.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of the decisions cannot be made: {error.strerror or error}",
            field="decisions",
            value=str(folder),
            remedy="Check that the project folder may be written to and has space left",
        ) from error
    newest = latest(folder)
    if newest is not None and _same(newest, decision):
        return newest
    number = 1 + (newest.number if newest is not None else 0)
    while True:
        numbered = replace(decision, number=number)
        text = json.dumps(as_json(numbered), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        if write_new(folder / f"{number}.json", text):
            return numbered
        number += 1  # another command was quicker


def latest(folder: Path) -> Decision | None:
    """The newest decision; None where there is none.

    Raises:
        UserError: It is damaged, or of a later version.
    """
    numbers = _numbers(folder)
    return read(folder / f"{numbers[-1]}.json") if numbers else None


def history(folder: Path) -> tuple[Decision, ...]:
    """Every decision, the oldest first. Raises what `latest` raises."""
    return tuple(read(folder / f"{number}.json") for number in _numbers(folder))


def read(path: Path) -> Decision:
    """Read one decision.

    Raises:
        UserError: It is not there, cannot be read, or is of a later version.
    """
    try:
        document = json.loads(path.read_bytes())
        if isinstance(document, dict) and document.get("format_version", 0) > FORMAT_VERSION:
            raise UserError(
                "This decision was written by a later graftset",
                field="format_version",
                value=document["format_version"],
                remedy="Update graftset",
            )
        return _DECISION.validate_python(document)
    except (OSError, ValueError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        told = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise UserError(
            f"The decision cannot be read: {told}", field="decision", value=str(path), remedy="Put it back as it was"
        ) from error


def _numbers(folder: Path) -> list[int]:
    found = [_NUMBERED.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(match[1]) for match in found if match is not None and int(match[1]) > 0)


def _same(one: Decision, other: Decision) -> bool:
    """Whether two decisions say the same of the same, whenever they were made."""
    return replace(one, number=0, at="", graftset="") == replace(other, number=0, at="", graftset="")
