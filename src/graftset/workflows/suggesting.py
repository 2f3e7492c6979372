"""What a project knows that suggestions rest on: its images, its captions, its builds, and the record of past runs."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence

from graftset.build.kohya.training import NETWORK_DIM
from graftset.experiments import known_experiments
from graftset.records import ImageView
from graftset.runs import Run, known_runs
from graftset.scorecards import Course, follow
from graftset.selection.shown import counts_of
from graftset.suggest import Facts, Lack, Suggestion, suggest
from graftset.workflows.auditing import audit_views
from graftset.workflows.builds import KnownBuild, known_builds
from graftset.workflows.deciding import comparisons_of
from graftset.workflows.evaluating import criteria_of
from graftset.workflows.steps import Session
from graftset.workflows.trials import MIXED, SEARCHED, numeric_trials, observed_runs, trials_of, unsettled

LEAST_ORIGINALS = 6  # that have a trait before more of it is asked for
KEEP_TOKENS = "keep_tokens"
ALARMS = ("acceptance", "variety")  # notes of the selection that speak for more images
_AIM = 4  # an expansion is aimed at one admitted image for so many originals, at least


def suggestions(session: Session) -> tuple[Suggestion, ...]:
    """Ranked next experiments of a project."""
    return suggest(gather(session))


def gather(session: Session) -> Facts:
    """Everything that suggestions rest on."""
    views = session.catalog.views()
    originals = [view for view in views if view.origin == "original"]
    candidates = [view for view in views if view.origin == "generated"]
    admitted = [view for view in candidates if view.selected]
    selection = session.catalog.selection()
    builds, _ = known_builds(session.project, views, selection)
    leading = _leading(builds)
    audit = audit_views(session, views, (), session.catalog.dismissals())
    experiments, _ = known_experiments(session.project.experiments)
    compared = [(one, comparisons_of(session, one)) for one in experiments]
    runs, _ = known_runs(session.project.runs)
    criteria = criteria_of(session)
    courses = {r.name: follow(r.cards, criteria) for r in session.catalog.evaluated_runs() if r.cards}
    settings = session.project.settings
    native = settings.train.native.model_dump()
    return Facts(
        originals=len(originals),
        candidates=len(candidates),
        admitted=len(admitted),
        lacking=lacking(originals, candidates, admitted, () if selection is None else selection.figures.items()),
        alarms=() if selection is None else tuple(note for note in selection.notes if note.startswith(ALARMS)),
        wrong=_wrong(candidates),
        findings=audit.counts,
        audited=audit.captions,
        baseline=any(run.finished and run.record.generated == 0 for run in runs),
        real_mass=None if leading is None else leading.record.plan.real_mass,
        size=None if leading is None else leading.record.size.width,
        cells=None if leading is None else leading.record.native.width,
        unconverged=_unconverged(courses),
        settings={
            **{name: float(native[name]) for name in SEARCHED},
            "network_dim": float(NETWORK_DIM),
            "conv_dim": 0.0,
            **_keep_tokens(session, leading),
        }
        if originals
        else {},
        seconds_per_step=_seconds_per_step(runs),
        steps=settings.train.steps,
        seeds=settings.suggest.seeds,
        gpu_seconds_per_step=settings.suggest.gpu_seconds_per_step,
        minutes_per_image=settings.suggest.minutes_per_image,
        trials=(*trials_of(compared, {b.record.build_sha256: b.record.plan.real_mass for b in builds}),
                *numeric_trials(runs, courses, native)),
        observed=observed_runs(runs, courses, native),
        unsettled=unsettled(compared),
        plan="weighted" if leading is None else leading.record.plan.name,
    )  # fmt: skip


def lacking(
    originals: Sequence[ImageView],
    candidates: Sequence[ImageView],
    admitted: Sequence[ImageView],
    figures: Iterable[tuple[str, float]],
) -> tuple[Lack, ...]:
    """Traits that the admitted have too few of, the most lacking first.

    What is due is shared out by the square root of the originals' counts (measurement.md, section 4), over as many
    admitted as there are, or a quarter of the originals where that is more.
    """
    wanted, got, came = counts_of(originals), counts_of(admitted), counts_of(candidates)
    known = dict(figures)
    aim = max(len(admitted), len(originals) // _AIM)
    lacks = []
    for slot, values in wanted.items():
        total = sum(math.sqrt(count) for count in values.values())
        for value, count in values.items():
            if count < LEAST_ORIGINALS or value == "absent":
                continue
            due = aim * math.sqrt(count) / total
            name = value if slot == "background" else f"{slot}:{value}"
            own = known.get(f"acceptance:{name}") if came.get(slot, Counter())[value] >= 4 else None
            lack = Lack(slot, value, count, got.get(slot, Counter())[value], due, own or known.get("acceptance", 0.5))
            if lack.missing:
                lacks.append(lack)
    return tuple(sorted(lacks, key=lambda lack: (lack.slot != "background", -lack.missing, lack.name)))


def _leading(builds: Sequence[KnownBuild]) -> KnownBuild | None:
    by_plan = {build.record.plan.name: build for build in builds}
    return next((by_plan[plan] for plan in MIXED if plan in by_plan), None)


def _wrong(candidates: Sequence[ImageView]) -> dict[str, tuple[int, int]]:
    """Slot -> contradicted claims and those that can be judged, the most contradicted first."""
    bad: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    for view in candidates:
        for claim in view.claims:
            slot = claim.slot.partition(":")[0]
            judged[slot] += claim.verdict != "unverifiable"
            bad[slot] += claim.verdict == "contradicted"
    return {slot: (number, judged[slot]) for slot, number in bad.most_common() if number}


def _keep_tokens(session: Session, leading: KnownBuild | None) -> dict[str, float]:
    """keep_tokens of the leading build's dataset.toml; {} where there is none."""
    if leading is None:
        return {}
    try:
        table = tomllib.loads((leading.folder / "dataset.toml").read_text(encoding="utf-8"))
        value = table["general"][KEEP_TOKENS]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {KEEP_TOKENS: float(value)} if isinstance(value, int | float) else {}


def _seconds_per_step(runs: Sequence[Run]) -> float | None:
    """Of training and painting together, over all runs that got anywhere."""
    last = [checkpoints[-1] for run in runs if (checkpoints := run.checkpoints())]
    steps = sum(checkpoint.step for checkpoint in last)
    return sum(checkpoint.seconds or 0.0 for checkpoint in last) / steps if steps else None


def _unconverged(courses: dict[str, Course]) -> float | None:
    settled = [
        series.convergence is not None and series.convergence.at is not None
        for course in courses.values()
        if course.finished
        for series in course.series
        if series.measure == "original_accuracy"
    ]
    return 1 - sum(settled) / len(settled) if settled else None
