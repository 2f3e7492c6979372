"""How often each thing appears among the originals.

Every slot is dealt from a shuffled deck with these shares rather than rolled, so that 203 originals always hold at
least twelve of each accessory, hair style and common hair color.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from graftset.drawn.specs import FacialHair, Figure, Layout, Mouth

Card = TypeVar("Card")

LADY_SHARE = 0.5
TWIN_SHARE = 12 / 203  # near-twins among the originals

HEADWEAR: dict[Figure, dict[str | None, float]] = {
    "lady": {None: 50, "cap": 6, "top hat": 5, "beanie": 7, "crown": 9, "bow": 15, "headband": 8},
    "lad": {None: 58, "cap": 10, "top hat": 10, "beanie": 8, "crown": 7, "headband": 7},
}
EYEWEAR: dict[str | None, float] = {None: 76, "glasses": 13, "sunglasses": 11}
EARRING: dict[Figure, dict[str | None, float]] = {
    "lady": {None: 70, "earring": 30},
    "lad": {None: 92, "earring": 8},
}
NECKLACE: dict[Figure, dict[str | None, float]] = {
    "lady": {None: 74, "necklace": 26},
    "lad": {None: 88, "necklace": 12},
}
FACIAL_HAIR: dict[Figure, dict[FacialHair | None, float]] = {
    "lady": {None: 1},
    "lad": {None: 60, "stubble": 20, "beard": 20},
}
HAIR: dict[Figure, dict[str, float]] = {
    "lady": {
        "short": 5, "side part": 4, "curly": 8, "bob": 13, "long": 11, "wavy": 12, "mohawk": 9, "bald": 4, "bun": 20,
        "afro": 12, "ponytail": 9,
    },
    "lad": {
        "short": 17, "side part": 18, "curly": 6, "long": 6, "wavy": 4, "mohawk": 17, "bald": 13, "bun": 7, "afro": 14,
        "ponytail": 5,
    },
}  # fmt: skip
HAIR_UNDER_HEADWEAR: dict[Figure, dict[str, float]] = {
    "lady": {"short": 8, "curly": 16, "bob": 20, "long": 20, "wavy": 22, "ponytail": 14},
    "lad": {"short": 26, "side part": 26, "curly": 18, "long": 16, "wavy": 10, "bald": 6},
}
HAIR_COLOR: dict[str, float] = {
    "black": 17, "brown": 21, "blonde": 16, "red": 12, "gray": 8, "white": 8, "pink": 8, "blue": 7, "purple": 7,
}  # fmt: skip
SKIN_TONE: dict[str, float] = {"light": 34, "medium": 24, "tan": 17, "dark": 18, "pale green": 7}
EYE_COLOR: dict[str, float] = {"brown": 34, "blue": 24, "green": 22, "gray": 10, "purple": 10}
MOUTH: dict[Mouth, float] = {"neutral": 46, "smile": 54}
GARMENT: dict[str, float] = {
    "t-shirt": 19, "collared shirt": 17, "hoodie": 18, "suit": 18, "turtleneck": 14, "tank top": 14,
}  # fmt: skip
LAYOUT: dict[Layout, float] = {
    "solid": 70, "horizontal": 4, "vertical": 4, "radial": 3, "split": 7, "checker": 7, "stripes": 5,
}  # fmt: skip
BACKGROUND_COLOR: dict[str, float] = {
    "gray": 12, "blue": 11, "green": 12, "purple": 8, "red": 8, "yellow": 8, "orange": 7, "pink": 8, "teal": 7,
    "tan": 6, "brown": 5, "black": 4, "white": 4,
}  # fmt: skip
SECOND_COLOR: dict[str, str] = {  # of a background with two colors, by its first
    "teal": "blue", "blue": "white", "green": "white", "purple": "pink", "red": "white", "yellow": "orange",
    "orange": "red", "pink": "white", "gray": "black", "tan": "brown", "brown": "tan", "black": "white",
    "white": "blue",
}  # fmt: skip


def deal(shares: Mapping[Card, float], count: int, rng: np.random.Generator) -> list[Card]:
    """A shuffled deck of `count` cards in the given shares (largest remainder)."""
    exact = np.array(list(shares.values()), dtype=np.float64)
    exact = exact / exact.sum() * count
    copies = np.floor(exact).astype(int)
    copies[np.argsort(copies - exact, kind="stable")[: count - int(copies.sum())]] += 1
    deck = [card for card, number in zip(shares, copies, strict=True) for _ in range(number)]
    return [deck[i] for i in rng.permutation(len(deck))]
