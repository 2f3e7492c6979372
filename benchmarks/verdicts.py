"""How often verdicts are wrong, how often intervals cover the truth, and what harm is found: simulated experiments.

The model, for one endpoint that is a share (obeyed background, say):

- Prompts differ in difficulty, and both arms meet the same ones: a latent normal of variance TAU^2. How much an arm
  gains differs from prompt to prompt by a normal of variance OMEGA^2, the same for every training seed.
- A picture of a prompt is painted from the same noise in both arms and with every training seed: a part RHO of the
  rest of a picture's chance is shared, so that pictures of one prompt go right and wrong together.
- Training seeds differ: an arm's true score, its mean over all prompts, has the standard deviation `seed SD` from seed
  to seed, independently in both arms (two arms with one seed share first weights and noise, which could only help).
- A picture is right where the sum is above a threshold that gives the arm its score.

Prompts are drawn anew for every simulated experiment: the truth is the difference over all prompts there could be. The
seed SD is that of an arm; a difference of two arms has sqrt(2) times as much. Pictures that are independent throughout,
arms unpaired, would be TAU = OMEGA = RHO = 0; that pessimistic model is simulated too and marked `unpaired`.

    python benchmarks/verdicts.py [--experiments 2000]

Takes about five minutes. The short version in the tests uses the same functions.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from graftset.statistics.paired import (
    ALPHA,
    Components,
    Resamples,
    detectable,
    holm_levels,
    needed_seeds,
    paired,
    to_settle,
    verdict,
)

F64 = NDArray[np.float64]
SEED_SDS = (0.02, 0.043, 0.07, 0.10, 0.12)
MARGIN = 0.05
HARM = -0.15


@dataclass(frozen=True)
class World:
    """What experiments are drawn from."""

    seeds: int = 5
    prompts: int = 100
    pictures: int = 2  # of a prompt, each from a noise of its own
    seed_sd: float = 0.043
    effect: float = 0.0
    baseline: float = 0.60
    tau: float = 1.0
    omega: float = 0.3
    rho: float = 0.3


UNPAIRED = {"tau": 0.0, "omega": 0.0, "rho": 0.0}


def tables(world: World, count: int, rng: np.random.Generator) -> F64:
    """Differences of so many experiments, arm minus baseline: [N, S, P]."""
    n, s, p, k = count, world.seeds, world.prompts, world.pictures
    score = np.array([world.baseline, world.baseline + world.effect])[None, :, None]
    true = np.clip(score + world.seed_sd * rng.standard_normal((n, 2, s)), 0.001, 0.999)
    spread = np.sqrt(1 + world.tau**2 + world.omega**2)
    level = ndtri(true) * spread  # so that the mean over prompts is the true score
    difficulty = world.tau * rng.standard_normal((n, 1, 1, p))
    taste = world.omega * rng.standard_normal((n, 2, 1, p))
    latent = (level[..., None] + difficulty + taste)[..., None]
    shared = np.sqrt(world.rho) * rng.standard_normal((n, 1, 1, p, k))
    own = np.sqrt(1 - world.rho) * rng.standard_normal((n, 2, s, p, k))
    right = (latent + shared + own > 0).mean(axis=-1)
    return np.asarray(right[:, 1] - right[:, 0], dtype=np.float64)


@dataclass(frozen=True)
class Outcome:
    """Shares over simulated experiments."""

    verdicts: Counter[str]
    coverage: float
    half_width: float
    seed_sd: float  # mean of what is seen of the differences
    asked_seeds: tuple[int, ...]  # of inconclusive ones; those beyond a hundred left out
    experiments: int

    def share(self, *words: str) -> float:
        """How often one of these verdicts was given."""
        return sum(self.verdicts[word] for word in words) / self.experiments


def simulate(
    world: World, count: int, rng: np.random.Generator, *, alpha: float = ALPHA, resamples: int = 2000
) -> Outcome:
    """Look at so many experiments with one primary endpoint, as `graftset compare` would."""
    draws = Resamples.draw((world.seeds, world.prompts), rng, resamples)
    verdicts: Counter[str] = Counter()
    covered, widths, spreads = 0, [], []
    asked: list[int] = []
    done = 0
    while done < count:
        block = tables(world, min(100, count - done), rng)
        done += len(block)
        for table in block:
            found = paired(table, draws)
            low, high, _ = found.interval(ALPHA)
            said = verdict(low, high, MARGIN)
            verdicts[said] += 1
            covered += low <= world.effect <= high
            widths.append((high - low) / 2)
            spreads.append(found.seed_sd)
            if said == "INCONCLUSIVE":
                seeds = needed_seeds(found.components, to_settle(found.point, MARGIN), world.prompts)
                if seeds is not None:
                    asked.append(seeds)
    return Outcome(verdicts, covered / count, float(np.mean(widths)), float(np.mean(spreads)), tuple(asked), count)


def simulate_three(
    world: World, effects: tuple[float, float, float], count: int, rng: np.random.Generator
) -> list[Counter[str]]:
    """Three primary endpoints of independent chance, at Holm-adjusted levels; verdicts on each."""
    draws = Resamples.draw((world.seeds, world.prompts), rng, 2000)
    said: list[Counter[str]] = [Counter() for _ in effects]
    any_false = 0
    for _ in range(count):
        found = [paired(tables(replace(world, effect=effect), 1, rng)[0], draws) for effect in effects]
        levels = holm_levels([one.p for one in found])
        words = [verdict(*one.interval(level)[:2], MARGIN) for one, level in zip(found, levels, strict=True)]
        for counter, word in zip(said, words, strict=True):
            counter[word] += 1
        any_false += any(w in ("HELPED", "HURT") for w, effect in zip(words, effects, strict=True) if effect == 0)
    said.append(Counter({"any false": any_false}))
    return said


def seeds_in_truth(world: World, rng: np.random.Generator) -> int | None:
    """The seeds that find the effect in 80 % of cases, by the components of many experiments together."""
    big = tables(replace(world, seeds=40, prompts=400), 8, rng)
    parts = [paired(table, Resamples.draw(table.shape, rng, 10)).components for table in big]
    mean = Components(*(float(np.mean([getattr(one, name) for one in parts])) for name in Components.__slots__))
    print(f"    components: seeds {mean.seeds:.5f}, prompts {mean.prompts:.5f}, residual {mean.residual:.4f}; "
          f"5 seeds find {detectable(mean, world.seeds, world.prompts):.3f} in 80 %")  # fmt: skip
    return needed_seeds(mean, world.effect, world.prompts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=2000)
    count = parser.parse_args().experiments
    rng = np.random.default_rng(2026)
    begun = time.process_time()
    for name, model in (("paired", {}), ("paired, one picture a prompt", {"pictures": 1}), ("unpaired", UNPAIRED)):
        print(f"\n{name}: 5 seeds, 100 prompts, {count} experiments each, one primary endpoint")
        print("seed SD   false  coverage  15 points of harm:  HURT  INCONCLUSIVE  half width")
        for seed_sd in SEED_SDS:
            world = World(seed_sd=seed_sd, **model)
            null = simulate(world, count, rng)
            harm = simulate(replace(world, effect=HARM), count, rng)
            coverage = (null.coverage + harm.coverage) / 2
            false, hurt, unsure = null.share("HELPED", "HURT"), harm.share("HURT"), harm.share("INCONCLUSIVE")
            print(
                f"{seed_sd:>7} {false:>7.3f} {coverage:>9.3f} {hurt:>24.3f} {unsure:>13.3f} {harm.half_width:>11.3f}",
                flush=True,
            )
    for prompts in (40, 100):
        world = World(seed_sd=0.043, prompts=prompts, pictures=1)
        null, harm = simulate(world, count, rng), simulate(replace(world, effect=HARM), count, rng)
        false, hurt = null.share("HELPED", "HURT"), harm.share("HURT")
        print(f"{prompts} prompts, one picture: false {false:.3f}, coverage {null.coverage:.3f}, HURT {hurt:.3f}")

    print("\nthree primary endpoints at Holm-adjusted levels, seed SD .043")
    for effects in ((0.0, 0.0, 0.0), (HARM, 0.0, 0.0), (HARM, HARM, HARM)):
        said = simulate_three(World(), effects, count // 2, rng)
        print(f"  effects {effects}: first HURT {said[0]['HURT'] / (count // 2):.3f}, any false verdict "
              f"{said[-1]['any false'] / (count // 2):.3f}", flush=True)  # fmt: skip

    print("\nseeds asked for at seed SD .10, 15 points of harm")
    world = World(seed_sd=0.10, effect=HARM)
    harm = simulate(world, count, rng)
    quartiles = np.percentile(harm.asked_seeds, (25, 50, 75)) if harm.asked_seeds else ()
    unsure = harm.verdicts["INCONCLUSIVE"]
    print(f"  inconclusive {unsure / count:.3f}; they ask for {quartiles} seeds (quartiles)")
    print(f"  {unsure - len(harm.asked_seeds)} of {unsure} for more than a hundred")
    seeds = seeds_in_truth(world, rng)
    if seeds is not None:
        for number in (seeds, *(round(q) for q in quartiles[1:2])):
            found = simulate(replace(world, seeds=number), count, rng)
            print(f"  with {number} seeds: HURT {found.share('HURT'):.3f}, coverage {found.coverage:.3f}", flush=True)
    print(f"\n{time.process_time() - begun:.0f} s of processor time")


if __name__ == "__main__":
    sys.exit(main())
