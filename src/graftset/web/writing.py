"""Everything that changes something: verdicts, undo, captions, plans, names. Forms in, redirects out.

A form is answered with a redirect to the next page, so that reloading repeats nothing and going back is safe. Every
form carries the id of its action, made when the page was: sent twice, by a double click or a retried connection, it
acts once. It also carries the state its page showed; where that is another by now, nothing is written and the person
is told.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from graftset.catalog import Dismissal
from graftset.phrases import counted
from graftset.records import ReviewVerdict
from graftset.review import Item
from graftset.tokens import token_count
from graftset.web.failures import Refusal, not_found, wants_page
from graftset.web.pages.frame import Visitor, look_url, sentence, tally_of
from graftset.web.pages.looking import composed, seen_state
from graftset.web.pages.sheet import Asked
from graftset.web.pages.starting import CHOICES, proposed
from graftset.web.requests import (
    CandidateId,
    Form,
    InRoom,
    Looking,
    SentForm,
    checked_name,
    local,
    reviewer_cookie,
)
from graftset.web.room import Queue, Room, checked_order

router = APIRouter()

MOST_AT_ONCE = 2000  # pictures of one bulk action
VERDICTS: dict[str, ReviewVerdict] = {"approve": "approved", "reject": "rejected", "skip": "skipped"}


def _to(url: str) -> Response:
    """The answer to every form: look at that address now."""
    return RedirectResponse(url, 303)


def _with(url: str, **more: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more)}"


# --- one candidate ----------------------------------------------------------------------------------------------------


@router.post("/look/{name}")
def decide(request: Request, room: InRoom, visitor: Looking, name: CandidateId, form: SentForm) -> Response:
    """A verdict on one candidate, or its caption."""
    item, queue = room.item(name), Queue.read(form.one("queue", "", longest=600))
    wish = form.one("do", longest=20)
    if wish in VERDICTS:
        return _verdict(request, room, visitor, item, queue, form, VERDICTS[wish])
    if wish in ("edit", "fix"):
        return _caption(request, room, visitor, item, queue, form, wish)
    raise Refusal(
        422, "There is no such action", field="do", value=wish, remedy="Use approve, reject, skip, edit or fix."
    )


def _verdict(
    request: Request, room: Room, visitor: Visitor, item: Item, queue: Queue, form: Form, verdict: ReviewVerdict
) -> Response:
    action, seen = form.one("action", longest=80), form.one("seen", longest=80)
    upcoming = room.next_pending(queue, item)  # before it is written: afterwards the item may have left the queue
    shown = _is_shown(room)
    with room.writing:
        says = room.desk.says(item.id)
        repeated = any(entry.action == action and entry.reviewer == visitor.reviewer for entry in says)
        if not repeated:
            if seen_state(room, item, visitor.reviewer) != seen:
                return _stale(request, item, queue)
            given = room.desk.give(
                {item.id: item.version},
                verdict,
                reviewer=visitor.reviewer,
                action=action,
                reason=(form.one("reason", "", longest=300) or None) if verdict == "rejected" else None,
                counts=queue.planned,
            )
            if given.left:
                return _stale(request, item, queue)
    room.current()
    if queue.planned and not shown and _is_shown(room):
        return _to("/numbers?did=shown")
    if queue.planned and (upcoming is None or not room.waits(queue, upcoming)):
        upcoming = room.next_pending(queue, item)
    if upcoming is None:
        return _to(_with("/numbers" if queue.planned else "/", did="complete"))
    return _to(look_url(upcoming, queue, did=verdict, about=item.id))


def _is_shown(room: Room) -> bool:
    outcome = room.desk.outcome()
    return outcome is not None and outcome.state == "shown"


def _stale(request: Request, item: Item, queue: Queue) -> Response:
    """The page that was answered is not how things are: a person sees the present page, a program an error."""
    if wants_page(request):
        return _to(look_url(item, queue, did="stale", about=item.id))
    raise Refusal(
        409,
        "This candidate changed since the page was loaded",
        field="seen",
        value=item.id,
        remedy="Load it again and decide on what it is now.",
    )


def _caption(
    request: Request, room: Room, visitor: Visitor, item: Item, queue: Queue, form: Form, wish: str
) -> Response:
    seen = form.one("seen", longest=80)
    text = form.one("caption")
    if wish == "fix":
        text = composed(item.view, _numbers(form.all("change")))
    with room.writing:
        if seen_state(room, item, visitor.reviewer) != seen:
            return _stale(request, item, queue)
        if " ".join(text.split()) == item.view.training_caption:
            return _to(look_url(item, queue, did="same"))
        room.desk.edit_caption(item.id, text, reviewer=visitor.reviewer, version=item.version)
    return _to(look_url(item, queue, did="edited"))


def _numbers(texts: list[str]) -> frozenset[int]:
    if not all(text.isdigit() and len(text) < 5 for text in texts):
        raise Refusal(
            422, "A change is named by its number", field="change", value=texts[0], remedy="Load the page again."
        )
    return frozenset(map(int, texts))


@router.post("/undo")
def take_back(room: InRoom, visitor: Looking, form: SentForm) -> Response:
    """Take back this reviewer's newest action, or give it again."""
    wish, action = form.one("do", longest=20), form.one("action", longest=80)
    queue = Queue.read(form.one("queue", "", longest=600))
    back = local(form.one("from", "/", longest=1200), "/")
    if wish not in ("undo", "redo"):
        raise Refusal(422, "There is no such action", field="do", value=wish, remedy="Use undo or redo.")
    with room.writing:
        act = room.desk.undo if wish == "undo" else room.desk.redo
        given = act(reviewer=visitor.reviewer, action=action)
    room.current()
    if not given.items:
        return _to(_with(back, did=f"nothing-to-{wish}"))
    did = "undone" if wish == "undo" else "redone"
    first = given.items[0]
    if back.startswith("/sheet"):
        return _to(_with(back, did=did, about=first.id))
    return _to(look_url(first, queue, did=did, about=first.id))


