"""Measurements, cached by content hash, producer and version, and the assessments made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from graftset.catalog.batches import batches, image_ids
from graftset.catalog.schema import assessments, images, measurements
from graftset.records import Assessment

ASSESSMENT = TypeAdapter(Assessment)


def measured(connection: Connection, producer: str, version: str) -> set[str]:
    """Content hashes that already have this measurement."""
    query = select(measurements.c.sha256).where(measurements.c.producer == producer, measurements.c.version == version)
    return set(connection.execute(query).scalars())


def save(
    connection: Connection, producer: str, version: str, rows: Sequence[tuple[str, Mapping[str, Any], bytes | None]]
) -> None:
    """Store measurements as (content hash, data, native PNG or None)."""
    have: set[str] = set()
    for batch in batches([sha for sha, _, _ in rows]):
        query = select(measurements.c.sha256).where(
            measurements.c.producer == producer,
            measurements.c.version == version,
            measurements.c.sha256.in_(batch),
        )
        have.update(connection.execute(query).scalars())
    new = {sha: (data, blob) for sha, data, blob in rows if sha not in have}
    if new:
        connection.execute(
            insert(measurements),
            [
                {"sha256": sha, "producer": producer, "version": version, "data": dict(data), "blob": blob}
                for sha, (data, blob) in new.items()
            ],
        )


def keep_only(connection: Connection, producer: str, sha256: str, version: str) -> None:
    """Delete every measurement of a producer but one, where it says something of all images together."""
    query = delete(measurements).where(measurements.c.producer == producer)
    connection.execute(query.where((measurements.c.sha256 != sha256) | (measurements.c.version != version)))


def known(connection: Connection, producer: str, version: str) -> Iterator[tuple[str, dict[str, Any], bytes | None]]:
    """Every measurement of a producer and version as (content hash, data, blob)."""
    query = select(measurements.c.sha256, measurements.c.data, measurements.c.blob).where(
        measurements.c.producer == producer, measurements.c.version == version
    )
    for row in connection.execution_options(yield_per=1000).execute(query):
        yield row.sha256, row.data, row.blob


def blob(connection: Connection, sha256: str, producer: str, version: str) -> bytes | None:
    """The stored picture of one measurement."""
    query = select(measurements.c.blob).where(
        measurements.c.sha256 == sha256,
        measurements.c.producer == producer,
        measurements.c.version == version,
    )
    return connection.execute(query).scalar()


def versions(connection: Connection, sha256: str, producer: str) -> list[str]:
    """The versions a producer has measured one file with."""
    query = select(measurements.c.version).where(measurements.c.sha256 == sha256, measurements.c.producer == producer)
    return list(connection.execute(query).scalars())


def assessed(connection: Connection) -> dict[str, Assessment]:
    """Every stored assessment, by path."""
    query = select(images.c.path, assessments.c.data).join_from(assessments, images)
    return {row.path: ASSESSMENT.validate_python(row.data) for row in connection.execute(query)}


def assessed_versions(connection: Connection) -> dict[str, str]:
    """The version of every stored assessment, by path."""
    query = select(images.c.path, assessments.c.version).join_from(assessments, images)
    return {row.path: row.version for row in connection.execute(query)}


def save_assessments(connection: Connection, version: str, rows: Mapping[str, Assessment]) -> None:
    """Replace the assessments of images, by path."""
    for batch in batches(list(rows)):
        ids = image_ids(connection, batch)
        connection.execute(delete(assessments).where(assessments.c.image_id.in_(ids.values())))
        values = [
            {"image_id": ids[p], "version": version, "data": ASSESSMENT.dump_python(rows[p], mode="json")}
            for p in batch
            if p in ids
        ]
        if values:
            connection.execute(insert(assessments), values)
