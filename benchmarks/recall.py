"""How well the embedded trainer learns a set by heart, and in how much processor time: recall of training prompts.

    python benchmarks/recall.py BUILD --out FOLDER [--seeds 3] [--steps 1000] [--head palette|continuous]

Of a build's originals with a flat background 40 are drawn; their captions are painted twice each with the last
checkpoint of every seed. "background": share whose dominant ring color lies within 0.06 (OKLab) of the original's.
"SSIM": to the original, at native size, by scikit-image. "own": share whose nearest original, cell by cell, is their
own. "colors": share whose color count lies in the range of the originals (0.5 to 99.5 percentile). Processor time is of
the training thread, without painting. Runs lie in --out and are gone on with. It also writes FOLDER/seed-N.png: the
originals over what was painted of them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from graftset.diffusion.checkpoint import load_painter
from graftset.diffusion.painting import Wish, paint
from graftset.imageio import encode_png
from graftset.pixels.background import read_background, ring
from graftset.pixels.color import srgb_to_oklab
from graftset.pixels.grid import from_native
from graftset.pixels.structure import color_count
from graftset.runs import open_run
from graftset.train import TrainingJob, TrainingSet
from graftset.train.native import train
from graftset.workflows.training import training_set

U8 = NDArray[np.uint8]

PROMPTS, SAMPLES, NEAR, ENLARGED = 40, 2, 0.06, 4


def flat_originals(data: TrainingSet) -> list[int]:
    """Originals with one background color, in an order drawn at random once for all."""
    flat = []
    for number in np.flatnonzero(~data.generated):
        reading = read_background(data.pictures[number])
        if reading.kind == "solid" and reading.colors[0][1] > 0.95:
            flat.append(int(number))
    return np.random.default_rng(0).permutation(flat)[:PROMPTS].tolist()


def dominant(picture: U8) -> U8:
    """The commonest color of the ring."""
    colors, counts = np.unique(picture[ring(*picture.shape[:2])], axis=0, return_counts=True)
    return colors[counts.argmax()]


def figures(data: TrainingSet, chosen: list[int], painted: U8) -> dict[str, float]:
    """The shares and means of one checkpoint's pictures, `painted` holding `chosen` once for each sample."""
    wanted = data.pictures[np.tile(chosen, SAMPLES)]
    originals = data.pictures[~data.generated]
    counts = [color_count(picture) for picture in originals]
    low, high = np.percentile(counts, [0.5, 99.5])
    flat = originals.reshape(len(originals), -1).astype(np.float32)
    nearest = [int(((flat - one.reshape(-1)) ** 2).sum(axis=1).argmin()) for one in painted]
    apart = [
        float(np.linalg.norm(srgb_to_oklab(dominant(one)) - srgb_to_oklab(dominant(other))))
        for one, other in zip(painted, wanted, strict=True)
    ]
    return {
        "background": float(np.mean(np.array(apart) <= NEAR)),
        "SSIM": float(
            np.mean([structural_similarity(a, b, channel_axis=2, data_range=255) for a, b in zip(painted, wanted)])  # noqa: B905
        ),
        "own": float(np.mean([np.array_equal(originals[n], w) for n, w in zip(nearest, wanted, strict=True)])),
        "colors": float(np.mean([low <= color_count(one) <= high for one in painted])),
    }


def sheet(wanted: U8, painted: U8, columns: int = 10) -> U8:
    """Originals over what was painted of them, in rows, enlarged."""
    pairs = np.concatenate([wanted, painted], axis=1)
    rows = [np.concatenate(list(pairs[first : first + columns]), axis=1) for first in range(0, len(pairs), columns)]
    whole = np.concatenate([row for row in rows if row.shape == rows[0].shape])
    return from_native(whole, whole.shape[1] * ENLARGED, whole.shape[0] * ENLARGED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--head", default="auto")
    options = parser.parse_args()
    data = training_set(options.build)
    chosen = flat_originals(data)
    print(f"{'seed':<6}{'background':>11}{'SSIM':>8}{'own':>8}{'colors':>8}{'loss':>8}{'CPU s':>8}")
    every = []
    for seed in range(options.first, options.first + options.seeds):
        folder = options.out / f"{options.head}-{options.steps}-{seed}"
        begun = time.process_time()
        outcome = train(
            TrainingJob(
                folder=folder,
                data=data,
                prompts=(),
                sample_seeds=(),
                seed=seed,
                steps=options.steps,
                device="cpu",
                settings={"head": options.head},
            )
        )
        spent = time.process_time() - begun
        run = open_run(folder)
        painter = load_painter(run.weights_file(run.checkpoints()[-1].name))
        wishes = [Wish(data.captions[n], str(n), sample) for sample in range(SAMPLES) for n in chosen]
        painted = paint(painter, wishes)
        found = figures(data, chosen, painted)
        every.append(found)
        shown = "".join(f"{value:>{width}.3f}" for value, width in zip(found.values(), (11, 8, 8, 8), strict=True))
        print(f"{seed:<6}{shown}{outcome.loss:>8.3f}{spent:>8.0f}", flush=True)
        picture = sheet(data.pictures[chosen], painted[: len(chosen)])
        (options.out / f"seed-{seed}.png").write_bytes(encode_png(picture))
    means = "".join(
        f"{np.mean([found[name] for found in every]):>{width}.3f}"
        for name, width in (("background", 11), ("SSIM", 8), ("own", 8), ("colors", 8))
    )
    print(f"{'mean':<6}{means}")
    print("wanted at 1,000 steps of the real originals: background 0.95, SSIM 0.80, colors 0.99, 300 s")


if __name__ == "__main__":
    main()
