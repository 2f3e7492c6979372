"""Portraits laid together from invented parts: many kinds of hats, hair, eyewear and beards, most of them rare.

The sample set's dozen accessories are too easy to tell detectors apart. Here every seed invents some ninety parts of
its own: random shapes at the places where such things are worn, in few colors that many of them share, drawn narrower
and lower for ladies, hidden where another part lies over them. Of 203 portraits only a third of the parts are on eight
or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIDE = 24  # cells
TONES = ((234, 217, 217), (219, 177, 128), (174, 139, 97), (113, 63, 29))
TONE_SHARES = (0.16, 0.3, 0.3, 0.24)
INK = (0, 0, 0)
COLORS = (
    (0, 0, 0), (28, 26, 20), (82, 62, 32), (166, 110, 44), (226, 91, 38), (230, 222, 48), (255, 245, 120),
    (213, 213, 213), (88, 88, 88), (60, 90, 200), (26, 67, 200), (190, 30, 40), (140, 60, 150), (40, 130, 60),
    (230, 140, 190), (255, 255, 255),
)  # fmt: skip
BACKGROUNDS = ((99, 133, 150), (150, 120, 99), (120, 150, 110), (170, 160, 190))


@dataclass(frozen=True)
class Region:
    """Where parts of one kind are worn. Rows and columns are cells of a lad's picture, inclusive and exclusive."""

    name: str
    kinds: int  # how many parts are invented
    worn: float  # share of portraits that wear one of them
    rows: tuple[int, int]
    columns: tuple[int, int]
    cells: tuple[int, int]  # least and most cells of a part
    lads_only: bool = False


# Later regions lie over earlier ones.
REGIONS = (
    Region("marks", 3, 0.2, (12, 16), (8, 16), (1, 2)),
    Region("lips", 3, 0.2, (17, 18), (10, 14), (3, 4)),
    Region("lids", 3, 0.2, (10, 11), (8, 15), (3, 5)),
    Region("beard", 12, 0.5, (15, 21), (7, 16), (5, 20), True),
    Region("ear", 1, 0.25, (13, 15), (6, 8), (1, 2)),
    Region("neck", 2, 0.12, (21, 23), (8, 15), (5, 8)),
    Region("head", 40, 0.95, (1, 11), (5, 19), (12, 50)),
    Region("eyes", 14, 0.4, (10, 14), (6, 17), (5, 16)),
    Region("mouth", 5, 0.25, (16, 20), (13, 20), (4, 9)),
)


@dataclass(frozen=True)
class Part:
    """One invented part: which cells it covers and in which colors, for a lad."""

    term: str
    region: Region
    cells: Mask  # [24, 24]
    colors: U8  # [24, 24, 3]
    weight: float


@dataclass(frozen=True)
class Layered:
    """Portraits with what they wear."""

    natives: U8  # [N, 24, 24, 3]
    worn: dict[str, Mask]  # term -> [N]

    def split(self, count: int) -> tuple[Layered, Layered]:
        """The first `count` portraits and the others."""
        return self._of(slice(count)), self._of(slice(count, None))

    def _of(self, rows: slice) -> Layered:
        return Layered(self.natives[rows], {term: mask[rows] for term, mask in self.worn.items()})


def draw_layered(count: int, seed: int) -> Layered:
    """`count` portraits from the parts that `seed` invents."""
    rng = np.random.default_rng(seed)
    parts = [part for region in REGIONS for part in _invent(region, rng)]
    natives = np.empty((count, SIDE, SIDE, 3), dtype=np.uint8)
    worn = {part.term: np.zeros(count, dtype=bool) for part in parts}
    worn["lady"] = np.zeros(count, dtype=bool)
    for tone in range(len(TONES)):
        worn[f"tone {tone}"] = np.zeros(count, dtype=bool)
    for i in range(count):
        lady = bool(rng.random() < 0.4)
        tone = int(rng.choice(len(TONES), p=TONE_SHARES))
        picture = _face(lady, TONES[tone], BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))])
        worn["lady"][i], worn[f"tone {tone}"][i] = lady, True
        for region in REGIONS:
            if (region.lads_only and lady) or rng.random() >= region.worn:
                continue
            own = [part for part in parts if part.region is region]
            weights = np.array([part.weight for part in own])
            part = own[int(rng.choice(len(own), p=weights / weights.sum()))]
            _wear(picture, part, lady)
            worn[part.term][i] = True
        natives[i] = picture
    return Layered(natives, worn)


