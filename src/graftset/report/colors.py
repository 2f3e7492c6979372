"""Colors for the swatches: what a color word looks like in this set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from graftset.records import ImageView
from graftset.report.page import Swatch

WordColors = Mapping[str, str]  # word -> "#rrggbb"

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
# For words no original shows: the middle of what people call by that word.
BASIC: WordColors = {
    "black": "#15161a",
    "white": "#fafafa",
    "gray": "#8c8f94",
    "grey": "#8c8f94",
    "red": "#d23b32",
    "orange": "#e8862e",
    "yellow": "#f2d541",
    "green": "#3f9c4b",
    "blue": "#2f6fd0",
    "purple": "#7a3fa8",
    "pink": "#f08fb5",
    "brown": "#7a5034",
    "beige": "#e3d7b8",
    "tan": "#cfae82",
    "teal": "#1f8a8a",
    "cyan": "#45cfe0",
    "mint": "#93e3bf",
    "olive": "#7d7b35",
    "navy": "#1d2a5c",
    "lavender": "#b9a6e0",
    "maroon": "#6e1f2d",
    "gold": "#d6a92b",
    "blonde": "#e6c777",
    "silver": "#b9bec6",
}


def learned_colors(images: Iterable[ImageView]) -> WordColors:
    """Return the mean color of the backgrounds that carry each word, over a table of the basic words."""
    seen: dict[str, list[tuple[int, int, int]]] = {}
    for image in images:
        background = image.traits.background
        if background is None or background.kind != "solid" or not background.colors:
            continue
        color = background.colors[0]
        if valid_hex(color.hex):
            seen.setdefault(color.word, []).append(_channels(color.hex))
    learned = {word: _mean_hex(colors) for word, colors in seen.items()}
    return {**BASIC, **learned}


def swatch(words: str, colors: WordColors) -> Swatch:
    """Return the swatch of a color as a caption words it: `light green` is `green` where only that is known."""
    last = words.lower().split()[-1:] or [""]
    return Swatch(word=words, hex=colors.get(words.lower()) or colors.get(last[0]), share=100.0)


def valid_hex(text: str) -> str | None:
    """Return `text` where it is a color that may stand in a style attribute, else None."""
    return text if _HEX.fullmatch(text) else None


def _channels(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _mean_hex(colors: list[tuple[int, int, int]]) -> str:
    red, green, blue = (round(sum(channel) / len(colors)) for channel in zip(*colors, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"
