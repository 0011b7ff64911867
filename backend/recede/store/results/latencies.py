"""Measured latencies of cuts, and whether a device was busy with other jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from recede.contract.states import State
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.cuts import LatencyRow
from recede.store.tables.runs import JobRow

KEY = ("digest", "device", "threads", "batch")


def put(session: Session, run_id: str, measured: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was measured; of the same cut under the same conditions the newest.

    What was measured on a busy device does not replace what was measured alone.
    """
    for values in measured:
        key = {name: values[name] for name in KEY}
        row = session.scalars(select(LatencyRow).filter_by(run_id=run_id, **key)).one_or_none()
        if row is not None and values["busy"] and not row.busy:
            continue
        row = row or LatencyRow(run_id=run_id)
        for name, value in values.items():
            setattr(row, name, value)
        row.created_at = session.scalars(select(db_now())).one()
        session.add(row)
    session.flush()
    data = {"digests": sorted({str(values["digest"]) for values in measured})}
    log.append(session, "latency", run_id=run_id, data=data)


def known(
    session: Session, run_id: str, digests: Collection[str] | None = None
) -> Sequence[LatencyRow]:
    """What was measured of a run's cuts (None: of all), the least removed first."""
    query = select(LatencyRow).where(LatencyRow.run_id == run_id)
    if digests is not None:
        query = query.where(LatencyRow.digest.in_(digests))
    order = (LatencyRow.ratio, LatencyRow.device, LatencyRow.threads, LatencyRow.batch)
    return session.scalars(query.order_by(*order, LatencyRow.id)).all()


def others_ran(session: Session, job_id: int, since: float) -> bool:
    """Whether other jobs have run since then on a device of this job, on the same machine."""
    own = session.get_one(JobRow, job_id)
    query = select(JobRow).where(
        JobRow.id != job_id,
        JobRow.started_at.is_not(None),
        or_(JobRow.state == State.RUNNING.value, JobRow.finished_at >= since),
    )
    host, devices = _host(own), set((own.device or "").split(","))
    return any(
        (other.owner is None or _host(other) == host)
        and devices & set((other.device or "").split(","))
        for other in session.scalars(query)
    )


def _host(job: JobRow) -> str:
    return (job.owner or "").split("|")[0]
