"""What the stages report, as lines for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graftset.assess import AssessReport
    from graftset.build import BuildReport
    from graftset.caption import CaptionReport
    from graftset.ingest import IngestReport
    from graftset.records import ImageView, Selection
    from graftset.workflows.expand import Expansion

_SHOWN = 5  # examples listed before "and N more"


def ingest_json(report: IngestReport) -> dict[str, Any]:
    """The ingest report as JSON."""
    return {
        "added": dict(report.added),
        "changed": dict(report.changed),
        "unchanged": dict(report.unchanged),
        "moved": dict(report.moved),
        "missing": dict(report.missing),
        "skipped": [{"path": skip.path, "reason": skip.reason} for skip in report.skips],
        "notes": list(report.notes),
    }


def ingest_lines(report: IngestReport) -> list[str]:
    """The ingest report for people."""
    lines = []
    for origin, name in (("original", "originals"), ("generated", "candidates")):
        counts = {
            "new": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "moved": report.moved,
            "gone": report.missing,
        }
        told = [f"{number[origin]} {word}" for word, number in counts.items() if number.get(origin)]  # type: ignore[call-overload, index]
        lines.append(f"{name}: {', '.join(told) or 'none'}")
    lines += [f"skipped {Path(skip.path).name}: {skip.reason}" for skip in report.skips[:_SHOWN]]
    if len(report.skips) > _SHOWN:
        lines.append(f"... and {len(report.skips) - _SHOWN} more: `graftset status` lists them")
    return [*lines, *(f"note: {note}" for note in report.notes)]


def assess_json(report: AssessReport) -> dict[str, Any]:
    """The assess report as JSON."""
    return {
        "measured": report.measured,
        "assessed": report.assessed,
        "unchanged": report.unchanged,
        "refused": [{"path": path, "reason": reason} for path, reason in report.refused],
        "notes": list(report.notes),
    }


def assess_lines(report: AssessReport) -> list[str]:
    """The assess report for people."""
    lines = [f"assessed {report.assessed} images ({report.measured} opened, {report.unchanged} unchanged)"]
    lines += [f"not measured {Path(path).name}: {reason}" for path, reason in report.refused[:_SHOWN]]
    return [*lines, *(f"note: {note}" for note in report.notes)]


def caption_json(report: CaptionReport) -> dict[str, Any]:
    """The caption report as JSON."""
    return {
        "claims": dict(report.claims),
        "corrected": report.corrected,
        "composed": report.composed,
        "without": report.without,
        "original_contradictions": report.original_contradictions,
        "notes": list(report.notes),
    }


def caption_lines(report: CaptionReport) -> list[str]:
    """The caption report for people."""
    claims = report.claims
    lines = [
        f"claims: {claims.get('confirmed', 0)} confirmed, {claims.get('contradicted', 0)} contradicted, "
        f"{claims.get('unverifiable', 0)} unverifiable",
        f"captions: {report.corrected} corrected, {report.composed} composed, {report.without} impossible to compose",
    ]
    if report.original_contradictions:
        lines.append(
            f"{report.original_contradictions} originals' captions contradict their picture: they are left as they are"
        )
    return [*lines, *(f"note: {note}" for note in report.notes)]


def selection_json(selection: Selection) -> dict[str, Any]:
    """A selection as JSON."""
    return {
        "policy": dict(selection.policy),
        "selected": [choice.path for choice in selection.choices if choice.selected],
        "dropped": [
            {"path": choice.path, "reasons": list(choice.reasons)}
            for choice in selection.choices
            if not choice.selected
        ],
        "figures": dict(selection.figures),
        "notes": list(selection.notes),
    }


def selection_lines(selection: Selection) -> list[str]:
    """A selection for people: how many, and what the others fell for."""
    kept = sum(1 for choice in selection.choices if choice.selected)
    dropped = Counter(
        reason.split(":")[0] for choice in selection.choices if not choice.selected for reason in choice.reasons
    )
    lines = [f"admitted {kept} of {len(selection.choices)}"]
    if dropped:
        lines.append("dropped for " + ", ".join(f"{word} {number}" for word, number in dropped.most_common()))
    return [*lines, *(f"note: {note}" for note in selection.notes)]


def build_json(report: BuildReport) -> dict[str, Any]:
    """A build as JSON."""
    return {
        "folder": str(report.folder),
        "plan": report.plan.as_dict(),
        "size": {"width": report.size.width, "height": report.size.height, "reason": report.size.reason},
        "images": report.images,
        "written": report.written,
        "unchanged": report.unchanged,
        "build_sha256": report.build_sha256,
        "skipped": [{"path": skip.path, "reason": skip.reason} for skip in report.skipped],
        "warnings": list(report.warnings),
    }


def build_lines(report: BuildReport) -> list[str]:
    """A build for people."""
    done = "unchanged" if report.unchanged else "built" if report.written else "would build"
    lines = [
        f"{done} {report.folder}: {report.images} images at {report.size.width}x{report.size.height} px, "
        f"{report.plan.steps} steps, {report.plan.real_mass:.0%} of what is shown are originals"
    ]
    return [*lines, *(f"warning: {warning}" for warning in report.warnings)]


def expansion_json(done: Expansion) -> dict[str, Any]:
    """A whole expansion as JSON."""
    return {
        "ingest": ingest_json(done.ingest),
        "assess": assess_json(done.assess),
        "caption": caption_json(done.caption),
        "select": selection_json(done.selection),
        "builds": [build_json(report) for report in done.builds],
        "not_built": [{"plan": plan, "reason": why} for plan, why in done.not_built],
        "report": str(done.report),
    }


def expansion_lines(done: Expansion) -> list[str]:
    """A whole expansion for people."""
    lines = [
        *ingest_lines(done.ingest),
        *assess_lines(done.assess),
        *caption_lines(done.caption),
        *selection_lines(done.selection),
    ]
    if done.builds:
        lines.append(f"training size: {done.builds[0].size.reason}")
    for report in done.builds:
        lines += build_lines(report)
    lines += [f"not built: {plan} ({why})" for plan, why in done.not_built]
    return [*lines, f"report: {done.report}"]


def caption_diffs(views: Sequence[ImageView]) -> list[str]:
    """Every proposal beside the text it corrects, as a unified reader expects it."""
    lines: list[str] = []
    for view in views:
        if view.origin != "generated" or view.proposed_caption is None or view.proposed_caption == view.prompt:
            continue
        lines.append(Path(view.path).name)
        if view.prompt:
            lines.append(f"- {view.prompt}")
        mark = " (composed)" if view.composed else ""
        lines.append(f"+ {view.proposed_caption}{mark}")
    return lines


def status_json(
    views: Sequence[ImageView], skips: Mapping[str, tuple[int, int, str]], selection: Selection | None
) -> dict[str, Any]:
    """Where a project stands, as JSON."""
    candidates = [view for view in views if view.origin == "generated"]
    return {
        "originals": sum(1 for view in views if view.origin == "original"),
        "candidates": len(candidates),
        "assessed": sum(1 for view in views if view.score is not None),
        "unreadable": [{"path": v.path, "reason": v.reasons[0]} for v in views if v.grid is None and v.reasons],
        "captions": {
            "proposed": sum(1 for view in candidates if view.proposed_caption is not None),
            "corrected": sum(1 for view in candidates if view.changes),
            "applied": sum(1 for view in candidates if view.caption is not None),
        },
        "selected": None if selection is None else sum(1 for choice in selection.choices if choice.selected),
        "skipped": [{"path": path, "reason": reason} for path, (_, _, reason) in sorted(skips.items())],
    }


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """Where a project stands, for people."""
    captions = status["captions"]
    lines = [
        f"originals   {status['originals']}",
        f"candidates  {status['candidates']}",
        f"assessed    {status['assessed']}",
        f"captions    {captions['proposed']} proposed, {captions['corrected']} of them corrections, "
        f"{captions['applied']} applied",
        f"selected    {'not yet' if status['selected'] is None else status['selected']}",
    ]
    for kind in ("unreadable", "skipped"):
        lines += [f"{kind}: {entry['path']}: {entry['reason']}" for entry in status[kind]]
    return lines
