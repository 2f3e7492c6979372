"""The runs of a project: found by name, and listed with where each stands and how one that was stopped goes on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graftset.build import MANIFEST
from graftset.config import Project
from graftset.errors import UserError
from graftset.experiments import known_experiments
from graftset.runs import Run, RunState, known_runs, open_run, run_state, spaced_steps
from graftset.scorecards import Course, follow
from graftset.workflows.evaluating import criteria_of
from graftset.workflows.steps import Session


def find_run(session: Session, name: str) -> Run:
    """A run by its name in `runs/`, or by the path of its folder.

    Raises:
        UserError: There is none.
    """
    inside = session.project.runs / name
    if "/" not in name and inside.is_dir():
        return open_run(inside)
    if Path(name).is_dir():
        return open_run(Path(name).absolute())
    known, _ = known_runs(session.project.runs)
    listed = ", ".join(run.record.name for run in known) or "none yet"
    raise UserError(
        "There is no such run", field="RUN", value=name, remedy=f"Name one of those in runs/ ({listed}) or its folder."
    )


@dataclass(frozen=True, slots=True)
class KnownRun:
    """One run of the project: one of ours, or evaluated pictures of somebody else's."""

    name: str
    folder: Path
    state: RunState | Literal["samples"]
    record: Run | None
    checkpoints: int
    planned: int | None
    course: Course | None  # None where nothing was evaluated
    resume: str | None = None  # the command, without the project, that goes on with a run that was stopped


def list_runs(session: Session) -> tuple[list[KnownRun], list[str]]:
    """Every run by name with where it stands, and notes on folders that are none."""
    evaluated = {run.name: run for run in session.catalog.evaluated_runs()}
    ours, notes = known_runs(session.project.runs)
    criteria = criteria_of(session)
    resume = Resuming(session.project)
    found = []
    for run in ours:
        cards = evaluated.pop(run.record.name, None)
        state = run_state(run)
        found.append(
            KnownRun(
                run.record.name,
                run.folder,
                state,
                run,
                len(run.checkpoints()),
                len(run.record.checkpoint_steps),
                None if cards is None else follow(cards.cards, criteria),
                resume.command(run, state),
            )
        )
    for name, cards in evaluated.items():
        course = follow(cards.cards, criteria)
        found.append(KnownRun(name, Path(cards.folder), "samples", None, len(cards.cards), None, course))
    return sorted(found, key=lambda run: run.name), notes


class Resuming:
    """The commands that go on with runs of a project that were stopped."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._experiments: Mapping[str, str] | None = None  # run -> its experiment; read when one was stopped

    def command(self, run: Run, state: RunState) -> str | None:
        """The command, without the project; None where there is nothing to go on with, or nobody can tell."""
        record = run.record
        settings = self._project.settings.train
        if state != "stopped" or not (self._project.builds / record.build / MANIFEST).is_file():
            return None
        experiment = self._of_experiments().get(record.name)
        if experiment is not None:
            return shlex.join(["experiment", experiment])
        words = ["train", "--plan", record.build]  # the name of a build stands for it, whatever its plan
        if record.seed != settings.seed:
            words += ["--seed", str(record.seed)]
        if record.backend == "native":  # sd-scripts takes the steps of its build
            if record.steps != settings.steps:
                words += ["--steps", str(record.steps)]
            if record.checkpoint_steps != spaced_steps(record.steps):
                words += ["--checkpoints", str(len(record.checkpoint_steps))]
            if settings.device not in ("auto", record.device):
                words += ["--device", record.device]
        if record.backend != settings.backend:
            words += ["--backend", record.backend]
        if record.name != f"{record.build}-s{record.seed}":
            words += ["--name", record.name]
        return shlex.join(words)

    def _of_experiments(self) -> Mapping[str, str]:
        if self._experiments is None:
            found, _ = known_experiments(self._project.experiments)
            self._experiments = {
                experiment.run_name(arm, seed): experiment.name
                for experiment in found
                for arm, seed in experiment.runs()
            }
        return self._experiments
