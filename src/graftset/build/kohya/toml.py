"""How values and comments are written in a TOML file."""

from __future__ import annotations

import textwrap

from tomlkit import item

_WIDTH = 118  # characters; comments stand on lines of their own, as old parsers stumble over trailing ones


def value(content: str | float | bool | list[int] | list[float]) -> str:
    """A value as TOML writes it."""
    return item(content).as_string()


def comment(text: str, *, indent: str = "") -> list[str]:
    """A comment as lines of limited width."""
    prefix = f"{indent}# "
    return textwrap.wrap(text, width=_WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False)
