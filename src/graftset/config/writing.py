"""Settings -> the text of graftset.toml, with every default under a comment of what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import tomlkit
from pydantic.fields import FieldInfo

from graftset.config.section import Section
from graftset.config.settings import ProjectSettings, section_of, tables
from graftset.errors import UserError

_HEADING = """\
# Settings of a graftset project: every default, and what it means. A key that is left out has its default.
# Paths are relative to the folder of this file, or absolute."""

_PLANS_EXAMPLE = """\
# Mixing plans of your own, each under [plans.NAME]; every key is in docs/plans.md. For example:
# [plans.half]
# summary = "the better half three times as often as the rest"
# [[plans.half.stages]]
# name = "combined"
# use = [
#   { images = "originals", repeats = 4 },
#   { images = "best", count = 25, repeats = 3 },
#   { images = "admitted" },
# ]""".splitlines()


def default_toml(originals: str, candidates: str | Sequence[str], prompts: str | None = None) -> str:
    """The graftset.toml that `init` writes.

    Args:
        originals: Folder of the originals, relative to the project folder or absolute.
        candidates: Folder of the candidates, or several.
        prompts: Prompts file; None writes that key as a comment.

    Raises:
        UserError: A path holds bytes that no text file can hold.
    """
    folders = [candidates] if isinstance(candidates, str) else list(candidates)
    given = {"originals": originals, "candidates": folders[0] if len(folders) == 1 else folders, "prompts": prompts}
    lines = [_HEADING]
    for path, section in tables():
        if path:
            lines += ["", *_comment(section.__doc__ or ""), f"[{path}]"]
            lines += _key_lines(section, given if section is ProjectSettings else {})
    text = "\n".join([*lines, "", *_PLANS_EXAMPLE]) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            "A path is not valid Unicode and cannot be written into graftset.toml",
            field="--originals, --candidates or --prompts",
            value=ascii(text[error.start : error.end]),
            remedy="Rename that folder or file",
        ) from error
    return text


def example_line(key: str, field: FieldInfo) -> str:
    """A line of TOML that sets a key: to its default where that says something, else to its example."""
    value = None if field.is_required() else field.get_default(call_default_factory=True)
    return f"{key} = {_toml(value if value or not field.examples else field.examples[0])}"


def _key_lines(section: type[Section], given: Mapping[str, object]) -> list[str]:
    """The keys of one table, each under its description; tables within it follow under headings of their own."""
    lines: list[str] = []
    for key, field in section.model_fields.items():
        if section_of(field) is None:
            value = given[key] if key in given else field.get_default(call_default_factory=True)
            line = f"# {example_line(key, field)}" if value is None else f"{key} = {_toml(value)}"
            lines += ["", *_comment(field.description or ""), line]
    return lines


def _toml(value: object) -> str:
    """A value of the settings as TOML, on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        return f"[{', '.join(map(_toml, value))}]"
    return str(tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string())


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, width=108)]
