"""Opening the state database: SQLite in the data folder, or PostgreSQL by DATABASE_URL.

Keep sessions short. On SQLite every transaction takes the write lock at its start: a transaction that
reads first and writes later can then neither fail half-way nor decide on what another has changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session

from leadflow_assets.errors import StoreError
from leadflow_assets.settings import Settings

_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg2"})
_BUSY_SECONDS = 30
_CONNECT_SECONDS = 10
# Any constant will do, as long as all versions of this program use the same.
_ADVISORY_LOCK = 0x6C656164666C6F77
_HINT = "Check DATABASE_URL (unset: a SQLite file in LEADFLOW_DATA_DIR); run `leadflow doctor`."
# Words of the two databases that say what is wrong; their full texts may hold parts of the URL.
_REASONS = {
    "password authentication failed": "the user or password is refused",
    "no password supplied": "it wants a password",
    "does not exist": "the database or user does not exist",
    "connection refused": "nothing listens there",
    "could not translate host name": "the host is unknown",
    "timeout expired": "it did not answer in time",
    "database is locked": "another process held its lock for too long",
    "readonly database": "it may not be written to",
    "unable to open database file": "the file cannot be opened",
    "disk is full": "the disk is full",
    "file is not a database": "the file is no SQLite database",
    "malformed": "the file is damaged",
}


def open_engine(settings: Settings) -> Engine:
    """An engine for the state database; connects to nothing yet, makes the folder of a SQLite file.

    Raises:
        StoreError: DATABASE_URL is no URL of SQLite or PostgreSQL, or the folder cannot be made.
    """
    url = _url(settings)
    # hide_parameters: errors of SQLAlchemy quote the statement's values otherwise.
    if url.get_backend_name() == "postgresql":
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_SECONDS}
        )
        event.listen(engine, "handle_error", _keep_the_first_sentence)
        return engine
    folder = _file(url).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"Cannot make the folder {folder}: {error.strerror}.", _HINT) from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to this program's tables. Safe when several processes do it at once.

    All migrations are one transaction: a kill leaves the old tables or the new ones.

    Raises:
        StoreError: the database is not reachable, or was made by a newer version of the program.
    """
    with _typed_errors(engine.url), _file_lock(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        # Nearly always: then Alembic need not read every migration first.
        if found == _head():
            return
        try:
            command.upgrade(_alembic(connection), "head")
        except CommandError:
            raise StoreError(
                f"The state database has revision {found}, which this version does not know.",
                "Update the program, or name another database in DATABASE_URL.",
            ) from None


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """The database's revision (None: empty) and the newest one this program knows.

    Raises:
        StoreError: the database is not reachable.
    """
    with _typed_errors(engine.url), engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        return current, _head()


@contextlib.contextmanager
def session(settings: Settings) -> Iterator[Session]:
    """A session on the migrated database. Commit what should stay: leaving rolls back the rest.

    Raises:
        StoreError: the database is not reachable, locked for too long, full or not writable.
    """
    engine = _migrated_engine(settings)
    with _typed_errors(engine.url), Session(engine) as opened:
        yield opened


def describe(url: URL) -> str:
    """Where the database is, in words that hold neither user nor password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {_file(url)}"
    place = f"{url.host or 'the local socket'}" + (f":{url.port}" if url.port else "")
    return f"PostgreSQL database {url.database or '(default)'} at {place}"


_engines: dict[tuple[int, str], tuple[Engine, int | None]] = {}
_engines_lock = threading.Lock()


def _migrated_engine(settings: Settings) -> Engine:
    """This process's engine, migrated on first use, and again if its file was taken away."""
    # The process id: connections must not be shared across a fork.
    key = (os.getpid(), settings.state_url)
    with _engines_lock:
        known = _engines.get(key)
        if known is not None and known[1] == _inode(known[0].url):
            return known[0]
        if known is not None:
            known[0].dispose()
        engine = open_engine(settings)
        migrate(engine)
        _engines[key] = (engine, _inode(engine.url))
        return engine


def _inode(url: URL) -> int | None:
    if url.get_backend_name() != "sqlite":
        return None
    try:
        return _file(url).stat().st_ino
    except FileNotFoundError:
        return -1


def _url(settings: Settings) -> URL:
    try:
        url = make_url(settings.state_url)
    except (ArgumentError, ValueError):
        raise StoreError("DATABASE_URL is not a database URL.", _URL_HINT) from None
    if url.drivername not in _DRIVERS:
        raise StoreError("DATABASE_URL names a kind of database that is not supported.", _URL_HINT)
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise StoreError("DATABASE_URL names no file.", _URL_HINT)
    return url


_URL_HINT = "Set DATABASE_URL to sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE, or unset it."


def _file(url: URL) -> Path:
    return Path(str(url.database)).absolute()


def _alembic(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "leadflow_assets.state:migrations")
    config.attributes["connection"] = connection
    return config


@cache
def _head() -> str | None:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(_alembic(None)).get_current_head()


@contextlib.contextmanager
def _file_lock(engine: Engine) -> Iterator[None]:
    """One migrating process at a time on SQLite; switching a new file to WAL does not wait for locks."""
    if engine.dialect.name != "sqlite":
        yield
        return
    path = _file(engine.url)
    try:
        lock = path.with_name(path.name + ".lock").open("w")
    except OSError as error:
        raise StoreError(f"Cannot write in {path.parent}: {error.strerror}.", _HINT) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's driver would begin transactions by itself, and never around CREATE TABLE.
    connection.isolation_level = None
    for pragma in (f"busy_timeout = {_BUSY_SECONDS * 1000}", "journal_mode = WAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _keep_the_first_sentence(context: ExceptionContext) -> None:
    """Cut the detail off PostgreSQL's errors: it quotes the whole row that was refused."""
    said = getattr(getattr(context.original_exception, "diag", None), "message_primary", None)
    if said:
        context.original_exception.args = (said,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (said,)


@contextlib.contextmanager
def _typed_errors(url: URL) -> Iterator[None]:
    """Turn a database's refusal into words; the cause is cut off, since it may quote the URL."""
    try:
        yield
    except DatabaseError as error:
        said = str(error.orig).lower()
        reason = next((words for sign, words in _REASONS.items() if sign in said), None)
        if reason is None and not isinstance(error, OperationalError):
            raise
        reason = reason or "it does not answer"
        raise StoreError(f"Cannot use the state database, {describe(url)}: {reason}.", _HINT) from None
