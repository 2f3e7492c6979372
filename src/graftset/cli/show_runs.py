"""What evaluate and runs report, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftset.cli.console import typed
from graftset.phrases import counted, noun
from graftset.scorecards.measures import BY_NAME

if TYPE_CHECKING:
    from graftset.runs import RunRecord
    from graftset.scorecards import Course, Criterion, Figure
    from graftset.workflows.evaluating import Evaluation
    from graftset.workflows.importing import Imported
    from graftset.workflows.known_runs import KnownRun

Shown = Callable[[Path], str]
_SKIPS = 5  # files left out that are told one by one

_TOLD = (
    ("original_accuracy", "training", "recall"),
    ("variation_accuracy", "obedience", "obedience"),
    ("quality_preservation", "all", "quality"),
)


def evaluation_json(done: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON."""
    return {
        "run": done.run,
        "folder": str(done.folder),
        "evaluated": list(done.made),
        "unchanged": list(done.unchanged),
        "report": None if done.page is None else str(done.page),
        "notes": list(done.notes),
        **(_course_json(done.course) if done.course else {}),
    }


def evaluation_lines(done: Evaluation, shown: Shown) -> list[str]:
    """An evaluation for people."""
    if done.course is None:
        return [*done.notes, f"{done.run}: no checkpoint has pictures yet"]
    lines = [f"{done.run}: {len(done.made)} evaluated, {len(done.unchanged)} up to date"]
    lines += [_checkpoint_line(done.course, number) for number in range(len(done.course.cards))]
    lines += [*_criteria_lines(done.course), *_best_line(done.course)]
    skipped = sum(len(card.skipped) for card in done.course.cards)
    if skipped:
        first = next(skip for card in done.course.cards for skip in card.skipped)
        lines.append(f"{counted(skipped, 'picture')} left out, the first {Path(first.path).name}: {first.reason}")
    lines += done.notes
    return [*lines, *([f"report: {shown(done.page)}"] if done.page else [])]


def run_json(run: KnownRun, project: Path) -> dict[str, Any]:
    """One run as JSON."""
    return {
        "name": run.name,
        "folder": str(run.folder),
        "state": run.state,
        "checkpoints": run.checkpoints,
        "planned": run.planned,
        "resume": None if run.resume is None else typed(run.resume, project),
        "settings": None if run.record is None else asdict(run.record.record),
        **(_course_json(run.course) if run.course else {"evaluated": 0}),
    }


def run_line(run: KnownRun) -> str:
    """One run on a line."""
    of = f" of {run.planned}" if run.planned else ""
    line = f"{run.name}: {run.state}, {run.checkpoints}{of} {noun(run.planned or run.checkpoints, 'checkpoint')}"
    if run.course is None:
        return f"{line}, not evaluated"
    newest = run.course.cards[-1]
    told = [f"{label} {_value(figure)}" for measure, group, label in _TOLD if (figure := newest.figure(measure, group))]
    best = run.course.best_checkpoint
    return ", ".join([line, f"{len(run.course.cards)} evaluated", *told, *([f"best {best}"] if best else [])])


def runs_lines(runs: Sequence[KnownRun], project: Path) -> list[str]:
    """A line for each run, and how one that was stopped goes on."""
    return [line for run in runs for line in (run_line(run), *_resume_lines(run, project))]


def _resume_lines(run: KnownRun, project: Path) -> list[str]:
    return [] if run.resume is None else [f"  goes on where it was with: {typed(run.resume, project)}"]


def run_lines(run: KnownRun, shown: Shown, project: Path) -> list[str]:
    """One run for people."""
    lines = [run_line(run), *_resume_lines(run, project), f"folder: {shown(run.folder)}"]
    if run.record is not None:
        record = run.record.record
        lines.append(_record_line(record))
        lines += [f"note: {note}" for note in record.notes]
    if run.course is not None:
        lines += [_checkpoint_line(run.course, number) for number in range(len(run.course.cards))]
        lines += [*_criteria_lines(run.course), *_best_line(run.course)]
        for series in run.course.series:
            if series.convergence is not None:
                found = series.convergence
                level = "" if found.at is None else f", at {_number(series.measure, found.level)}"
                lines.append(f"{_title(series.measure)}: {found.sentence}{level}")
        lines += run.course.left_out
    return lines


