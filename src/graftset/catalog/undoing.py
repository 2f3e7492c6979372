"""Taking back the last captions that were applied. Nothing is deleted: what stood before is said anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, insert, select

from graftset.catalog.schema import captions

UNDONE = "undone"  # kind of the entry that stands before a current one which takes back another

Row = dict[str, Any]


def take_back(connection: Connection, author: str, stamp: str, by: Callable[[str], bool]) -> int:
    """Undo the newest application of captions, over all images it changed; returns how many those were.

    Done again, it takes back the application before that. Only captions whose author is meant are looked at, and only
    where no other took their place.
    """
    standing = {
        image: entries for image, entries in _standing(connection).items() if entries and by(entries[-1]["author"])
    }
    newest = max((entries[-1]["at"] for entries in standing.values()), default=None)
    undone = {image: entries for image, entries in standing.items() if entries[-1]["at"] == newest}
    for image, entries in undone.items():
        last = entries[-1]
        before = entries[-2] if len(entries) > 1 else None
        connection.execute(insert(captions).values(**_entry(last, image, UNDONE, author, stamp)))
        if before is not None:
            restored = _entry(before, image, "current", before["author"], stamp)
        else:
            restored = {**_entry(last, image, "current", last["author"], stamp), "text": None}
        connection.execute(insert(captions).values(**restored))
    return len(undone)


def _standing(connection: Connection) -> dict[int, list[Row]]:
    """For each image the applied captions that were not taken back, the oldest first."""
    query = select(captions).where(captions.c.kind.in_(("current", UNDONE))).order_by(captions.c.id)
    standing: dict[int, list[Row]] = {}
    undoing: set[int] = set()
    for row in connection.execute(query).mappings():
        image, entries = row["image_id"], standing.setdefault(row["image_id"], [])
        if row["kind"] == UNDONE:
            undoing.add(image)
        elif image in undoing:
            undoing.discard(image)
            entries.pop()
        else:
            entries.append(dict(row))
    return standing


def _entry(row: Row, image: int, kind: str, author: str, stamp: str) -> Row:
    kept = {key: row[key] for key in ("text", "composed", "claims", "changes", "incoming", "sha256")}
    return {**kept, "image_id": image, "kind": kind, "author": author, "at": stamp}
