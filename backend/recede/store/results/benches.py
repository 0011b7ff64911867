"""Latencies that devices elsewhere reported, kept with the checkpoints whose files were timed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.benches import BenchRow
from recede.store.tables.runs import CheckpointRow

KEY = ("runtime", "provider", "device", "threads", "batch")
UNTIMED = ("manifest", "python", "proof", "zip")
"""Files of a checkpoint that are no network by themselves."""


def holders(session: Session, sha256: str) -> list[tuple[CheckpointRow, str]]:
    """Checkpoints that have a network file with this SHA-256 (hexadecimal), and its format."""
    query = select(CheckpointRow).where(cast(CheckpointRow.files, String).contains(sha256))
    return [
        (row, format_)
        for row in session.scalars(query.order_by(CheckpointRow.created_at.desc()))
        for format_, file in row.files.items()
        if file["sha256"] == sha256 and format_ not in UNTIMED
    ]


def put(
    session: Session, checkpoint: CheckpointRow, format_: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what was timed; of the same file under the same conditions the newest."""
    for values in rows:
        key = {name: values[name] for name in KEY}
        query = select(BenchRow).filter_by(checkpoint_id=checkpoint.id, format=format_, **key)
        row = session.scalars(query).one_or_none()
        row = row or BenchRow(checkpoint_id=checkpoint.id, format=format_)
        for name, value in values.items():
            setattr(row, name, value)
        row.created_at = session.scalars(select(db_now())).one()
        session.add(row)
    session.flush()
    log.append(session, "bench", run_id=checkpoint.run_id, data={"checkpoint_id": checkpoint.id})


def known(session: Session, checkpoint_ids: Collection[str]) -> Sequence[BenchRow]:
    """What was timed of these checkpoints, by device, format and batch size."""
    order = (
        *(BenchRow.device, BenchRow.format, BenchRow.runtime, BenchRow.provider),
        *(BenchRow.threads, BenchRow.batch, BenchRow.id),
    )
    query = select(BenchRow).where(BenchRow.checkpoint_id.in_(checkpoint_ids))
    return session.scalars(query.order_by(*order)).all()
