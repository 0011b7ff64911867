"""The worker's side of the queue: claim with a lease, beat, and write only while it holds.

A lease is a random token with an expiry. Whoever claims a job gets a new token, and every
later write of that job carries it (`fence`), so a job that was taken over can write nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, and_, case, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from recede.contract.errors import Conflict
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.queue import jobs
from recede.store.tables.runs import JobRow

LEASE_S = 60.0
MAX_ATTEMPTS = 3
"""Starts of one job without a finished epoch in between, before it is given up."""


class LeaseLost(Conflict):
    """Someone else has taken the job over, or it is no longer running."""

    code = "lease_lost"


@dataclass(frozen=True)
class Lease:
    """A claimed job, as its process needs it."""

    job_id: int
    run_id: str
    kind: JobKind
    payload: dict[str, Any]
    token: str
    attempt: int
    devices: tuple[str, ...]
    """One for each of its processes; the CPU is named once for each that shares it."""


def claim(
    session: Session,
    *,
    owner: str,
    lanes: Sequence[Lane],
    device: str,
    spare: Sequence[str] = (),
    accepts: Sequence[str] | None = None,
    kinds: Sequence[JobKind] | None = None,
    capacity: int = 1,
    child_pid: int | None = None,
    lease_s: float = LEASE_S,
) -> Lease | None:
    """Take the waiting or abandoned job of these lanes whose turn it is, in one statement.

    `accepts` restricts to jobs that want one of these devices ("auto", "cpu", "cuda:0", …),
    `kinds` to these kinds. `child_pid` is the process that will get it, if that is known.
    A job of several processes gets `device` and some of the `spare` ones. If they are too few
    now, nothing is claimed, although younger jobs may need less: or they would keep it from
    starting for ever. Jobs that need more than `capacity`, all devices that the worker has of
    this sort, are passed over.
    """
    free = (device, *spare)
    best = _next(lanes, accepts, kinds, capacity).limit(1).with_for_update(skip_locked=True)
    token = secrets.token_hex(16)
    statement = (
        update(JobRow)
        .where(JobRow.id == best.scalar_subquery(), JobRow.processes <= len(free))
        .values(
            state=State.RUNNING.value,
            owner=owner,
            token=token,
            device=device,
            child_pid=child_pid,
            attempts=JobRow.attempts + 1,
            heartbeat_at=db_now(),
            lease_expires_at=db_now() + lease_s,
            started_at=db_now(),
            progress=None,
        )
        .returning(JobRow.id)
        .execution_options(synchronize_session=False)
    )
    job_id = session.scalar(statement)
    if job_id is None:
        return None
    job = session.get_one(JobRow, job_id, populate_existing=True)
    devices = free[: job.processes]
    job.device = ",".join(dict.fromkeys(devices))
    jobs.follow(session, job)
    jobs.announce(session, job)
    kind = JobKind(job.kind)
    return Lease(job.id, job.run_id, kind, job.payload, token, job.attempts, devices)


def is_waiting(
    session: Session,
    lanes: Sequence[Lane] = (Lane.TRAINING, Lane.INTERACTIVE),
    accepts: Sequence[str] | None = None,
    *,
    kinds: Sequence[JobKind] | None = None,
    free: int = 1,
    capacity: int = 1,
) -> bool:
    """Whether a claim would find a job: a cheap look that takes no lock."""
    best = _next(lanes, accepts, kinds, capacity).limit(1).scalar_subquery()
    needed = session.scalar(select(JobRow.processes).where(JobRow.id == best))
    return needed is not None and needed <= free


def _next(
    lanes: Sequence[Lane],
    accepts: Sequence[str] | None,
    kinds: Sequence[JobKind] | None,
    capacity: int,
) -> Select[Any]:
    """Ids of the jobs that may start, in the order in which they should."""
    job = aliased(JobRow)
    lapsed = and_(
        job.state == State.RUNNING.value,
        job.lease_expires_at < db_now(),
        job.attempts < MAX_ATTEMPTS,
        job.cancel_requested_at.is_(None),
    )
    return (
        select(job.id)
        .where(job.lane.in_([lane.value for lane in lanes]))
        .where(or_(job.state == State.QUEUED.value, lapsed))
        .where(true() if accepts is None else job.wants.in_(accepts))
        .where(true() if kinds is None else job.kind.in_([kind.value for kind in kinds]))
        .where(job.processes <= capacity)
        .order_by(job.priority.desc(), job.id)
    )


def fence(session: Session, lease: Lease, **values: Any) -> None:
    """Write columns of the job, and with it prove that the lease still holds.

    Call it first in every writing transaction of a job.

    Raises:
        LeaseLost: the job was taken over, finished or deleted; nothing may be written.
    """
    values.setdefault("heartbeat_at", db_now())
    result = session.execute(
        update(JobRow)
        .where(
            JobRow.id == lease.job_id,
            JobRow.token == lease.token,
            JobRow.state == State.RUNNING.value,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if getattr(result, "rowcount", 0) != 1:
        raise LeaseLost(f"Job {lease.job_id} is no longer leased to this process.")


def beat(
    session: Session,
    lease: Lease,
    progress: dict[str, Any] | None = None,
    lease_s: float = LEASE_S,
) -> Literal["ok", "cancel", "gone", "lost"]:
    """Renew the lease and publish progress; says whether to go on.

    "gone" is a job that was deleted with its run: no other worker has it, as after "lost".
    """
    values: dict[str, Any] = {"lease_expires_at": db_now() + lease_s}
    if progress is not None:
        values["progress"] = progress
    try:
        fence(session, lease, **values)
    except LeaseLost:
        return "gone" if session.get(JobRow, lease.job_id) is None else "lost"
    if progress is not None:
        log.append(session, "progress", run_id=lease.run_id, job_id=lease.job_id, data=progress)
    asked = session.scalar(select(JobRow.cancel_requested_at).where(JobRow.id == lease.job_id))
    return "ok" if asked is None else "cancel"


def finish(
    session: Session,
    lease: Lease,
    state: State,
    *,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """End the job in a final state; raises LeaseLost if it is no longer ours."""
    fence(session, lease, state=state.value, finished_at=db_now(), result=result, error=error)
    _tell(session, lease.job_id)


def hand_back(session: Session, lease: Lease, *, died: bool = False) -> None:
    """Put a job back into its queue: on a clean stop of the worker, or because it died.

    Only a death counts as an attempt.
    """
    fence(
        session,
        lease,
        state=State.QUEUED.value,
        token=None,
        owner=None,
        # A finished epoch has set the count back to 0, under which it may not fall.
        attempts=JobRow.attempts
        if died
        else case((JobRow.attempts > 0, JobRow.attempts - 1), else_=0),
        lease_expires_at=None,
    )
    _tell(session, lease.job_id)


def expire_owners(session: Session, dead: Sequence[str]) -> list[JobRow]:
    """Let the leases of owners that are known to be dead lapse at once; returns their jobs."""
    query = select(JobRow).where(JobRow.state == State.RUNNING.value, JobRow.owner.in_(dead))
    found = list(session.scalars(query).all())
    for job in found:
        job.lease_expires_at = 0.0
    session.flush()
    return found


def owners(session: Session) -> list[str]:
    """Owners of all running jobs."""
    query = select(JobRow.owner).where(JobRow.state == State.RUNNING.value).distinct()
    return [owner for owner in session.scalars(query).all() if owner]


def sweep(session: Session) -> None:
    """End lapsed jobs that must not start again: cancelled ones and those out of attempts."""
    query = select(JobRow).where(
        JobRow.state == State.RUNNING.value,
        JobRow.lease_expires_at < db_now(),
        or_(JobRow.attempts >= MAX_ATTEMPTS, JobRow.cancel_requested_at.is_not(None)),
    )
    for job in session.scalars(query).all():
        cancelled = job.cancel_requested_at is not None
        job.state = (State.CANCELLED if cancelled else State.FAILED).value
        job.finished_at = session.scalar(select(db_now()))
        job.token = None
        if not cancelled:
            job.error = {
                "code": "process_died",
                "message": f"The process of this job died {job.attempts} times without "
                "finishing an epoch, the last time without an error message.",
                "hint": "It may have run out of memory: try a smaller batch size or network.",
            }
        session.flush()
        jobs.follow(session, job)
        jobs.announce(session, job)


def _tell(session: Session, job_id: int) -> None:
    job = session.get_one(JobRow, job_id, populate_existing=True)
    jobs.follow(session, job)
    jobs.announce(session, job)
