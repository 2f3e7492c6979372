"""Invents the candidates' pictures: what each shows, what was asked for, and which fault it carries.

Render faults come one to an image, so that what a measure says of one fault is not about another. "wrong_background"
means that the prompt names a background the picture does not have; a copy whose prompt asked for a new background has
that fault too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.cast import backdrop_of, can_take_headwear, clashes, deal_people, varied
from graftset.drawn.palette import clearly_differs
from graftset.drawn.portrait import draw_original
from graftset.drawn.shares import deal
from graftset.drawn.specs import Fault, Layer, OriginalTruth, PortraitSpec, Style

FAULT_SHARES: dict[Fault | None, float] = {
    None: 115, "wrong_background": 40, "off_grid": 8, "blur": 8, "texture_noise": 8, "melted_face": 8, "copy": 8,
    "repeat": 8,
}  # fmt: skip
NEW_COMBINATION: tuple[Layer, ...] = ()
CHANGE_SHARES: dict[tuple[Layer, ...], float] = {
    ("backdrop",): 34,
    ("headwear",): 16,
    ("eyewear",): 8,
    ("earring",): 4,
    ("necklace",): 4,
    ("hair_tint",): 14,
    ("hair_tint", "backdrop"): 5,
    ("headwear", "backdrop"): 5,
    NEW_COMBINATION: 10,
}
ADDITIONS: tuple[Layer, ...] = ("headwear", "eyewear", "earring", "necklace")
COPY_ASKS: dict[tuple[Layer, ...], float] = {(): 50, ("backdrop",): 25, ("headwear",): 25}
TWIN_COPIES = 2  # copies made of originals that have a near-twin
SHOWN_INSTEAD = {
    "gray": 8, "tan": 2, "teal": 2, "brown": 2, "green": 2, "blue": 2, "orange": 1, "pink": 1, "purple": 1, "red": 1,
    "yellow": 1,
}  # fmt: skip
VISIBLE_LEVELS = 24  # difference in some channel from which a cell counts as visibly changed
VISIBLE_CELLS = 2  # such cells that make two pictures different
ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate without name and text. `source` and `repeat_of` are indices of originals and of drafts."""

    shown: PortraitSpec
    asked: PortraitSpec
    source: int | None
    faults: tuple[Fault, ...] = ()
    repeat_of: int | None = None


def invent(originals: Sequence[OriginalTruth], style: Style, count: int, rng: np.random.Generator) -> list[Draft]:
    """Drafts of `count` candidates in a mixed order.

    Every candidate that is not meant as a copy or a repeat differs visibly from every original and from every other
    candidate.
    """
    faults = deal(FAULT_SHARES, count, rng)
    changes = deal(CHANGE_SHARES, count, rng)
    sources = _matched(_sources(originals, faults, rng), originals, faults, changes)
    copy_asks = iter(deal(COPY_ASKS, faults.count("copy"), rng))
    strangers = iter(deal_people(style, changes.count(NEW_COMBINATION), rng))
    pictures = _Pictures([draw_original(original.spec, style) for original in originals])

    drafts: list[Draft | None] = []
    for fault, change, source in zip(faults, changes, sources, strict=True):
        if fault == "repeat":
            drafts.append(None)
        elif fault == "copy":
            drafts.append(_copy(originals[source].spec, source, next(copy_asks), style, rng))
        else:
            start = (
                _Start(next(strangers), None) if change == NEW_COMBINATION else _Start(originals[source].spec, source)
            )
            drafts.append(_variation(start, change, fault, style, rng, pictures))
    return _with_repeats(drafts, rng)


