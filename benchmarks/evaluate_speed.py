"""Time to evaluate a checkpoint of 40 prompts x 2 seeds, against 203 drawn originals; CPU seconds of one process.

Fitting on the originals is done once for a run of ten checkpoints, and the style model is remembered between commands.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from graftset.drawn import draw_original, plan_sample_set, render
from graftset.evaluate import Original, Originals, evaluate, read_batch, understand
from graftset.imageio import encode_png
from graftset.measuring import Picture, measure_pixels
from graftset.runs import write_samples
from graftset.scorecards import Place

PROMPTS, SEEDS = 40, (0, 1)


def main() -> None:
    truth = plan_sample_set(style="classic", seed=0, originals=203, candidates=1)
    originals = []
    for one in truth.originals:
        native = draw_original(one.spec, "classic")
        data = measure_pixels(native)[0]
        originals.append(Original(one.name, Picture(one.name, native, data, one.caption)))
    cpu, wall = process_time(), perf_counter()
    fitted = Originals(originals)
    print(f"{'fit on 203 originals':36}{process_time() - cpu:8.1f} s CPU{perf_counter() - wall:8.1f} s")
    entries = [{"prompt": one.caption} for one in truth.originals[:PROMPTS]]
    prompts = understand(entries, originals, fitted.vocabulary)
    with tempfile.TemporaryDirectory() as scratch:
        for size in (24, 512):
            folder = Path(scratch) / str(size)
            keys = [(prompt, seed) for prompt in prompts for seed in SEEDS]
            samples = write_samples(folder, [(p, s, fitted.natives[i // 2]) for i, (p, s) in enumerate(keys)])
            if size != 24:
                for i, sample in enumerate(samples):
                    picture = render(fitted.natives[i // 2], rng=np.random.default_rng(i), size=size)
                    (folder / sample.file).write_bytes(encode_png(picture))
            cpu, wall = process_time(), perf_counter()
            evaluate("run", read_batch(folder, Place("1", 1)), fitted, sample_set_auc=1.0)
            label = f"{len(samples)} pictures of {size} x {size} px"
            print(f"{label:36}{process_time() - cpu:8.1f} s CPU{perf_counter() - wall:8.1f} s")


if __name__ == "__main__":
    main()
