"""Verdicts of reviewers, append-only, and the plans they follow.

The newest entry of a reviewer on an image is what they say of it. `resolve` makes one review of what all reviewers say,
and `Stance` tells whether that still concerns the picture and caption as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from graftset.catalog.schema import images, review_plans, verdicts
from graftset.records import Drawn, Review, ReviewPlan, VerdictEntry

T = TypeVar("T")

_PLAN = TypeAdapter(ReviewPlan)
_DRAWN = TypeAdapter(tuple[Drawn, ...])


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the entries on one image come to."""

    entry: VerdictEntry  # the one that says it
    conflict: bool

    @property
    def review(self) -> Review:
        """The same for people; only for an entry that is not withdrawn."""
        entry = self.entry
        if entry.verdict == "withdrawn":
            raise ValueError("a withdrawn verdict is no review")
        return Review(entry.verdict, entry.reviewer, entry.at, entry.reason, self.conflict)


def resolve(says: Iterable[VerdictEntry]) -> Resolved | None:
    """One verdict from the newest entries of all reviewers on one image; None where nobody says anything.

    A decision (approved or rejected) outweighs a skip. Among decisions the newest speaks; where they differ it is a
    conflict, until an entry that settles is newer than all others.
    """
    standing = sorted((entry for entry in says if entry.verdict != "withdrawn"), key=lambda entry: entry.number)
    if not standing:
        return None
    decided = [entry for entry in standing if entry.verdict != "skipped"]
    if not decided:
        return Resolved(standing[-1], False)
    differ = len({entry.verdict for entry in decided}) > 1
    return Resolved(decided[-1], differ and not decided[-1].settles)


def concerns(entry: VerdictEntry, sha256: str, caption: str | None) -> bool:
    """Whether an entry was said of this very picture and training caption."""
    return entry.sha256 == sha256 and entry.caption == caption


def reviewed(says: Iterable[VerdictEntry], sha256: str, caption: str | None) -> tuple[Resolved | None, Resolved | None]:
    """What reviewers say of an image as it is now, and, where that is nothing, what they said of it as it was."""
    entries = list(says)
    current = resolve(entry for entry in entries if concerns(entry, sha256, caption))
    return (current, None) if current is not None else (None, resolve(entries))


# --- queries ----------------------------------------------------------------------------------------------------------


def add(connection: Connection, entries: Sequence[VerdictEntry], at: str) -> tuple[VerdictEntry, ...]:
    """Append entries by path, save those whose action has already written one on the image; returns the new ones.

    Entries on images that the catalog does not hold are left out.
    """
    if not entries:
        return ()
    paths = sorted({entry.path for entry in entries})
    ids: dict[str, int] = {}
    for batch in _batches(paths):
        found = connection.execute(select(images.c.path, images.c.id).where(images.c.path.in_(batch)))
        ids |= {row.path: row.id for row in found}
    actions = sorted({entry.action for entry in entries})
    there = {(entry.action, entry.path) for entry in known(connection, actions=actions)}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        key = (entry.action, entry.path)
        if entry.path in ids and key not in there and key not in rows:
            rows[key] = {"image_id": ids[entry.path], **_columns(entry, at)}
    if not rows:
        return ()
    # Another process may write the same action between the look and this: it is the same request then.
    once = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(once(verdicts).on_conflict_do_nothing(), list(rows.values()))
    return tuple(entry for entry in known(connection, actions=actions) if (entry.action, entry.path) in rows)


def known(
    connection: Connection,
    after: int = 0,
    *,
    actions: Sequence[str] | None = None,
    image_ids: Sequence[int] | None = None,
) -> list[VerdictEntry]:
    """Entries with a number above `after`, the oldest first, under the path where their image lies now.

    Args:
        connection: To the catalog.
        after: Number of the last entry that is not wanted.
        actions: Only what these actions wrote.
        image_ids: Only those on these images.
    """
    query = select(verdicts, images.c.path).join_from(verdicts, images).where(verdicts.c.id > after)
    query = query.order_by(verdicts.c.id)
    column, wanted = (verdicts.c.action, actions) if actions is not None else (verdicts.c.image_id, image_ids)
    if wanted is None:
        return [_entry(row) for row in connection.execute(query)]
    found = [
        _entry(row) for batch in _batches(wanted) for row in connection.execute(query.where(column.in_(list(batch))))
    ]
    return sorted(found, key=lambda entry: entry.number)


def add_plan(connection: Connection, plan: ReviewPlan, at: str) -> ReviewPlan:
    """Append a plan, which closes the one before; `at` is its date where it has none."""
    dated = replace(plan, at=plan.at or at)
    head = _PLAN.dump_python(replace(dated, drawn=(), number=0), mode="json")
    values = {"data": head, "drawn": _DRAWN.dump_python(plan.drawn, mode="json"), "at": dated.at}
    key = connection.execute(insert(review_plans).values(values)).inserted_primary_key
    return replace(dated, number=0 if key is None else key[0])


def plans(connection: Connection, after: int = 0) -> list[ReviewPlan]:
    """Every plan with a number above `after`, the oldest first."""
    query = select(review_plans).where(review_plans.c.id > after).order_by(review_plans.c.id)
    return [
        replace(_PLAN.validate_python(row.data), drawn=_DRAWN.validate_python(row.drawn), at=row.at, number=row.id)
        for row in connection.execute(query)
    ]


def by_image(entries: Iterable[VerdictEntry]) -> dict[str, dict[str, VerdictEntry]]:
    """The newest entry of each reviewer on each image: path -> reviewer -> entry."""
    found: dict[str, dict[str, VerdictEntry]] = {}
    for entry in entries:
        found.setdefault(entry.path, {})[entry.reviewer] = entry
    return found


def _columns(entry: VerdictEntry, at: str) -> Mapping[str, Any]:
    return {
        "sha256": entry.sha256,
        "caption": entry.caption,
        "verdict": entry.verdict,
        "reviewer": entry.reviewer,
        "action": entry.action,
        "act": entry.act,
        "of": entry.of,
        "reason": entry.reason,
        "plan_id": entry.plan,
        "settles": entry.settles,
        "at": entry.at or at,
    }


def _entry(row: Row[Any]) -> VerdictEntry:
    return VerdictEntry(
        path=row.path,
        sha256=row.sha256,
        caption=row.caption,
        verdict=row.verdict,
        reviewer=row.reviewer,
        action=row.action,
        act=row.act,
        of=row.of,
        reason=row.reason,
        plan=row.plan_id,
        settles=row.settles,
        at=row.at,
        number=row.id,
    )


def _batches(items: Sequence[T], size: int = 400) -> Iterable[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
