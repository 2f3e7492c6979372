"""The catalog's queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, func, select
from sqlalchemy.exc import DatabaseError

from graftset.catalog import assessing, captioning, choosing, dismissing, filing, schema, scoring, undoing, verdicts
from graftset.catalog.assessing import ASSESSMENT
from graftset.catalog.choosing import CHOICE
from graftset.catalog.dismissing import Dismissal
from graftset.catalog.filing import RECORD
from graftset.catalog.joining import join
from graftset.catalog.opening import open_engine
from graftset.catalog.schema import assessments, captions, choices, images, selections
from graftset.catalog.scoring import EvaluatedRun
from graftset.errors import UserError
from graftset.records import (
    Assessment,
    CaptionProposal,
    ImageRecord,
    ImageView,
    ReviewPlan,
    Selection,
    Skip,
    VerdictEntry,
)
from graftset.scorecards import Scorecard

_ONE_WRITER = 7_203_203  # the lock's number, any that others are unlikely to use


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
            return filing.known(connection)

    def known_skips(self) -> dict[str, tuple[int, int, str]]:
        """Every skipped file: (size_bytes, mtime_ns, reason) by absolute path."""
        with self._read() as connection:
            return filing.known_skips(connection)

    def save_images(self, records: Sequence[ImageRecord]) -> None:
        """Insert or replace files by path. What was assessed of other pixels at that path is forgotten."""
        with self._write() as connection:
            filing.save(connection, records)

    def save_skips(self, entries: Sequence[tuple[Skip, int, int]]) -> None:
        """Remember files that were not taken, with their size and modification time."""
        with self._write() as connection:
            filing.save_skips(connection, entries)

    def forget_skips(self, paths: Sequence[str]) -> None:
        """Drop remembered skips: the files are gone or can be read now."""
        with self._write() as connection:
            filing.forget_skips(connection, paths)

    def mark_missing(self, paths: Sequence[str]) -> None:
        """Keep what is known of files that are no longer there, but leave them out of everything."""
        with self._write() as connection:
            filing.mark_missing(connection, paths)

    def rename(self, old: str, new: str) -> None:
        """A file moved: keep its history under the new path."""
        with self._write() as connection:
            filing.rename(connection, old, new)

    # --- assess -------------------------------------------------------------------------------------------------------

    def measured(self, producer: str, version: str) -> set[str]:
        """Content hashes that already have this measurement."""
        with self._read() as connection:
            return assessing.measured(connection, producer, version)

    def save_measurements(
        self, producer: str, version: str, rows: Sequence[tuple[str, Mapping[str, Any], bytes | None]]
    ) -> None:
        """Store measurements as (content hash, data, native PNG or None)."""
        with self._write() as connection:
            assessing.save(connection, producer, version, rows)

    def keep_only(self, producer: str, sha256: str, version: str) -> None:
        """Delete every measurement of a producer but one, where it says something of all images together."""
        with self._write() as connection:
            assessing.keep_only(connection, producer, sha256, version)

    def measurements(self, producer: str, version: str) -> Iterator[tuple[str, dict[str, Any], bytes | None]]:
        """Every measurement of a producer and version as (content hash, data, blob)."""
        with self._read() as connection:
            yield from assessing.known(connection, producer, version)

    def blob(self, sha256: str, producer: str, version: str) -> bytes | None:
        """The stored picture of one measurement."""
        with self._read() as connection:
            return assessing.blob(connection, sha256, producer, version)

    def versions(self, sha256: str, producer: str) -> list[str]:
        """The versions a producer has measured one file with."""
        with self._read() as connection:
            return assessing.versions(connection, sha256, producer)

    def assessments(self) -> dict[str, Assessment]:
        """Every stored assessment, by path."""
        with self._read() as connection:
            return assessing.assessed(connection)

    def assessment_versions(self) -> dict[str, str]:
        """The version of every stored assessment, by path."""
        with self._read() as connection:
            return assessing.assessed_versions(connection)

    def save_assessments(self, version: str, rows: Mapping[str, Assessment]) -> None:
        """Replace the assessments of images, by path."""
        with self._write() as connection:
            assessing.save_assessments(connection, version, rows)

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
        with self._write() as connection:
            return captioning.propose(connection, kind, author, rows, now())

    def apply_captions(self, texts: Mapping[str, str], author: str) -> int:
        """Append current captions, by path, where they differ from the present ones; returns how many changed.

        What graftset itself applies (an author that begins with "graftset") corrects the text an image came with, and
        counts until another text comes in; what a person says counts until the picture is another.
        """
        with self._write() as connection:
            return captioning.apply(connection, texts, author, now())

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
            return captioning.history(connection, path)

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
        with self._write() as connection:
            choosing.save(connection, selection, now())

    def selection(self) -> Selection | None:
        """The newest selection, its choices in the order the images came in; None where there is none."""
        with self._read() as connection:
            return choosing.newest(connection)

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
            return captioning.changed_since(connection, number)

    def selection_date(self) -> str | None:
        """When the newest selection was made, ISO 8601 UTC; None where there is none."""
        with self._read() as connection:
            return choosing.newest_date(connection)

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
            said = {kind: captioning.latest(connection, kind, asked) for kind in ("checked", "proposed", "current")}
            newest = connection.execute(select(func.max(selections.c.id))).scalar()
            picked = select(choices.c.image_id, choices.c.data).where(choices.c.selection_id == newest)
            if asked is not None:
                picked = picked.where(choices.c.image_id.in_(asked))
            chosen = {row.image_id: CHOICE.validate_python(row.data) for row in connection.execute(picked)}
            says = verdicts.by_image(verdicts.known(connection, image_ids=asked))
        return [
            join(
                record := RECORD.validate_python(row.record),
                None if row.data is None else ASSESSMENT.validate_python(row.data),
                {kind: latest.get(row.id) for kind, latest in said.items()},
                chosen.get(row.id),
                says.get(record.path, {}).values(),
            )
            for row in rows
        ]
