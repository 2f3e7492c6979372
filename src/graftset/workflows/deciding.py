"""Deciding on the experiments of a project: what was compared, how far it was reviewed, and what was decided before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graftset import __version__
from graftset.catalog.store import now
from graftset.compare import Comparison
from graftset.compare.reading import as_json, read_comparisons
from graftset.decide import Decision, Thresholds, Word, decide, keep, latest, overridden
from graftset.decide.records import BaselineState
from graftset.errors import UserError
from graftset.experiments import COMPARISONS, EXPERIMENT, Experiment, known_experiments, read_experiment
from graftset.files import sha256_file
from graftset.runs import RUN, open_run, sha256_hex
from graftset.workflows.builds import known_builds
from graftset.workflows.steps import Session, review_state_of


@dataclass(frozen=True, slots=True)
class Overriding:
    """What a person decides against the rules."""

    verdict: Word
    reason: str
    by: str
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that is kept, and whether it says anything new."""

    decision: Decision
    is_new: bool
    notes: tuple[str, ...] = ()


def decide_now(session: Session, experiment: str | None = None, override: Overriding | None = None) -> Decided:
    """Decide on an experiment, the newest where none is named, and keep the decision.

    Raises:
        UserError: No such experiment, its comparisons are damaged, or the override lacks something.
    """
    found, notes = find_experiment(session, experiment)
    decision = rules_say(session, found)
    before = latest(session.project.decisions)
    if override is not None:
        decision = overridden(
            decision, override.verdict, reason=override.reason, by=override.by, scenario=override.scenario
        )
    elif before is not None and before.override is not None and rules_of(before) == rules_of(decision):
        # A person's word on exactly these results holds until the results change or somebody says otherwise.
        return Decided(before, False, tuple(notes))
    kept = keep(decision, session.project.decisions)
    return Decided(kept, before is None or kept.number != before.number, tuple(notes))


def rules_of(decision: Decision) -> tuple[object, ...]:
    """What the rules said on which inputs."""
    return (decision.rows, decision.arms, decision.thresholds, dict(decision.inputs), decision.baseline_state)


def rules_say(session: Session, experiment: Experiment | None) -> Decision:
    """What the rules say of an experiment now; nothing is kept."""
    views = session.catalog.views()
    comparisons = comparisons_of(session, experiment)
    selected = sum(1 for view in views if view.selected)
    return decide(
        comparisons,
        thresholds=thresholds_of(session),
        baseline=_baseline(session, experiment),
        admitted=selected or None,
        reviewed=_reviewed(session, comparisons),
        inputs=_inputs(session, experiment, comparisons),
        at=now(),
        version=__version__,
    )


def thresholds_of(session: Session) -> Thresholds:
    """The project's thresholds."""
    return Thresholds(**session.project.settings.decide.model_dump())


def comparisons_of(session: Session, experiment: Experiment | None) -> tuple[Comparison, ...]:
    """The comparisons of an experiment; none where it was not compared yet."""
    if experiment is None:
        return ()
    path = session.project.experiments / experiment.name / COMPARISONS
    return read_comparisons(path) if path.is_file() else ()


def find_experiment(session: Session, name: str | None) -> tuple[Experiment | None, Sequence[str]]:
    """An experiment by name, or the newest one; None where there is none at all.

    Raises:
        UserError: There is none of this name.
    """
    if name is not None:
        return read_experiment(session.project.experiments / name), ()
    known, notes = known_experiments(session.project.experiments)
    return max(known, key=lambda one: (one.created, one.name), default=None), notes


def require_experiment(session: Session, name: str | None) -> Experiment:
    """The same for those who can do nothing without one.

    Raises:
        UserError: There is none.
    """
    found, _ = find_experiment(session, name)
    if found is None:
        raise UserError(
            "There is no experiment yet", field="experiment", remedy="Plan and run one: graftset experiment"
        )
    return found


def _inputs(session: Session, experiment: Experiment | None, comparisons: Sequence[Comparison]) -> dict[str, str]:
    """Hashes of what is decided on. Comparing again at another time makes no other results: the time is left out."""
    if experiment is None:
        return {}
    place = f"experiments/{experiment.name}"
    said = json.dumps([as_json(replace(one, at="")) for one in comparisons], sort_keys=True)
    return {
        f"{place}/{EXPERIMENT}": sha256_file(session.project.experiments / experiment.name / EXPERIMENT),
        **({f"{place}/{COMPARISONS} without its times": sha256_hex(said.encode())} if comparisons else {}),
    }


def _baseline(session: Session, experiment: Experiment | None) -> BaselineState:
    """Whether every run of the baseline is finished, begun, or not there at all."""
    if experiment is None:
        return "absent"
    folders = [session.project.runs / experiment.run_name(experiment.baseline, seed) for seed in experiment.seeds]
    begun = [open_run(folder) for folder in folders if (folder / RUN).is_file()]
    if not begun:
        return "absent"
    return "finished" if len(begun) == len(folders) and all(run.finished for run in begun) else "unfinished"


def _reviewed(session: Session, comparisons: Sequence[Comparison]) -> Mapping[str, float | None]:
    """The review up to now, for arms whose build is what would be built now; others keep what their build says."""
    views = session.catalog.views()
    state = review_state_of(session, views)
    if state is None:
        return {}
    builds, _ = known_builds(session.project, views, session.catalog.selection())
    current = {build.record.build_sha256 for build in builds if not build.differences}
    return {one.arm.name: state.bound for one in comparisons if one.arm.build_sha256 in current}
