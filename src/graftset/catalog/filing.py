"""Files as ingest found them: images by path, and what was skipped and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select, update

from graftset.catalog import schema
from graftset.catalog.batches import batches, image_ids
from graftset.catalog.schema import assessments, captions, choices, images, skips
from graftset.records import ImageRecord, Skip

RECORD = TypeAdapter(ImageRecord)


def known(connection: Connection) -> dict[str, ImageRecord]:
    """Every ingested file that is still there, by absolute path."""
    rows = connection.execute(select(images.c.path, images.c.record).where(~images.c.missing))
    return {row.path: RECORD.validate_python(row.record) for row in rows}


def known_skips(connection: Connection) -> dict[str, tuple[int, int, str]]:
    """Every skipped file: (size_bytes, mtime_ns, reason) by absolute path."""
    rows = connection.execute(select(skips))
    return {row.path: (row.size_bytes, row.mtime_ns, row.reason) for row in rows}


def save(connection: Connection, records: Sequence[ImageRecord]) -> None:
    """Insert or replace files by path. What was assessed of other pixels at that path is forgotten."""
    for batch in batches({record.path: record for record in records}.values()):
        known = image_ids(connection, [record.path for record in batch])
        rows = [
            {
                "path": record.path,
                "sha256": record.sha256,
                "origin": record.origin,
                "missing": False,
                "record": RECORD.dump_python(record, mode="json"),
            }
            for record in batch
        ]
        new = [row for row in rows if row["path"] not in known]
        if new:
            connection.execute(insert(images), new)
        for row in rows:
            if row["path"] in known:
                number = known[row["path"]]
                changed = select(images.c.id).where(images.c.id == number, images.c.sha256 != row["sha256"])
                connection.execute(delete(assessments).where(assessments.c.image_id.in_(changed)))
                connection.execute(update(images).where(images.c.id == number).values(row))


def save_skips(connection: Connection, entries: Sequence[tuple[Skip, int, int]]) -> None:
    """Remember files that were not taken, with their size and modification time."""
    _delete_skips(connection, [skip.path for skip, _, _ in entries])
    if entries:
        connection.execute(
            insert(skips),
            [
                {"path": skip.path, "reason": skip.reason, "size_bytes": size, "mtime_ns": mtime}
                for skip, size, mtime in entries
            ],
        )


def forget_skips(connection: Connection, paths: Sequence[str]) -> None:
    """Drop remembered skips: the files are gone or can be read now."""
    _delete_skips(connection, paths)


def mark_missing(connection: Connection, paths: Sequence[str]) -> None:
    """Keep what is known of files that are no longer there, but leave them out of everything."""
    for batch in batches(paths):
        connection.execute(update(images).where(images.c.path.in_(batch)).values(missing=True))


def rename(connection: Connection, old: str, new: str) -> None:
    """A file moved: keep its history under the new path."""
    row = connection.execute(select(images.c.id, images.c.record).where(images.c.path == old)).first()
    if row is None:
        return
    taken = connection.execute(select(images.c.id).where(images.c.path == new)).scalar()
    if taken is not None:  # a missing file once stood there; its history gives way
        for table in (captions, assessments, choices, schema.verdicts):
            connection.execute(delete(table).where(table.c.image_id == taken))
        connection.execute(delete(images).where(images.c.id == taken))
    record = {**row.record, "path": new}
    connection.execute(update(images).where(images.c.id == row.id).values(path=new, record=record))


def _delete_skips(connection: Connection, paths: Iterable[str]) -> None:
    for batch in batches(paths):
        connection.execute(delete(skips).where(skips.c.path.in_(batch)))
