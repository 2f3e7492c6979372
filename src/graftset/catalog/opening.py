"""Opening a catalog: the engine, SQLite's settings, and the migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from graftset.errors import UserError

REVISION = "0001"  # the newest migration; a test holds it to migrations/versions/


def open_engine(url: str) -> Engine:
    """An engine for the database at an SQLAlchemy URL, created and migrated where needed.

    Raises:
        UserError: The URL cannot be read, the database cannot be opened, or it was written by a newer graftset.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UserError(
            "The catalog URL cannot be read",
            field="catalog.url",
            value=url,
            remedy="Give an SQLAlchemy URL such as sqlite:////data/catalog.db or postgresql+psycopg://host/name.",
        ) from error
    try:
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        _migrate(engine)
    except (OperationalError, DatabaseError, OSError, ModuleNotFoundError) as error:
        raise UserError(
            f"The catalog cannot be opened: {getattr(error, 'orig', None) or error}",
            field="catalog",
            value=parsed.render_as_string(hide_password=True),
            remedy="Check that the place exists and is writable; move a damaged catalog away and a new one is made.",
        ) from error
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Write-ahead log: readers do not block the writer, and a killed process leaves whole transactions."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; Alembic is only loaded where there is something to do."""
    with engine.connect() as connection:
        try:
            present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DatabaseError:
            connection.rollback()
            present = None
    if present == REVISION:
        return
    if present is not None and present > REVISION:
        raise UserError(
            "The catalog was written by a newer graftset",
            field="catalog",
            value=present,
            remedy="Install that version, or give this project another catalog.",
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
