"""The layers of both styles, cell by cell.

Each sprite is text, one line per row that holds anything: `<row number, two digits> <cells from the left edge>`. The
codes:

    .  nothing            o  outline              s l k  skin: base, light, shade     r  cheek
    #  hair               ?  a loose hair cell, there or not by the portrait's texture
    c C d  first color: base, light, dark         w W  second color: base, dark
    i  iris   p  pupil    e  white, glint         b  brow   m M  lips: base, dark     g  dark lens
    +  beard              =  stubble
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.specs import NATIVE, Style
from graftset.drawn.sprites import classic, classic_hair, soft, soft_hair

Codes = NDArray[np.str_]  # [24, 24], the code of each cell

NOTHING = "."
SPRITES: dict[Style, dict[str, str]] = {
    "classic": {**classic.SPRITES, **classic_hair.HAIR},
    "soft": {**soft.SPRITES, **soft_hair.HAIR},
}


@cache
def sprite(style: Style, name: str) -> Codes:
    """The cells of a sprite; all empty where the style draws nothing under that name."""
    codes = np.full((NATIVE, NATIVE), NOTHING, dtype="<U1")
    for line in SPRITES[style].get(name, "").strip("\n").splitlines():
        row, cells = int(line[:2]), line[3:]
        codes[row, : len(cells)] = list(cells)
    codes.flags.writeable = False
    return codes
