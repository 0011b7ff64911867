"""The append-only table of events, in the order in which they were committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from recede.store.database.clock import db_now
from recede.store.tables.runs import EventRow

KEEP_EVENTS = 20_000
CHANNEL = "recede"
"""Where PostgreSQL announces events; SQLite counts commits by itself (changes.py)."""


def append(
    session: Session,
    type_: str,
    *,
    run_id: str | None = None,
    job_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Add one event to this transaction.

    Writers come one after the other (Store.write), so ids grow in the order of commits and no
    reader who asks for what came after an id can miss one. Who waits for changes is woken when
    the transaction commits.
    """
    session.execute(
        insert(EventRow).values(
            created_at=db_now(), type=type_, run_id=run_id, job_id=job_id, data=data or {}
        )
    )
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"NOTIFY {CHANNEL}"))


def after(
    session: Session, event_id: int, *, run_id: str | None = None, limit: int = 500
) -> Sequence[EventRow]:
    """Events with a larger id, oldest first."""
    query = select(EventRow).where(EventRow.id > event_id).order_by(EventRow.id).limit(limit)
    if run_id is not None:
        query = query.where(EventRow.run_id == run_id)
    return session.scalars(query).all()


def latest_id(session: Session, *, older_than_s: float = 0.0) -> int:
    """Id of the newest event that is at least so old, 0 without any."""
    if not older_than_s:
        return session.scalar(select(func.max(EventRow.id))) or 0
    old = select(EventRow.id).where(EventRow.created_at < db_now() - older_than_s)
    return session.scalar(old.order_by(EventRow.id.desc()).limit(1)) or 0


def trim(session: Session, keep: int = KEEP_EVENTS) -> None:
    """Drop all but the newest events."""
    session.execute(delete(EventRow).where(EventRow.id <= latest_id(session) - keep))
