"""Opening a catalog: the engine, SQLite's settings, and the migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from graftset.errors import UserError

REVISION = "0004"  # the newest migration; a test holds it to migrations/versions/


def open_engine(url: str) -> Engine:
    """An engine for the database at an SQLAlchemy URL, created and migrated where needed.

    Raises:
        UserError: The URL cannot be read, the database cannot be opened, or it was written by a newer graftset.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_dialect().name
    except ArgumentError as error:  # also what no dialect is installed for
        raise UserError(
            "The catalog URL cannot be read",
            field="catalog.url",
            value=url,
            remedy="Give an SQLAlchemy URL such as sqlite:////data/catalog.db or postgresql+psycopg://host/name.",
        ) from error
    try:
        if backend == "sqlite" and parsed.database and not parsed.database.startswith("file:"):
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
        if backend == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        _migrate(engine)
    except (DatabaseError, OSError, ModuleNotFoundError) as error:
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
    cursor.execute("PRAGMA busy_timeout=30000")  # first: another command may be opening the catalog too
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; Alembic is only loaded where there is something to do."""
    with engine.connect() as connection:
        if _revision(connection) == REVISION:
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver opens no transaction for DDL: without this one a killed migration would leave half a
            # schema, and two commands that open a new catalog at once would both create it.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _revision(connection) != REVISION:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()


def _revision(connection: Connection) -> str | None:
    """The newest migration a catalog has seen; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if present is not None and present > REVISION:
        raise UserError(
            "The catalog was written by a newer graftset",
            field="catalog",
            value=present,
            remedy="Install that version, or give this project another catalog.",
        )
    return None if present is None else str(present)
