"""What the stages report, as lines for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftset.cli.console import shown
from graftset.cli.show_builds import build_json, build_line, build_remarks
from graftset.errors import UserError
from graftset.phrases import counted
from graftset.quality import score_text
from graftset.records import Skip

if TYPE_CHECKING:
    from graftset.assess import AssessReport
    from graftset.caption import CaptionReport
    from graftset.ingest import IngestReport
    from graftset.records import ImageView, Origin, Selection
    from graftset.workflows.demo import Tried
    from graftset.workflows.expand import Expansion, NotBuilt

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
    names: tuple[tuple[Origin, str], ...] = (("original", "originals"), ("generated", "candidates"))
    for origin, name in names:
        counts = {
            "new": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "moved": report.moved,
            "gone": report.missing,
        }
        told = [f"{numbers[origin]} {word}" for word, numbers in counts.items() if numbers.get(origin)]
        lines.append(f"{name}: {', '.join(told) or 'none'}")
    return [*lines, *left_out_lines("skipped", report.skips), *(f"note: {note}" for note in report.notes)]


def left_out_lines(word: str, skips: Sequence[Skip]) -> list[str]:
    """The first files that were left out, each with its reason."""
    lines = [f"{word} {Path(skip.path).name}: {skip.reason}" for skip in skips[:_SHOWN]]
    more = len(skips) - _SHOWN
    return [*lines, f"... and {more} more: `graftset status` lists them"] if more > 0 else lines


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
    lines = [f"assessed {counted(report.assessed, 'image')} ({report.measured} opened, {report.unchanged} unchanged)"]
    refused = [Skip(path, reason) for path, reason in report.refused]
    return [*lines, *left_out_lines("not measured", refused), *(f"note: {note}" for note in report.notes)]


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
            f"captions of originals in which something else is seen than they say: {report.original_contradictions}, "
            "left as they are; `graftset audit` tells errors from doubts"
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


def expansion_json(done: Expansion) -> dict[str, Any]:
    """A whole expansion as JSON."""
    return {
        "ingest": ingest_json(done.ingest),
        "assess": assess_json(done.assess),
        "caption": caption_json(done.caption),
        "select": selection_json(done.selection),
        "builds": [build_json(report) for report in done.builds],
        "not_built": [
            {"plan": one.plan, "reason": str(one.error), "differences": one.differences} for one in done.not_built
        ],
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
    lines += [*map(build_line, done.builds), *build_remarks(done.builds)]
    return [*lines, *map(_not_built_line, done.not_built), f"report: {shown(done.report)}"]


def demo_json(done: Expansion, tried: Tried | None) -> dict[str, Any]:
    """The demonstration as JSON: an expansion, and the experiment where there was one."""
    from graftset.cli.show_experiments import comparison_json
    from graftset.decide import as_json

    document = expansion_json(done)
    if tried is None:
        return {**document, "experiment": None}
    return {
        **document,
        "experiment": {
            "name": tried.experimented.experiment.name,
            "trained": list(tried.experimented.trained),
            "unchanged": list(tried.experimented.unchanged),
            "comparisons": [comparison_json(one) for one in tried.experimented.comparisons],
            "decision": as_json(tried.decision),
            "report": str(tried.report),
        },
    }


def demo_lines(done: Expansion, tried: Tried | None) -> list[str]:
    """The demonstration for people; the last line is the report to open."""
    lines = expansion_lines(done)
    if tried is None:
        return lines
    from graftset.cli.show_experiments import done_lines

    return [
        *lines[:-1],
        f"what came in and what was admitted: {shown(done.report)}",
        "",
        *done_lines(tried.experimented),
        "",
        f"decision {tried.decision.number}: {tried.decision.sentence}",
        *(["directional only: fewer than 5 training seeds"] if tried.decision.directional else []),
        f"report: {shown(tried.report)}",
    ]


def _not_built_line(one: NotBuilt) -> str:
    if one.differences:
        return f"left as it was: {one.plan}; built now it would have other {one.differences}"
    return f"{'left as it was' if one.in_the_way else 'not built'}: {one.plan}: {one.error.message}"


def expansion_fault(done: Expansion, *, forced: bool) -> UserError | None:
    """What keeps an expansion from being done: nothing was built, or builds that differ were left as they are.

    A plan that does not suit what was admitted is told and no fault, as long as another does.
    """
    if not done.builds and done.not_built and not any(one.in_the_way for one in done.not_built):
        return done.not_built[0].error
    left = [one for one in done.not_built if one.in_the_way]
    if not left:
        return None
    return UserError(
        f"{_counted(len(left), 'build')} in the project {'differs' if len(left) == 1 else 'differ'} from what would be "
        "built now, and stayed as before",
        field="builds",
        value=", ".join(one.plan for one in left),
        remedy=left[0].error.remedy if forced else "Pass --force to replace what graftset wrote.",
    )


def caption_diff(views: Sequence[ImageView]) -> list[dict[str, Any]]:
    """Every proposal that differs from the text a candidate came with, as JSON."""
    return [
        {"path": view.path, "old": view.prompt, "new": view.proposed_caption, "composed": view.composed}
        for view in views
        if view.origin == "generated" and view.proposed_caption is not None and view.proposed_caption != view.prompt
    ]


def caption_diff_lines(diff: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same for people: every proposal under the text it corrects."""
    lines: list[str] = []
    for entry in diff:
        lines.append(Path(entry["path"]).name)
        if entry["old"]:
            lines.append(f"- {entry['old']}")
        lines.append(f"+ {entry['new']}{' (composed)' if entry['composed'] else ''}")
    return lines


def image_line(view: ImageView) -> str:
    """One image in one line: origin, score, background, verdict, path."""
    background = view.traits.background
    score = "-" if view.score is None else score_text(view.score)
    seen = "-" if background is None else f"{background.kind} {background.value}"
    state = {None: "", True: "admitted", False: "dropped"}[view.selected]
    return f"{view.origin:9} {score:>5} {seen:20} {state:9} {view.path}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
