"""The pages, and the pictures on them. Nothing here changes anything."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from graftset.web.contexts import Page
from graftset.web.failures import not_found
from graftset.web.pages.balance import balance_page
from graftset.web.pages.captions import captions_page
from graftset.web.pages.frame import look_url
from graftset.web.pages.looking import full_page, look_page
from graftset.web.pages.numbers import numbers_page
from graftset.web.pages.others import conflicts_page, help_page
from graftset.web.pages.runs import POLICY, run_html, runs_page
from graftset.web.pages.sheet import Asked, cells, sheet_page
from graftset.web.pages.starting import start_page
from graftset.web.parts import Cell
from graftset.web.pictures import FOR_EVER
from graftset.web.rendering import ASSETS, asset, asset_url, environment, render
from graftset.web.requests import CandidateId, InRoom, Looking, Sha, new_action
from graftset.web.room import Queue, checked_order

router = APIRouter()

QueueText = Annotated[str, Query(max_length=600)]
FilterText = Annotated[str, Query(max_length=600)]
Number = Annotated[int, Query(ge=1, le=1_000_000)]


def _html(template: str, page: Page) -> Response:
    return HTMLResponse(render(template, page))


@router.get("/")
def start(room: InRoom, visitor: Looking) -> Response:
    """A plan first, or free browsing."""
    return _html("start.html", start_page(room, visitor))


@router.get("/look")
def look_at_next(room: InRoom, queue: QueueText = "", did: Annotated[str, Query(max_length=40)] = "") -> Response:
    """To the next candidate of a queue that waits for a verdict; where none does, to the first."""
    wanted = Queue.read(queue)
    item = room.next_pending(wanted, None)
    if item is not None:
        return RedirectResponse(look_url(item, wanted, **({"did": did} if did else {})), 303)
    items = room.queue(wanted)
    if wanted.planned:
        return RedirectResponse("/numbers?did=complete" if items else "/", 303)
    if items and "reviewed:no" not in wanted.query:
        return RedirectResponse(look_url(items[0], wanted), 303)
    return RedirectResponse("/?did=complete", 303)


@router.get("/look/{name}")
def look(room: InRoom, visitor: Looking, name: CandidateId, queue: QueueText = "") -> Response:
    """One candidate."""
    page = look_page(room, room.item(name), Queue.read(queue), visitor, new_action())
    return _html("look.html", page)


@router.get("/full/{name}")
def full(room: InRoom, visitor: Looking, name: CandidateId, queue: QueueText = "") -> Response:
    """The stored file at its own size."""
    return _html("full.html", full_page(room, room.item(name), Queue.read(queue), visitor))


@router.get("/sheet")
def sheet(room: InRoom, visitor: Looking, q: FilterText = "", sort: str = "best", page: Number = 1) -> Response:
    """The contact sheet."""
    asked = Asked(q, checked_order(sort), page)
    context = sheet_page(room, asked, visitor, new_action())
    return HTMLResponse(render("sheet.html", context), 422 if context.error else 200)


@router.get("/sheet/cells")
def sheet_cells(room: InRoom, visitor: Looking, q: FilterText = "", sort: str = "best", page: Number = 1) -> Response:
    """The cells of one page alone, as the script asks for them while it scrolls."""
    shown, total, number = cells(room, Asked(q, checked_order(sort), page), visitor.reviewer)
    html = environment().get_template("cells.html").render(page=_Cells(shown))
    return HTMLResponse(html, headers={"x-total": str(total), "x-page": str(number)})


class _Cells:
    def __init__(self, cells: tuple[Cell, ...]) -> None:
        self.cells = cells


@router.get("/conflicts")
def conflicts(room: InRoom, visitor: Looking) -> Response:
    """Where reviewers disagree."""
    return _html("conflicts.html", conflicts_page(room, visitor, new_action))


@router.get("/balance")
def balance(room: InRoom, visitor: Looking) -> Response:
    """Traits of originals, candidates and admitted."""
    return _html("balance.html", balance_page(room, visitor))


@router.get("/captions")
def captions(
    room: InRoom, visitor: Looking, rule: Annotated[str, Query(max_length=40)] = "", page: Number = 1
) -> Response:
    """The caption audit."""
    return _html("captions.html", captions_page(room, visitor, rule, page))


@router.get("/numbers")
def numbers(room: InRoom, visitor: Looking) -> Response:
    """The figures that grow."""
    return _html("numbers.html", numbers_page(room, visitor))


@router.get("/runs")
def runs(room: InRoom, visitor: Looking) -> Response:
    """Runs and comparisons."""
    return _html("runs.html", runs_page(room, visitor))


@router.get("/runs/{name}")
def run(room: InRoom, name: Annotated[str, Path(max_length=100)]) -> Response:
    """One run, as it stands now."""
    return HTMLResponse(run_html(room, name), headers={"content-security-policy": POLICY})


@router.get("/help")
def helping(room: InRoom, visitor: Looking) -> Response:
    """Keys and the filter language."""
    return _html("help.html", help_page(room, visitor))


# --- pictures and assets ----------------------------------------------------------------------------------------------


@router.get("/pixels/{sha256}.png")
def pixels(request: Request, sha256: Sha) -> Response:
    """A picture at native size."""
    room = request.app.state.room
    png = room.pictures.native(room.picture(sha256))
    return Response(png, media_type="image/png", headers={"cache-control": FOR_EVER, "etag": f'"{sha256[:16]}"'})


@router.get("/file/{sha256}")
def file(request: Request, sha256: Sha) -> Response:
    """A picture as it lies on the disk."""
    room = request.app.state.room
    data, kind = room.pictures.file(room.picture(sha256))
    return Response(data, media_type=kind, headers={"cache-control": FOR_EVER})


@router.get("/static/{version}/{name}")
def static(version: str, name: str) -> Response:
    """A style sheet, script or drawing, under the address that holds its own hash."""
    if name not in ASSETS or asset_url(name) != f"/static/{version}/{name}":
        raise not_found("asset", name, "Load the page again.")
    return Response(asset(name), media_type=ASSETS[name], headers={"cache-control": FOR_EVER})


@router.get("/favicon.ico", include_in_schema=False)
def favicon() -> Response:
    """Browsers ask for it whatever the page says."""
    return Response(asset("mark.svg"), media_type=ASSETS["mark.svg"], headers={"cache-control": "max-age=86400"})
