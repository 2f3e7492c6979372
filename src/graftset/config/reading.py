"""The bytes of graftset.toml -> settings, with every fault in the words of somebody who edits a file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from graftset.config.section import Section
from graftset.config.settings import FILE_NAME, Settings, VocabularySettings, items_of, section_of, tables
from graftset.config.words import word_faults
from graftset.config.writing import example_line
from graftset.errors import ConfigError

_LONGEST_VALUE = 80  # characters of a faulty value that a message shows


def parse(data: bytes) -> Settings:
    """Read settings.

    Raises:
        ConfigError: The bytes are not TOML (with line and column), or hold faults; all of them are named.
    """
    try:
        text = data.decode("utf-8-sig")  # Windows editors like to put a byte order mark there
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{FILE_NAME} is not UTF-8 text: line {line} holds the byte 0x{data[error.start]:02x}",
            field=FILE_NAME,
            remedy="Save it as UTF-8",
        ) from error
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML, or a number or nesting too long for Python
        raise ConfigError(
            f"{FILE_NAME} is not valid TOML: {_with_position(str(error), text)}",
            field=FILE_NAME,
            remedy="Mend that line; text goes in quotes, tables in [brackets]",
        ) from error
    faults = _contradictions(table.get("vocabulary", {}))
    try:
        settings = Settings.model_validate(table)
    except ValidationError as error:
        raise _config_error([*(_fault(details) for details in error.errors()), *faults]) from error
    if faults:
        raise _config_error(faults)
    return settings


def _contradictions(vocabulary: object) -> list[_Fault]:
    """What the user's words say against each other; a table of another form is refused as such."""
    try:
        words = VocabularySettings.model_validate(vocabulary)
    except ValidationError:
        return []
    return [_Fault(fault.field, fault.value, fault.problem, fault.remedy) for fault in word_faults(words)]


def _with_position(message: str, text: str) -> str:
    """The parser's message with the end of the file named by line and column, as it names every other place."""
    lines = text.split("\n")
    return message.replace("at end of document", f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end")


@dataclass(frozen=True, slots=True)
class _Fault:
    """One thing wrong in the settings."""

    field: str  # "select.min_score", "project.candidates[1]"
    value: object | None
    problem: str
    remedy: str


def _config_error(faults: Sequence[_Fault]) -> ConfigError:
    """One fault as itself; several as a list in the message, so that one look at the screen mends them all."""
    if len(faults) == 1:
        fault = faults[0]
        return ConfigError(fault.problem, field=fault.field, value=fault.value, remedy=fault.remedy)
    lines = [f"{FILE_NAME} holds {len(faults)} faults:"]
    for fault in faults:
        shown = "" if fault.value is None else f" = {fault.value!r}"
        lines.append(f"  {fault.field}{shown}: {fault.problem}. {fault.remedy}")
    return ConfigError("\n".join(lines) + "\nNothing was done", field=FILE_NAME, remedy="Mend them and run this again")


def _fault(details: ErrorDetails) -> _Fault:
    """What pydantic found, with the key as it is written in the file and a remedy."""
    keys = [part for part in details["loc"] if part != "[key]"]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in keys).lstrip(".")
    if details["type"] == "extra_forbidden":
        return _Fault(name, _shown(details["input"]), "Unknown key", _unknown_key_remedy(keys))
    if details["type"] == "unknown_plan":
        context = details["ctx"]
        return _Fault(context["field"], context["names"], "No such mixing plan", f"Use one of: {context['known']}")
    key, field, _ = _follow(keys)
    if section_of(field) is not None:
        problem = "Missing table" if details["type"] == "missing" else "Should be a table"
        return _Fault(name, None, problem, f"Write its keys under [{name}]")
    if "[key]" in details["loc"]:
        return _Fault(name, None, _problem(details), "Rename it")
    remedy = f"Write for example `{example_line(key, field)}`"
    if details["type"] == "missing":
        return _Fault(name, None, "Missing", remedy)
    return _Fault(name, _shown(details["input"]), _problem(details), remedy)


def _problem(details: ErrorDetails) -> str:
    """Pydantic's message as a sentence about a key of a file."""
    if details["type"] == "string_pattern_mismatch":  # the only pattern is that of a color
        return "Should be a color such as #98ff98"
    if details["type"] in ("too_short", "string_too_short"):
        return "Should not be empty"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input ").replace("a valid tuple", "an array")
    return message[:1].upper() + message[1:]


def _shown(value: object) -> object:
    """A value as a message shows it: long ones are cut."""
    text = repr(value)
    return value if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def _follow(keys: Sequence[int | str]) -> tuple[str, FieldInfo, type[Section] | None]:
    """Where a path of keys leads: the innermost field of the settings with its key, and the table that it ends in."""
    section: type[Section] | None = Settings
    items: type[Section] | None = None
    found = ("", FieldInfo(annotation=Settings))
    for key in keys:
        if items is not None:  # the name of one of several tables, or its number
            section, items = items, None
        elif section is not None and key in section.model_fields:
            found = (str(key), section.model_fields[str(key)])
            section, items = section_of(found[1]), items_of(found[1])
        else:
            break
    return *found, section


def _unknown_key_remedy(keys: Sequence[int | str]) -> str:
    """The closest known key of the same table, the table where the key is at home, or what is known here."""
    *above, last = keys
    key = str(last)
    known = dict(tables())
    *_, table = _follow(above)
    here = list((table or Settings).model_fields)
    close = difflib.get_close_matches(key, here, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    for path, section in known.items():
        if key in section.model_fields:
            return f"It belongs under [{path}]" if path else f"[{key}] is a table of its own"
    return f"Remove it; known here: {', '.join(here)}"
