"""Writes a portrait's caption: comma parts between a fixed head and tail, each slot in one of a few wordings.

The wording of a slot depends only on the portrait's `wording` seed and the slot, so that changing one layer of a
portrait changes that part of its caption and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftset.drawn.specs import Backdrop, PortraitSpec, Style

STYLE_WORD: dict[Style, str] = {"classic": "inkline", "soft": "softglow"}
HEAD = "pixel art, 24x24, portrait of {style} punk {figure}"
TAIL = "crisp square pixels, clean cell borders"

HAIR_WORDINGS: dict[str, tuple[str, ...]] = {
    "short": ("short {color} hair", "{color} hair cut short", "{color} short cropped hair"),
    "side part": ("side parted {color} hair", "{color} side swept hair", "{color} hair combed to one side"),
    "curly": ("curly {color} hair", "{color} curly hair with a lot of volume", "{color} hair in dense curls"),
    "bob": ("{color} bob hair", "{color} hair in a bob cut", "chin length {color} bob hair"),
    "long": ("long straight {color} hair", "{color} long sleek hair", "{color} straight hair down past the shoulders"),
    "wavy": ("wavy {color} hair", "long wavy {color} hair", "{color} hair in loose waves"),
    "mohawk": ("{color} mohawk hair", "{color} hair in a mohawk"),
    "bald": ("bald", "bald head"),
    "bun": ("{color} hair in a bun", "{color} bun hair", "{color} hair tied up in a top bun"),
    "afro": ("{color} afro hair", "big round {color} afro hair"),
    "ponytail": ("{color} ponytail hair", "{color} hair in a ponytail", "{color} hair tied back in a ponytail"),
}
WORN_WORDINGS: dict[str, tuple[str, ...]] = {
    "cap": ("wearing {color} cap", "wearing a {color} cap with a patch on the front"),
    "top hat": ("wearing {color} top hat", "wearing a tall {color} top hat"),
    "beanie": ("wearing {color} beanie", "wearing a knitted {color} beanie"),
    "crown": ("wearing {color} crown", "wearing a {color} crown with jewels"),
    "bow": ("wearing {color} bow", "wearing a big {color} bow on top"),
    "headband": ("wearing {color} headband", "wearing a wide {color} headband"),
    "glasses": ("wearing {color} glasses", "wearing {color} rimmed glasses"),
    "sunglasses": ("wearing {color} sunglasses", "wearing {color} sunglasses with dark lenses"),
    "earring": ("wearing {color} earring", "wearing small {color} earring"),
    "necklace": ("wearing {color} necklace", "wearing a {color} necklace with a pendant"),
}
FACIAL_HAIR_WORDINGS = {"stubble": ("wearing stubble", "stubble"), "beard": ("wearing a full beard", "beard")}
EYES_WORDINGS = ("{color} eyes", "bright {color} eyes", "{color} eyes looking ahead")
MOUTH_WORDINGS = {"neutral": "lips, neutral expression", "smile": "lips, slight smile"}
SKIN_WORDINGS = ("{color} skin", "{color} skin tone")
BACKGROUND_WORDINGS: dict[str, tuple[str, ...]] = {
    "solid": (
        "{first} background",
        "{first} background",
        "solid {first} background",
        "plain {first} background",
        "solid background",
    ),
    "gradient": (
        "{first} to {second} gradient background",
        "{first} and {second} gradient background",
        "gradient background",
    ),
    "split": ("{first} and {second} split background", "split {first} and {second} background", "split background"),
    "checker": ("{first} and {second} checkered background",),
    "stripes": ("{first} and {second} striped background", "{first} and {second} pinstripe background"),
}  # fmt: skip
GARMENT_WORDINGS: dict[str, tuple[str, ...]] = {
    "t-shirt": ("{color} t-shirt", "wearing a {color} t-shirt"),
    "collared shirt": ("{color} collared shirt", "{color} shirt with a {second} collar"),
    "hoodie": ("{color} hoodie", "wearing a {color} hoodie"),
    "suit": ("{color} suit with {second} shirt", "wearing {color} suit"),
    "turtleneck": ("{color} turtleneck", "wearing {color} turtleneck sweater"),
    "tank top": ("{color} tank top", "wearing a {color} tank top"),
}
SLOTS = ("hair", "headwear", "eyewear", "earring", "necklace", "facial hair", "eyes", "skin", "background", "garment")


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption and what it claims, by slot."""

    text: str
    claims: dict[str, str]


def describe(spec: PortraitSpec, style: Style, *, name_background: bool = False) -> Caption:
    """The caption of a portrait, true in every part.

    Args:
        spec: The portrait.
        style: Its style, named in the head of the caption.
        name_background: Say the background's color even where the portrait's wording is just "solid background".
    """
    choose = _Wordings(spec.wording)
    claims: dict[str, str] = {"figure": spec.figure}
    parts = [HEAD.format(style=STYLE_WORD[style], figure=spec.figure)]

    parts.append(choose("hair", HAIR_WORDINGS[spec.hair]).format(color=spec.hair_tint.word))
    claims["hair_style"] = spec.hair
    if spec.hair != "bald":
        claims["hair"] = spec.hair_tint.word
    for slot, wear in spec.worn.items():
        parts.append(choose(slot, WORN_WORDINGS[wear.term]).format(color=wear.tint.word))
        claims[f"accessory:{wear.term}"] = "present"
    if spec.facial_hair is not None:
        parts.append(choose("facial hair", FACIAL_HAIR_WORDINGS[spec.facial_hair]))
        claims[f"accessory:{spec.facial_hair}"] = "present"
    if spec.eyewear is None or spec.eyewear.term != "sunglasses":
        parts.append(choose("eyes", EYES_WORDINGS).format(color=spec.eyes.word))
        claims["eyes"] = spec.eyes.word
    parts.append(MOUTH_WORDINGS[spec.mouth])
    parts.append(choose("skin", SKIN_WORDINGS).format(color=spec.skin.word))
    claims["skin"] = spec.skin.word

    background, named = _background_part(spec.backdrop, choose, name_background)
    parts.append(background)
    claims["background_kind"] = spec.backdrop.kind
    if named:
        claims["background"] = ", ".join(tint.word for tint in spec.backdrop.tints)
    garment = spec.garment
    parts.append(
        choose("garment", GARMENT_WORDINGS[garment.term]).format(color=garment.tint.word, second=garment.second.word)
    )
    claims["garment"] = garment.term
    return Caption(", ".join([*parts, TAIL]), claims)


def _background_part(backdrop: Backdrop, choose: _Wordings, must_name: bool) -> tuple[str, bool]:
    """The background's part of the caption, and whether it names colors."""
    key = "gradient" if backdrop.kind == "gradient" else backdrop.layout
    wording = choose("background", BACKGROUND_WORDINGS[key])
    if must_name and "{first}" not in wording:
        wording = BACKGROUND_WORDINGS[key][0]
    text = wording.format(first=backdrop.tints[0].word, second=backdrop.tints[-1].word)
    return text, "{first}" in wording


class _Wordings:
    """Picks wordings by seed and slot."""

    def __init__(self, seed: int) -> None:
        self._picks = dict(zip(SLOTS, np.random.default_rng(seed).random(len(SLOTS)), strict=True))

    def __call__(self, slot: str, wordings: tuple[str, ...]) -> str:
        return wordings[int(self._picks[slot] * len(wordings))]
