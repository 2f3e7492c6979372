"""What the codes of a sprite are painted with: shades of the portrait's colors, and the shading of hair.

The styles shade differently. Classic shades are plain darker and lighter versions of a color, with black ink for
outlines; soft shadows turn toward violet and soft lights toward cream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.palette import rgb_of
from graftset.drawn.specs import NATIVE, PortraitSpec, Style, Tint

Color = NDArray[np.float64]  # [3] in 0-255, or [24, 24, 3] where every cell has its own
Paints = dict[str, Color]  # by sprite code

INK = np.array([8.0, 7.0, 9.0])
SOFT_INK = np.array([44.0, 34.0, 48.0])
WHITE = np.array([250.0, 250.0, 250.0])
CREAM = np.array([255.0, 246.0, 230.0])
VIOLET = np.array([88.0, 52.0, 104.0])
BLUSH = np.array([236.0, 110.0, 110.0])
LIPSTICK = np.array([196.0, 44.0, 60.0])
LENS, GLINT = np.array([34.0, 36.0, 46.0]), np.array([150.0, 160.0, 178.0])
COILED = ("curly", "afro", "wavy")  # hair shaded cell by cell rather than strand by strand


def shades(base: Color, style: Style) -> NDArray[np.float64]:
    """Four shades of a color from dark to light, [4, 3]; the third is the color itself."""
    if style == "classic":
        return np.stack([base * 0.62, base * 0.82, base, base * 0.78 + WHITE * 0.22])
    return np.stack([base * 0.72 + VIOLET * 0.12, base * 0.84 + VIOLET * 0.1, base, base * 0.7 + CREAM * 0.3])


def face_paints(spec: PortraitSpec, style: Style) -> Paints:
    """Skin, eyes, brows, mouth and stubble."""
    base = rgb_of(spec.skin)
    _, shade, _, light = shades(base, style)
    hair_shadow = shades(rgb_of(spec.hair_tint), style)[0]
    rouge = 0.55 if spec.figure == "lady" else 0.25
    lips = base * 0.72 * (1 - rouge) + LIPSTICK * rouge
    return {
        "s": base,
        "l": light,
        "k": shade,
        "r": base * 0.8 + BLUSH * 0.2,
        "o": INK,
        "i": rgb_of(spec.eyes),
        "p": INK if style == "classic" else SOFT_INK,
        "e": WHITE,
        "b": hair_shadow * 0.6 + base * 0.15,
        "m": lips,
        "M": lips * 0.86,
        "=": base * 0.5 + hair_shadow * 0.12,
    }


def worn_paints(tint: Tint, style: Style, *, second: Tint) -> Paints:
    """Clothes and accessories: `tint` with its shades, `second` for what decorates them."""
    darkest, dark, base, light = shades(rgb_of(tint), style)
    trim = rgb_of(second)
    return {
        "c": base,
        "C": light,
        "d": darkest if style == "classic" else dark,
        "w": trim,
        "W": trim * 0.8,
        "o": INK if style == "classic" else darkest * 0.75,
        "p": INK,
        "g": LENS,
        "e": GLINT,
    }


def trim_of(tint: Tint) -> Tint:
    """What decorates an accessory of this color: gems on gold and silver, otherwise whatever stands out."""
    if tint.word == "gold":
        return Tint("red", "#d2304a")
    if tint.word == "silver":
        return Tint("blue", "#3c8ae0")
    return Tint("black", "#2a2a30") if rgb_of(tint).mean() > 170 else Tint("white", "#f0f0ee")


def hair_paints(spec: PortraitSpec, style: Style, rng: np.random.Generator) -> Paints:
    """Hair for full cells "#", loose cells "?" and a beard "+", every cell with its own shade, [24, 24, 3].

    Classic hair is dithered: strand by strand where it is straight, cell by cell where it is coiled. Soft hair has a
    light band near the top and grows darker toward the tips.
    """
    level = _classic_level(spec.hair, rng) if style == "classic" else _soft_level(spec.hair, rng)
    index = np.clip(np.rint(level), 0, 3).astype(int)
    cells = shades(rgb_of(spec.hair_tint), style)[index]
    return dict.fromkeys("#?+", cells)


def _classic_level(hair: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Which of the four shades each cell takes, [24, 24], before rounding."""
    rows, columns = np.indices((NATIVE, NATIVE), dtype=np.float64)
    noise = rng.random((NATIVE, NATIVE)) - 0.5
    strands = rng.random((1, NATIVE)) - 0.5
    shine = np.exp(-((rows - 4.5) ** 2 + (columns - 9.5) ** 2) / 14)
    coiled: NDArray[np.float64] = 1.15 + 0.9 * ((rows + columns) % 2) + 1.3 * noise + shine
    straight: NDArray[np.float64] = 1.7 + 1.6 * strands + noise + 1.2 * shine - 0.02 * rows
    return coiled if hair in COILED else straight


def _soft_level(hair: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Which of the four shades each cell takes, [24, 24], before rounding."""
    rows, columns = np.indices((NATIVE, NATIVE), dtype=np.float64)
    noise = rng.random((NATIVE, NATIVE)) - 0.5
    strands = rng.random((1, NATIVE)) - 0.5
    band = np.exp(-((rows - 4 - 0.04 * (columns - 9) ** 2) ** 2) / 1.6) * (columns < 15)
    level: NDArray[np.float64] = 2.15 - 0.055 * rows + 1.1 * band + 0.5 * strands
    return level + 0.9 * noise if hair in COILED else level
