"""Cuts that are measured on request where a recorded network is: who measures, what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from recede.contract.states import JobKind, Lane, State
from recede.store.database.clock import db_now, now
from recede.store.events import log
from recede.store.queue import jobs
from recede.store.tables.runs import JobRow, RecordingRow

SERVED_FOR_S = 20.0
"""A process that measures is gone when nothing was heard of it for longer."""
LAPSED_S = 120.0
"""A request that nobody has measured by then is given up: outages are shorter."""

HOW = (
    "Where the folder of the recording is, run recede.serve(folder, model, evaluate, server=…), "
    "or run.serve() at the end of the training; then ask again."
)


def serve(session: Session, row: RecordingRow, epochs: Sequence[int]) -> Sequence[JobRow]:
    """Remember that cuts of these epochs can be measured now; the open requests, oldest first."""
    before = served(row, now(session))
    row.serving_at = db_now()
    row.serving_epochs = sorted(epochs)
    session.flush()
    session.refresh(row)
    if before != row.serving_epochs:
        _announce(session, row)
    return asked(session, row.run_id)


def stop(session: Session, row: RecordingRow) -> None:
    """Nobody measures any more; what is still asked for fails, in words."""
    if row.serving_at is not None:
        row.serving_at = row.serving_epochs = None
        session.flush()
        _announce(session, row)
    for job in asked(session, row.run_id):
        give_up(session, job)


def served(row: RecordingRow, moment: float) -> list[int] | None:
    """The epochs of which cuts can be measured at that moment; None where nobody measures."""
    if row.serving_at is None or moment - row.serving_at > SERVED_FOR_S:
        return None
    return list(row.serving_epochs or ())


def ask(session: Session, run_id: str, payload: dict[str, Any]) -> JobRow:
    """A request to measure a cut, in place of earlier ones of the run; the same one is kept."""
    known = jobs.under_way(session, run_id, JobKind.EVALUATE, payload)
    if known is not None:
        return known
    jobs.supersede(session, run_id, JobKind.EVALUATE)
    return jobs.enqueue(session, run_id, JobKind.EVALUATE, payload, lane=Lane.ELSEWHERE)


def asked(session: Session, run_id: str) -> Sequence[JobRow]:
    """The open requests of a run, oldest first."""
    return session.scalars(_open().where(JobRow.run_id == run_id)).all()


def finish(
    session: Session,
    job: JobRow,
    *,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """End an open request; one that was cancelled meanwhile stays so."""
    if job.state != State.QUEUED.value:
        return
    job.state = (State.SUCCEEDED if error is None else State.FAILED).value
    job.result, job.error = result, error
    job.finished_at = db_now()
    session.flush()
    session.refresh(job)
    jobs.announce(session, job)


def give_up(session: Session, job: JobRow) -> None:
    """End a request that nobody measures."""
    error = {
        "code": "nobody_measures",
        "message": "The process that measures cuts of this run has stopped before it came to it.",
        "hint": HOW,
    }
    finish(session, job, error=error)


def lapsed(session: Session, since: float) -> Sequence[JobRow]:
    """Requests that nobody has measured for too long.

    `since` is when the service began to listen: before, nobody could have been heard.
    """
    moment = now(session)
    if moment - since <= LAPSED_S:
        return []
    query = (
        _open()
        .join(RecordingRow, RecordingRow.run_id == JobRow.run_id)
        .where(JobRow.created_at < moment - LAPSED_S)
        .where(RecordingRow.serving_at.is_(None) | (RecordingRow.serving_at < moment - LAPSED_S))
    )
    return session.scalars(query).all()


def _open() -> Select[JobRow]:
    return (
        select(JobRow)
        .where(JobRow.lane == Lane.ELSEWHERE.value, JobRow.state == State.QUEUED.value)
        .order_by(JobRow.id)
    )


def _announce(session: Session, row: RecordingRow) -> None:
    """Pages look at the run again; its state is as it was."""
    data = {"serving": row.serving_epochs is not None}
    log.append(session, "run", run_id=row.run_id, data=data)