def _record_line(record: RunRecord) -> str:
    """How a run was trained, as far as it is known."""
    images = f"trained on {counted(record.originals, 'original')} and {record.generated} generated"
    if not record.originals and not record.generated:
        images = "what it was trained on is not known"
    told = [f"plan {record.plan}"] if record.plan else []
    told += [f"build {record.build}"] if record.build else []
    of = f" of {record.batch_size}" if record.batch_size else ""
    where = f" ({', '.join(told)})" if told else ""
    return f"{images}{where}, {record.steps} {record.unit}s{of}, seed {record.seed}, {record.backend}"


def import_json(done: Imported) -> dict[str, Any]:
    """An import as JSON."""
    record = done.run.record
    return {
        "run": record.name,
        "folder": str(done.run.folder),
        "kind": done.kind,
        "new": list(done.new),
        "checkpoints": len(done.run.checkpoints()),
        "sampled": len(done.run.sampled()),
        "weights": done.weights,
        "losses": done.losses,
        "unit": record.unit,
        "notes": list(done.notes),
        "skipped": [asdict(skip) for skip in done.skipped],
    }


def import_lines(done: Imported, shown: Shown) -> list[str]:
    """An import for people."""
    checkpoints, sampled = len(done.run.checkpoints()), len(done.run.sampled())
    if not done.new:
        lines = [f"unchanged {shown(done.run.folder)}: all of it was imported before"]
    else:
        lines = [
            f"imported {shown(done.run.folder)}: {counted(checkpoints, 'checkpoint')}, {done.weights} with weights, "
            f"{sampled} with pictures, {done.losses} logged losses"
        ]
    lines += [f"note: {note}" for note in done.notes]
    lines += [f"left out {Path(skip.path).name}: {skip.reason}" for skip in done.skipped[:_SKIPS]]
    if len(done.skipped) > _SKIPS:
        lines.append(f"and {len(done.skipped) - _SKIPS} more are left out")
    return [*lines, *([f"next: graftset evaluate {done.run.record.name}"] if sampled else [])]


def _course_json(course: Course) -> dict[str, Any]:
    best = course.best
    return {
        "finished": course.finished,
        "checkpoints_evaluated": [
            {
                **asdict(card.place),
                "figures": [asdict(figure) for figure in card.figures],
                "distances": [asdict(distance) for distance in card.distances],
                "skipped": [asdict(skip) for skip in card.skipped],
            }
            for card in course.cards
        ],
        "criteria": [asdict(criterion) for criterion in course.criteria],
        "windows": [asdict(window) for window in course.windows],
        "series": [
            {
                "measure": series.measure,
                "group": series.group,
                "convergence": None
                if series.convergence is None
                else {**asdict(series.convergence), "sentence": series.convergence.sentence},
                "stability": series.stability,
                "oscillates": series.oscillates,
            }
            for series in course.series
        ],
        "best": None if best is None else {"checkpoint": course.best_checkpoint, **asdict(best)},
        "style": asdict(course.cards[-1].style),
        "evaluator": course.cards[-1].evaluator,
        "prompts_sha256": course.cards[-1].prompts_sha256,
        "left_out": list(course.left_out),
    }


def _checkpoint_line(course: Course, number: int) -> str:
    card = course.cards[number]
    told = [f"{label} {_value(figure)}" for measure, group, label in _TOLD if (figure := card.figure(measure, group))]
    return f"  {card.place.checkpoint}: {', '.join(told) or 'no picture could be looked at'}"


def _criteria_lines(course: Course) -> list[str]:
    return [
        f"{_title(one.measure)} of {_number(one.measure, one.wanted)} or more: {_found(one)}" for one in course.criteria
    ]


def _found(one: Criterion) -> str:
    if one.point is None:
        return one.why_not
    bound = "" if one.bound is None else f", at least {_number(one.measure, one.bound)} with 95 % confidence"
    verdict = one.why_not or ("met" if one.certain else "met, not yet certain" if one.met else "missed")
    return f"{_number(one.measure, one.point)} at {one.checkpoint}{bound}: {verdict}"


def _best_line(course: Course) -> list[str]:
    if course.best is None:
        return []
    point = course.best.reported.point
    return [f"best checkpoint: {course.best_checkpoint}, overall {100 * point:.0f} % on prompts that did not choose it"]


def _value(figure: Figure) -> str:
    point = _number(figure.measure, figure.point)
    if figure.low is None or figure.high is None:
        return point
    low, high = (_number(figure.measure, value).removesuffix(" %") for value in (figure.low, figure.high))
    return f"{point} ({low}-{high})"


def _number(measure: str, value: float) -> str:
    return f"{100 * value:.0f} %" if BY_NAME[measure].high == 1 else f"{value:.2f}"


def _title(measure: str) -> str:
    return BY_NAME[measure].title
