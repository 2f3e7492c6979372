"""Does comparing an arm with itself give verdicts? Real quick runs of one arm, split into two halves at random.

Each run is the same training set with a seed of its own. A split takes half of the runs as one arm and the other half
as the other, pairs them as they come, and compares them as `graftset compare` would, all three primary endpoints at
Holm-adjusted levels. Any HELPED or HURT is false; at most one split in twenty should have one. The splits share runs:
their count says how often a verdict comes with these runs, not how sure that is.

    python benchmarks/a_a.py PROJECT [--runs 12] [--steps 80] [--splits 300]

PROJECT was expanded; runs go to its runs/ as a-a-s0, a-a-s1, ... and are trained once. A run of 80 steps takes about
25 s of processor time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from graftset.compare import ArmRuns, compare
from graftset.prompts import PromptCounts, sample_prompts
from graftset.runs import open_run
from graftset.scorecards import Course, follow
from graftset.train import load_backend
from graftset.workflows import steps
from graftset.workflows.evaluating import Evaluator, evaluate_run
from graftset.workflows.training import open_training

COUNTS = PromptCounts(training=15, candidate=20, generic=10, unseen=5)


def train_runs(project: Path, runs: int, count: int) -> list[Course]:
    """Train and evaluate what is not there yet."""
    courses = []
    with steps.open_session(project) as session:
        prompts = sample_prompts(session.catalog.views(), counts=COUNTS)
        evaluator = Evaluator(session)
        for seed in range(runs):
            training = open_training(
                project, plan="originals", name=f"a-a-s{seed}", seed=seed, steps=count, checkpoints=1, prompts=prompts
            )
            load_backend("native").train(training.job)
            evaluate_run(session, open_run(training.job.folder), evaluator=evaluator)
            (cards,) = session.catalog.evaluated_runs(f"a-a-s{seed}")
            courses.append(follow(cards.cards))
            print(f"a-a-s{seed} is there, {time.process_time():.0f} s of processor time so far", flush=True)
    return courses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--splits", type=int, default=300)
    options = parser.parse_args()
    courses = train_runs(options.project, options.runs, options.steps)
    half = options.runs // 2
    arm = ArmRuns("first", "originals", "originals", "", 0, 0, options.steps, {}, {}, {})
    rng = np.random.default_rng(0)
    verdicts: Counter[tuple[str, str]] = Counter()
    false = 0
    for name, group in (("original_accuracy", "training"), ("background_obeyed", "candidate"), ("overall", "all")):
        points = [figure.point for course in courses if (figure := course.cards[-1].figure(name, group)) is not None]
        print(f"{name}: mean {np.mean(points):.3f}, seed SD {np.std(points, ddof=1):.3f}")
    for _ in range(options.splits):
        order = rng.permutation(options.runs)
        sides = []
        for name, chosen in (("first", order[:half]), ("second", order[half : 2 * half])):
            picked = {place: courses[number] for place, number in enumerate(chosen.tolist())}
            sides.append(replace(arm, name=name, courses=picked, runs={p: c.run for p, c in picked.items()}))
        found = compare(*sides)
        words = [one.verdict for one in found.primary]
        verdicts.update((one.endpoint.name, one.verdict) for one in found.primary)
        false += any(word in ("HELPED", "HURT") for word in words)
    print(f"{options.splits} splits of {options.runs} runs: {false} with a verdict ({false / options.splits:.3f})")
    for (name, word), count in sorted(verdicts.items()):
        print(f"  {name}: {word} {count}")
    print(f"{time.process_time():.0f} s of processor time")


if __name__ == "__main__":
    sys.exit(main())
