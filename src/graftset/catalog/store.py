"""The catalog's queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import DatabaseError

from graftset.catalog import dismissing, schema, scoring, undoing, verdicts
from graftset.catalog.dismissing import Dismissal
from graftset.catalog.joining import CHANGES, CLAIMS, join, still_holds
from graftset.catalog.opening import open_engine
from graftset.catalog.schema import assessments, captions, choices, images, measurements, selections, skips
from graftset.catalog.scoring import EvaluatedRun
from graftset.errors import UserError
from graftset.records import (
    Assessment,
    CaptionProposal,
    Choice,
    ImageRecord,
    ImageView,
    ReviewPlan,
    Selection,
    Skip,
    VerdictEntry,
)
from graftset.scorecards import Scorecard

T = TypeVar("T")
_BATCH = 400  # SQLite takes a limited number of variables in one statement

_ONE_WRITER = 7_203_203  # the lock's number, any that others are unlikely to use

_RECORD = TypeAdapter(ImageRecord)
_ASSESSMENT = TypeAdapter(Assessment)
_CHOICE = TypeAdapter(Choice)
_SELECTION = TypeAdapter(Selection)


def now() -> str:
    """The present time, ISO 8601 UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Marks(NamedTuple):
    """Number of the newest row of each append-only table; 0 where it is empty."""

    verdicts: int
    plans: int
    captions: int
    selections: int


