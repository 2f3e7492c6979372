"""Deals the originals: unrelated people, and a few near-twins who differ from one of them in a single layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from graftset.drawn import shares
from graftset.drawn.palette import (
    BACKGROUND,
    CLOTHES,
    EYES,
    FRAMES,
    HAIR,
    METAL,
    SKIN,
    clearly_differs,
    rgb_of,
    sample_tint,
)
from graftset.drawn.shares import deal
from graftset.drawn.specs import (
    Backdrop,
    FacialHair,
    Figure,
    Garment,
    Layer,
    Layout,
    Mouth,
    PortraitSpec,
    Style,
    Wear,
)
from graftset.records import BackgroundKind

KIND: dict[Layout, BackgroundKind] = {
    "solid": "solid",
    "horizontal": "gradient",
    "vertical": "gradient",
    "radial": "gradient",
    "split": "split",
    "checker": "pattern",
    "stripes": "pattern",
}
TWIN_CHANGES: tuple[Layer, ...] = ("headwear", "eyewear", "earring", "necklace")
OTHER_LAYOUTS: dict[Layout, float] = {"solid": 85, "vertical": 5, "split": 5, "checker": 5}  # of changed backgrounds
CLASH = 70.0  # distance in RGB below which hair or skin would be lost against the background


@dataclass(frozen=True, slots=True)
class Member:
    """One portrait of the cast; `twin_of` is the index of the member it repeats but for `twin_change`."""

    spec: PortraitSpec
    twin_of: int | None = None
    twin_change: Layer | None = None


class _Cards(NamedTuple):
    """What one person was dealt."""

    headwear: str | None
    hair: str
    eyewear: str | None
    earring: str | None
    necklace: str | None
    facial_hair: FacialHair | None
    hair_color: str
    skin: str
    eyes: str
    mouth: Mouth
    garment: str
    garment_color: str
    layout: Layout
    background: str


def deal_cast(style: Style, count: int, rng: np.random.Generator) -> list[Member]:
    """The specs of `count` originals, near-twins included, in a mixed order."""
    twins = round(count * shares.TWIN_SHARE)
    people = deal_people(style, count - twins, rng)
    members = [Member(spec) for spec in people]
    for index in rng.permutation(len(people))[:twins]:
        spec, change = _twin(people[index], style, rng)
        members.append(Member(spec, twin_of=int(index), twin_change=change))
    order = [int(i) for i in rng.permutation(len(members))]
    place = {old: new for new, old in enumerate(order)}
    mixed = [members[i] for i in order]
    return [m if m.twin_of is None else replace(m, twin_of=place[m.twin_of]) for m in mixed]


def deal_people(style: Style, count: int, rng: np.random.Generator) -> list[PortraitSpec]:
    """Unrelated portraits in a mixed order, nobody lost against their background."""
    ladies = round(count * shares.LADY_SHARE)
    people = [*_group("lady", style, ladies, rng), *_group("lad", style, count - ladies, rng)]
    return _without_clashes([people[i] for i in rng.permutation(count)])


def varied(spec: PortraitSpec, layer: Layer, style: Style, rng: np.random.Generator) -> PortraitSpec | None:
    """The portrait with one layer clearly changed; None where that cannot be done to it.

    A background or a hair color is exchanged; headwear, eyewear, an earring or a necklace is added where there is none.
    """
    if layer == "backdrop":
        return _with_other_backdrop(spec, style, rng)
    if layer == "hair_tint":
        return None if spec.hair == "bald" else _with_other_hair(spec, style, rng)
    if layer in spec.worn or (layer == "headwear" and not can_take_headwear(spec)):
        return None
    terms = _terms(spec, layer)
    wear = wear_of(terms[int(rng.integers(len(terms)))], style, rng, unlike=spec.hair_tint.word)
    if layer == "headwear":
        return replace(spec, headwear=wear)
    if layer == "eyewear":
        return replace(spec, eyewear=wear)
    if layer == "earring":
        return replace(spec, earring=wear)
    return replace(spec, necklace=wear)


def can_take_headwear(spec: PortraitSpec) -> bool:
    """Whether the head is bare and the hair fits under a hat."""
    return spec.headwear is None and spec.hair in shares.HAIR_UNDER_HEADWEAR[spec.figure]


def backdrop_of(layout: Layout, word: str, style: Style, rng: np.random.Generator) -> Backdrop:
    """A background of a layout that starts with the color `word`."""
    first = sample_tint(BACKGROUND[style], word, rng)
    if layout == "solid":
        return Backdrop("solid", layout, (first,))
    second = sample_tint(BACKGROUND[style], shares.SECOND_COLOR[word], rng)
    return Backdrop(KIND[layout], layout, (first, second))


def wear_of(term: str, style: Style, rng: np.random.Generator, *, unlike: str) -> Wear:
    """Something to wear in a color it comes in; `unlike` is a color word it would be lost against."""
    words: Mapping[str, tuple[str, ...]] = CLOTHES[style]
    if term in ("earring", "necklace", "crown"):
        words = METAL
    elif term in ("glasses", "sunglasses"):
        words = FRAMES
    fitting = [word for word in words if clearly_differs(word, unlike)]
    return Wear(term, sample_tint(words, fitting[int(rng.integers(len(fitting)))], rng))


def clashes(spec: PortraitSpec) -> bool:
    """Whether hair or skin would be lost against the background."""
    seen = [rgb_of(spec.skin)] if spec.hair == "bald" else [rgb_of(spec.skin), rgb_of(spec.hair_tint)]
    return any(bool(np.linalg.norm(rgb_of(tint) - color) < CLASH) for tint in spec.backdrop.tints for color in seen)


def _group(figure: Figure, style: Style, count: int, rng: np.random.Generator) -> list[PortraitSpec]:
    """`count` ladies or lads, every slot from its own deck."""
    headwear = deal(shares.HEADWEAR[figure], count, rng)
    hands = zip(
        headwear,
        _hair_styles(figure, headwear, rng),
        deal(shares.EYEWEAR, count, rng),
        deal(shares.EARRING[figure], count, rng),
        deal(shares.NECKLACE[figure], count, rng),
        deal(shares.FACIAL_HAIR[figure], count, rng),
        deal(shares.HAIR_COLOR, count, rng),
        deal(shares.SKIN_TONE, count, rng),
        deal(shares.EYE_COLOR, count, rng),
        deal(shares.MOUTH, count, rng),
        deal(shares.GARMENT, count, rng),
        deal(dict.fromkeys(CLOTHES[style], 1.0), count, rng),
        deal(shares.LAYOUT, count, rng),
        deal(shares.BACKGROUND_COLOR, count, rng),
        strict=True,
    )
    return [_person(figure, _Cards(*hand), style, rng) for hand in hands]


def _hair_styles(figure: Figure, headwear: Sequence[str | None], rng: np.random.Generator) -> list[str]:
    """A hair style for each person that fits what is on the head."""
    bare = headwear.count(None)
    free = iter(deal(shares.HAIR[figure], bare, rng))
    covered = iter(deal(shares.HAIR_UNDER_HEADWEAR[figure], len(headwear) - bare, rng))
    return [next(free) if term is None else next(covered) for term in headwear]


def _person(figure: Figure, cards: _Cards, style: Style, rng: np.random.Generator) -> PortraitSpec:
    """One portrait from the cards dealt to it; colors are sampled here."""

    def worn(term: str | None) -> Wear | None:
        return None if term is None else wear_of(term, style, rng, unlike=cards.hair_color)

    shirt = "gray" if cards.garment_color == "white" else "white"
    return PortraitSpec(
        figure=figure,
        skin=sample_tint(SKIN[style], cards.skin, rng),
        hair=cards.hair,
        hair_tint=sample_tint(HAIR[style], cards.hair_color, rng),
        eyes=sample_tint(EYES, cards.eyes, rng),
        mouth=cards.mouth,
        garment=Garment(
            cards.garment,
            sample_tint(CLOTHES[style], cards.garment_color, rng),
            sample_tint(CLOTHES[style], shirt, rng),
        ),
        backdrop=backdrop_of(cards.layout, cards.background, style, rng),
        headwear=worn(cards.headwear),
        eyewear=worn(cards.eyewear),
        earring=worn(cards.earring),
        necklace=worn(cards.necklace),
        facial_hair=cards.facial_hair,
        texture=int(rng.integers(2**31)),
        wording=int(rng.integers(2**31)),
    )


def _without_clashes(people: Sequence[PortraitSpec]) -> list[PortraitSpec]:
    """Swaps backgrounds between portraits where that leaves both visible; what cannot be mended stays."""
    mended = list(people)
    for i, spec in enumerate(mended):
        if not clashes(spec):
            continue
        for j, other in enumerate(mended):
            mine, theirs = replace(spec, backdrop=other.backdrop), replace(other, backdrop=spec.backdrop)
            if j != i and not clashes(mine) and not clashes(theirs):
                mended[i], mended[j] = mine, theirs
                break
    return mended


def _twin(spec: PortraitSpec, style: Style, rng: np.random.Generator) -> tuple[PortraitSpec, Layer]:
    """The same person with one accessory more or, half of the time, another background; and which."""
    if rng.random() < 0.5:
        for index in rng.permutation(len(TWIN_CHANGES)):
            twin = varied(spec, TWIN_CHANGES[index], style, rng)
            if twin is not None:
                return twin, TWIN_CHANGES[index]
    return _with_other_backdrop(spec, style, rng), "backdrop"


def _terms(spec: PortraitSpec, layer: Layer) -> list[str]:
    """What this person could put on as headwear, eyewear, earring or necklace."""
    if layer == "headwear":
        terms = [term for term in shares.HEADWEAR[spec.figure] if term is not None]
        return [term for term in terms if not (term == "bow" and spec.hair == "bald")]
    return ["glasses", "sunglasses"] if layer == "eyewear" else [layer]


def _with_other_backdrop(spec: PortraitSpec, style: Style, rng: np.random.Generator) -> PortraitSpec:
    old = [tint.word for tint in spec.backdrop.tints]
    words = [word for word in BACKGROUND[style] if all(clearly_differs(word, other) for other in old)]
    layout = deal(OTHER_LAYOUTS, 100, rng)[0]
    options = [replace(spec, backdrop=backdrop_of(layout, words[i], style, rng)) for i in rng.permutation(len(words))]
    return next((option for option in options if not clashes(option)), options[0])


def _with_other_hair(spec: PortraitSpec, style: Style, rng: np.random.Generator) -> PortraitSpec:
    words = [word for word in HAIR[style] if clearly_differs(word, spec.hair_tint.word)]
    options = [replace(spec, hair_tint=sample_tint(HAIR[style], words[i], rng)) for i in rng.permutation(len(words))]
    return next((option for option in options if not clashes(option)), options[0])
