"""Runs: create, list, rename, delete, notices; their state follows their train job."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from recede.contract.errors import Conflict, NotFound
from recede.contract.spec.run import RunSpec
from recede.contract.states import JobKind, State
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.queue import jobs
from recede.store.tables.runs import (
    EventRow,
    GroupRow,
    JobRow,
    RunRow,
)

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/i/l: ids are read aloud and typed
_ID_LENGTH = 8


def new_id() -> str:
    """A short random id for a URL: 8 characters, about 8 · 10¹¹ values."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def create(
    session: Session,
    spec: RunSpec,
    *,
    idempotency_key: str | None = None,
    group_id: str | None = None,
) -> tuple[RunRow, JobRow]:
    """A queued run and its train job; the same key with the same spec gives the first ones again.

    Raises:
        Conflict: the key was used for another spec.
    """
    wanted = spec.model_dump(mode="json")
    if idempotency_key is not None:
        known = session.scalar(select(RunRow).where(RunRow.idempotency_key == idempotency_key))
        if known is not None:
            if known.spec != wanted:
                raise Conflict(
                    f"Idempotency-Key {idempotency_key!r} was used for another run.",
                    field="Idempotency-Key",
                    hint="Use a new key for a new run.",
                )
            return known, jobs.train_job(session, known.id)
    run = RunRow(
        id=new_id(),
        name=spec.title(),
        state=State.QUEUED.value,
        spec=wanted,
        idempotency_key=idempotency_key,
        group_id=group_id,
        created_at=db_now(),
    )
    session.add(run)
    session.flush()
    log.append(session, "run", run_id=run.id, data={"state": State.QUEUED.value})
    job = jobs.enqueue(session, run.id, JobKind.TRAIN, {})
    session.refresh(run)
    return run, job


def get(session: Session, run_id: str) -> RunRow:
    """The run; raises NotFound."""
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id!r}.", hint="It may have been deleted.")
    return run


def existing(session: Session, run_ids: Sequence[str]) -> set[str]:
    """Those of the runs that were not deleted."""
    if not run_ids:
        return set()
    return set(session.scalars(select(RunRow.id).where(RunRow.id.in_(run_ids))).all())


def page(
    session: Session,
    *,
    state: State | None = None,
    search: str = "",
    group: str | None = None,
    parent: str | None = None,
    limit: int = 50,
    cursor: tuple[float, str] | None = None,
) -> Sequence[RunRow]:
    """Runs, newest first, after the cursor (created_at, id) of the last one seen."""
    query = select(RunRow).order_by(RunRow.created_at.desc(), RunRow.id.desc()).limit(limit)
    if state is not None:
        query = query.where(RunRow.state == state.value)
    if search:
        query = query.where(RunRow.name.icontains(search, autoescape=True))
    if group is not None:
        query = query.where(RunRow.group_id == group)
    if parent is not None:
        query = query.where(RunRow.spec["init"]["run"].as_string() == parent)
    if cursor is not None:
        created_at, run_id = cursor
        query = query.where(
            or_(
                RunRow.created_at < created_at,
                (RunRow.created_at == created_at) & (RunRow.id < run_id),
            )
        )
    return session.scalars(query).all()


def counts(session: Session) -> dict[str, int]:
    """Number of runs by state."""
    rows = session.execute(select(RunRow.state, func.count()).group_by(RunRow.state))
    return {row[0]: row[1] for row in rows}


def rename(session: Session, run_id: str, *, name: str | None, notes: str | None) -> RunRow:
    """Change the name or notes of a run."""
    run = get(session, run_id)
    if name is not None:
        run.name = name
    if notes is not None:
        run.notes = notes
    session.flush()
    log.append(session, "run", run_id=run_id, data={"name": run.name})
    return run


def remove(session: Session, run_id: str) -> None:
    """Delete a run with all that belongs to it in the store, and its group with its last run.

    Raises:
        NotFound: no such run.
        Conflict: a job of it is queued or running, or another run waits for its weights;
            cancel it first.
    """
    group_id = get(session, run_id).group_id
    heirs = jobs.heirs(session, run_id)
    if heirs:
        raise Conflict(
            f"Run {heirs[0].id} is about to start from the weights of run {run_id}.",
            hint="Wait until it has begun to train, or cancel it; then delete this one.",
        )
    if jobs.active(session, run_id):
        raise Conflict(
            f"Run {run_id} still has work queued or running.",
            hint="Cancel it and wait until it is cancelled, then delete it.",
        )
    session.execute(delete(EventRow).where(EventRow.run_id == run_id))
    session.execute(delete(RunRow).where(RunRow.id == run_id))
    log.append(session, "run_deleted", data={"run_id": run_id})
    left = select(RunRow.id).where(RunRow.group_id == group_id).limit(1)
    if group_id is not None and session.scalar(left) is None:
        session.execute(delete(GroupRow).where(GroupRow.id == group_id))
        log.append(session, "group", data={"id": group_id, "deleted": True})


def notice(
    session: Session,
    run_id: str,
    code: str,
    message: str,
    *,
    hint: str | None = None,
    epoch: int | None = None,
) -> None:
    """Add a notice for the user to a run; the same code again replaces it."""
    run = get(session, run_id)
    notice = {"code": code, "message": message, "hint": hint, "epoch": epoch}
    if notice in run.notices:
        return  # a retry
    run.notices = [*_without(run, code), notice]
    session.flush()
    log.append(session, "notice", run_id=run_id, data=notice)


def clear_notice(session: Session, run_id: str, code: str) -> None:
    """Take a notice back that no longer holds; its event has no message."""
    run = get(session, run_id)
    if len(_without(run, code)) == len(run.notices):
        return
    run.notices = _without(run, code)
    session.flush()
    log.append(
        session, "notice", run_id=run_id, data={"code": code, "message": None, "epoch": None}
    )


def _without(run: RunRow, code: str) -> list[dict[str, Any]]:
    return [notice for notice in run.notices if notice["code"] != code]


def set_results(session: Session, run_id: str, **values: Any) -> None:
    """Write result columns such as best_epoch, test_correct, lossless_ratio or data_report."""
    session.execute(update(RunRow).where(RunRow.id == run_id).values(**values))
