"""Groups: runs that were submitted together, created, cancelled and deleted as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from recede.contract.errors import Conflict, NotFound
from recede.contract.spec.run import RunSpec
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.tables.runs import (
    GroupRow,
    JobRow,
    RunRow,
)


def create(
    session: Session,
    specs: Sequence[RunSpec],
    *,
    name: str,
    base: RunSpec,
    axes: Mapping[str, Sequence[Any]],
    idempotency_key: str | None = None,
) -> GroupRow:
    """A group with one queued run for each spec, in this order."""
    group = GroupRow(
        id=runs.new_id(),
        name=name,
        spec=base.model_dump(mode="json"),
        axes={axis: list(values) for axis, values in axes.items()},
        idempotency_key=idempotency_key,
        created_at=db_now(),
    )
    session.add(group)
    session.flush()
    log.append(session, "group", data={"id": group.id})
    for spec in specs:
        runs.create(session, spec, group_id=group.id)
    session.refresh(group)
    return group


def known(
    session: Session, key: str | None, *, base: RunSpec, axes: Mapping[str, Sequence[Any]]
) -> GroupRow | None:
    """The group that was already made with this key, if there is one.

    Raises:
        Conflict: the key was used for another group.
    """
    found = key and session.scalar(select(GroupRow).where(GroupRow.idempotency_key == key))
    if not found:
        return None
    wanted = (base.model_dump(mode="json"), {axis: list(axes[axis]) for axis in axes})
    if (found.spec, found.axes) != wanted:
        raise Conflict(
            f"Idempotency-Key {key!r} was used for another group.",
            field="Idempotency-Key",
            hint="Use a new key for a new group.",
        )
    return found


def get(session: Session, group_id: str) -> GroupRow:
    """The group; raises NotFound."""
    group = session.get(GroupRow, group_id)
    if group is None:
        raise NotFound(f"There is no group {group_id!r}.", hint="It may have been deleted.")
    return group


def page(
    session: Session, *, limit: int, cursor: tuple[float, str] | None = None
) -> Sequence[GroupRow]:
    """Groups, newest first, after the cursor (created_at, id) of the last one seen."""
    query = select(GroupRow).order_by(GroupRow.created_at.desc(), GroupRow.id.desc())
    if cursor is not None:
        created_at, group_id = cursor
        query = query.where(
            or_(
                GroupRow.created_at < created_at,
                (GroupRow.created_at == created_at) & (GroupRow.id < group_id),
            )
        )
    return session.scalars(query.limit(limit)).all()


def members_of(session: Session, group_ids: Sequence[str]) -> dict[str, list[RunRow]]:
    """The runs of each of these groups, in the order in which they were submitted."""
    first_job = select(func.min(JobRow.id)).where(JobRow.run_id == RunRow.id).scalar_subquery()
    query = select(RunRow).where(RunRow.group_id.in_(group_ids)).order_by(first_job)
    found: dict[str, list[RunRow]] = {group_id: [] for group_id in group_ids}
    for run in session.scalars(query):
        found[str(run.group_id)].append(run)
    return found


def cancel(session: Session, group_id: str) -> GroupRow:
    """Cancel what is queued for its runs and ask what is running to stop.

    Raises:
        NotFound: no such group.
        Conflict: none of its runs has work queued or running.
    """
    group = get(session, group_id)
    active = [
        job
        for run in members_of(session, [group_id])[group_id]
        for job in jobs.active(session, run.id)
    ]
    if not active:
        raise Conflict(
            f"Group {group_id} has no work queued or running.",
            hint="There is nothing to cancel.",
        )
    for job in active:
        jobs.request_cancel(session, job.id)
    session.expire_all()
    return group


def remove(session: Session, group_id: str) -> list[str]:
    """Delete a group with all its runs from the store; returns the ids of the runs.

    Raises:
        NotFound: no such group.
        Conflict: one of its runs still has work queued or running.
    """
    get(session, group_id)
    ids = [run.id for run in members_of(session, [group_id])[group_id]]
    busy = [run_id for run_id in ids if jobs.active(session, run_id)]
    if busy:
        raise Conflict(
            f"Group {group_id} still has work queued or running: run {', '.join(busy)}.",
            hint="Cancel the group and wait until its runs are cancelled, then delete it.",
        )
    for run_id in ids:
        runs.remove(session, run_id)  # the last one takes the group with it
    return ids
