"""Copies and variations under render noise: how many copies are found, how many variations are taken for copies.

Every original is rendered as a diffusion model would (colour jitter of each cell, a cast of the whole picture, soft
edges, sensor noise; a third moved by up to a cell, a quarter mirrored), and so are three variations of it: two touching
cells in another colour, three in a row, and a new background. At three noise levels; real candidates lie at about 0.5.

`python benchmarks/copies_and_variations.py [FOLDER]`: a folder of 24x24 originals; without one, the drawn sample set.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from graftset.drawn import draw_original, plan_sample_set
from graftset.imageio import read_rgb
from graftset.pixels.background import read_background
from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import ciede2000
from graftset.pixels.grid import find_axis, from_native, sample_cells, step_profiles, to_native
from graftset.pixels.similarity import KIN, NativeIndex

U8 = NDArray[np.uint8]

SIZE = 512  # px
LEVELS = (0.5, 1.0, 1.5)
VISIBLE = 10.0  # CIEDE2000 an accessory differs by at least: less is not there to be seen


def rendered(native: U8, level: float, rng: np.random.Generator) -> U8:
    """What is read back from a noisy render of a native picture."""
    painted = native + rng.normal(0, 2.5 * level, native.shape) + rng.normal(0, 3 * level, 3)
    large = from_native(np.clip(painted, 0, 255).astype(np.uint8), SIZE, SIZE).astype(np.float64)
    large = gaussian_filter(large, (0.8 * level, 0.8 * level, 0)) + rng.normal(0, 3 * level, large.shape)
    stored = np.clip(large, 0, 255).astype(np.uint8)
    height, width = native.shape[:2]
    across, down = step_profiles(stored)
    x, y = find_axis(across, expected=width), find_axis(down, expected=height)
    if x is None or y is None:
        raise RuntimeError("no grid in a rendered original")
    return to_native(sample_cells(stored, x, y))


def accessory(native: U8, figure: NDArray[np.bool_], cells: int, rng: np.random.Generator) -> U8 | None:
    """A few touching cells of the figure in one other colour; None where the colour is too close to be seen."""
    rows, columns = np.nonzero(figure)
    place = int(rng.integers(len(rows)))
    y, x = int(rows[place]), min(int(columns[place]), native.shape[1] - cells)
    varied = native.copy()
    varied[y, x : x + cells] = rng.integers(0, 256, 3)
    difference = ciede2000(srgb_to_cielab(varied[y]), srgb_to_cielab(native[y]))[x : x + cells]
    return varied if difference.min() >= VISIBLE else None


def new_background(native: U8, figure: NDArray[np.bool_], rng: np.random.Generator) -> U8:
    """The figure on a flat background of any colour."""
    varied = native.copy()
    varied[~figure] = rng.integers(0, 256, 3)
    return varied


def main() -> None:
    if len(sys.argv) > 1:
        natives = [read_rgb(path).rgb for path in sorted(Path(sys.argv[1]).glob("*.png"))]
    else:
        truth = plan_sample_set(style="classic", seed=0, originals=203, candidates=1)
        natives = [draw_original(original.spec, "classic") for original in truth.originals]
    figures = [~read_background(native).mask for native in natives]
    index = NativeIndex(natives, figures)
    alike = [index.nearest(native, skip=i) for i, native in enumerate(natives)]
    print(f"{len(natives)} originals, {sum(m is not None and m.is_copy for m in alike)} called copies of one another")
    print("level   copies found  right   2 cells: copy/source   3 cells: likewise   new background: likewise")
    for level in LEVELS:
        rng = np.random.default_rng(1)
        found = right = 0
        for i, native in enumerate(natives):
            moved = native[:, ::-1] if i % 4 == 0 else native
            if i % 3 == 0:
                moved = np.roll(moved, tuple(rng.integers(-1, 2, 2)), axis=(0, 1))
            match = index.nearest(rendered(moved, level, rng))
            if match is not None and match.is_copy:
                found += 1
                right += match.index == i
        rows = [f"{level:5} {found:7}/{len(natives)} {right:8}"]
        makers: tuple[Callable[[U8, NDArray[np.bool_]], U8 | None], ...] = (
            lambda n, f, rng=rng: accessory(n, f, 2, rng),  # type: ignore[misc]
            lambda n, f, rng=rng: accessory(n, f, 3, rng),  # type: ignore[misc]
            lambda n, f, rng=rng: new_background(n, f, rng),  # type: ignore[misc]
        )
        for make in makers:
            copies = sources = total = 0
            for i, native in enumerate(natives):
                varied = make(native, figures[i])
                if varied is None:
                    continue
                match = index.nearest(rendered(varied, level, rng))
                total += 1
                copies += match is not None and match.is_copy
                sources += match is not None and match.agreement >= KIN and match.index == i
            rows.append(f"{copies:5} / {sources:3} of {total:3}")
        print("   ".join(rows))


if __name__ == "__main__":
    main()
