"""Projects with an experiment whose runs were never trained: definition, finished run folders and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from graftset.compare import Comparison
from graftset.compare.reading import write_comparisons
from graftset.experiments import COMPARISONS, Experiment, ExperimentArm, write_experiment
from graftset.runs import Checkpoint, Run, RunRecord, checkpoint_name, create_run, write_checkpoint

STEPS = 1000


def add_experiment(
    project: Path, comparisons: Sequence[Comparison], *, name: str = "mix", created: str = "2026-01-01"
) -> Experiment:
    """Write an experiment with finished runs and these comparisons into a project."""
    first = comparisons[0]
    outcomes = (first.baseline, *(one.arm for one in comparisons))
    experiment = Experiment(
        name=name,
        arms=tuple(
            ExperimentArm(one.name, one.plan, one.build, one.build_sha256, one.originals, one.generated)
            for one in outcomes
        ),
        left_out=(),
        seeds=first.baseline.seeds,
        steps=STEPS,
        checkpoints=10,
        backend="native",
        device="cpu",
        settings={},
        settings_sha256="",
        prompts={"training": 1},
        prompts_sha256="p",
        sample_seeds=(0,),
        created=created,
    )
    folder = project / "experiments" / name
    write_experiment(folder, experiment, ())
    named = []
    for one in comparisons:
        arms = {
            key: replace(outcome, runs=tuple(f"{name}-{outcome.name}-s{seed}" for seed in outcome.seeds))
            for key, outcome in (("baseline", one.baseline), ("arm", one.arm))
        }
        named.append(replace(one, experiment=name, **arms))  # type: ignore[arg-type]
    write_comparisons(folder / COMPARISONS, named)
    for arm, seed in experiment.runs():
        add_run(project, experiment.run_name(arm, seed), arm, seed)
    return experiment


def add_run(project: Path, name: str, arm: ExperimentArm, seed: int, *, step: int = STEPS) -> Run:
    """A run that got to a step, without weights worth the name."""
    record = RunRecord(
        name=name, backend="native", build=arm.build, build_sha256=arm.build_sha256, plan=arm.plan, width=24, height=24,
        originals=arm.originals, generated=arm.generated, seed=seed, steps=STEPS, batch_size=32, device="cpu",
        checkpoint_steps=(STEPS,), sample_seeds=(0,), prompts_sha256="p", prompts=1,
        settings={"learning_rate": 2e-3, "caption_dropout": 0.1},
    )  # fmt: skip
    run = create_run(project / "runs" / name, record)
    write_checkpoint(run, Checkpoint(checkpoint_name(step * 32), step, step * 32, {}, 0.1, 0.2 * step, ""), b"")
    return run
