"""The database's clock: every time in the store is its seconds since 1970, UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import GenericFunction


class db_now(GenericFunction[float]):  # noqa: N801 - it is used as a SQL function
    """Seconds since 1970 as the database sees them, so that machines need not agree."""

    type = Float()
    name = "db_now"
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite(_element: db_now, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql(_element: db_now, _compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def now(session: Session) -> float:
    """The database's time, to compare with times that it wrote."""
    return session.scalars(select(db_now())).one()
