"""Traits of the originals, of all candidates and of the admitted ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from urllib.parse import urlencode

from graftset.records import ImageView
from graftset.report.colors import swatch as word_swatch
from graftset.report.wording import words
from graftset.review.tally import traits_of
from graftset.web.contexts import BalancePage
from graftset.web.filters import FIELDS
from graftset.web.pages.frame import Visitor, closed, framed
from graftset.web.parts import Slice, SliceRow
from graftset.web.room import Room

_MOST_ROWS = 16
_LEAST_DUE = 3  # candidates that usual acceptance would admit, before a lower one is marked
_FILTERS = frozenset(field.name for field in FIELDS)
_COLORS = frozenset({"background", "hair", "eyes"})


def balance_page(room: Room, visitor: Visitor) -> BalancePage:
    """Shares of every trait that can be told."""
    catalog = room.session.catalog
    selection = room.steady(("selection", catalog.marks().selections), catalog.selection)
    return BalancePage(
        **framed(room, "balance", visitor),
        title="Trait balance",
        slices=room.steady("balance", lambda: _slices(room)),
        notes=tuple(closed(note) for note in selection.notes) if selection is not None else (),
    )


def _slices(room: Room) -> tuple[Slice, ...]:
    candidates = [item.view for item in room.desk.items()]
    admitted = [view for view in candidates if view.selected]
    originals = room.originals()
    counts = [_counted(views) for views in (originals, candidates, admitted)]
    slots = sorted({slot for count in counts for slot in count}, key=lambda slot: (slot != "background", slot))
    usual = len(admitted) / len(candidates) if candidates else 0.0
    return tuple(_slice(room, slot, [count[slot] for count in counts], usual, len(candidates)) for slot in slots)


def _counted(views: Iterable[ImageView]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for view in views:
        for slot, value in traits_of(view):
            found[slot][value] += 1
    return found


def _slice(room: Room, slot: str, counts: list[Counter[str]], usual: float, candidates: int) -> Slice:
    originals, came, admitted = counts
    values = [value for value, _ in (originals + came).most_common(_MOST_ROWS)]
    shares = [max(1, sum(count.values())) for count in counts]
    widest = max((max(originals[v] / shares[0], admitted[v] / shares[2]) for v in values), default=0.0) or 1.0
    rows = []
    for value in values:
        due = came[value] * usual
        low = due >= _LEAST_DUE and admitted[value] < due / 2
        query = f'{slot}:"{value}"' if " " in value else f"{slot}:{value}"
        rows.append(
            SliceRow(
                value=value,
                hex=word_swatch(value, room.colors()).hex if slot in _COLORS else None,
                originals=originals[value],
                candidates=came[value],
                admitted=admitted[value],
                originals_percent=round(100 * originals[value] / shares[0] / widest, 1),
                admitted_percent=round(100 * admitted[value] / shares[2] / widest, 1),
                acceptance=f"{admitted[value]} of {came[value]}" if came[value] else "none came",
                tone="bad" if low else "",
                url="/sheet?" + urlencode({"q": query if slot in _FILTERS else value}),
            )
        )
    known = sum(came.values())
    missing = candidates - known if slot != "accessory" else 0
    return Slice(
        trait=words(slot).capitalize(),
        rows=tuple(rows),
        unknown=f"not known of {missing} of {candidates} candidates" if missing > 0 else "",
    )
