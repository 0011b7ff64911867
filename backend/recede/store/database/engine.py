"""Opening the store: engine, pragmas, transactions and the check of the schema's version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from recede.contract.errors import (
    InvalidInput,
    NotInstalled,
    StorageProblem,
    Unavailable,
)
from recede.store.database.schema import ensure_schema, upgrade_schema

WORKER_BUSY_TIMEOUT_S = 30.0
WEB_BUSY_TIMEOUT_S = 3.0
_WRITE_LOCK = 7_245_062  # any number, the same in every process
_BUSY = ("locked", "lock timeout", "connection")
_DISK_TROUBLE = ("is full", "readonly", "disk I/O", "No space left", "unable to open")


class Store:
    """The database behind two context managers; safe to share between threads.

    `read()` sees one consistent state and writes nothing. `write()` is one short transaction
    that holds the one write lock from its first statement (BEGIN IMMEDIATE on SQLite, an
    advisory lock on PostgreSQL), commits at the end and rolls back on any error. So whoever
    reads and then writes loses nothing, writers cannot deadlock, and ids grow in the order of
    commits. Both raise Unavailable when the database stays busy.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(recede_write=True)

    @property
    def dialect(self) -> str:
        """Either "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking only."""
        with _busy_is_unavailable(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one short transaction."""
        with (
            _busy_is_unavailable(),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            if self.dialect == "postgresql":
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})
            yield session

    def close(self) -> None:
        """Release every connection."""
        self.engine.dispose()


def require_driver(url: str) -> None:
    """Raise NotInstalled if the store is a PostgreSQL database and its driver is missing."""
    if url.startswith("postgresql") and find_spec("psycopg") is None:
        raise NotInstalled(
            "The store is a PostgreSQL database, and its driver psycopg is not installed.",
            hint="To install it: pip install 'recede[postgres]'",
        )


def open_store(url: str, *, busy_timeout_s: float = WEB_BUSY_TIMEOUT_S) -> Store:
    """The store at a SQLAlchemy URL, created if it is new.

    Raises:
        InvalidInput: the URL is not one of SQLite or PostgreSQL.
        NotInstalled: it is one of PostgreSQL, and there is no driver.
        StorageProblem: the file or server cannot be reached or written.
        SchemaMismatch: an older or newer Recede wrote it.
    """
    engine = _make_engine(url, busy_timeout_s)
    try:
        with _first_transaction(engine, url) as connection:
            ensure_schema(connection)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


def upgrade_store(url: str) -> tuple[str | None, str]:
    """Bring the store at a URL to this version's schema; returns the versions before and after.

    Raises:
        InvalidInput, NotInstalled, StorageProblem: as open_store.
        SchemaMismatch: a newer Recede wrote it, or it is not ours.
    """
    engine = _make_engine(url, WORKER_BUSY_TIMEOUT_S)
    try:
        with _first_transaction(engine, url) as connection:
            return upgrade_schema(connection)
    finally:
        engine.dispose()


@contextmanager
def _first_transaction(engine: Engine, url: str) -> Iterator[Connection]:
    try:
        with engine.execution_options(recede_write=True).begin() as connection:
            yield connection
    except DBAPIError as error:
        raise StorageProblem(
            f"The store at {_shown(url)} cannot be opened: {error.orig}.",
            hint="Check that the folder exists, is writable and not on a full disk, that the "
            "file is a database, or that the database server runs.",
        ) from error


def sqlite_url(path: Path) -> str:
    """URL of an SQLite file."""
    return f"sqlite:///{path.resolve()}"


def _make_engine(url: str, busy_timeout_s: float) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(
            f"Store URL {url!r} cannot be read; wanted sqlite:///… or postgresql+psycopg://…",
            field="store_url",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": busy_timeout_s})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        require_driver(url)
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={"options": f"-c lock_timeout={int(1000 * busy_timeout_s)}"},
        )
    raise InvalidInput(
        f"Store URL names {backend!r}; Recede keeps its data in sqlite or postgresql.",
        field="store_url",
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: we say how
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("recede_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _busy_is_unavailable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if any(word in str(error.orig) for word in _BUSY):
            raise Unavailable(
                f"The database did not answer in time ({error.orig}).",
                hint="Nothing was changed; try again in a moment.",
            ) from error
        if any(word in str(error.orig) for word in _DISK_TROUBLE):
            raise StorageProblem(
                f"The store cannot be written: {error.orig}.",
                hint="Free some disk space or fix the folder's permissions; nothing was changed.",
            ) from error
        raise


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
