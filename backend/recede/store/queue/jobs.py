"""Jobs as users see them: enqueue, list, cancel, resume. lease.py is the worker's side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from recede.contract.errors import Conflict, NotFound
from recede.contract.states import (
    LANES,
    PRIORITIES,
    JobKind,
    Lane,
    State,
)
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.runs import (
    EpochRow,
    JobRow,
    RunRow,
)


def enqueue(
    session: Session,
    run_id: str,
    kind: JobKind,
    payload: dict[str, Any],
    *,
    lane: Lane | None = None,
) -> JobRow:
    """Add a job to a lane, else its kind's; it is queued when this transaction commits."""
    spec = session.get_one(RunRow, run_id).spec
    trains = kind is JobKind.TRAIN
    job = JobRow(
        run_id=run_id,
        kind=kind.value,
        lane=(lane or LANES[kind]).value,
        wants=spec.get("device", "auto"),
        processes=spec.get("processes", 1) if trains else 1,
        epoch=payload.get("plan", payload).get("epoch"),
        priority=PRIORITIES[kind],
        state=State.QUEUED.value,
        payload=payload,
        created_at=db_now(),
    )
    session.add(job)
    session.flush()
    session.refresh(job)
    announce(session, job)
    return job


def get(session: Session, job_id: int) -> JobRow:
    """The job; raises NotFound."""
    job = session.get(JobRow, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.", hint="Its run may have been deleted.")
    return job


def train_job(session: Session, run_id: str) -> JobRow:
    """The train job of a run: the newest one, if it was resumed."""
    query = (
        select(JobRow)
        .where(JobRow.run_id == run_id, JobRow.kind == JobKind.TRAIN.value)
        .order_by(JobRow.id.desc())
    )
    return session.scalars(query.limit(1)).one()


def page(
    session: Session,
    *,
    run_id: str | None = None,
    state: State | None = None,
    kind: JobKind | None = None,
    limit: int = 50,
    before: int | None = None,
) -> Sequence[JobRow]:
    """Jobs, newest first, with ids under `before`."""
    query = select(JobRow).order_by(JobRow.id.desc()).limit(limit)
    if run_id is not None:
        query = query.where(JobRow.run_id == run_id)
    if state is not None:
        query = query.where(JobRow.state == state.value)
    if kind is not None:
        query = query.where(JobRow.kind == kind.value)
    if before is not None:
        query = query.where(JobRow.id < before)
    return session.scalars(query).all()


def train_jobs(session: Session, run_ids: Sequence[str]) -> dict[str, JobRow]:
    """The newest train job of each of these runs, in one query."""
    newest = (
        select(func.max(JobRow.id))
        .where(JobRow.run_id.in_(run_ids), JobRow.kind == JobKind.TRAIN.value)
        .group_by(JobRow.run_id)
    )
    rows = session.scalars(select(JobRow).where(JobRow.id.in_(newest))).all()
    return {job.run_id: job for job in rows}


def active(session: Session, run_id: str, kind: JobKind | None = None) -> Sequence[JobRow]:
    """Jobs of a run that are queued or running, oldest first."""
    query = select(JobRow).where(
        JobRow.run_id == run_id,
        JobRow.state.in_([State.QUEUED.value, State.RUNNING.value]),
    )
    if kind is not None:
        query = query.where(JobRow.kind == kind.value)
    return session.scalars(query.order_by(JobRow.id)).all()


def under_way(
    session: Session, run_id: str, kind: JobKind, payload: dict[str, Any]
) -> JobRow | None:
    """An unfinished job that does just this and whose cancellation was not requested."""
    same = (
        job
        for job in active(session, run_id, kind)
        if job.payload == payload and job.cancel_requested_at is None
    )
    return next(same, None)


def pin(session: Session, job_id: int, epoch: int) -> None:
    """Say which epoch's weights a job works on: they are not dropped before it ends."""
    session.execute(update(JobRow).where(JobRow.id == job_id).values(epoch=epoch))


def pinned(session: Session, run_id: str) -> set[int]:
    """Epochs whose weights a queued or running job needs: of this run, or of one from it."""
    own = {job.epoch for job in active(session, run_id) if job.epoch is not None}
    plans = [heir.spec["init"].get("plan") or {} for heir in heirs(session, run_id)]
    return own | {plan["epoch"] for plan in plans if plan.get("epoch") is not None}


def heirs(session: Session, run_id: str) -> Sequence[RunRow]:
    """Unfinished runs that will take over this run's weights and have not begun to train."""
    begun = select(EpochRow.run_id).where(EpochRow.run_id == RunRow.id)
    query = select(RunRow).where(
        RunRow.state.in_([State.QUEUED.value, State.RUNNING.value]),
        RunRow.spec["init"]["run"].as_string() == run_id,
        ~begun.exists(),
    )
    return session.scalars(query).all()


def queue_positions(session: Session) -> dict[int, int]:
    """For each queued job, how many jobs of its lane start before it."""
    query = (
        select(JobRow.id, JobRow.lane)
        .where(JobRow.state == State.QUEUED.value)
        .order_by(JobRow.priority.desc(), JobRow.id)
    )
    ahead: Counter[str] = Counter()
    positions = {}
    for job_id, lane in session.execute(query):
        positions[job_id] = ahead[lane]
        ahead[lane] += 1
    return positions


def request_cancel(session: Session, job_id: int) -> JobRow:
    """A queued job is cancelled now; a running one is asked to stop between two batches.

    Raises:
        Conflict: the job is finished.
    """
    job = get(session, job_id)
    if State(job.state).is_final:
        raise Conflict(f"Job {job_id} is already {job.state}; there is nothing to cancel.")
    queued = update(JobRow).where(JobRow.id == job_id, JobRow.state == State.QUEUED.value)
    now_cancelled = session.execute(
        queued.values(
            state=State.CANCELLED.value, cancel_requested_at=db_now(), finished_at=db_now()
        )
    )
    if getattr(now_cancelled, "rowcount", 0) == 0 and job.cancel_requested_at is None:
        session.execute(
            update(JobRow).where(JobRow.id == job_id).values(cancel_requested_at=db_now())
        )
    session.refresh(job)
    follow(session, job)
    announce(session, job)
    return job


def supersede(session: Session, run_id: str, kind: JobKind) -> None:
    """Cancel earlier unfinished jobs of this kind: a newer choice makes them pointless."""
    for job in active(session, run_id, kind):
        request_cancel(session, job.id)


def resume(session: Session, run_id: str) -> JobRow:
    """Queue the training of a stopped run again; it goes on from the last finished epoch.

    Raises:
        Conflict: the run is queued, running or has succeeded.
    """
    last = train_job(session, run_id)
    if last.state not in (State.FAILED.value, State.CANCELLED.value):
        raise Conflict(
            f"Run {run_id} is {last.state}; only a failed or cancelled run can be resumed."
        )
    job = enqueue(session, run_id, JobKind.TRAIN, {})
    session.execute(
        update(RunRow)
        .where(RunRow.id == run_id)
        .values(state=State.QUEUED.value, error=None, finished_at=None)
    )
    log.append(session, "run", run_id=run_id, data={"state": State.QUEUED.value})
    return job


def follow(session: Session, job: JobRow) -> None:
    """Copy a train job's state to its run."""
    if job.kind != JobKind.TRAIN.value:
        return
    values: dict[str, Any] = {"state": job.state, "error": job.error}
    if job.state == State.RUNNING.value:
        values["started_at"] = func.coalesce(RunRow.started_at, db_now())
    if State(job.state).is_final:
        values["finished_at"] = db_now()
    session.execute(update(RunRow).where(RunRow.id == job.run_id).values(**values))
    log.append(session, "run", run_id=job.run_id, data={"state": job.state})


def announce(session: Session, job: JobRow) -> None:
    """Announce the state of a job to listeners."""
    data = {
        "kind": job.kind,
        "state": job.state,
        "cancelling": job.cancel_requested_at is not None and not State(job.state).is_final,
        "result": job.result,
        "error": job.error,
    }
    log.append(session, "job", run_id=job.run_id, job_id=job.id, data=data)


def lane_depth(session: Session, lane: Lane) -> int:
    """Number of queued jobs in a lane."""
    query = select(func.count()).where(
        JobRow.lane == lane.value, JobRow.state == State.QUEUED.value
    )
    return session.scalar(query) or 0
