"""The contact sheet: what a filter lets through, in pages whose addresses can be kept."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from graftset.errors import UserError
from graftset.review import Item
from graftset.web.contexts import SheetPage
from graftset.web.filters import FIELDS, parse
from graftset.web.keys import reject_reasons
from graftset.web.orders import DEFAULT, ORDERS
from graftset.web.pages.frame import Visitor, cell_of, framed
from graftset.web.parts import Cell, Choice, FieldHelp, Link
from graftset.web.room import Queue, Room

PER_PAGE = 120

PRESETS: tuple[tuple[str, str], ...] = (
    ("All", ""),
    ("Pending", "reviewed:no"),
    ("Approved", "verdict:approved"),
    ("Rejected", "verdict:rejected"),
    ("Skipped", "verdict:skipped"),
    ("Admitted", "selected:yes"),
    ("Left out", "selected:no"),
    ("Contradicted", "contradicted:yes"),
    ("Too long", "tokens:>75"),
    ("Copies", "copy:yes"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the sheet is wanted, as the address says it."""

    query: str = ""
    order: str = DEFAULT
    number: int = 1

    def url(self, number: int | None = None) -> str:
        """The address of a page of it."""
        parts: dict[str, str | int] = {}
        if self.query:
            parts["q"] = self.query
        if self.order != DEFAULT:
            parts["sort"] = self.order
        if (number or self.number) > 1:
            parts["page"] = number or self.number
        return "/sheet" + (f"?{urlencode(parts)}" if parts else "")


def cells(room: Room, asked: Asked, reviewer: str) -> tuple[tuple[Cell, ...], int, int]:
    """The cells of one page, how many candidates there are over all pages, and the page's number within range."""
    items = room.listed(asked.order, asked.query)
    pages = max(1, -(-len(items) // PER_PAGE))
    number = min(max(asked.number, 1), pages)
    queue = Queue(asked.order, asked.query)
    some: list[Item] = list(items[(number - 1) * PER_PAGE : number * PER_PAGE])
    return tuple(cell_of(room, item, queue, reviewer) for item in some), len(items), number


def sheet_page(room: Room, asked: Asked, visitor: Visitor, action: str) -> SheetPage:
    """One page of the sheet; a filter that cannot be understood shows nothing, and says why."""
    error: str | None = None
    shown: tuple[Cell, ...] = ()
    total, number = 0, 1
    try:
        shown, total, number = cells(room, asked, visitor.reviewer)
    except UserError as problem:
        error = str(problem)
    pages = max(1, -(-total // PER_PAGE))
    return SheetPage(
        **framed(room, "sheet", visitor),
        title="Contact sheet",
        query=asked.query,
        error=error,
        sort=asked.order,
        sorts=tuple(Choice(order.name, order.label, order.name == asked.order) for order in ORDERS.values()),
        total=total,
        everything=len(room.desk.items()),
        cells=shown,
        page_number=number,
        pages=pages,
        per_page=PER_PAGE,
        previous=asked.url(number - 1) if number > 1 else None,
        next=asked.url(number + 1) if number < pages else None,
        presets=tuple(
            Link(label, Asked(query, asked.order).url(), query, room.count(parse(query))) for label, query in PRESETS
        ),
        fields=field_help(),
        action=action,
        reject_reasons=reject_reasons(),
    )


def field_help() -> tuple[FieldHelp, ...]:
    """The filter language, from the table that the parser uses."""
    return tuple(FieldHelp(field.name, field.example, field.meaning) for field in FIELDS)
