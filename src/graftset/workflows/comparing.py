"""Comparing arms of a project: runs by name, by the start of their names, or by the experiment they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graftset.build import read_build
from graftset.catalog.store import now
from graftset.compare import PRIMARY, ArmRuns, Comparison, Endpoint, compare
from graftset.errors import BuildError, UserError
from graftset.runs import Run, known_runs
from graftset.scorecards import Course, follow
from graftset.workflows.evaluating import criteria_of
from graftset.workflows.steps import Session

_SEED = re.compile(r"-s\d+$")
# What of a run decides its weights besides the training set: two arms that differ in it differ in more than pictures.
_DECIDES = ("backend", "batch_size", "width", "height")


def compare_runs(
    session: Session,
    arm: tuple[str, Sequence[Run]],
    baseline: tuple[str, Sequence[Run]],
    *,
    primary: Sequence[Endpoint] = PRIMARY,
    experiment: str | None = None,
    planned: Sequence[int] = (),
) -> Comparison:
    """Compare the runs of an arm with those of the baseline, by the scorecards that are there.

    Args:
        session: The open project.
        arm: Its name and its runs, one for each training seed.
        baseline: Likewise.
        primary: The endpoints that get verdicts which count.
        experiment: What they belong to.
        planned: The training seeds there should be.

    Raises:
        UserError: What `graftset.compare.compare` raises, or the runs of one arm are no arm.
    """
    cards = {run.name: run.cards for run in session.catalog.evaluated_runs()}
    criteria = criteria_of(session)
    courses = {name: follow(own, criteria) for name, own in cards.items() if own}
    sides = [_arm_runs(session, name, runs, courses) for name, runs in (arm, baseline)]
    return compare(*sides, primary=primary, experiment=experiment, planned=planned, at=now())


def runs_named(session: Session, text: str) -> tuple[str, list[Run]]:
    """An arm of plain runs: those whose name is `text` with a seed behind it, or the arm that the run `text` is of.

    `equal` and `equal-s` and `equal-s0` all stand for equal-s0, equal-s1 and so on.

    Raises:
        UserError: There are none.
    """
    known, _ = known_runs(session.project.runs)
    stem = _SEED.sub("", text).removesuffix("-s")
    found = [run for run in known if _SEED.sub("", run.record.name) == stem]
    found = found or [run for run in known if run.record.name == text]
    if not found:
        arms = sorted({_SEED.sub("", run.record.name) for run in known})
        raise UserError(
            "There are no runs of this name",
            field="ARM",
            value=text,
            remedy=f"Name one of these: {', '.join(arms) or 'none yet, see graftset train'}",
        )
    return stem, found


def _arm_runs(session: Session, name: str, runs: Sequence[Run], courses: dict[str, Course]) -> ArmRuns:
    if not runs:
        raise UserError(f"{name} has no run", field="run", value=name, remedy="Train it first")
    first = runs[0].record
    by_seed: dict[int, Run] = {}
    for run in runs:
        record = run.record
        if record.build_sha256 != first.build_sha256 or record.steps != first.steps:
            what = "training set" if record.build_sha256 != first.build_sha256 else "number of steps"
            raise UserError(
                f"The runs of {name} are no arm: {record.name} has another {what} than {first.name}",
                field="run",
                value=record.name,
                remedy="Train every seed of an arm on the same build, equally long",
            )
        if record.seed in by_seed:
            raise UserError(
                f"Two runs of {name} have the seed {record.seed}: {by_seed[record.seed].record.name} and {record.name}",
                field="run",
                value=record.name,
                remedy="Give every run of an arm a seed of its own",
            )
        by_seed[record.seed] = run
    return ArmRuns(
        name=name,
        plan=first.plan,
        build=first.build,
        build_sha256=first.build_sha256,
        originals=first.originals,
        generated=first.generated,
        steps=first.steps,
        courses={seed: courses[run.record.name] for seed, run in by_seed.items() if run.record.name in courses},
        runs={seed: run.record.name for seed, run in by_seed.items()},
        settings={**first.settings, **{key: getattr(first, key) for key in _DECIDES}},
        reviewed=_reviewed(session, first.build, first.build_sha256),
    )


def _reviewed(session: Session, build: str, build_sha256: str) -> float | None:
    """The lower bound on the share of right images that a build's manifest gives; None where there is none."""
    try:
        record = read_build(session.project.builds / build)
    except BuildError:
        return None
    if record.build_sha256 != build_sha256:
        return None
    if isinstance(record.reviewed, dict):
        bound = record.reviewed.get("bound")
        return float(bound) if isinstance(bound, int | float) else None
    return None if isinstance(record.reviewed, str) else float(record.reviewed)
