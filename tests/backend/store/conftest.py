"""The store under test: the same tests run on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database of this test's own that nobody has opened yet."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "recede.db")
    server = make_url(request.getfixturevalue("postgres_url"))
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    # Patient: on a slow disk many writers wait long, and that is not what is tested.
    opened = open_store(url, busy_timeout_s=120)
    yield opened
    opened.close()
