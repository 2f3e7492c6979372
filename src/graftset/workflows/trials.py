"""The record of past runs as trials of knobs: what was changed, and what it did."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from scipy.stats import t

from graftset.compare import Comparison
from graftset.compare.records import LEAST_SEEDS, Difference
from graftset.experiments import Experiment
from graftset.runs import Run
from graftset.scorecards import BY_NAME, Course
from graftset.suggest import Observed, Trial, Unsettled
from graftset.suggest.records import ANY

MIXED = ("weighted", "equal", "sequential")  # plans that add what was admitted
SEARCHED = ("learning_rate", "caption_dropout")  # of the embedded trainer: its runs are points of a search
ORIGINALS, VARIATION = "original accuracy", "variation accuracy"


def _ours(runs: Sequence[Run]) -> list[Run]:
    """Runs of the embedded trainer, the only one whose settings are searched."""
    return [run for run in runs if run.record.backend == "native"]


def _overall(course: Course) -> float | None:
    figure = course.cards[-1].figure("overall", "all")
    return None if figure is None else figure.point


def observed_runs(
    runs: Sequence[Run], courses: Mapping[str, Course], native: Mapping[str, object]
) -> tuple[Observed, ...]:
    """Runs of the commonest build and length that differ from the settings in use in one searched knob at most."""
    usable = [run for run in _ours(runs) if run.finished and run.record.name in courses]
    if not usable:
        return ()
    common = Counter((run.record.build_sha256, run.record.steps, run.record.prompts_sha256) for run in usable)
    usual = common.most_common(1)[0][0]
    found = []
    for run in usable:
        if (run.record.build_sha256, run.record.steps, run.record.prompts_sha256) != usual:
            continue
        changed = _changed(run, native)
        score = _overall(courses[run.record.name])
        if score is None or len(changed) > 1:
            continue
        found += [
            Observed(knob, float(run.record.settings[knob]), score, run.record.name)
            for knob in SEARCHED
            if not changed or changed == [knob]
        ]
    return tuple(found)


def _changed(run: Run, native: Mapping[str, object]) -> list[str]:
    """Settings of a run that are not those in use."""
    return [name for name, value in native.items() if run.record.settings.get(name, value) != value]


def numeric_trials(runs: Sequence[Run], courses: Mapping[str, Course], native: Mapping[str, object]) -> list[Trial]:
    """Runs of another value against those of the value in use: same build, length, prompts; paired by training seed."""
    groups: dict[tuple[str, str, int, str], dict[tuple[str, str], dict[int, float]]] = {}
    for run in _ours(runs):
        record = run.record
        course = courses.get(record.name)
        changed = _changed(run, native)
        if not run.finished or course is None or len(changed) > 1 or (changed and changed[0] not in SEARCHED):
            continue
        score = _overall(course)
        if score is None:
            continue
        place = (changed[0], f"{record.settings[changed[0]]:g}") if changed else ("", "")
        group = (record.build, record.build_sha256, record.steps, record.prompts_sha256)
        groups.setdefault(group, {}).setdefault(place, {})[record.seed] = score
    trials = []
    for group, by_value in groups.items():
        base = by_value.get(("", ""), {})
        for (knob, move), own in by_value.items():
            shared = sorted(set(base) & set(own))
            if knob and len(shared) >= 2:
                trials.append(_paired(knob, move, group[0], [own[seed] - base[seed] for seed in shared]))
    return trials


def _paired(knob: str, move: str, build: str, differences: Sequence[float]) -> Trial:
    """A trial from the differences of the seeds, with a 95 % t interval."""
    count = len(differences)
    mean = sum(differences) / count
    variance = sum((one - mean) ** 2 for one in differences) / (count - 1)
    half = float(t.ppf(0.975, count - 1)) * math.sqrt(variance / count)
    verdict = "HELPED" if mean - half > 0 else "HURT" if mean + half < 0 else "INCONCLUSIVE"
    return Trial(
        knob, move, f"runs on {build}", "overall", mean, mean - half, mean + half, 0.95, count, verdict,
        count < LEAST_SEEDS,
    )  # fmt: skip


def trials_of(compared: Sequence[tuple[Experiment, Sequence[Comparison]]], real_mass: dict[str, float]) -> list[Trial]:
    trials = []
    for experiment, comparisons in compared:
        by_plan = {one.arm.plan: one for one in comparisons}
        for one in comparisons:
            if one.arm.plan in MIXED and (found := one.difference(VARIATION)) is not None:
                trials.append(_trial("expansion", ANY, experiment, found))
                trials.append(_trial("expansion", f"by {one.arm.name}", experiment, found))
        pairs = (("corrected", "as-asked"), ("relabeled", "mislabeled"))
        for good, bad in pairs:
            if good in by_plan and bad in by_plan:
                trials += _contrast(
                    "captions", "corrected", experiment, by_plan[good], by_plan[bad], "variation accuracy"
                )
        mixed = sorted(
            (one for one in comparisons if one.arm.plan in ("equal", "weighted") and one.arm.build_sha256 in real_mass),
            key=lambda one: real_mass[one.arm.build_sha256],
        )
        if len(mixed) > 1 and mixed[0].arm.generated == mixed[-1].arm.generated:
            key = f"{real_mass[mixed[-1].arm.build_sha256]:.2f}"
            trials += _contrast("real_mass", key, experiment, mixed[-1], mixed[0], ORIGINALS)
    return trials


def _trial(knob: str, move: str, experiment: Experiment, found: Difference) -> Trial:
    return Trial(
        knob, move, experiment.name, found.endpoint.name, found.point, found.low, found.high, found.level, found.seeds,
        found.verdict, found.directional,
    )  # fmt: skip


def _contrast(
    knob: str, move: str, experiment: Experiment, better: Comparison, other: Comparison, endpoint: str
) -> list[Trial]:
    """Two arms of one experiment against each other, from their differences to the baseline.

    The baseline's noise is in both, so that adding the variances makes the interval too wide rather than too narrow.
    """
    one, two = better.difference(endpoint), other.difference(endpoint)
    if one is None or two is None:
        return []
    point = one.point - two.point
    half = math.hypot((one.high - one.low) / 2, (two.high - two.low) / 2)
    verdict = "HELPED" if point - half > 0 else "HURT" if point + half < 0 else "INCONCLUSIVE"
    seeds = min(one.seeds, two.seeds)
    return [
        Trial(
            knob, move, experiment.name, endpoint, point, point - half, point + half, max(one.level, two.level), seeds,
            verdict, seeds < LEAST_SEEDS,
        )
    ]  # fmt: skip


def unsettled(compared: Sequence[tuple[Experiment, Sequence[Comparison]]]) -> tuple[Unsettled, ...]:
    """Open and directional endpoints of the newest experiment that has any comparison."""
    done = [(experiment, comparisons) for experiment, comparisons in compared if comparisons]
    if not done:
        return ()
    experiment, comparisons = max(done, key=lambda pair: pair[0].created)
    return tuple(
        Unsettled(
            experiment=experiment.name,
            arms=tuple(arm.name for arm in experiment.arms),
            steps=experiment.steps,
            arm=one.arm.name,
            endpoint=found.endpoint.name,
            point=found.point,
            low=found.low,
            high=found.high,
            seeds=found.seeds,
            needed=None if found.needed is None else found.needed.seeds,
            directional=found.directional,
        )
        for one in comparisons
        for found in one.primary
        if BY_NAME[found.endpoint.measure].is_share and (found.directional or found.verdict == "INCONCLUSIVE")
    )
