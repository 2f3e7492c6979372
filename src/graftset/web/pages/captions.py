"""The caption audit: what is wrong with captions, originals' too."""

from __future__ import annotations

from urllib.parse import urlencode

from graftset.audit import RULES, AuditReport, Finding
from graftset.report.captions import condensed, word_difference
from graftset.web.contexts import CaptionsPage
from graftset.web.pages.frame import Visitor, cell_of, framed, native_url
from graftset.web.parts import Cell, FindingRow, Rule
from graftset.web.room import Queue, Room

PER_PAGE = 40
DISMISSED = "dismissed"  # in place of a rule: findings that were dismissed, to be restored
_PATIENCE = 3.0  # s that a page waits for the audit
_AROUND = 60  # characters of a caption on each side of the evidence


def captions_page(room: Room, visitor: Visitor, rule: str, number: int) -> CaptionsPage:
    """Findings of one rule, or of all, in pages."""
    report = room.audit(patience=_PATIENCE)
    if report is None:
        report = AuditReport(
            (), (), 0, (), notes=("The captions are still being read. Load this page again in a moment.",)
        )
    found = [finding for finding in report.findings if rule in ("", finding.rule)]
    if rule == DISMISSED:
        found = list(report.dismissed)
    pages = max(1, -(-len(found) // PER_PAGE))
    number = min(max(number, 1), pages)
    some = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    counts = report.counts
    rules = [
        Rule(r.name, r.meaning, r.severity, counts[r.name], _url(r.name), r.name == rule)
        for r in RULES
        if counts.get(r.name)
    ]
    everything = Rule("all", "every finding", "info", len(report.findings), _url(""), rule == "")
    away = Rule(DISMISSED, "restore one here", "info", len(report.dismissed), _url(DISMISSED), rule == DISMISSED)
    shown = (everything, *rules) if rules or report.dismissed else ()
    return CaptionsPage(
        **framed(room, "captions", visitor),
        title="Caption audit",
        rules=(*shown, away) if report.dismissed else shown,
        rule=rule,
        rows=tuple(_row(room, finding, visitor.reviewer, dismissed=rule == DISMISSED) for finding in some),
        total=len(found),
        captions=report.captions,
        dismissed=len(report.dismissed),
        page_number=number,
        pages=pages,
        previous=_url(rule, number - 1) if number > 1 else None,
        next=_url(rule, number + 1) if number < pages else None,
        notes=report.notes,
    )


def _url(rule: str, number: int = 1) -> str:
    parts = {**({"rule": rule} if rule else {}), **({"page": str(number)} if number > 1 else {})}
    return "/captions" + (f"?{urlencode(parts)}" if parts else "")


def _row(room: Room, finding: Finding, reviewer: str, *, dismissed: bool) -> FindingRow:
    caption, span = finding.caption or "", finding.span
    before, shown, after = "", caption if span is None else caption[slice(*span)], ""
    if span is not None:
        before, after = caption[: span[0]], caption[span[1] :]
        before = before if len(before) <= _AROUND else "…" + before[-_AROUND:]
        after = after if len(after) <= _AROUND else after[:_AROUND] + "…"
    elif len(shown) > 3 * _AROUND:
        shown = shown[: 3 * _AROUND] + "…"
    return FindingRow(
        id=finding.id,
        rule=finding.rule,
        severity=finding.severity,
        message=finding.message,
        before=before if span is not None else shown,
        words=shown if span is not None else "",
        after=after,
        fix=condensed(word_difference(caption, finding.fix)) if finding.fix is not None else (),
        picture=_picture(room, finding.path, reviewer),
        dismissed=dismissed,
    )


def _picture(room: Room, path: str | None, reviewer: str) -> Cell | None:
    view = None if path is None else room.desk.view(path)
    if view is None:
        return None
    item = room.candidate_at(view.path)
    if item is not None:
        return cell_of(room, item, Queue(), reviewer)
    name = view.path.replace("\\", "/").rsplit("/", 1)[-1]
    native = native_url(view.sha256) if view.grid is not None else None
    return Cell(view.sha256, name, native, f"/file/{view.sha256}", "", "pending", None, f"original {name}", "original")
