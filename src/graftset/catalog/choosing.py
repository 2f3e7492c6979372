"""Selections, append-only, with a choice for every candidate."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select

from graftset.catalog.batches import batches, image_ids
from graftset.catalog.schema import choices, images, selections
from graftset.records import Choice, Selection

CHOICE = TypeAdapter(Choice)
_SELECTION = TypeAdapter(Selection)


def save(connection: Connection, selection: Selection, at: str) -> None:
    """Append a selection; the newest one counts."""
    head = _SELECTION.dump_python(replace(selection, choices=()), mode="json")
    key = connection.execute(insert(selections).values(data=head, at=at)).inserted_primary_key
    number = None if key is None else key[0]
    for batch in batches(selection.choices):
        ids = image_ids(connection, [choice.path for choice in batch])
        rows = [
            {"selection_id": number, "image_id": ids[c.path], "data": CHOICE.dump_python(c, mode="json")}
            for c in batch
            if c.path in ids
        ]
        if rows:
            connection.execute(insert(choices), rows)


def newest(connection: Connection) -> Selection | None:
    """The newest selection, its choices in the order the images came in; None where there is none."""
    row = connection.execute(select(selections).order_by(selections.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    query = (
        select(images.c.path, choices.c.data)
        .join_from(choices, images)
        .where(choices.c.selection_id == row.id)
        .order_by(choices.c.image_id)
    )
    # A file may have moved since: its choice is known by where it lies now.
    made = tuple(replace(CHOICE.validate_python(choice.data), path=choice.path) for choice in connection.execute(query))
    return replace(_SELECTION.validate_python(row.data), choices=made, at=row.at)


def newest_date(connection: Connection) -> str | None:
    """When the newest selection was made, ISO 8601 UTC; None where there is none."""
    return connection.execute(select(selections.c.at).order_by(selections.c.id.desc()).limit(1)).scalar()
