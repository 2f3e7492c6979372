"""Findings of the audit that a person dismissed: they stay dismissed while picture, rule and evidence are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from graftset.catalog.schema import dismissals


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A finding by its name, with what it was about, so that a person can read the list."""

    id: str
    rule: str
    sha256: str | None  # None: a finding about the captions as a set
    words: str


def known(connection: Connection) -> dict[str, Dismissal]:
    """Every dismissal by its id."""
    rows = connection.execute(select(dismissals).order_by(dismissals.c.id))
    return {row.id: Dismissal(row.id, row.rule, row.sha256, row.words) for row in rows}


def add(connection: Connection, entries: Iterable[Dismissal], author: str, at: str) -> int:
    """Remember dismissals; returns how many are new."""
    there = known(connection)
    new = {entry.id: entry for entry in entries if entry.id not in there}
    if new:
        connection.execute(insert(dismissals), [{**asdict(e), "author": author, "at": at} for e in new.values()])
    return len(new)


def remove(connection: Connection, ids: Iterable[str]) -> int:
    """Forget dismissals; returns how many there were."""
    wanted = [name for name in dict.fromkeys(ids) if name in known(connection)]
    for name in wanted:
        connection.execute(delete(dismissals).where(dismissals.c.id == name))
    return len(wanted)
