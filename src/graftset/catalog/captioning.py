"""Captions, append-only: what the caption stage says, and what was made the caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select

from graftset.catalog.batches import batches
from graftset.catalog.filing import RECORD
from graftset.catalog.joining import CHANGES, CLAIMS, still_holds
from graftset.catalog.schema import captions, images
from graftset.records import CaptionProposal


def propose(connection: Connection, kind: str, author: str, rows: Mapping[str, CaptionProposal], at: str) -> int:
    """Append what the caption stage says of images, by path, where it differs from what it said last."""
    appended = 0
    for batch in batches(list(rows)):
        found = connection.execute(
            select(images.c.id, images.c.path, images.c.sha256, images.c.record).where(images.c.path.in_(batch))
        ).all()
        before = latest(connection, kind, [row.id for row in found])
        for row in found:
            proposal = rows[row.path]
            values = {
                "image_id": row.id,
                "kind": kind,
                "text": proposal.text,
                "composed": proposal.composed,
                "claims": CLAIMS.dump_python(proposal.claims, mode="json"),
                "changes": CHANGES.dump_python(proposal.changes, mode="json"),
                "incoming": row.record["text"],
                "sha256": row.sha256,
                "author": author,
            }
            last = before.get(row.id)
            if last is not None and all(last[key] == value for key, value in values.items()):
                continue
            connection.execute(insert(captions).values(**values, at=at))
            appended += 1
    return appended


def apply(connection: Connection, texts: Mapping[str, str], author: str, at: str) -> int:
    """Append current captions, by path, where they differ from the present ones; returns how many changed."""
    appended = 0
    for batch in batches(list(texts)):
        query = select(images.c.id, images.c.path, images.c.record).where(images.c.path.in_(batch))
        found = connection.execute(query).all()
        before = latest(connection, "current", [row.id for row in found])
        for row in found:
            file, last = RECORD.validate_python(row.record), before.get(row.id)
            if last is not None and last["text"] == texts[row.path] and still_holds(last, file):
                continue
            connection.execute(
                insert(captions).values(
                    image_id=row.id,
                    kind="current",
                    text=texts[row.path],
                    composed=False,
                    claims=[],
                    changes=[],
                    incoming=file.text,
                    sha256=file.sha256,
                    author=author,
                    at=at,
                )
            )
            appended += 1
    return appended


def history(connection: Connection, path: str) -> list[dict[str, Any]]:
    """Every caption entry of one image, the oldest first."""
    query = select(captions).join_from(captions, images).where(images.c.path == path).order_by(captions.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def changed_since(connection: Connection, number: int) -> list[str]:
    """Paths of images that have a caption entry with a number above `number`."""
    query = select(images.c.path).distinct().join_from(captions, images).where(captions.c.id > number)
    return list(connection.execute(query).scalars())


def latest(connection: Connection, kind: str, image_ids: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
    """The newest entry of one kind for every image (or for those given), by image id."""
    newest = select(func.max(captions.c.id)).where(captions.c.kind == kind).group_by(captions.c.image_id)
    if image_ids is not None:
        newest = newest.where(captions.c.image_id.in_(image_ids))
    rows = connection.execute(select(captions).where(captions.c.id.in_(newest))).mappings()
    return {row["image_id"]: dict(row) for row in rows}
