"""How well detectors of traits do: on portraits laid together from parts, the sample set, and a folder of originals.

For each set: the macro balanced accuracy over all terms that 8 or more of 203 originals have, judged on pictures that
were not among them, with "unknown" counted as wrong half the time; beside it what a balanced logistic regression on raw
native pixels and the nearest neighbor reach, and what fitting and detecting cost in CPU time. For the sample set also
how often a candidate is told wrong, of those with render faults too. For a folder of captioned originals: the
reliability of every term by grouped cross-validation, for each of some seeds of the folds.

    python benchmarks/trait_detectors.py
    python benchmarks/trait_detectors.py path/to/originals [--seeds 6]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from layered_portraits import draw_layered
from numpy.typing import NDArray
from scipy.optimize import minimize

from graftset.drawn import draw_original, plan_sample_set
from graftset.drawn.sample_set import draw_candidate
from graftset.imageio import read_rgb
from graftset.measuring import Picture, families, fit_detectors, measure_pixels, unpack_mask
from graftset.traits import TraitDetectors

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
ORIGINALS, OTHERS = 203, 1000
LEAST = 8  # originals with a term
SIZE = 192  # px of rendered candidates


def read(pictures: list[U8]) -> tuple[U8, Mask]:
    """Native pictures and figures, as assess finds them."""
    natives, figures = [], []
    for picture in pictures:
        data, native = measure_pixels(picture, (24, 24))
        if native is None:
            raise SystemExit("a picture without a grid")
        natives.append(native)
        figures.append(~unpack_mask(data["background"]["mask"], 24, 24))
    return np.stack(natives), np.stack(figures)


def macro(truth: Mapping[str, Mask], said: Mapping[str, NDArray[np.float64]]) -> float:
    """Mean balanced accuracy; `said` is 1, 0, or NaN for unknown, which is half right."""
    values = []
    for term, yes in truth.items():
        if 0 < yes.sum() < len(yes):
            right = np.where(np.isnan(said[term]), 0.5, said[term] == yes)
            values.append((right[yes].mean() + right[~yes].mean()) / 2)
    return float(np.mean(values))


def logistic(inputs: NDArray[np.float64], yes: Mask, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Balanced ridge logistic regression (C = 1), answers for `others`."""
    rows = np.column_stack([inputs, np.ones(len(inputs))])
    weight = np.where(yes, len(yes) / 2 / yes.sum(), len(yes) / 2 / (~yes).sum())
    sign = np.where(yes, 1.0, -1.0)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (rows @ w)
        slope = -rows.T @ (weight * sign / (1 + np.exp(np.clip(margin, -500, 500))))
        slope[:-1] += w[:-1]
        return float((weight * np.logaddexp(0, -margin)).sum() + (w[:-1] ** 2).sum() / 2), slope

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x
    return np.asarray(others @ found[:-1] + found[-1] > 0, dtype=np.float64)


def compare(name: str, natives: U8, figures: Mask, worn: Mapping[str, Mask]) -> None:
    """One line: ours, raw logistic regression, nearest neighbor, costs."""
    terms = [term for term, mask in worn.items() if LEAST <= mask[:ORIGINALS].sum() <= ORIGINALS - LEAST]
    told = {term: worn[term][:ORIGINALS].tolist() for term in terms}
    truth = {term: worn[term][ORIGINALS:] for term in terms}
    own, others = (natives[:ORIGINALS], figures[:ORIGINALS]), (natives[ORIGINALS:], figures[ORIGINALS:])
    begin = time.process_time()
    detectors = TraitDetectors.fit(*own, {}, told, families(*own), np.random.default_rng(0))
    fitted = time.process_time()
    answers = detectors.detect(*others)
    done = time.process_time()
    code = {"present": 1.0, "absent": 0.0, "unknown": np.nan}
    said = {term: np.array([code[seen[term].value] for _, seen in answers]) for term in terms}
    raw, far = (n.reshape(len(n), -1) / 255.0 for n in (own[0], others[0]))
    nearest = ((raw**2).sum(axis=1)[None] - 2 * far @ raw.T).argmin(axis=1)
    neighbor = {term: worn[term][:ORIGINALS][nearest].astype(np.float64) for term in terms}
    pixels = {term: logistic(raw, worn[term][:ORIGINALS], far) for term in terms}
    answered = np.mean([1 - np.isnan(values).mean() for values in said.values()])
    print(
        f"{name:14} {len(terms):3} terms   ours {macro(truth, said):.3f} ({answered:.0%} answered)   "
        f"raw logistic {macro(truth, pixels):.3f}   nearest {macro(truth, neighbor):.3f}   "
        f"fit {fitted - begin:.1f} s   detect {(done - fitted) / len(others[0]) * 1e3:.2f} ms a picture"
    )


