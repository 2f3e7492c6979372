"""The colors portraits are painted with: words, the colors that word may mean, and the shades of a color.

Base colors are chosen well inside what a word means, so that a word read back from the pixels can be held against the
word in the caption. The two styles differ: classic colors are saturated, soft ones lighter and grayer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.specs import Style, Tint

BACKGROUND: dict[Style, dict[str, tuple[str, ...]]] = {
    "classic": {
        "gray": ("#8c8c8c", "#9a9c9e", "#7b7d80", "#a6a6a4"),
        "blue": ("#2456d8", "#3a78ee", "#1a3fb4", "#4a90f0"),
        "green": ("#2fae4a", "#17c964", "#3f9a3a", "#2b7a3c"),
        "purple": ("#7a35c4", "#6a2fa8", "#8e4bd8", "#5a2a94"),
        "red": ("#c8201e", "#d63030", "#b01a22"),
        "yellow": ("#f5dd2a", "#f7e04c", "#efd012"),
        "orange": ("#f08a1e", "#ee7d22", "#f59a36"),
        "pink": ("#f58ac0", "#f77fb4", "#f9a3cb"),
        "teal": ("#169a94", "#0f8c8c", "#1fa8a0"),
        "tan": ("#d2b48c", "#cdb189", "#d8bc96"),
        "brown": ("#6b4426", "#7a4e2d", "#5f3c22"),
        "black": ("#121212", "#1a1a1c"),
        "white": ("#f6f6f6", "#fcfcfa"),
    },
    "soft": {
        "gray": ("#a8abb0", "#9ea1a4", "#b2b4b6"),
        "blue": ("#7fb2ee", "#6fa4e8", "#8dbcf4"),
        "green": ("#82cf8c", "#74c47c", "#95d99a"),
        "purple": ("#a98be0", "#9b7ad6", "#b49ae6"),
        "red": ("#d9484a", "#cf3f45", "#de5454"),
        "yellow": ("#f7e46c", "#f5de5c", "#f9ea84"),
        "orange": ("#f6a850", "#f49c42", "#f8b062"),
        "pink": ("#f7b0ce", "#f5a4c6", "#f9bdd6"),
        "teal": ("#4fb3ad", "#45a8a4", "#5cbcb4"),
        "tan": ("#dcc4a0", "#d6bd98", "#e0caa8"),
        "brown": ("#8a6044", "#94684a", "#7f583e"),
        "black": ("#1f1e22", "#26252a"),
        "white": ("#fbfaf7", "#f6f6f4"),
    },
}

HAIR: dict[Style, dict[str, tuple[str, ...]]] = {
    "classic": {
        "black": ("#1f1c1d", "#1c1d22"),
        "brown": ("#5c3d24", "#6a4528", "#55371f"),
        "blonde": ("#e3c26c", "#dcb85c", "#e8cb7e"),
        "red": ("#b0301e", "#a82a22", "#bb3a22"),
        "gray": ("#8e8e90", "#858688", "#98989a"),
        "white": ("#e8e8e6", "#eeeeee"),
        "pink": ("#ee6fae", "#f07cb6"),
        "blue": ("#2f62d4", "#2a56c4"),
        "purple": ("#7d3fbe", "#7037ae"),
    },
    "soft": {
        "black": ("#34303a", "#2e2d36"),
        "brown": ("#7a5236", "#6e4a31", "#845a3c"),
        "blonde": ("#f0d68a", "#ecd07e", "#f3dc98"),
        "red": ("#c4513a", "#bc4836"),
        "gray": ("#a2a3a8", "#9a9ba0"),
        "white": ("#f0eeec", "#f3f2f0"),
        "pink": ("#f29bc1", "#f4a6c8"),
        "blue": ("#5f90e0", "#5686d8"),
        "purple": ("#9a72d2", "#9069ca"),
    },
}

SKIN: dict[Style, dict[str, tuple[str, ...]]] = {
    "classic": {
        "light": ("#f0c8a8", "#efc4a4", "#f2cfb2"),
        "medium": ("#d9a077", "#d49a70"),
        "tan": ("#b87a4e", "#b27448"),
        "dark": ("#6f4630", "#66402c"),
        "pale green": ("#a9cfa0", "#b0d4a8"),
    },
    "soft": {
        "light": ("#fbdcc6", "#f9d6be"),
        "medium": ("#ebb890", "#e7b288"),
        "tan": ("#c99066", "#c48a60"),
        "dark": ("#875a42", "#80543e"),
        "pale green": ("#bfe0b4", "#c6e4bc"),
    },
}

EYES: dict[str, tuple[str, ...]] = {
    "brown": ("#6b3f1d", "#744622"),
    "blue": ("#2f6fe0", "#3a7ae6"),
    "green": ("#2f9e48", "#38a852"),
    "gray": ("#7c8288", "#858b90"),
    "purple": ("#8a3fd0", "#9148d4"),
}

CLOTHES: dict[Style, dict[str, tuple[str, ...]]] = {
    "classic": {
        "black": ("#26262a",),
        "white": ("#eeeeec",),
        "gray": ("#84868a",),
        "blue": ("#2c57b8", "#3468c8"),
        "red": ("#b82a2a", "#c03430"),
        "green": ("#2f8446", "#3a8e4c"),
        "purple": ("#6c3aa4",),
        "yellow": ("#ecc832",),
        "orange": ("#e67e26",),
        "pink": ("#ee86b4",),
        "teal": ("#1c8a86",),
        "brown": ("#6e4a2e",),
    },
    "soft": {
        "black": ("#3a3840",),
        "white": ("#f4f2ee",),
        "gray": ("#9c9ea4",),
        "blue": ("#6c98dc", "#5f8cd2"),
        "red": ("#d25a58",),
        "green": ("#76b87e",),
        "purple": ("#9a7cce",),
        "yellow": ("#f0d868",),
        "orange": ("#f0a45c",),
        "pink": ("#f2a6c4",),
        "teal": ("#58aca6",),
        "brown": ("#8e6a50",),
    },
}

METAL: dict[str, tuple[str, ...]] = {"gold": ("#f2c230", "#eebc28"), "silver": ("#ccd2d8", "#c4ccd4")}

FRAMES: dict[str, tuple[str, ...]] = {
    "black": ("#161618",),
    "red": ("#c42a2c",),
    "blue": ("#2450c0",),
    "white": ("#f2f2f0",),
    "purple": ("#7a34b4",),
}

# Words whose colors a person could accept for each other: never used as "clearly another color".
KIN: dict[str, tuple[str, ...]] = {
    "teal": ("green", "blue"),
    "purple": ("blue", "pink"),
    "red": ("pink", "orange", "brown"),
    "brown": ("orange", "black"),
    "tan": ("brown", "orange", "yellow", "pink", "white", "gray"),
    "yellow": ("orange", "green"),
    "white": ("gray", "silver"),
    "blonde": ("white", "yellow", "tan", "gold"),
    "gold": ("yellow", "orange"),
    "silver": ("gray",),
}


def clearly_differs(word: str, other: str) -> bool:
    """Whether two color words can be told apart by anyone."""
    return word != other and other not in KIN.get(word, ()) and word not in KIN.get(other, ())


def rgb_of(tint: Tint | str) -> NDArray[np.float64]:
    """The color of a tint or of "#rrggbb" as float64 [3] in 0-255."""
    text = tint if isinstance(tint, str) else tint.hex
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def hex_of(rgb: NDArray[np.float64]) -> str:
    """A color [3] in 0-255 as "#rrggbb"."""
    red, green, blue = (int(v) for v in np.clip(np.rint(rgb), 0, 255))
    return f"#{red:02x}{green:02x}{blue:02x}"


def sample_tint(words: Mapping[str, tuple[str, ...]], word: str, rng: np.random.Generator, *, spread: int = 5) -> Tint:
    """One of the colors of `word`, moved by at most `spread` levels in each channel."""
    base = rgb_of(words[word][int(rng.integers(len(words[word])))])
    return Tint(word, hex_of(base + rng.integers(-spread, spread + 1, 3)))