@router.post("/settle/{name}")
def settle(request: Request, room: InRoom, visitor: Looking, name: CandidateId, form: SentForm) -> Response:
    """Decide for everybody where reviewers disagree."""
    item, wish = room.item(name), form.one("do", longest=20)
    if wish not in ("approve", "reject"):
        raise Refusal(
            422, "A conflict is settled by a decision", field="do", value=wish, remedy="Use approve or reject."
        )
    action, seen = form.one("action", longest=80), form.one("seen", longest=80)
    with room.writing:
        if not any(entry.action == action for entry in room.desk.says(item.id)):
            if seen_state(room, item, visitor.reviewer) != seen:
                return _stale(request, item, Queue(query="conflict:yes"))
            version = {item.id: item.version}
            room.desk.give(version, VERDICTS[wish], reviewer=visitor.reviewer, action=action, settles=True)
    return _to("/conflicts?did=settled")


# --- many candidates --------------------------------------------------------------------------------------------------


@router.post("/bulk")
def bulk(room: InRoom, visitor: Looking, form: SentForm) -> Response:
    """The same verdict on the candidates that are named, and on no others; their number is typed, to be sure."""
    wish = form.one("do", longest=20)
    if wish not in VERDICTS:
        raise Refusal(422, "There is no such action", field="do", value=wish, remedy="Use approve, reject or skip.")
    names = list(dict.fromkeys(form.all("id")))
    if not names:
        raise Refusal(422, "Nothing is selected", field="id", remedy="Select pictures first.")
    if len(names) > MOST_AT_ONCE:
        raise Refusal(422, "Too many at once", field="id", value=len(names), remedy=f"Select at most {MOST_AT_ONCE:,}.")
    typed = form.one("count", "", longest=10).strip()
    if typed != str(len(names)):
        raise Refusal(
            422,
            f"{counted(len(names), 'picture')} selected, which is not the number that was typed",
            field="count",
            value=typed,
            remedy=f"Go back and type {len(names)} to be sure.",
        )
    items = [room.item(name) for name in names]
    with room.writing:
        given = room.desk.give(
            {item.id: item.version for item in items},
            VERDICTS[wish],
            reviewer=visitor.reviewer,
            action=form.one("action", longest=80),
            reason=(form.one("reason", "", longest=300) or None) if wish == "reject" else None,
            counts=False,
        )
    asked = Asked(form.one("q", "", longest=600), checked_order(form.one("sort", "best", longest=40)), _page(form))
    return _to(_with(asked.url(), did="bulk", about=str(len(given.items)), verdict=VERDICTS[wish]))


