"""Where a project stands, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftset.cli.console import some, typed
from graftset.phrases import counted

if TYPE_CHECKING:
    from graftset.decide import Decision
    from graftset.records import Skip
    from graftset.workflows.builds import KnownBuild
    from graftset.workflows.standing import RunStanding, SelectionStanding, Standing


def standing_json(stands: Standing, project: Path) -> dict[str, Any]:
    """Where a project stands, as JSON."""
    captions, selection = stands.captions, stands.selection
    return {
        "originals": stands.originals,
        "candidates": stands.candidates,
        "assessed": stands.assessed,
        "unassessed": stands.unassessed,
        "unreadable": _skips_json(stands.unreadable),
        "captions": {
            "originals_without": captions.originals_without,
            "proposed": captions.proposed,
            "corrected": captions.corrected,
            "composed": captions.composed,
            "applied": captions.applied,
            "outdated": captions.outdated,
        },
        "claims": dict(captions.claims),
        "selected": None if selection is None else selection.admitted,
        "selection": None if selection is None else _selection_json(selection),
        "review": None if stands.review is None else stands.review.as_dict() | {"notes": list(stands.review.notes)},
        "builds": [_build_json(build) for build in stands.builds],
        "runs": [_run_json(run, project) for run in stands.runs],
        "decision": None if stands.decision is None else _decision_json(stands.decision),
        "skipped": _skips_json(stands.skipped),
        "notes": list(stands.notes),
        "next": [{"command": typed(step.command, project), "why": step.why} for step in stands.next_steps],
    }


def _selection_json(selection: SelectionStanding) -> dict[str, Any]:
    return {
        "at": selection.at,
        "admitted": selection.admitted,
        "dropped": dict(selection.dropped),
        "stale": bool(selection.outdated),
        "why_stale": list(selection.outdated),
    }


def _build_json(build: KnownBuild) -> dict[str, Any]:
    record = build.record
    return {
        "name": build.name,
        "folder": str(build.folder),
        "plan": record.plan.name,
        "images": len(record.images),
        "steps": record.plan.steps,
        "real_mass": round(record.plan.real_mass, 6),
        "size": {"width": record.size.width, "height": record.size.height},
        "reviewed": record.reviewed,
        "build_sha256": record.build_sha256,
        "stale": bool(build.differences),
        "differences": build.differences,
    }


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "number": decision.number,
        "at": decision.at,
        "scenario": decision.scenario,
        "verdict": decision.verdict,
        "sentence": decision.sentence,
        "by": decision.by,
    }


def _run_json(run: RunStanding, project: Path) -> dict[str, Any]:
    return asdict(run) | {"resume": None if run.resume is None else typed(run.resume, project)}


def _skips_json(skips: Sequence[Skip]) -> list[dict[str, str]]:
    return [{"path": skip.path, "reason": skip.reason} for skip in skips]


def standing_lines(stands: Standing, project: Path) -> list[str]:
    """Where a project stands, for people."""
    captions, claims = stands.captions, stands.captions.claims
    without = f", {captions.originals_without} of them without a caption" if captions.originals_without else ""
    lines = [
        f"originals   {stands.originals}{without}",
        f"candidates  {stands.candidates}",
        f"assessed    {stands.assessed}" + (f", {stands.unassessed} to do" if stands.unassessed else ""),
        f"claims      {', '.join(f'{count} {verdict}' for verdict, count in claims.items())}",
        f"captions    {captions.proposed} proposed: {captions.corrected} corrected, {captions.composed} composed; "
        f"{captions.applied} applied",
        f"selected    {'not yet' if stands.selection is None else _selected(stands.selection)}",
        *_review_lines(stands),
        *(f"build       {_build_line(build)}" for build in stands.builds),
        *(line for run in stands.runs for line in _run_lines(run, project)),
        *_decision_lines(stands.decision),
        *some(f"unreadable  {skip.path}: {skip.reason}" for skip in stands.unreadable),
        *some(f"skipped     {skip.path}: {skip.reason}" for skip in stands.skipped),
        *(f"note        {note}" for note in stands.notes),
    ]
    steps = [f"next        {typed(step.command, project)}  ({step.why})" for step in stands.next_steps]
    if steps:
        return [*lines, *steps]
    lines.append("next        nothing: all is up to date")
    if stands.selection is not None and stands.selection.admitted and stands.review is None:
        review = typed("review", project)
        lines.append(f"            nobody has looked at the admitted yet: {review} shows how far they may be trusted")
    return lines


def _review_lines(stands: Standing) -> list[str]:
    if stands.selection is None:
        return []
    if stands.review is None:
        return ["reviewed    none"]
    return [f"reviewed    {stands.review.sentence}", *(f"            {note}" for note in stands.review.notes)]


def _selected(selection: SelectionStanding) -> str:
    dropped = ", ".join(f"{gate} {count}" for gate, count in selection.dropped.items())
    stale = f"; out of date: {', '.join(selection.outdated)}" if selection.outdated else ""
    return f"{selection.admitted}" + (f"; dropped for {dropped}" if dropped else "") + stale


def _build_line(build: KnownBuild) -> str:
    record = build.record
    stale = f"; out of date: {build.differences}" if build.differences else ""
    return (
        f"{build.name}: {counted(len(record.images), 'image')} at {record.size.width}x{record.size.height} px, "
        f"{counted(record.plan.steps, 'step')}, {record.plan.real_mass:.0%} originals{stale}"
    )


def _decision_lines(decision: Decision | None) -> list[str]:
    return [] if decision is None else [f"decided     {decision.sentence}  (decisions/{decision.number}.json)"]


def _run_lines(run: RunStanding, project: Path) -> list[str]:
    where = f"{run.checkpoints} of {counted(run.planned, 'checkpoint')}, {run.evaluated} evaluated"
    lines = [f"run         {run.name}: {run.state}, {where}"]
    return lines if run.resume is None else [*lines, f"            goes on with: {typed(run.resume, project)}"]
