"""The page of one experiment: its typed context, for the report and for whoever serves it, and the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graftset import __version__
from graftset.compare import Comparison
from graftset.decide import Decision, history
from graftset.errors import UserError
from graftset.experiments import Experiment
from graftset.files import sha256_file, write_whole
from graftset.phrases import counted
from graftset.report import ExperimentPage, NextTry, experiment_page, render_experiment
from graftset.scorecards import Course, follow
from graftset.suggest import Suggestion
from graftset.workflows.deciding import comparisons_of, require_experiment, rules_of, rules_say
from graftset.workflows.evaluating import criteria_of
from graftset.workflows.run_pictures import painted_pictures
from graftset.workflows.steps import Session
from graftset.workflows.suggesting import suggestions

NEXT_TRIES = 3  # on the page
_USUAL_SIZE = (24, 24)  # cells, where no original was measured


def experiment_context(session: Session, name: str | None = None) -> ExperimentPage:
    """Everything on the page of an experiment, the newest where none is named.

    Raises:
        UserError: There is none, or it was not compared yet.
    """
    experiment = require_experiment(session, name)
    comparisons = comparisons_of(session, experiment)
    if not comparisons:
        raise UserError(
            "This experiment has no comparisons yet",
            field="experiment",
            value=experiment.name,
            remedy=f"Run it to its end: graftset experiment {experiment.name}",
        )
    views = session.catalog.views()
    size = next(
        ((v.grid.width, v.grid.height) for v in views if v.origin == "original" and v.grid is not None), _USUAL_SIZE
    )
    painted = painted_pictures(session.catalog, size)
    runs = session.project.runs

    def native(path: str) -> bytes | None:
        file = runs / path
        return painted(file, sha256_file(file)) if file.is_file() else None

    return experiment_page(
        comparisons,
        _decision(session, experiment),
        name=experiment.name,
        courses=_courses(session, comparisons),
        native_png=native,
        project=session.project.root.name,
        version=__version__,
        run_pages=_run_pages(session, comparisons),
        next_tries=[_next_try(one) for one in suggestions(session) if one.rank][:NEXT_TRIES],
        notes=[f"The arm {one.name} was left out: {one.reason}" for one in experiment.left_out],
    )


def write_experiment_page(session: Session, name: str | None = None) -> Path:
    """Write reports/experiment-NAME.html; returns its path.

    Raises:
        UserError: What `experiment_context` raises, or it cannot be written.
    """
    page = experiment_context(session, name)
    path = session.project.reports / f"experiment-{page.experiment}.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of the reports cannot be made: {error.strerror or error}",
            field="reports",
            value=str(path.parent),
            remedy="Check that the project folder may be written to and has space left",
        ) from error
    write_whole(path, render_experiment(page))
    return path


def _decision(session: Session, experiment: Experiment) -> Decision:
    """The newest decision that was kept on these results, else what the rules say now."""
    said = rules_say(session, experiment)
    kept = [one for one in history(session.project.decisions) if rules_of(one) == rules_of(said)]
    return kept[-1] if kept else said


def _courses(session: Session, comparisons: Sequence[Comparison]) -> dict[str, list[Course]]:
    criteria = criteria_of(session)
    cards = {run.name: run.cards for run in session.catalog.evaluated_runs()}
    arms = {comparisons[0].baseline.name: comparisons[0].baseline} | {one.arm.name: one.arm for one in comparisons}
    return {name: [follow(cards[run], criteria) for run in arm.runs if cards.get(run)] for name, arm in arms.items()}


def _run_pages(session: Session, comparisons: Sequence[Comparison]) -> dict[str, str]:
    names = {run for one in comparisons for run in (*one.baseline.runs, *one.arm.runs)}
    return {name: f"run-{name}.html" for name in names if (session.project.reports / f"run-{name}.html").is_file()}


def _next_try(one: Suggestion) -> NextTry:
    effect, cost = one.effect, one.cost
    hours = [f"{h:.1f} {what} hours" for h, what in ((cost.cpu_hours, "CPU"), (cost.gpu_hours, "GPU")) if h is not None]
    images = [f"{counted(cost.images, 'image')} to make"] if cost.images else []
    return NextTry(
        title=one.move.title,
        why=one.move.rationale[0] if one.move.rationale else one.move.hypothesis,
        effect=f"Expected: {100 * effect.mean:+.0f} points of {effect.endpoint} ({100 * max(effect.low, -1):+.0f} to "
        f"{100 * min(effect.high, 1):+.0f}).",
        confidence=f"Confidence that it helps {min(effect.confidence, 0.99):.0%}.",
        cost=f"Costs {' and '.join([*images, *hours])}.",
        command=one.move.command,
    )