def _page(form: Form) -> int:
    text = form.one("page", "1", longest=8)
    return max(1, int(text)) if text.isdigit() else 1


@router.post("/dismiss")
def dismiss(room: InRoom, visitor: Looking, form: SentForm) -> Response:
    """A finding of the audit that is none."""
    name, rule = form.one("id", longest=32), form.one("rule", "", longest=40)
    report = room.audit()
    assert report is not None  # it was waited for
    found = next((f for f in (*report.findings, *report.dismissed) if f.id == name), None)
    if found is None:
        raise not_found("finding", name, "The caption may have changed; load the page again.")
    room.session.catalog.dismiss([Dismissal(found.id, found.rule, found.sha256, found.words)], visitor.reviewer)
    return _to_captions(rule, _page(form), "dismissed")


@router.post("/restore")
def restore(room: InRoom, form: SentForm) -> Response:
    """A finding that was dismissed and is one after all."""
    name, rule = form.one("id", longest=32), form.one("rule", "", longest=40)
    if not room.session.catalog.restore([name]):
        raise not_found("dismissed finding", name, "It may be restored already; load the page again.")
    return _to_captions(rule, _page(form), "restored")


def _to_captions(rule: str, page: int, did: str) -> Response:
    wanted = {"rule": rule, "page": str(page), "did": did}
    return _to("/captions?" + urlencode({key: value for key, value in wanted.items() if value}))


# --- the review itself ------------------------------------------------------------------------------------------------


@router.post("/plan")
def begin(room: InRoom, visitor: Looking, form: SentForm) -> Response:
    """Fix a plan, and begin."""
    wish = form.one("plan", longest=40)
    if wish not in CHOICES:
        raise Refusal(
            422, "There is no such plan", field="plan", value=wish, remedy=f"Use one of {', '.join(CHOICES)}."
        )
    with room.writing:
        room.desk.fix(replace(proposed(room, wish), by=visitor.reviewer))
    return _to("/look?queue=plan&did=planned")


@router.post("/reviewer")
def name_reviewer(form: SentForm) -> Response:
    """Whose verdicts this browser gives from now on."""
    answer = _to("/?did=named")
    answer.headers["set-cookie"] = reviewer_cookie(checked_name(form.one("name", longest=200)))
    return answer


# --- what the script asks ---------------------------------------------------------------------------------------------


class Compose(BaseModel):
    """A caption while it is being written."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=4000)
    accepted: list[int] | None = Field(default=None, max_length=200)


@router.post("/compose/{name}")
def compose(room: InRoom, name: CandidateId, wish: Compose) -> Response:
    """The text with the changes that are accepted, or the text as it is, with its tokens. Nothing is saved."""
    text = wish.text if wish.accepted is None else composed(room.item(name).view, frozenset(wish.accepted))
    tokens = token_count(text)
    return JSONResponse({"text": text, "tokens": tokens, "limit": room.desk.token_limit})


@router.get("/progress")
def progress(room: InRoom, visitor: Looking) -> Response:
    """What the pages keep current while they are open: everybody's verdicts count in it."""
    tally, outcome = tally_of(room), room.desk.outcome()
    state = {
        "version": room.desk.version,
        "sentence": sentence(room),
        "plan": sentence(room) if outcome is not None else None,
        "pending": tally.pending,
        "approved": tally.approved,
        "rejected": tally.rejected,
        "skipped": tally.skipped,
        "conflicts": tally.conflicts,
        "can_undo": room.desk.can_undo(visitor.reviewer),
        "can_redo": room.desk.can_redo(visitor.reviewer),
    }
    return JSONResponse(state)
