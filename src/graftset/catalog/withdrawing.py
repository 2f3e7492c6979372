"""Taking back captions that were applied: what counted before counts again. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, RowMapping, insert, select

from graftset.catalog.schema import captions

_SAME = ("at", "author", "text")


def withdraw(connection: Connection, is_author: Callable[[str], bool], at: str) -> int:
    """Take back the captions that one author applied last, where they still count; returns how many.

    The entry that counted before is written again, with its own author and time, so that taking back once more takes
    back the application before. Where there was none, an entry without a text says that no caption is current.
    """
    query = select(captions).where(captions.c.kind == "current").order_by(captions.c.id)
    history: dict[int, list[RowMapping]] = {}
    for row in connection.execute(query).mappings():
        history.setdefault(row["image_id"], []).append(row)
    theirs = {image: rows[-1] for image, rows in history.items() if is_author(rows[-1]["author"])}
    last = max((row["at"] for row in theirs.values()), default=None)
    taken = {image: row for image, row in theirs.items() if row["at"] == last}
    for image, row in taken.items():
        # An entry that was brought back stands twice: before it came what preceded it the first time.
        first = next(i for i, entry in enumerate(history[image]) if all(entry[key] == row[key] for key in _SAME))
        before = (
            dict(history[image][first - 1])
            if first
            else {**row, "text": None, "author": f"{row['author']} taken back", "at": at}
        )
        before.pop("id")
        connection.execute(insert(captions).values(**before))
    return len(taken)
