"""The sample set, drawn, expanded and tried: what graftset does, without any picture of one's own."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from graftset.decide import Decision
from graftset.drawn import draw_sample_set
from graftset.errors import ExistsError, UserError
from graftset.experiments import EXPERIMENT
from graftset.prompts import PromptCounts
from graftset.workflows import experimenting, steps
from graftset.workflows.arms import ARM_SETS
from graftset.workflows.deciding import decide_now
from graftset.workflows.experiment_pages import write_experiment_page
from graftset.workflows.experimenting import Asked, Experimented, Planned
from graftset.workflows.starting import init_or_agree
from graftset.workflows.steps import Session

SAMPLE = "sample"
NAME = "demo"  # of the experiment
# Long enough to show what wrong words do, too short and too few seeds for any verdict: directional only, and so marked.
SEEDS, STEPS, CHECKPOINTS = 2, 200, 4
COUNTS = PromptCounts(training=20, candidate=24, generic=8, unseen=8)  # painting takes as long as training otherwise

Progress = Callable[[int, int], None]


def prepare(folder: Path, *, seed: int = 0, force: bool = False, progress: Progress | None = None) -> None:
    """Draw the sample set into `folder/sample` and write the project's settings; what is there already stays.

    Raises:
        ExistsError: The sample set that is there follows another seed, or something else lies there.
    """
    sample = folder / SAMPLE
    drawn = None if force else _drawn_seed(sample)
    if drawn is None:
        draw_sample_set(sample, seed=seed, force=force, progress=progress)
    elif drawn != seed:
        raise ExistsError(
            f"A sample set of seed {drawn} is there already",
            field="--seed",
            value=seed,
            remedy="Name another folder, or pass --force to draw it again.",
        )
    init_or_agree(folder, sample / "originals", [sample / "candidates"], None)


def _drawn_seed(sample: Path) -> int | None:
    """The seed of the sample set in a folder; None where there is none."""
    try:
        return int(json.loads((sample / "truth.json").read_text(encoding="utf-8"))["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Tried:
    """The short experiment of the demonstration, with what was decided on it."""

    experimented: Experimented
    decision: Decision
    report: Path


def can_train() -> bool:
    """Whether what the embedded trainer needs is installed."""
    return all(importlib.util.find_spec(module) is not None for module in ("torch", "safetensors"))


def try_out(session: Session, *, force: bool = False, tell: Callable[[str], None] = lambda line: None) -> Tried:
    """Train originals alone, with corrected captions and with captions as asked; decide, and write the page.

    Args:
        session: The project of the demonstration, expanded.
        force: Replace builds of the arms that differ, and begin another experiment where this one is of other builds.
        tell: Told a sentence whenever a run ends.

    Raises:
        UserError: The experiment that is there is of other builds or settings.
    """
    arms = ARM_SETS["default"]
    for plan in arms[1:]:
        steps.build(session, plan, force=force)
    planned = _planned(session, arms, force=force)
    experimented = experimenting.run(session, planned.experiment, tell=tell)
    name = planned.experiment.name
    return Tried(experimented, decide_now(session, name).decision, write_experiment_page(session, name))


def _planned(session: Session, arms: tuple[str, ...], *, force: bool) -> Planned:
    for name in _names():
        try:
            return experimenting.plan(session, Asked(name, arms, SEEDS, STEPS, CHECKPOINTS, None, "cpu", COUNTS, 1))
        except UserError:
            # What is planned is never planned otherwise afterwards: --force goes on under the next name.
            if not force or not (session.project.experiments / name / EXPERIMENT).is_file():
                raise
    raise AssertionError("there is always a next name")


def _names() -> Iterator[str]:
    yield NAME
    number = 2
    while True:
        yield f"{NAME}-{number}"
        number += 1
