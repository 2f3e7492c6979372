"""What is known of a project's images: one database, SQLite by default, PostgreSQL by URL.

Files, captions, measurements and selections are written in batches, each in one transaction, so that a killed command
keeps what it had finished. Captions are append-only. Measurements are cached for ever by content hash, producer and
version; an assessment depends on the whole project and is replaced.
"""

from graftset.catalog.store import Catalog

__all__ = ["Catalog"]
