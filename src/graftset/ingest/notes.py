"""Remarks for the user, gathered by kind: ten thousand of one kind make one sentence."""

from __future__ import annotations

_NAMED = 3
"""Names shown of each kind; the rest is counted."""


class Notes:
    """Collects remarks while files are read."""

    def __init__(self) -> None:
        self._names_by_kind: dict[str, list[str]] = {}

    def add(self, kind: str, *names: str) -> None:
        """Remark `kind`, a sentence without its full stop, on the files or entries `names`."""
        self._names_by_kind.setdefault(kind, []).extend(names)

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each kind, in the order the kinds first came up."""
        return tuple(
            f"{kind}: {enumerate_names(names)}" if names else kind for kind, names in self._names_by_kind.items()
        )


def enumerate_names(names: list[str]) -> str:
    """Name the first few and count the rest: "a.txt, b.txt, c.txt and 4 more"."""
    shown = ", ".join(printable(name) for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def printable(name: str) -> str:
    """Return a file name as it is, or with its line breaks, control characters and broken bytes escaped."""
    return name if name.isprintable() else repr(name)[1:-1]
