"""Draws one portrait at its native size: background, hair, head, clothes and what is worn, layer over layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.backdrop import draw_backdrop
from graftset.drawn.paints import VIOLET, Paints, face_paints, hair_paints, trim_of, worn_paints
from graftset.drawn.specs import NATIVE, PortraitSpec, Style
from graftset.drawn.sprites import NOTHING, Codes, sprite

LOOSE_SHARE = 0.55  # of the loose hair cells that are there
BEHIND = 0.84  # brightness of hair behind the head
# Rows above this one are inside the hat, where no hair is seen.
HAT_LINE: dict[Style, dict[str, int]] = {
    "classic": {"cap": 7, "top hat": 7, "beanie": 7},
    "soft": {"cap": 7, "top hat": 6, "beanie": 6},
}
# Rows and columns of the face in cells as (top, bottom, left, right), ends excluded.
FACE: dict[Style, tuple[int, int, int, int]] = {"classic": (8, 19, 7, 17), "soft": (7, 19, 6, 18)}


def draw_original(spec: PortraitSpec, style: Style = "classic") -> NDArray[np.uint8]:
    """The portrait a spec describes, as uint8 [24, 24, 3] sRGB. The same spec always gives the same picture."""
    backdrop = draw_backdrop(spec.backdrop)
    canvas = backdrop.copy()
    figure = np.zeros((NATIVE, NATIVE), dtype=bool)
    for codes, paints in _layers(spec, style):
        figure |= codes != NOTHING
        for code in np.unique(codes[codes != NOTHING]):
            where, color = codes == code, paints[str(code)]
            canvas[where] = color[where] if color.ndim == 3 else color
    if style == "soft":
        canvas = _outlined(canvas, figure)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _layers(spec: PortraitSpec, style: Style) -> Iterator[tuple[Codes, Paints]]:
    """Sprites with their paints, from back to front."""
    rng = np.random.default_rng(spec.texture)
    loose = rng.random((NATIVE, NATIVE)) < LOOSE_SHARE
    hair = hair_paints(spec, style, rng)
    face = face_paints(spec, style)

    back = {code: color * BEHIND for code, color in hair.items()}
    yield _hair_cells(f"hair.{spec.hair}.back", spec, style, loose), back
    yield sprite(style, f"head.{spec.figure}"), face
    clothes = worn_paints(spec.garment.tint, style, second=spec.garment.second)
    yield sprite(style, f"clothes.{spec.garment.term}"), {**clothes, "s": face["s"]}
    for part in (f"eyes.{spec.figure}", "nose", f"mouth.{spec.mouth}.{spec.figure}"):
        yield sprite(style, part), face
    if spec.facial_hair is not None:
        yield sprite(style, spec.facial_hair), {**face, **hair}
    yield _hair_cells(f"hair.{spec.hair}", spec, style, loose), hair
    for place in ("necklace", "earring", "eyewear", "headwear"):
        wear = spec.worn.get(place)
        if wear is not None:
            name = wear.term if place == wear.term else f"{place}.{wear.term}"
            yield sprite(style, name), worn_paints(wear.tint, style, second=trim_of(wear.tint))


def _hair_cells(name: str, spec: PortraitSpec, style: Style, loose: NDArray[np.bool_]) -> Codes:
    """A hair sprite without what the hat covers and without the loose cells that are not there."""
    codes = sprite(style, name).copy()
    hat_line = 0 if spec.headwear is None else HAT_LINE[style].get(spec.headwear.term, 0)
    codes[:hat_line] = NOTHING
    codes[(codes == "?") & ~loose] = NOTHING
    return codes


def _outlined(canvas: NDArray[np.float64], figure: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The soft style's outline: figure cells that touch the background turn into a darker shade of themselves."""
    padded = np.pad(figure, 1, mode="edge")
    enclosed = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    border = figure & ~enclosed
    return np.where(border[..., None], canvas * 0.58 + VIOLET * 0.08, canvas)
