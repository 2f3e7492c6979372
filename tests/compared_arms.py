"""Arms that were never trained: scorecards by training seed, with planted differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graftset.compare import ArmRuns
from graftset.scorecards import Figure, PictureScore, Place, PromptAsked, Scorecard, StyleCheck, follow

COUNTS = {"training": 30, "candidate": 40, "generic": 20}
COLORS = ("red", "green", "blue", "gray")


def card(
    run: str,
    number: int,
    *,
    seed: int,
    skill: Mapping[str, float],
    planned: int = 5,
    exposures: float | None = 60.0,
    quality: float = 9.0,
    counts: Mapping[str, int] = COUNTS,
    variety: float = 0.9,
    noises: Sequence[int] = (0, 1),
) -> Scorecard:
    """A checkpoint that gets a share of each group of prompts right; hard prompts are the same for every run."""
    rng = np.random.default_rng([seed, *run.encode()])  # the same at every checkpoint: what is settled stays
    pictures = []
    for group, count in counts.items():
        difficulty = np.random.default_rng([7, *group.encode()]).random(count)
        for place in range(count):
            for noise in noises:
                right = float(difficulty[place] + rng.normal(0, 0.05) < skill[group])
                values = {"quality_preservation": quality + rng.normal(0, 0.1), "style_consistency": 0.95}
                if group == "training":
                    values["original_accuracy"] = right
                else:
                    values |= {"background_obeyed": right, "variation_accuracy": right}
                values["overall"] = (right + quality / 10) / 2
                word = COLORS[place % len(COLORS)]
                asked = {"background": word, "hair": "brown"}
                seen = {**asked, "background": word if right else "gray"}
                name = f"{group}-{place:03d}"
                file = f"{name}_{noise}.png"
                pictures.append(PictureScore(name, group, noise, file, "0" * 64, values, asked, seen))  # type: ignore[arg-type]
    figures = [Figure("variety", "obedience", 20, 20, variety, None, None, "none")]
    for name, group in (("original_accuracy", "training"), ("quality_preservation", "all"), ("overall", "all")):
        own = [p.values[name] for p in pictures if name in p.values]
        if own:
            figures.append(Figure(name, group, len(own), len(own), float(np.mean(own)), None, None, "none"))
    texts = {p.prompt_id: (p.group, f"a person, {p.asked['background']} background") for p in pictures}
    shown = None if exposures is None else exposures * number / planned
    return Scorecard(
        run=run,
        place=Place(f"{number:07d}", number, planned, 100 * number, 3200 * number, None, shown),
        evaluator="1.3",
        prompts_sha256="p" * 64,
        originals_sha256="o" * 64,
        inputs_sha256=f"{run}-{number}",
        figures=tuple(figures),
        pictures=tuple(pictures),
        prompts=tuple(PromptAsked(name, group, text) for name, (group, text) in texts.items()),
        distances=(),
        skipped=(),
        style=StyleCheck(0.97, 0.98, 0.9, True),
        holdout_clean=None,
        at=f"2026-01-01T00:00:{number:02d}",
    )


def arm(
    name: str,
    *,
    seeds: int = 5,
    skill: Mapping[str, float] | None = None,
    seed_sd: float = 0.02,
    reached: int = 5,
    planned: int = 5,
    steps: int = 500,
    **options: Any,
) -> ArmRuns:
    """An arm whose runs reach their skill by the third checkpoint."""
    level = {"training": 0.9, "candidate": 0.5, "generic": 0.5, **(skill or {})}
    courses = {}
    for seed in range(seeds):
        rng = np.random.default_rng([seed, *name.encode()])
        own = {group: value + seed_sd * rng.normal() for group, value in level.items()}
        cards = [
            card(
                f"{name}-s{seed}",
                number,
                seed=seed,
                skill={group: value * min(1.0, number / 3) for group, value in own.items()},
                planned=planned,
                **options,
            )
            for number in range(1, reached + 1)
        ]
        courses[seed] = follow(cards)
    return ArmRuns(
        name=name, plan="equal", build=name, build_sha256="b" * 64, originals=200, generated=50, steps=steps,
        courses=courses, runs={seed: f"{name}-s{seed}" for seed in range(seeds)}, settings={"learning_rate": 0.002},
    )  # fmt: skip


def without(arms: ArmRuns, *seeds: int) -> ArmRuns:
    """The arm without some of its seeds."""
    return replace(
        arms,
        courses={seed: course for seed, course in arms.courses.items() if seed not in seeds},
        runs={seed: run for seed, run in arms.runs.items() if seed not in seeds},
    )
