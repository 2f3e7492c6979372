"""What merging colors mends and what it costs, on pictures whose meant colors are known.

Drawn originals are painted and measured as candidates are; "x2" and "x3" are the same with every cell twice and three
times as far from what was meant. Then merged. Given a folder with `originals/` and `generated/`, its originals are
painted too (their shading steps are an artist's), must come back as they are when they are not, and its candidates are
told one by one. Columns:

colors   distinct colors, median: meant, painted, merged; and the 95th percentile of merged
within 2 share of cells within 2 CIEDE2000 of what was meant: painted, merged
off      mean CIEDE2000 to what was meant: painted, merged
uneven   share of neighbors that were meant to have one color and have two: painted, merged
steps    share of neighbors meant to differ by under 2, 2-4, 4-8 and 8 or more CIEDE2000 that have one color now
details  cells meant to differ from all four neighbors by 10 or more: how many do by less than 5 painted, merged, of all
move     CIEDE2000 from painted to merged: 95th percentile, largest
CPU      ms for one picture
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graftset.drawn import draw_original, plan_sample_set, render
from graftset.imageio import read_rgb
from graftset.measuring import measure_pixels
from graftset.pixels.color import srgb_to_cielab
from graftset.pixels.difference import ciede2000
from graftset.pixels.merging import merge_colors
from graftset.pixels.structure import neighbor_differences

U8 = NDArray[np.uint8]
STEPS = ((0.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, np.inf))


def painted(native: U8, seed: int, **options: object) -> U8:
    """The native picture read from a render of this one."""
    rgb = render(native, rng=np.random.default_rng(seed), **options)  # type: ignore[arg-type]
    read = measure_pixels(rgb, (native.shape[1], native.shape[0]))[1]
    assert read is not None
    return read


def amplified(meant: U8, read: U8, times: int) -> U8:
    """Every cell so many times as far from what was meant."""
    return np.clip(np.rint(meant + times * (read.astype(float) - meant)), 0, 255).astype(np.uint8)


def colors(native: U8) -> int:
    """Distinct colors."""
    return len(np.unique(native.reshape(-1, 3), axis=0))


def least_step(native: U8) -> NDArray[np.float64]:
    """CIEDE2000 of every cell to the nearest of its four neighbors, [h, w]."""
    across, down = neighbor_differences(srgb_to_cielab(native))
    least = np.full(native.shape[:2], np.inf)
    for part, step in ((np.s_[:, 1:], across), (np.s_[:, :-1], across), (np.s_[1:], down), (np.s_[:-1], down)):
        least[part] = np.minimum(least[part], step)
    return least


def steps(native: U8) -> NDArray[np.float64]:
    """CIEDE2000 between all neighbors."""
    return np.concatenate([part.reshape(-1) for part in neighbor_differences(srgb_to_cielab(native))])


def tell(name: str, pairs: Sequence[tuple[U8, U8]]) -> None:
    """One row of figures on pictures as meant and as painted."""
    began = time.process_time()
    merged = [merge_colors(read) for _, read in pairs]
    cost = (time.process_time() - began) / len(pairs) * 1e3
    lab = [tuple(srgb_to_cielab(each) for each in (*pair, done)) for pair, done in zip(pairs, merged, strict=True)]
    off = [np.concatenate([ciede2000(one[0], one[i]).reshape(-1) for one in lab]) for i in (1, 2)]
    move = np.concatenate([ciede2000(one[1], one[2]).reshape(-1) for one in lab])
    meant, before, after = (
        np.concatenate([steps(each) for each in list_])
        for list_ in ([m for m, _ in pairs], [r for _, r in pairs], merged)
    )
    least = [
        np.stack([least_step(each) for each in list_])
        for list_ in ([m for m, _ in pairs], [r for _, r in pairs], merged)
    ]
    detail = least[0] >= 10
    counts = [[colors(each) for each in list_] for list_ in ([m for m, _ in pairs], [r for _, r in pairs], merged)]
    lost = [float((after[(meant > 0) & (meant >= low) & (meant < high)] == 0).mean()) for low, high in STEPS]
    print(
        f"| {name} | {np.median(counts[0]):.0f}, {np.median(counts[1]):.0f}, {np.median(counts[2]):.0f} "
        f"({np.percentile(counts[2], 95):.0f}) | {(off[0] <= 2).mean():.3f}, {(off[1] <= 2).mean():.3f} "
        f"| {off[0].mean():.2f}, {off[1].mean():.2f} "
        f"| {(before[meant == 0] > 0).mean():.3f}, {(after[meant == 0] > 0).mean():.3f} "
        f"| {', '.join(f'{share:.3f}' for share in lost)} "
        f"| {(least[1][detail] < 5).sum()}, {(least[2][detail] < 5).sum()} of {detail.sum()} "
        f"| {np.percentile(move, 95):.1f}, {move.max():.2f} | {cost:.1f} |",
        flush=True,
    )


def tell_all(name: str, meant: Sequence[U8]) -> None:
    """Rows for all noises."""
    read = [painted(native, seed) for seed, native in enumerate(meant)]
    for times in (1, 2, 3):
        tell(f"{name} x{times}", [(m, amplified(m, r, times)) for m, r in zip(meant, read, strict=True)])
    for fault in ("texture_noise", "blur"):
        tell(f"{name} {fault}", [(m, painted(m, seed, fault=fault)) for seed, m in enumerate(meant)])


def main() -> None:
    print("| set | colors | within 2 | off | uneven | steps | details | move | CPU |")
    print("|---|---|---|---|---|---|---|---|---|")
    for style in ("classic", "soft"):
        truth = plan_sample_set(style=style, seed=0, originals=203, candidates=1)  # type: ignore[arg-type]
        tell_all(style, [draw_original(original.spec, truth.style) for original in truth.originals])
    for folder in map(Path, sys.argv[1:]):
        files = sorted((folder / "originals").glob("*.png"))
        natives = [native for path in files if (native := measure_pixels(read_rgb(path).rgb)[1]) is not None]
        size = natives[0].shape[:2]
        tell_all(folder.name, [native for native in natives if native.shape[:2] == size])
        changed = sum(bool((merge_colors(native) != native).any()) for native in natives)
        print(f"{changed} of {len(natives)} originals changed")
        print("| candidate | colors | merged | move 95 %, largest |\n|---|---|---|---|")
        for path in sorted((folder / "generated").glob("*.png")):
            native = measure_pixels(read_rgb(path).rgb, (size[1], size[0]))[1]
            if native is not None:
                done = merge_colors(native)
                move = ciede2000(srgb_to_cielab(native), srgb_to_cielab(done))
                moved = f"{np.percentile(move, 95):.2f}, {move.max():.2f}"
                print(f"| {path.name} | {colors(native)} | {colors(done)} | {moved} |")


if __name__ == "__main__":
    main()
