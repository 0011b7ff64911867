"""Trainings that have fallen silent: each stall is reported once, whichever service sees it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from recede.contract.states import JobKind, State
from recede.store.database.clock import db_now, now
from recede.store.events import log
from recede.store.tables.notices import StallRow
from recede.store.tables.runs import JobRow

STALLED_AFTER_S = 10.0
"""A running job whose process was not heard of for longer has stalled."""


def unreported(session: Session) -> Sequence[JobRow]:
    """Stalled trainings that were not reported yet; takes no lock."""
    return session.scalars(_query()).all()


def report(session: Session) -> Sequence[JobRow]:
    """Add an event for each stall that was not reported yet; their jobs."""
    found = unreported(session)
    at = now(session) if found else 0.0
    for job in found:
        heard_at = job.heartbeat_at or at
        session.merge(StallRow(job_id=job.id, heartbeat_at=heard_at))
        data = {"stalled": True, "stalled_s": at - heard_at}
        log.append(session, "run", run_id=job.run_id, job_id=job.id, data=data)
    session.flush()
    return found


def _query() -> Select[JobRow]:
    reported = select(StallRow.job_id).where(
        StallRow.job_id == JobRow.id, StallRow.heartbeat_at >= JobRow.heartbeat_at
    )
    return (
        select(JobRow)
        .where(
            JobRow.state == State.RUNNING.value,
            JobRow.kind == JobKind.TRAIN.value,
            JobRow.heartbeat_at < db_now() - STALLED_AFTER_S,
            ~reported.exists(),
        )
        .order_by(JobRow.id)
    )
