"""sRGB <-> OKLab and CIELAB, and colour words.

Sources: OKLab, B. Ottosson 2020, "A perceptual color space for image processing"; colour words, R. Munroe's XKCD
colour survey 2010.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]

_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_RGB_TO_XYZ = np.array(  # sRGB, D65 (IEC 61966-2-1)
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_D65 = np.array([0.95047, 1.0, 1.08883])

_LEVELS = np.arange(256) / 255.0
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)


def srgb_to_oklab(rgb: U8) -> F32:
    """uint8 sRGB [..., 3] -> float32 OKLab [..., 3]; L in [0, 1], a and b roughly in [-0.4, 0.4]."""
    lms = np.cbrt(_LINEAR[rgb] @ _RGB_TO_LMS.T)
    lab: F32 = (lms @ _LMS_TO_LAB.T).astype(np.float32)
    return lab


def oklab_to_srgb(lab: ArrayLike) -> U8:
    """OKLab [..., 3] -> uint8 sRGB [..., 3], clipped to the gamut."""
    lms = (np.asarray(lab, dtype=np.float64) @ np.linalg.inv(_LMS_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_RGB_TO_LMS).T, 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(srgb * 255.0).astype(np.uint8)


def srgb_to_cielab(rgb: U8) -> F32:
    """uint8 sRGB [..., 3] -> float32 CIELAB [..., 3] under D65, L* in [0, 100]."""
    t = _LINEAR[rgb] @ _RGB_TO_XYZ.T / _D65
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    lab = np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)
    return lab.astype(np.float32)


def to_hex(rgb: ArrayLike) -> str:
    """One sRGB colour [3] as `#rrggbb`."""
    r, g, b = (int(v) for v in np.asarray(rgb))
    return f"#{r:02x}{g:02x}{b:02x}"


def from_hex(text: str) -> U8:
    """`#rrggbb` as uint8 [3]."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


# --- words -----------------------------------------------------------------------------------------------------------

