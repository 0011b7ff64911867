"""The store under test: the same tests run on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from recede.store.database.engine import Store, open_store, sqlite_url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and no rows: copying it is faster than migrating each time."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    open_store(sqlite_url(path)).close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Name of the same on the PostgreSQL server, to create databases from."""
    name = "recede_template"
    open_store(_database(postgres_url, name)).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database of this test's own, with all tables and no rows."""
    if request.param == "sqlite":
        path = tmp_path / "recede.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return sqlite_url(path)
    template = request.getfixturevalue("postgres_template")
    server = request.getfixturevalue("postgres_url")
    return _database(server, f"t{uuid.uuid4().hex}", f" TEMPLATE {template}")


def _database(server: str, name: str, clause: str = "") -> str:
    """Create a database on a server; returns its address."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{clause}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    # Patient: on a slow disk many writers wait long, and that is not what is tested.
    opened = open_store(url, busy_timeout_s=120)
    yield opened
    opened.close()