class Catalog:
    """One project's database. Open it with `Catalog.open`; every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- opening ------------------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, url: str) -> Catalog:
        """Open the database at an SQLAlchemy URL, creating and migrating it where needed.

        Raises:
            UserError: The database cannot be opened, or was written by a newer graftset.
        """
        return cls(open_engine(url))

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise UserError(
                f"The catalog could not be read: {error.orig}",
                field="catalog",
                remedy="Run the command again; if that does not help, move the catalog away and a new one is made.",
            ) from error

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # One writer at a time, as in SQLite: rows are committed in the order of their numbers, so that who
                    # reads what is new since a number misses nothing.
                    connection.execute(select(func.pg_advisory_xact_lock(_ONE_WRITER)))
                yield connection
        except DatabaseError as error:
            raise UserError(
                f"The catalog could not be written: {error.orig}",
                field="catalog",
                remedy="Check free disk space and that no other command holds the catalog, then run the command again.",
            ) from error

    # --- ingest -------------------------------------------------------------------------------------------------------

    def known_files(self) -> dict[str, ImageRecord]:
        """Every ingested file that is still there, by absolute path."""
        with self._read() as connection:
            rows = connection.execute(select(images.c.path, images.c.record).where(~images.c.missing))
            return {row.path: _RECORD.validate_python(row.record) for row in rows}

    def known_skips(self) -> dict[str, tuple[int, int, str]]:
        """Every skipped file: (size_bytes, mtime_ns, reason) by absolute path."""
        with self._read() as connection:
            rows = connection.execute(select(skips))
            return {row.path: (row.size_bytes, row.mtime_ns, row.reason) for row in rows}

    def save_images(self, records: Sequence[ImageRecord]) -> None:
        """Insert or replace files by path. What was assessed of other pixels at that path is forgotten."""
        with self._write() as connection:
            for batch in _batches({record.path: record for record in records}.values()):
                known = _ids(connection, [record.path for record in batch])
                rows = [
                    {
                        "path": record.path,
                        "sha256": record.sha256,
                        "origin": record.origin,
                        "missing": False,
                        "record": _RECORD.dump_python(record, mode="json"),
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

    def save_skips(self, entries: Sequence[tuple[Skip, int, int]]) -> None:
        """Remember files that were not taken, with their size and modification time."""
        with self._write() as connection:
            _delete_skips(connection, [skip.path for skip, _, _ in entries])
            if entries:
                connection.execute(
                    insert(skips),
                    [
                        {"path": skip.path, "reason": skip.reason, "size_bytes": size, "mtime_ns": mtime}
                        for skip, size, mtime in entries
                    ],
                )

    def forget_skips(self, paths: Sequence[str]) -> None:
        """Drop remembered skips: the files are gone or can be read now."""
        with self._write() as connection:
            _delete_skips(connection, paths)

    def mark_missing(self, paths: Sequence[str]) -> None:
        """Keep what is known of files that are no longer there, but leave them out of everything."""
        with self._write() as connection:
            for batch in _batches(paths):
                connection.execute(update(images).where(images.c.path.in_(batch)).values(missing=True))

    def rename(self, old: str, new: str) -> None:
        """A file moved: keep its history under the new path."""
        with self._write() as connection:
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

    # --- assess -------------------------------------------------------------------------------------------------------

    def measured(self, producer: str, version: str) -> set[str]:
        """Content hashes that already have this measurement."""
        with self._read() as connection:
            query = select(measurements.c.sha256).where(
                measurements.c.producer == producer, measurements.c.version == version
            )
            return set(connection.execute(query).scalars())

    def save_measurements(
        self, producer: str, version: str, rows: Sequence[tuple[str, Mapping[str, Any], bytes | None]]
    ) -> None:
        """Store measurements as (content hash, data, native PNG or None)."""
        with self._write() as connection:
            have: set[str] = set()
            for batch in _batches([sha for sha, _, _ in rows]):
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

    def keep_only(self, producer: str, sha256: str, version: str) -> None:
        """Delete every measurement of a producer but one, where it says something of all images together."""
        with self._write() as connection:
            query = delete(measurements).where(measurements.c.producer == producer)
            connection.execute(query.where((measurements.c.sha256 != sha256) | (measurements.c.version != version)))

    def measurements(self, producer: str, version: str) -> Iterator[tuple[str, dict[str, Any], bytes | None]]:
        """Every measurement of a producer and version as (content hash, data, blob)."""
        with self._read() as connection:
            query = select(measurements.c.sha256, measurements.c.data, measurements.c.blob).where(
                measurements.c.producer == producer, measurements.c.version == version
            )
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield row.sha256, row.data, row.blob

    def blob(self, sha256: str, producer: str, version: str) -> bytes | None:
        """The stored picture of one measurement."""
        with self._read() as connection:
            query = select(measurements.c.blob).where(
                measurements.c.sha256 == sha256,
                measurements.c.producer == producer,
                measurements.c.version == version,
            )
            return connection.execute(query).scalar()

    def versions(self, sha256: str, producer: str) -> list[str]:
        """The versions a producer has measured one file with."""
        with self._read() as connection:
            query = select(measurements.c.version).where(
                measurements.c.sha256 == sha256, measurements.c.producer == producer
            )
            return list(connection.execute(query).scalars())

    def assessments(self) -> dict[str, Assessment]:
        """Every stored assessment, by path."""
        with self._read() as connection:
            query = select(images.c.path, assessments.c.data).join_from(assessments, images)
            return {row.path: _ASSESSMENT.validate_python(row.data) for row in connection.execute(query)}

    def assessment_versions(self) -> dict[str, str]:
        """The version of every stored assessment, by path."""
        with self._read() as connection:
            query = select(images.c.path, assessments.c.version).join_from(assessments, images)
            return {row.path: row.version for row in connection.execute(query)}

    def save_assessments(self, version: str, rows: Mapping[str, Assessment]) -> None:
        """Replace the assessments of images, by path."""
        with self._write() as connection:
            for batch in _batches(list(rows)):
                ids = _ids(connection, batch)
                connection.execute(delete(assessments).where(assessments.c.image_id.in_(ids.values())))
                values = [
                    {"image_id": ids[p], "version": version, "data": _ASSESSMENT.dump_python(rows[p], mode="json")}
                    for p in batch
                    if p in ids
                ]
                if values:
                    connection.execute(insert(assessments), values)

    # --- captions -----------------------------------------------------------------------------------------------------

    def save_proposals(self, kind: str, author: str, rows: Mapping[str, CaptionProposal]) -> int:
        """Append what the caption stage says of images, by path, where it differs from what it said last.

        Args:
            kind: "checked" (claims only, an original's caption stands) or "proposed".
            author: Who says so, e.g. "graftset 0.1.0".
            rows: Path -> proposal.

        Returns:
            The number of entries appended.
        """
        stamp, appended = now(), 0
        with self._write() as connection:
            for batch in _batches(list(rows)):
                found = connection.execute(
                    select(images.c.id, images.c.path, images.c.sha256, images.c.record).where(images.c.path.in_(batch))
                ).all()
                latest = _latest_captions(connection, kind, [row.id for row in found])
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
                    last = latest.get(row.id)
                    if last is not None and all(last[key] == value for key, value in values.items()):
                        continue
                    connection.execute(insert(captions).values(**values, at=stamp))
                    appended += 1
        return appended

    def apply_captions(self, texts: Mapping[str, str], author: str) -> int:
        """Append current captions, by path, where they differ from the present ones; returns how many changed.

        What graftset itself applies (an author that begins with "graftset") corrects the text an image came with, and
        counts until another text comes in; what a person says counts until the picture is another.
        """
        stamp, appended = now(), 0
        with self._write() as connection:
            for batch in _batches(list(texts)):
                query = select(images.c.id, images.c.path, images.c.record).where(images.c.path.in_(batch))
                found = connection.execute(query).all()
                latest = _latest_captions(connection, "current", [row.id for row in found])
                for row in found:
                    file, last = _RECORD.validate_python(row.record), latest.get(row.id)
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
                            at=stamp,
                        )
                    )
                    appended += 1
        return appended

    def undo_captions(self, author: str, by: Callable[[str], bool] = lambda author: True) -> int:
        """Take back the captions that were applied last, over all images; returns how many captions changed.

        Args:
            author: Who takes back.
            by: Whether captions of an author are meant; all are where it is not given.
        """
        with self._write() as connection:
            return undoing.take_back(connection, author, now(), by)

    def caption_history(self, path: str) -> list[dict[str, Any]]:
        """Every caption entry of one image, the oldest first."""
        with self._read() as connection:
            query = select(captions).join_from(captions, images).where(images.c.path == path).order_by(captions.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]

    # --- audit --------------------------------------------------------------------------------------------------------

    def dismiss(self, entries: Sequence[Dismissal], author: str) -> int:
        """Remember findings as dismissed; returns how many were not before."""
        with self._write() as connection:
            return dismissing.add(connection, entries, author, now())

    def restore(self, ids: Sequence[str]) -> int:
        """Forget dismissals by their ids; returns how many there were."""
        with self._write() as connection:
            return dismissing.remove(connection, ids)

    def dismissals(self) -> dict[str, Dismissal]:
        """Every dismissed finding by its id."""
        with self._read() as connection:
            return dismissing.known(connection)

    # --- selection ----------------------------------------------------------------------------------------------------

    def save_selection(self, selection: Selection) -> None:
        """Append a selection; the newest one counts."""
        head = _SELECTION.dump_python(replace(selection, choices=()), mode="json")
        with self._write() as connection:
            key = connection.execute(insert(selections).values(data=head, at=now())).inserted_primary_key
            number = None if key is None else key[0]
            for batch in _batches(selection.choices):
                ids = _ids(connection, [choice.path for choice in batch])
                rows = [
                    {"selection_id": number, "image_id": ids[c.path], "data": _CHOICE.dump_python(c, mode="json")}
                    for c in batch
                    if c.path in ids
                ]
                if rows:
                    connection.execute(insert(choices), rows)

    def selection(self) -> Selection | None:
        """The newest selection, its choices in the order the images came in; None where there is none."""
        with self._read() as connection:
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
            made = tuple(
                replace(_CHOICE.validate_python(choice.data), path=choice.path) for choice in connection.execute(query)
            )
            return replace(_SELECTION.validate_python(row.data), choices=made, at=row.at)

    # --- review -------------------------------------------------------------------------------------------------------

    def save_verdicts(self, entries: Sequence[VerdictEntry]) -> tuple[VerdictEntry, ...]:
        """Append verdicts in one transaction; returns those that are new, numbered and dated.

        An entry is new unless its action has already written one on the same image. Entries on paths that the catalog
        does not hold are left out.
        """
        with self._write() as connection:
            return verdicts.add(connection, entries, now())

    def verdicts(self, after: int = 0) -> list[VerdictEntry]:
        """Every verdict with a number above `after`, the oldest first, under the path where its image lies now."""
        with self._read() as connection:
            return verdicts.known(connection, after)

    def save_plan(self, plan: ReviewPlan) -> ReviewPlan:
        """Append a review plan, which closes the one before; returns it numbered and dated."""
        with self._write() as connection:
            return verdicts.add_plan(connection, plan, now())

    def plans(self, after: int = 0) -> list[ReviewPlan]:
        """Every review plan with a number above `after`, the oldest first; the last one is open."""
        with self._read() as connection:
            return verdicts.plans(connection, after)

    def marks(self) -> Marks:
        """How far the append-only tables reach: what a reader compares to see whether anything came since."""
        with self._read() as connection:
            tables = (schema.verdicts, schema.review_plans, captions, selections)
            newest = (select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery() for table in tables)
            row = connection.execute(select(*newest)).one()
        return Marks(*row)

    def captioned_since(self, number: int) -> list[str]:
        """Paths of images that have a caption entry with a number above `number`."""
        with self._read() as connection:
            query = select(images.c.path).distinct().join_from(captions, images).where(captions.c.id > number)
            return list(connection.execute(query).scalars())

    def selection_date(self) -> str | None:
        """When the newest selection was made, ISO 8601 UTC; None where there is none."""
        with self._read() as connection:
            return connection.execute(select(selections.c.at).order_by(selections.c.id.desc()).limit(1)).scalar()

    def foundations(self) -> tuple[Any, ...]:
        """What else a view rests on, as a value that changes when images or assessments do. Reads every image's row."""
        with self._read() as connection:
            files = select(func.count(images.c.id), func.max(images.c.id), func.count().filter(images.c.missing))
            measured = select(func.count(assessments.c.image_id), func.max(assessments.c.version))
            return (*connection.execute(files).one(), *connection.execute(measured).one())

    # --- evaluate -----------------------------------------------------------------------------------------------------

    def save_scorecard(self, card: Scorecard, folder: str) -> None:
        """Keep a card, in the place of that of the same run and checkpoint; `folder` holds the pictures."""
        with self._write() as connection:
            scoring.save(connection, card, folder)

    def evaluated_runs(self, run: str | None = None) -> list[EvaluatedRun]:
        """Every run that has scorecards, or the one named."""
        with self._read() as connection:
            return scoring.known(connection, run)

    def evaluated_inputs(self, run: str) -> dict[str, str]:
        """What the cards of a run rest on, as one hash each, by checkpoint."""
        with self._read() as connection:
            return scoring.inputs(connection, run)

    def forget_scorecards(self, run: str) -> None:
        """Drop the cards of a run."""
        with self._write() as connection:
            scoring.forget(connection, run)

    def evaluator_fit(self, kind: str, key: str) -> dict[str, Any] | None:
        """What an evaluator learned under a key; None where nothing was."""
        with self._read() as connection:
            return scoring.fit(connection, kind, key)

    def save_evaluator_fit(self, kind: str, key: str, data: Mapping[str, Any]) -> None:
        """Remember what an evaluator learned."""
        with self._write() as connection:
            scoring.save_fit(connection, kind, key, data, now())

    # --- everything of one image --------------------------------------------------------------------------------------

    def views(self, paths: Sequence[str] | None = None) -> list[ImageView]:
        """Everything known of every image that is there (or of those at `paths`): originals first, then by path."""
        with self._read() as connection:
            query = (
                select(images.c.id, images.c.record, assessments.c.data)
                .join_from(images, assessments, isouter=True)
                .where(~images.c.missing)
                .order_by(images.c.origin.desc(), images.c.path)
            )
            if paths is not None:
                query = query.where(images.c.path.in_(bindparam("paths", list(paths), expanding=True)))
            rows = connection.execute(query).all()
            asked = None if paths is None else [row.id for row in rows]
            said = {kind: _latest_captions(connection, kind, asked) for kind in ("checked", "proposed", "current")}
            newest = connection.execute(select(func.max(selections.c.id))).scalar()
            picked = select(choices.c.image_id, choices.c.data).where(choices.c.selection_id == newest)
            if asked is not None:
                picked = picked.where(choices.c.image_id.in_(asked))
            chosen = {row.image_id: _CHOICE.validate_python(row.data) for row in connection.execute(picked)}
            says = verdicts.by_image(verdicts.known(connection, image_ids=asked))
        return [
            join(
                record := _RECORD.validate_python(row.record),
                None if row.data is None else _ASSESSMENT.validate_python(row.data),
                {kind: latest.get(row.id) for kind, latest in said.items()},
                chosen.get(row.id),
                says.get(record.path, {}).values(),
            )
            for row in rows
        ]


def _latest_captions(
    connection: Connection, kind: str, image_ids: Sequence[int] | None = None
) -> dict[int, dict[str, Any]]:
    """The newest entry of one kind for every image (or for those given), by image id."""
    newest = select(func.max(captions.c.id)).where(captions.c.kind == kind).group_by(captions.c.image_id)
    if image_ids is not None:
        newest = newest.where(captions.c.image_id.in_(image_ids))
    rows = connection.execute(select(captions).where(captions.c.id.in_(newest))).mappings()
    return {row["image_id"]: dict(row) for row in rows}


def _delete_skips(connection: Connection, paths: Iterable[str]) -> None:
    for batch in _batches(paths):
        connection.execute(delete(skips).where(skips.c.path.in_(batch)))


def _ids(connection: Connection, paths: Sequence[str]) -> dict[str, int]:
    """Image ids by path, in the order of `paths`."""
    found: dict[str, int] = {}
    for batch in _batches(paths):
        query = select(images.c.path, images.c.id).where(images.c.path.in_(bindparam("paths", expanding=True)))
        found |= {row.path: row.id for row in connection.execute(query, {"paths": batch})}
    return {path: found[path] for path in paths if path in found}


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most `_BATCH` items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