def sample(style: str, seed: int) -> tuple[U8, Mask, dict[str, Mask]]:
    """Originals of the sample set and clean candidates, rendered."""
    truth = plan_sample_set(style=style, seed=seed, originals=ORIGINALS, candidates=OTHERS)  # type: ignore[arg-type]
    clean = [c for c in truth.candidates if c.severity is None and "copy" not in c.faults]
    specs = [*(o.spec for o in truth.originals), *(c.spec for c in clean)]
    pictures = [draw_original(o.spec, truth.style) for o in truth.originals]
    pictures += [draw_candidate(c, truth.style, SIZE) for c in clean]
    terms = sorted({term for spec in specs for term in spec.accessories})
    return *read(pictures), {term: np.array([term in spec.accessories for spec in specs]) for term in terms}


def wrong_answers(style: str, seed: int) -> None:
    """One line: how many of the answers for all candidates are wrong, and for those without a render fault."""
    truth = plan_sample_set(style=style, seed=seed, originals=ORIGINALS, candidates=ORIGINALS)  # type: ignore[arg-type]
    own = read([draw_original(o.spec, truth.style) for o in truth.originals])
    terms = sorted({term for o in truth.originals for term in o.spec.accessories})
    told = {term: [term in o.spec.accessories for o in truth.originals] for term in terms}
    detectors = TraitDetectors.fit(*own, {}, told, families(*own), np.random.default_rng(0))
    counts = {"clean": [0, 0, 0], "faulty": [0, 0, 0]}  # answered, wrong, wrong with a confidence over 0.85
    for candidate in truth.candidates:
        data, native = measure_pixels(draw_candidate(candidate, truth.style), (24, 24))
        if native is None:
            continue
        figure = ~unpack_mask(data["background"]["mask"], 24, 24)
        ((_, worn),) = detectors.detect(native[None], figure[None])
        count = counts["clean" if candidate.severity is None else "faulty"]
        for term, seen in worn.items():
            if seen.confidence is not None:
                wrong = (seen.value == "present") != (term in candidate.spec.accessories)
                count[0] += 1
                count[1] += wrong
                count[2] += wrong and seen.confidence > 0.85
    parts = [f"{name} {wrong} of {of} wrong, {sure} of them surely" for name, (of, wrong, sure) in counts.items()]
    print(f"{style + ' ' + str(seed):14} {';  '.join(parts)}")


def real(folder: Path, seeds: int) -> None:
    """The reliability of every term that enough originals have, and of every slot."""
    originals = []
    for path in sorted(folder.glob("*.png")):
        data, native = measure_pixels(read_rgb(path).rgb)
        text = path.with_suffix(".txt")
        if native is not None:
            caption = text.read_text(encoding="utf-8").strip() if text.exists() else None
            originals.append(Picture(str(path), native, data, caption))
    accuracy, answered = defaultdict(list), defaultdict(list)
    begin, started = time.process_time(), time.perf_counter()
    for seed in range(seeds):
        detectors = fit_detectors(originals, seed=seed)
        for name, found in detectors.reliability.items():
            if found.balanced_accuracy is not None and found.positives >= LEAST:
                accuracy[name].append(found.balanced_accuracy)
                answered[name].append(found.coverage or 0.0)
    cpu, wall = ((now - then) / seeds for now, then in ((time.process_time(), begin), (time.perf_counter(), started)))
    print(f"{len(originals)} originals, fitted in {cpu:.1f} s of CPU time, {wall:.1f} s by the clock")
    for name, values in accuracy.items():
        each = " ".join(f"{value:.2f}" for value in values)
        print(f"{name:28} {np.mean(values):.3f} ({np.mean(answered[name]):.0%} answered)   {each}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    if options.folder:
        real(options.folder, options.seeds)
        return
    for seed in range(4):
        layered = draw_layered(ORIGINALS + OTHERS, seed)
        compare(f"layered {seed}", *read(list(layered.natives)), layered.worn)
    for style in ("classic", "soft"):
        compare(f"{style} 5", *sample(style, 5))
    for style in ("classic", "soft"):
        for seed in (3, 4, 5):
            wrong_answers(style, seed)


if __name__ == "__main__":
    main()
