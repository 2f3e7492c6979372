"""What every table's queries share: statements with many paths, in parts that a database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, bindparam, select

from graftset.catalog.schema import images

T = TypeVar("T")
BATCH = 400  # SQLite takes a limited number of variables in one statement


def image_ids(connection: Connection, paths: Sequence[str]) -> dict[str, int]:
    """Image ids by path, in the order of `paths`."""
    found: dict[str, int] = {}
    for batch in batches(paths):
        query = select(images.c.path, images.c.id).where(images.c.path.in_(bindparam("paths", expanding=True)))
        found |= {row.path: row.id for row in connection.execute(query, {"paths": batch})}
    return {path: found[path] for path in paths if path in found}


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most `BATCH` items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