class _Pictures:
    """The pictures made so far, to tell whether a new one is visibly new."""

    def __init__(self, natives: list[NDArray[np.uint8]]) -> None:
        self._planes = [self._split(native) for native in natives]

    def add_if_new(self, native: NDArray[np.uint8]) -> bool:
        """Remember a picture and answer True, or answer False where it looks like one that is there already."""
        planes = self._split(native)
        differs = np.abs(np.stack(self._planes) - planes) >= VISIBLE_LEVELS
        changed_cells = np.count_nonzero(differs[:, 0] | differs[:, 1] | differs[:, 2], axis=-1)
        if changed_cells.min() < VISIBLE_CELLS:
            return False
        self._planes.append(planes)
        return True

    @staticmethod
    def _split(native: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Channels apart and cells in one row, int16 [3, h * w]: three times as fast to compare."""
        return np.moveaxis(native, -1, 0).reshape(3, -1).astype(np.int16)


@dataclass(frozen=True, slots=True)
class _Start:
    """What a variation starts from: an original, or a stranger without a source."""

    spec: PortraitSpec
    source: int | None


def _sources(originals: Sequence[OriginalTruth], faults: Sequence[Fault | None], rng: np.random.Generator) -> list[int]:
    """Which original each candidate starts from: all in turn, but near-twins for the first copies."""
    count = len(faults)
    rounds = -(-count // len(originals))
    sources = [int(i) for _ in range(rounds) for i in rng.permutation(len(originals))][:count]
    twins = [i for i, original in enumerate(originals) if original.twin_of is not None]
    copies = [i for i, fault in enumerate(faults) if fault == "copy"]
    for place, twin in zip(copies[:TWIN_COPIES], twins, strict=False):
        sources[place] = twin
    return sources


def _matched(
    sources: Sequence[int],
    originals: Sequence[OriginalTruth],
    faults: Sequence[Fault | None],
    changes: Sequence[tuple[Layer, ...]],
) -> list[int]:
    """The sources exchanged among candidates so that headwear is added to heads that can take it."""
    matched = list(sources)
    needs = ["headwear" in change for change in changes]
    spare = [
        i
        for i in range(len(matched))
        if not needs[i] and faults[i] != "copy" and can_take_headwear(originals[matched[i]].spec)
    ]
    for i, source in enumerate(sources):
        if needs[i] and not can_take_headwear(originals[source].spec) and spare:
            j = spare.pop()
            matched[i], matched[j] = matched[j], matched[i]
    return matched


def _changed(spec: PortraitSpec, change: tuple[Layer, ...], style: Style, rng: np.random.Generator) -> PortraitSpec:
    """The spec with all of `change` applied; what is not possible is replaced by what is."""
    for layer in change:
        fallbacks = (*(ADDITIONS[i] for i in rng.permutation(len(ADDITIONS))), "backdrop")
        options = (varied(spec, possible, style, rng) for possible in (layer, *fallbacks))
        spec = next(option for option in options if option is not None)
    return spec


def _copy(spec: PortraitSpec, source: int, asks: tuple[Layer, ...], style: Style, rng: np.random.Generator) -> Draft:
    """An original once more, whatever the prompt asked for."""
    asked = _changed(spec, asks, style, rng)
    faults: tuple[Fault, ...] = ("copy",) if asked.backdrop == spec.backdrop else ("copy", "wrong_background")
    return Draft(shown=spec, asked=asked, source=source, faults=faults)


def _variation(
    start: _Start,
    change: tuple[Layer, ...],
    fault: Fault | None,
    style: Style,
    rng: np.random.Generator,
    pictures: _Pictures,
) -> Draft:
    """A variation of `start`, or the stranger itself, that looks like nothing made before."""
    for _ in range(ATTEMPTS):
        asked = _changed(start.spec, change, style, rng)
        shown = asked
        if fault == "wrong_background":
            shown = _with_wrong_backdrop(asked, start.spec, style, rng)
        if pictures.add_if_new(draw_original(shown, style)):
            return Draft(shown=shown, asked=asked, source=start.source, faults=() if fault is None else (fault,))
        change = ("backdrop", "hair_tint")  # what was tried is hardly seen on this portrait, or has been done
    raise RuntimeError(f"no visible variation found in {ATTEMPTS} attempts")


def _with_wrong_backdrop(
    asked: PortraitSpec, source: PortraitSpec, style: Style, rng: np.random.Generator
) -> PortraitSpec:
    """The portrait on a solid background that is neither the one asked for nor the one of its source."""
    asked_words = [tint.word for tint in asked.backdrop.tints]
    source_words = [tint.word for tint in source.backdrop.tints]
    words = [
        word
        for word in SHOWN_INSTEAD
        if word not in source_words and all(clearly_differs(word, other) for other in asked_words)
    ]
    weights = np.array([SHOWN_INSTEAD[word] for word in words], dtype=np.float64)
    order = rng.choice(len(words), size=len(words), replace=False, p=weights / weights.sum())
    options = [replace(asked, backdrop=backdrop_of("solid", words[i], style, rng)) for i in order]
    return next((option for option in options if not clashes(option)), options[0])


def _with_repeats(drafts: Sequence[Draft | None], rng: np.random.Generator) -> list[Draft]:
    """Fills the gaps with repeats of faultless drafts."""
    clean = [(i, draft) for i, draft in enumerate(drafts) if draft is not None and not draft.faults]
    chosen = iter(rng.permutation(len(clean)))
    filled = []
    for draft in drafts:
        if draft is not None:
            filled.append(draft)
            continue
        index, again = clean[int(next(chosen))]
        filled.append(replace(again, faults=("repeat",), repeat_of=index))
    return filled
