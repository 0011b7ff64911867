"""Jobs as answers, with their place in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from recede.contract.schemas import ErrorBody, JobOut
from recede.contract.states import JobKind, Lane, State
from recede.store.database import clock
from recede.store.notices.stalls import STALLED_AFTER_S
from recede.store.queue import jobs
from recede.store.tables.runs import JobRow


def job_out(session: Session, row: JobRow) -> JobOut:
    """One job."""
    return jobs_out(session, [row])[0]


def jobs_out(session: Session, rows: Sequence[JobRow]) -> list[JobOut]:
    """Several jobs, with one look at the queue."""
    now = clock.now(session)
    queued = any(row.state == State.QUEUED.value for row in rows)
    positions = jobs.queue_positions(session) if queued else {}
    return [_job(row, now, positions) for row in rows]


def _job(row: JobRow, now: float, positions: dict[int, int]) -> JobOut:
    return JobOut(
        id=row.id,
        run_id=row.run_id,
        kind=JobKind(row.kind),
        lane=Lane(row.lane),
        state=State(row.state),
        payload=row.payload,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested_at=row.cancel_requested_at,
        queue_position=positions.get(row.id),
        attempts=row.attempts,
        device=row.device,
        stalled_s=_stalled(row, now),
        progress=row.progress,
        result=row.result,
        error=error_body(row.error),
    )


def _stalled(row: JobRow, now: float) -> float | None:
    if row.state != State.RUNNING.value or row.heartbeat_at is None:
        return None
    silent_s = now - row.heartbeat_at
    return silent_s if silent_s > STALLED_AFTER_S else None


def error_body(stored: dict[str, Any] | None) -> ErrorBody | None:
    """What made a job or run fail, if it did."""
    return None if stored is None else ErrorBody.model_validate(stored)
