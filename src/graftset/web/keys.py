"""What each key does. Elements carry their keys in `data-key`; the script presses the element, and knows no more."""

from __future__ import annotations

from graftset.web.parts import Choice, KeyHelp

KEYS: tuple[KeyHelp, ...] = (
    KeyHelp(("a",), "approve, and go on", "approve"),
    KeyHelp(("r",), "reject: then a digit for the reason, or words and Enter; Escape closes it", "reject"),
    KeyHelp(("s",), "skip, and go on", "skip"),
    KeyHelp(("f",), "accept the proposed caption", "fix"),
    KeyHelp(("e",), "edit the caption; Ctrl Enter saves it, Escape leaves it", "edit"),
    KeyHelp(("u",), "undo your last verdict, also a bulk one", "undo"),
    KeyHelp(("U",), "redo (Shift u)", "redo"),
    KeyHelp(("j", "→"), "next", "next"),
    KeyHelp(("k", "←"), "previous", "previous"),
    KeyHelp(("z",), "the file at full size, and back", "zoom"),
    KeyHelp(("c",), "compare: lay the original over the candidate, and take it away", "compare"),
    KeyHelp(("g",), "the grid", "grid"),
    KeyHelp(("/",), "on the grid: the filter", "filter"),
    KeyHelp(("x",), "on the grid: select the picture; arrow keys move, Enter opens it", "select"),
    KeyHelp(("h",), "the first page", "start"),
    KeyHelp(("?",), "this page", "help"),
)

# The words a rejection is filed under; the page numbers them from 1.
REASONS: tuple[str, ...] = (
    "face or body is wrong",
    "not the style",
    "blurred or noisy",
    "caption does not fit",
    "background is wrong",
    "too close to an original",
    "something is cut off",
    "unwanted text or artifact",
    "I would not train on it",
)


def reject_reasons() -> tuple[Choice, ...]:
    """The reasons with their digits."""
    return tuple(Choice(str(i), reason) for i, reason in enumerate(REASONS, 1))
