"""The audit, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from graftset.phrases import counted

if TYPE_CHECKING:
    from graftset.audit import AuditReport, Finding, Learned


def audit_json(report: AuditReport) -> dict[str, Any]:
    """The audit report as JSON."""
    return {
        "captions": report.captions,
        "counts": report.counts,
        "findings": [_finding_json(finding) for finding in report.findings],
        "dismissed": [_finding_json(finding) for finding in report.dismissed],
        "trigger": list(report.trigger),
        "notes": list(report.notes),
    }


def audit_lines(report: AuditReport) -> list[str]:
    """The audit report for people: every finding, then how many of each rule."""
    lines = [_finding_line(finding) for finding in report.findings]
    return [*lines, *([""] if lines else []), *_table(report), *(f"note: {note}" for note in report.notes)]


def vocabulary_json(learned: Learned) -> dict[str, Any]:
    """What was learned from the captions, as JSON."""
    slots: dict[str, list[dict[str, Any]]] = {}
    for wording in learned.wordings:
        entry = {"wording": wording.text, "claimed": wording.claimed, "captions": list(wording.paths)}
        slots.setdefault(wording.slot, []).append(entry)
    return {
        "captions": learned.captions,
        "head": list(learned.head),
        "tail": list(learned.tail),
        "figure_frame": learned.figure_frame,
        "terms": {t.name: {"known_by": t.known_by, "captions": list(t.paths)} for t in learned.terms},
        "slots": slots,
        "unread": list(learned.unread),
        "notes": list(learned.notes),
    }


def vocabulary_lines(learned: Learned) -> list[str]:
    """What was learned from the captions, for people."""
    lines = [f"learned from {counted(learned.captions, 'caption')} of originals"]
    for place, parts in (("begin", learned.head), ("end", learned.tail)):
        if parts:
            lines.append(f"nearly all {place} with: {', '.join(parts)}")
    if learned.terms:
        lines += ["", "things, by the captions that name them"]
    for term in learned.terms:
        lines.append(f"  {len(term.paths):4}  {term.name:20} known by {term.known_by:10}  {_some(term.paths)}")
    slot = ""
    for wording in learned.wordings:
        if wording.slot != slot:
            slot = wording.slot
            lines += ["", slot]
        lines.append(f"  {len(wording.paths):4}  {wording.claimed:20} {wording.text}  {_some(wording.paths)}")
    if learned.unread:
        lines += ["", f"nothing was understood of {counted(len(learned.unread), 'caption')}  {_some(learned.unread)}"]
    return [*lines, *(f"note: {note}" for note in learned.notes)]


def _some(paths: Sequence[str], most: int = 3) -> str:
    """The first few file names of several."""
    names = ", ".join(PurePath(path).name for path in paths[:most])
    return f"({names} and {len(paths) - most} more)" if len(paths) > most else f"({names})"


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "path": finding.path,
        "sha256": finding.sha256,
        "words": finding.words,
        "span": finding.span,
        "message": finding.message,
        "caption": finding.caption,
        "fix": finding.fix,
    }


def _finding_line(finding: Finding) -> str:
    place = PurePath(finding.path).name if finding.path else "all captions"
    words = "" if not finding.words or finding.words in finding.message else f'"{finding.words}": '
    mark = " [--apply mends it]" if finding.edits else ""
    return f"{finding.id}  {finding.severity:7}  {finding.rule:13}  {place}: {words}{finding.message}{mark}"


def _table(report: AuditReport) -> list[str]:
    from graftset.audit import RULES

    counts: Mapping[str, int] = report.counts
    fixes = {rule.name: sum(1 for f in report.findings if f.rule == rule.name and f.edits) for rule in RULES}
    rows = [
        f"{counts[rule.name]:5}  {fixes[rule.name]:5}  {rule.severity:7}  {rule.name:13}  {rule.meaning}"
        for rule in RULES
        if rule.name in counts
    ]
    head = [f"{'found':>5}  {'fixes':>5}  {'':7}  rule"] if rows else []
    dismissed = f", {len(report.dismissed)} dismissed" if report.dismissed else ""
    return [
        *head,
        *rows,
        f"{counted(len(report.findings), 'finding')} in {counted(report.captions, 'caption')}{dismissed}",
    ]
