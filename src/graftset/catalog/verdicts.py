"""Verdicts of reviewers, append-only, and the plans they follow.

The newest entry of a reviewer on an image is what they say of it. `resolve` makes one review of what all reviewers say,
and `Stance` tells whether that still concerns the picture and caption as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, insert, select

from graftset.catalog.schema import images, review_plans, verdicts
from graftset.records import Drawn, Review, ReviewPlan, VerdictEntry

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


def latest(entries: Iterable[VerdictEntry]) -> dict[str, VerdictEntry]:
    """The newest entry of each reviewer, of entries on one image in the order they were written."""
    return {entry.reviewer: entry for entry in entries}


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
    there: set[tuple[str, int]] = set()
    for actions in _batches(sorted({entry.action for entry in entries})):
        query = select(verdicts.c.action, verdicts.c.image_id).where(verdicts.c.action.in_(actions))
        there |= {(row.action, row.image_id) for row in connection.execute(query)}
    written = []
    for entry in entries:
        image = ids.get(entry.path)
        if image is None or (entry.action, image) in there:
            continue
        there.add((entry.action, image))
        kept = entry if entry.at else replace(entry, at=at)
        row = connection.execute(insert(verdicts).values(image_id=image, **_columns(kept)))
        key = row.inserted_primary_key
        written.append(replace(kept, number=0 if key is None else key[0]))
    return tuple(written)


def known(connection: Connection, after: int = 0) -> list[VerdictEntry]:
    """Every entry with a number above `after`, the oldest first, under the path where its image lies now."""
    query = (
        select(verdicts, images.c.path).join_from(verdicts, images).where(verdicts.c.id > after).order_by(verdicts.c.id)
    )
    return [_entry(row) for row in connection.execute(query)]


def last(connection: Connection) -> int:
    """Number of the newest entry; 0 where there is none."""
    return int(connection.execute(select(func.max(verdicts.c.id))).scalar() or 0)


def add_plan(connection: Connection, plan: ReviewPlan, at: str) -> ReviewPlan:
    """Append a plan, which closes the one before."""
    head = _PLAN.dump_python(replace(plan, drawn=(), at=at, number=0), mode="json")
    values = {"data": head, "drawn": _DRAWN.dump_python(plan.drawn, mode="json"), "at": at}
    key = connection.execute(insert(review_plans).values(values)).inserted_primary_key
    return replace(plan, at=at, number=0 if key is None else key[0])


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


def _columns(entry: VerdictEntry) -> Mapping[str, Any]:
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
        "at": entry.at,
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


def _batches(items: Sequence[str], size: int = 400) -> Iterable[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
