"""Workers that have announced themselves, and the catalog they offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from recede.contract.errors import Unavailable
from recede.contract.spec.catalog import Catalog
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.runs import WorkerRow

STALE_S = 15.0
"""A worker that has not beaten for this long counts as gone."""
_FORGET_S = 3600.0


def announce(
    session: Session,
    *,
    id_: str,
    host: str,
    pid: int,
    catalog: Catalog,
    versions: dict[str, Any],
) -> None:
    """Register a supervisor that has just started; workers long gone are forgotten."""
    session.execute(
        delete(WorkerRow).where(
            (WorkerRow.id == id_) | (WorkerRow.heartbeat_at < db_now() - _FORGET_S)
        )
    )
    session.add(
        WorkerRow(
            id=id_,
            host=host,
            pid=pid,
            started_at=db_now(),
            heartbeat_at=db_now(),
            catalog=catalog.model_dump(mode="json"),
            versions=versions,
        )
    )
    session.flush()
    log.append(session, "worker", data={"id": id_, "state": "started"})


def offer(session: Session, id_: str, catalog: Catalog) -> None:
    """Replace the catalog of a worker: a data set has appeared, gone or become unreadable."""
    session.execute(
        update(WorkerRow)
        .where(WorkerRow.id == id_)
        .values(catalog=catalog.model_dump(mode="json"))
    )
    log.append(session, "worker", data={"id": id_, "state": "catalog"})


def beat(session: Session, id_: str) -> None:
    """Say that the supervisor is alive."""
    session.execute(update(WorkerRow).where(WorkerRow.id == id_).values(heartbeat_at=db_now()))


def retire(session: Session, id_: str) -> None:
    """Mark a worker as stopped; its catalog stays readable."""
    session.execute(update(WorkerRow).where(WorkerRow.id == id_).values(heartbeat_at=0.0))
    log.append(session, "worker", data={"id": id_, "state": "stopped"})


def all_workers(session: Session) -> Sequence[tuple[WorkerRow, float]]:
    """Each worker with the seconds since its last beat, the freshest first."""
    age = db_now() - WorkerRow.heartbeat_at
    rows = session.execute(select(WorkerRow, age).order_by(WorkerRow.heartbeat_at.desc()))
    return [(row, seconds) for row, seconds in rows]


def is_known(session: Session) -> bool:
    """Whether some worker has ever started on this store, so that there is a catalog."""
    return session.scalar(select(WorkerRow.id).limit(1)) is not None


def catalog(session: Session) -> Catalog:
    """The catalog of the freshest worker.

    Raises:
        Unavailable: no worker has ever started on this store.
    """
    rows = session.scalars(select(WorkerRow).order_by(WorkerRow.started_at.desc()).limit(1))
    row = rows.one_or_none()
    if row is None:
        raise Unavailable(
            "No worker has started yet, so it is not known what can be trained.",
            hint="Wait a few seconds, or start one with `recede worker`.",
        )
    return Catalog.model_validate(row.catalog)
