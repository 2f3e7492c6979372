"""Conflicts and help: short pages."""

from __future__ import annotations

from collections.abc import Callable

from graftset.review import Item
from graftset.web.contexts import ConflictsPage, HelpPage
from graftset.web.keys import KEYS
from graftset.web.pages.frame import Visitor, cell_of, framed
from graftset.web.pages.looking import seen_state
from graftset.web.pages.sheet import field_help
from graftset.web.parts import Bar, ConflictRow, Said
from graftset.web.room import Queue, Room


def conflicts_page(room: Room, visitor: Visitor, new_action: Callable[[], str]) -> ConflictsPage:
    """Candidates on which reviewers disagree."""
    items = room.desk.conflicts()
    rows = sorted((_conflict(room, item, visitor, new_action()) for item in items), key=_newest, reverse=True)
    numbers = room.desk.numbers()
    pair = max(numbers.agreement, key=lambda pair: pair.kappa.n, default=None)
    kappa = None
    if pair is not None:
        value = pair.kappa.kappa
        told = "not defined: one of them gave a single answer" if value is None or value != value else f"{value:.2f}"
        kappa = f"{pair.first} and {pair.second} both decided on {pair.kappa.n}: Cohen's kappa {told}."
    most = max((r.approved + r.rejected + r.skipped for r in numbers.reviewers), default=0) or 1
    return ConflictsPage(
        **framed(room, "conflicts", visitor),
        title=f"{len(rows)} {'picture is' if len(rows) == 1 else 'pictures are'} disputed" if rows else "No disputes",
        rows=tuple(rows),
        kappa=kappa,
        reviewers=tuple(
            Bar(
                r.name,
                f"{r.approved} approved, {r.rejected} rejected, {r.skipped} skipped",
                round(100 * (r.approved + r.rejected + r.skipped) / most, 1),
            )
            for r in numbers.reviewers
        ),
    )


def _conflict(room: Room, item: Item, visitor: Visitor, action: str) -> ConflictRow:
    said = [entry for entry in room.desk.says(item.id) if entry.verdict != "withdrawn"]
    return ConflictRow(
        cell=cell_of(room, item, Queue(query="conflict:yes"), visitor.reviewer),
        says=tuple(Said(entry.reviewer, entry.verdict, entry.reason or "", entry.at) for entry in said),
        seen=seen_state(room, item, visitor.reviewer),
        action=action,
    )


def _newest(row: ConflictRow) -> str:
    return max(said.at for said in row.says)


def help_page(room: Room, visitor: Visitor) -> HelpPage:
    """Keys and the filter language, from the tables that the code itself uses."""
    return HelpPage(**framed(room, "help", visitor), title="Keys and filters", keys=KEYS, fields=field_help())