def _invent(region: Region, rng: np.random.Generator) -> list[Part]:
    """The parts of a region, the first ones a few times as frequent as the last."""
    shapes = [_shape(region, rng)]
    while len(shapes) < region.kinds:
        # Every other part is a relative of the one before, as one cap is of another.
        shapes.append(_relative(shapes[-1], region, rng) if len(shapes) % 2 else _shape(region, rng))
    return [Part(f"{region.name} {i}", region, *shape, 1 / (1 + 0.15 * i)) for i, shape in enumerate(shapes)]


def _relative(shape: tuple[Mask, U8], region: Region, rng: np.random.Generator) -> tuple[Mask, U8]:
    """The same with some cells gone, and a quarter of the rest in another color."""
    cells = shape[0] & (rng.random(shape[0].shape) < 0.85)
    if not cells.any():
        return _shape(region, rng)
    colors = shape[1].copy()
    colors[rng.random(cells.shape) < 0.25] = COLORS[int(rng.integers(len(COLORS)))]
    return cells, colors


def _shape(region: Region, rng: np.random.Generator) -> tuple[Mask, U8]:
    """A connected shape grown at random inside the region, mirrored where it is large, in one to three colors."""
    (top, bottom), (left, right) = region.rows, region.columns
    wanted = int(rng.integers(region.cells[0], region.cells[1] + 1))
    cells = np.zeros((SIDE, SIDE), dtype=bool)
    y, x = int(rng.integers(top, bottom)), int(rng.integers(left, right))
    for _ in range(40 * wanted):
        cells[y, x] = True
        if wanted > 9:
            cells[y, left + right - 1 - x] = True
        if cells.sum() >= wanted:
            break
        dy, dx = ((0, 1), (0, -1), (1, 0), (-1, 0))[int(rng.integers(4))]
        y, x = int(np.clip(y + dy, top, bottom - 1)), int(np.clip(x + dx, left, right - 1))
    palette = np.array(COLORS, dtype=np.uint8)[rng.choice(len(COLORS), int(rng.integers(1, 4)))]
    colors = palette[rng.choice(len(palette), (SIDE, SIDE), p=_falling(len(palette)))]
    return cells, colors


def _falling(count: int) -> NDArray[np.float64]:
    weights = 1.0 / np.arange(1, count + 1) ** 2
    return np.asarray(weights / weights.sum())


def _face(lady: bool, tone: Sequence[int], behind: Sequence[int]) -> U8:
    """Head, neck, eyes and mouth without anything worn."""
    picture = np.empty((SIDE, SIDE, 3), dtype=np.uint8)
    picture[:] = behind
    inset = int(lady)
    top, left, right = 6 + 2 * inset, 7 + inset, 17 - inset
    picture[top - 1 : 20, left - 1 : right + 1] = INK
    picture[top:19, left:right] = tone
    picture[19:, left : right - 3] = tone
    picture[19:, [left - 1, right - 3]] = INK
    shade = (np.array(tone) * 0.75).astype(np.uint8)
    for x in (left + 2, right - 3):
        picture[11, x : x + 2] = shade
        picture[12, x : x + 2] = INK
    picture[15, 12] = shade
    picture[17, 10:14] = (np.array((200, 90, 90)) * 0.9).astype(np.uint8) if lady else INK
    return picture


def _wear(picture: U8, part: Part, lady: bool) -> None:
    """Lay a part over a picture; on the narrower head of a lady it sits lower and loses its outer columns."""
    cells, colors = part.cells.copy(), part.colors
    if lady:
        if part.region.name == "head":
            cells, colors = np.roll(cells, 2, axis=0), np.roll(colors, 2, axis=0)
        cells[:, :7] &= part.region.name == "head"
        cells[:, 17:] = False
    picture[cells] = colors[cells]
