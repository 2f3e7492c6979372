"""What is known of a project's images: one database, SQLite by default, PostgreSQL by URL.

Files, captions, measurements and selections are written in batches, each in one transaction, so that a killed command
keeps what it had finished. Captions are append-only. Measurements are cached for ever by content hash, producer and
version; an assessment depends on the whole project and is replaced.

store.py      every query there is, each a transaction around a function of the files below
filing.py     files as ingest found them, and what was skipped
assessing.py  measurements and assessments
captioning.py captions and their history
choosing.py   selections
undoing.py    taking back what was applied last
batches.py    what these queries share
opening.py    the engine and the migrations
schema.py     the tables
dismissing.py findings of the audit that were dismissed
verdicts.py   verdicts of reviewers, and the plans they follow
scoring.py    scorecards of runs, and what evaluators learned once
joining.py    what the stages know of one image -> one `ImageView`
contract.py   an `ImageView` as the JSON of `graftset images`
"""

from graftset.catalog.dismissing import Dismissal
from graftset.catalog.store import Catalog, Marks

__all__ = ["Catalog", "Dismissal", "Marks"]