# The eleven basic terms of English (Berlin and Kay 1969) and the further words people use for picture backgrounds.
BASIC_TERMS = ("black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
TERMS = (*BASIC_TERMS, "beige", "tan", "teal", "cyan", "mint", "olive", "navy", "lavender", "maroon", "gold")

# Every word of a survey name that tells a colour, and the terms it counts for.
_WORD_TERMS: dict[str, tuple[str, ...]] = {t: (t,) for t in TERMS} | {
    "grey": ("gray",), "greyish": ("gray",), "greyblue": ("gray", "blue"), "bluegrey": ("blue", "gray"),
    "silver": ("gray",), "steel": ("gray",), "slate": ("gray",), "charcoal": ("gray", "black"), "cement": ("gray",),
    "violet": ("purple",), "lilac": ("lavender", "purple"), "liliac": ("lavender", "purple"),
    "lavendar": ("lavender",), "mauve": ("purple", "pink"), "plum": ("purple",), "indigo": ("purple", "blue"),
    "eggplant": ("purple",), "aubergine": ("purple",), "grape": ("purple",), "purply": ("purple",),
    "purpley": ("purple",), "periwinkle": ("lavender", "blue"), "perrywinkle": ("lavender", "blue"),
    "amethyst": ("purple",), "wisteria": ("lavender", "purple"), "heather": ("lavender", "purple"),
    "magenta": ("pink", "purple"), "fuchsia": ("pink", "purple"), "rose": ("pink",), "rosa": ("pink",),
    "salmon": ("pink", "orange"), "coral": ("orange", "pink"), "peach": ("orange", "beige"), "blush": ("pink",),
    "raspberry": ("red", "pink"), "bubblegum": ("pink",), "carnation": ("pink",), "pinky": ("pink",),
    "crimson": ("red",), "scarlet": ("red",), "cherry": ("red",), "ruby": ("red",), "blood": ("red",),
    "tomato": ("red",), "brick": ("red", "brown"), "wine": ("maroon", "red"), "burgundy": ("maroon", "red"),
    "merlot": ("maroon",), "claret": ("maroon",), "rust": ("brown", "orange"), "terracotta": ("orange", "brown"),
    "terracota": ("orange", "brown"), "sienna": ("brown",), "siena": ("brown",), "umber": ("brown",),
    "chocolate": ("brown",), "coffee": ("brown",), "cocoa": ("brown",), "mocha": ("brown",), "chestnut": ("brown",),
    "mahogany": ("brown",), "copper": ("brown", "orange"), "bronze": ("brown",), "mud": ("brown",),
    "leather": ("brown",), "caramel": ("brown", "orange"), "cinnamon": ("brown",), "clay": ("brown",),
    "taupe": ("tan", "gray", "brown"), "toupe": ("tan", "brown"), "mushroom": ("tan", "brown"),
    "khaki": ("tan", "olive"), "sand": ("tan", "beige"), "sandy": ("tan",), "sandstone": ("tan",), "fawn": ("tan",),
    "camel": ("tan", "brown"), "buff": ("beige", "tan"), "putty": ("beige", "gray"), "desert": ("tan",),
    "cream": ("beige", "white"), "creme": ("beige", "white"), "ecru": ("beige",), "ivory": ("beige", "white"),
    "eggshell": ("beige", "white"), "parchment": ("beige",), "manilla": ("beige",), "custard": ("yellow", "beige"),
    "straw": ("yellow",), "wheat": ("beige", "yellow"), "golden": ("gold", "yellow"), "mustard": ("yellow", "olive"),
    "lemon": ("yellow",), "canary": ("yellow",), "maize": ("yellow",), "ochre": ("yellow", "brown"),
    "amber": ("orange", "gold"), "apricot": ("orange",), "pumpkin": ("orange",), "mango": ("orange",),
    "tangerine": ("orange",), "squash": ("orange",), "saffron": ("orange", "gold"), "marigold": ("orange", "gold"),
    "lime": ("green",), "seafoam": ("mint", "green"), "sage": ("green",), "moss": ("green", "olive"),
    "forest": ("green",), "emerald": ("green",), "jade": ("green",), "fern": ("green",), "kelly": ("green",),
    "avocado": ("green", "olive"), "pistachio": ("green", "mint"), "celery": ("green",), "celadon": ("mint", "green"),
    "hunter": ("green",), "pine": ("green",), "spearmint": ("mint", "green"), "shamrock": ("green",),
    "lightgreen": ("green",), "darkgreen": ("green",), "yellowgreen": ("green", "yellow"),
    "turquoise": ("teal", "cyan"), "aqua": ("cyan", "teal"), "aquamarine": ("cyan", "teal"), "viridian": ("teal",),
    "greenblue": ("teal",), "petrol": ("teal",), "tealish": ("teal",), "sky": ("blue",), "azure": ("blue",),
    "azul": ("blue",), "cerulean": ("blue",), "cobalt": ("blue",), "sapphire": ("blue",), "denim": ("blue",),
    "royal": ("blue",), "marine": ("navy",), "midnight": ("navy",), "ultramarine": ("blue",), "darkblue": ("navy",),
    "cornflower": ("blue",), "ice": ("cyan", "white"),
}  # fmt: skip


def word_terms(word: str) -> tuple[str, ...]:
    """The terms a lower-case colour word counts for, best first; empty where it names no colour."""
    return _WORD_TERMS.get(word, ())


# People name hue before lightness, so lightness counts for less; width and weight chosen on 25 labelled backgrounds,
# where every width from 0.015 to 0.03 names all of them acceptably.
_KERNEL = 0.025
_AXES = np.array([0.7, 1.0, 1.0], dtype=np.float32)
ACCEPT = 0.4  # share of the best word's votes from which another word is acceptable too
TELLING = 7.0  # a further term said this many times as often as over all colours is no wrong word
_FAR = 0.20  # weighted OKLab; beyond it no survey name speaks for the colour


@cache
def _survey() -> tuple[F32, NDArray[np.float64]]:
    """Survey colours in OKLab float32 [N, 3] and what each says for every term, float64 [N, len(TERMS)]."""
    rows = resources.files(__package__).joinpath("xkcd_colors.tsv").read_text(encoding="utf-8").splitlines()[1:]
    colors, says = [], []
    for row in rows:
        name, code = row.split("\t")
        vote = np.zeros(len(TERMS))
        words = [w for w in name.replace("/", " ").split() if w in _WORD_TERMS]
        for rank, word in enumerate(reversed(words)):  # the last word is the noun: "blue green" is a green
            for place, term in enumerate(_WORD_TERMS[word]):
                vote[TERMS.index(term)] += 0.5**rank * 0.7**place
        if vote.any():
            colors.append(from_hex(code))
            says.append(vote / vote.sum())
    anchors, speaks = _achromatic_anchors()
    return np.concatenate([srgb_to_oklab(np.array(colors)), anchors]), np.concatenate([np.array(says), speaks])


def _achromatic_anchors() -> tuple[F32, F64]:
    """Near-black and near-white points, OKLab float32 [N, 3], with their votes.

    The survey asked for names, and nobody names a colour "black" twice: among 949 names there are seven dark browns for
    every black, so a barely tinted dark would be called brown. People who describe a picture call it black.
    """
    hues = np.radians(np.arange(0, 360, 60))
    tints = [(0.0, 0.0)] + [(r * np.cos(h), r * np.sin(h)) for r in (0.012, 0.024) for h in hues]
    points, says = [], []
    # The lighter a dark tone, the sooner a tint makes it a brown, a navy or a dark green.
    anchors = [("black", level, 13) for level in (0.0, 0.08, 0.14, 0.19)]
    anchors += [("black", 0.23, 7), ("black", 0.26, 1)]
    anchors += [("white", level, 7) for level in (0.97, 0.985, 1.0)]
    for term, level, reach in anchors:
        vote = np.zeros(len(TERMS))
        vote[TERMS.index(term)] = 1.0
        points += [(level, a, b) for a, b in tints[:reach]]
        says += [vote] * reach
    return np.array(points, dtype=np.float32), np.array(says)


def survey_votes(oklab: ArrayLike) -> F64:
    """How strongly the XKCD survey calls a colour by each of `TERMS`.

    A Gaussian kernel average over the survey's names in OKLab.

    Args:
        oklab: OKLab [..., 3].

    Returns:
        float64 [..., len(TERMS)], summing to 1.
    """
    points = np.asarray(oklab, dtype=np.float32).reshape(-1, 3)
    colors, says = _survey()
    distance = np.linalg.norm((points[:, None] - colors[None]) * _AXES, axis=-1)
    nearest = distance.min(axis=1, keepdims=True)
    # Where the survey is sparse (saturated corners) the kernel widens to reach the nearest names.
    width = np.maximum(_KERNEL, np.minimum(nearest, _FAR))
    votes = np.exp(-0.5 * (distance / width) ** 2) @ says
    return np.asarray((votes / votes.sum(axis=1, keepdims=True)).reshape(*np.shape(oklab)[:-1], len(TERMS)))


@dataclass(frozen=True, slots=True)
class ColorWords:
    """Names colours: the survey's view, moved a little towards the way the originals' captions use the words.

    Only a little: on 45 labelled backgrounds an owner's loose words ("grey" for every muted tone) made more names
    unacceptable than they mended at any weight of 0.2 or more.

    `prototypes[word]` holds OKLab float32 [n, 3]: the colours that captions call by that word, one of `TERMS`.
    """

    prototypes: Mapping[str, F32]
    weight: float = 0.1  # of prototypes that coincide with the colour, in survey votes: enough to break a tie

    def votes(self, oklab: ArrayLike) -> F64:
        """Votes for each of `TERMS`, summing to 1: OKLab [N, 3] -> float64 [N, len(TERMS)]."""
        colors = np.asarray(oklab, dtype=np.float32)
        votes = survey_votes(colors)
        for word, points in self.prototypes.items():
            distance = np.linalg.norm((points[None] - colors[:, None]) * _AXES, axis=2)
            # The mean over prototypes would punish words used for many shades; the sum saturates instead.
            votes[:, TERMS.index(word)] += self.weight * np.tanh(np.exp(-0.5 * (distance / _KERNEL) ** 2).sum(axis=1))
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    def rank(self, oklab: ArrayLike) -> list[tuple[str, float]]:
        """Every term with its share of the votes for one OKLab colour [3], best first."""
        votes = self.votes(np.asarray(oklab, dtype=np.float32)[None])[0]
        return [(TERMS[i], float(votes[i])) for i in np.argsort(-votes, kind="stable")]


def acceptable(votes: F64, *, accept: float = ACCEPT) -> tuple[str, ...]:
    """Acceptable words for a colour, best first.

    Those with at least `accept` times the best one's votes [TERMS], and the further terms that the survey says here at
    least `TELLING` times as often as over all colours: most names of navy blues are "some blue", and yet nobody is
    wrong to call them navy.
    """
    fair = votes >= accept * votes.max()
    further = np.arange(len(TERMS)) >= len(BASIC_TERMS)
    fair |= further & (votes >= TELLING * _survey()[1].mean(axis=0))
    return tuple(TERMS[i] for i in np.argsort(-votes, kind="stable") if fair[i])
