"""What every page has around it, and small pieces that several pages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from graftset.errors import UserError
from graftset.phrases import counted
from graftset.quality import score_text
from graftset.review import Item
from graftset.review.plans import percent as whole_percent
from graftset.web.parts import Cell, Link, Outcome, Tally, Tone
from graftset.web.room import PLAN, Queue, Room

NOTICES = {
    "approved": "Approved {name}. u takes it back.",
    "rejected": "Rejected {name}. u takes it back.",
    "skipped": "Skipped {name}. u takes it back.",
    "undone": "Taken back: {name} is {standing} again.",
    "redone": "Given again: {name} is {standing}.",
    "edited": "The caption is saved.",
    "same": "The caption already reads so; a approves the picture with it.",
    "nothing-to-undo": "There is nothing of yours to take back.",
    "nothing-to-redo": "There is nothing to give again.",
    "planned": "The plan is fixed. Look, and press a or r.",
    "shown": "It is shown: you may stop here.",
    "complete": "Every picture of this queue has a verdict.",
    "settled": "Settled for everybody.",
    "dismissed": "Dismissed.",
    "restored": "Restored.",
    "named": "Your verdicts now stand under this name.",
    "stale": "Not saved: {name} changed since you saw it, perhaps in another window. This is how it is now.",
    "bulk": "{count} pictures: {verdict}. u takes them back.",
}
WARNINGS = frozenset({"stale", "nothing-to-undo", "nothing-to-redo"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks, and what just happened to them: a code of `NOTICES` and what it is about."""

    reviewer: str
    did: str = ""
    about: str = ""  # id of a candidate, or a count
    verdict: str = ""


def framed(room: Room, here: str, visitor: Visitor) -> dict[str, Any]:
    """The fields of `Framed` but for the title."""
    tally = tally_of(room)
    return {
        "project": room.session.project.root.name,
        "here": here,
        "links": _navigation(room, tally),
        "reviewer": visitor.reviewer,
        "sentence": sentence(room),
        "tally": tally,
        "notice": _notice(room, visitor),
        "warning": visitor.did in WARNINGS,
    }


def tally_of(room: Room) -> Tally:
    """Candidates by state."""

    def count() -> Tally:
        counts = room.desk.counts()
        conflicts = len(room.desk.conflicts())
        return Tally(counts["pending"], counts["approved"], counts["rejected"], counts["skipped"], conflicts)

    return room.once("tally", count)


def sentence(room: Room) -> str:
    """What may be said of the admitted pictures so far."""
    outcome = room.desk.outcome()
    if outcome is not None:
        return closed(outcome.sentence)
    tally, pool = tally_of(room), len(room.desk.pool())
    if tally.reviewed:
        return f"{tally.reviewed} of {tally.all} were looked at. Without a plan that says nothing of the others."
    if pool:
        return f"Nobody has looked at the {pool:,} admitted pictures yet."
    return f"Nobody has looked at the {tally.all:,} candidates yet." if tally.all else "There are no candidates yet."


def closed(text: str) -> str:
    """A sentence with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def outcome_of(room: Room) -> Outcome | None:
    """The open plan with where it stands, for people; None without one."""
    plan, found = room.desk.plan, room.desk.outcome()
    if plan is None or found is None:
        return None
    upcoming = room.next_pending(Queue(planned=True), None)
    return Outcome(
        label=plan_label(plan.kind, plan.n, plan.allowed, plan.target, plan.confidence),
        sentence=closed(found.sentence),
        done=found.reviewed,
        of=plan.n,
        left={"running": f"{found.left} to go", "shown": "shown", "missed": "cannot be shown any more"}[found.state],
        wrong=found.wrong,
        estimate=(found.reviewed - found.wrong) / found.reviewed if found.reviewed else 0.0,
        bound=found.lower or 0.0,
        target=plan.target,
        reached=found.state == "shown",
        finished=upcoming is None,
        next=None if upcoming is None else look_url(upcoming, Queue(planned=True)),
        since=plan.at[:16].replace("T", " "),
    )


def plan_label(kind: str, n: int, allowed: int | None, target: float, confidence: float) -> str:
    """A plan in a few words."""
    aim = f"at least {whole_percent(target)} right, {whole_percent(confidence)} confidence"
    if allowed is None:
        return f"In the order drawn until it is shown: {aim}"
    return f"{counted(n, 'picture')}, {allowed or 'none'} wrong allowed: {aim}"


def look_url(item: Item, queue: Queue | None = None, **more: str) -> str:
    """The address of one candidate in a queue."""
    query = urlencode({**({} if queue is None else {"queue": str(queue)}), **more})
    return f"/look/{item.id}" + (f"?{query}" if query else "")


def native_url(sha256: str) -> str:
    """The address of a native picture."""
    return f"/pixels/{sha256}.png"


def title_of(item: Item) -> str:
    """The file's name."""
    return item.view.path.replace("\\", "/").rsplit("/", 1)[-1]


def is_blind(room: Room, item: Item, reviewer: str) -> bool:
    """Whether what others say is kept from a reviewer: until they gave their own verdict it would sway them."""
    says = [entry for entry in room.desk.says(item.id) if entry.verdict != "withdrawn"]
    return bool(says) and all(entry.reviewer != reviewer for entry in says)


def cell_of(room: Room, item: Item, queue: Queue, reviewer: str, note: str = "") -> Cell:
    """One candidate as the contact sheet shows it to a reviewer, without what only others said."""
    view = item.view
    standing = "pending" if is_blind(room, item, reviewer) else item.queue
    seen = view.traits.background
    behind = f", {seen.value} background" if seen is not None and seen.value != "unknown" else ""
    score = "–" if view.score is None else score_text(view.score)
    name = title_of(item)
    return Cell(
        sha256=item.id,
        name=name,
        native=native_url(view.sha256) if view.grid is not None else None,
        url=look_url(item, queue),
        score=score,
        standing=standing,
        selected=view.selected,
        alt=f"{name}, score {score}, {standing}{behind}",
        note=note,
    )


def tone_of(percent: float) -> Tone:
    """How good a part of the score is, 0-100: what a bar is drawn in."""
    return "bad" if percent < 60 else "warn" if percent < 80 else ""


def _navigation(room: Room, tally: Tally) -> tuple[Link, ...]:
    plan = room.desk.plan is not None
    return (
        Link("Start", "/", "start", hint="h"),
        Link("Review", f"/look?queue={PLAN}" if plan else "/look?queue=uncertain:reviewed:no", "look"),
        Link("Grid", "/sheet", "sheet", hint="g"),
        Link("Conflicts", "/conflicts", "conflicts", tally.conflicts or None),
        Link("Balance", "/balance", "balance"),
        Link("Captions", "/captions", "captions"),
        Link("Numbers", "/numbers", "numbers"),
        Link("Runs", "/runs", "runs"),
        Link("Help", "/help", "help", hint="?"),
    )


def _notice(room: Room, visitor: Visitor) -> str | None:
    template = NOTICES.get(visitor.did)
    if template is None:
        return None
    if visitor.did == "bulk":
        verdict = visitor.verdict if visitor.verdict in ("approved", "rejected", "skipped") else "changed"
        return template.format(count=visitor.about if visitor.about.isdigit() else "Some", verdict=verdict)
    if "{name}" not in template:
        return template
    try:
        item = room.desk.item(visitor.about)
    except UserError:  # a made-up address
        return None
    return template.format(name=title_of(item), standing=item.queue)
