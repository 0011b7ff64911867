"""What a run leaves behind epoch by epoch: its network's shape, metrics and snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import LargeBinary, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from recede.contract.errors import NotFound, UnknownName
from recede.contract.network.shape import Group, NetworkShape
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.runs import (
    Base,
    EpochRow,
    NetworkRow,
    RunRow,
    SnapshotRow,
)

FloatArray = npt.NDArray[np.float32]


def put_network(session: Session, run_id: str, shape: NetworkShape) -> None:
    """Keep the layout of a run's snapshots; a retry changes nothing."""
    _insert_once(session, NetworkRow, run_id=run_id, shape=shape.model_dump(mode="json"))


def network(session: Session, run_id: str) -> NetworkShape:
    """The shape of the run's network.

    Raises:
        NotFound: the run has not started, so its network was not built yet.
    """
    row = session.get(NetworkRow, run_id)
    if row is None:
        raise NotFound(
            f"Run {run_id} has no network yet.", hint="It is built when the training starts."
        )
    return NetworkShape.model_validate(row.shape)


def put_epoch(
    session: Session,
    run_id: str,
    epoch: int,
    metrics: dict[str, Any],
    raw: FloatArray | None,
    polarisation: dict[str, Any] | None = None,
    *,
    finished_at: float | None = None,
) -> None:
    """Metrics and snapshot of one epoch together; a retry of the same epoch changes nothing.

    `finished_at` None is now. `raw` is None for a network of which nothing can be pruned;
    `polarisation` is that of the snapshot, overall and for each layer.
    """
    at = db_now() if finished_at is None else finished_at
    _insert_once(session, EpochRow, run_id=run_id, epoch=epoch, finished_at=at, **metrics)
    if raw is not None:
        blob = raw.astype("<f4").tobytes()
        _insert_once(
            session, SnapshotRow, run_id=run_id, epoch=epoch, raw=blob, polarisation=polarisation
        )
    session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.epochs_done < epoch)
        .values(epochs_done=epoch)
    )
    data = {"epoch": epoch, **metrics}
    if polarisation is not None:
        data["polarisation"] = polarisation["overall"]
    log.append(session, "epoch", run_id=run_id, data=data)


def epochs(session: Session, run_id: str, *, after: int = -1) -> Sequence[EpochRow]:
    """Finished epochs with a larger number, in order."""
    query = select(EpochRow).where(EpochRow.run_id == run_id, EpochRow.epoch > after)
    return session.scalars(query.order_by(EpochRow.epoch)).all()


def snapshot_epochs(session: Session, run_id: str) -> list[int]:
    """Epochs of which a snapshot is stored, in order."""
    query = select(SnapshotRow.epoch).where(SnapshotRow.run_id == run_id)
    return list(session.scalars(query.order_by(SnapshotRow.epoch)).all())


def snapshot(session: Session, run_id: str, epoch: int) -> FloatArray:
    """Raw scales of all prunable neurons in network order.

    Raises:
        NotFound: no snapshot of that epoch; the message names those that exist.
    """
    row = session.get(SnapshotRow, (run_id, epoch))
    if row is None:
        known = snapshot_epochs(session, run_id)
        range_ = f"{known[0]} to {known[-1]}" if known else "none yet"
        raise NotFound(
            f"Run {run_id} has no snapshot of epoch {epoch}; stored: {range_}.", field="epoch"
        )
    return np.frombuffer(row.raw, dtype="<f4").astype(np.float32)


def snapshots(session: Session, run_id: str) -> tuple[list[int], npt.NDArray[np.float32]]:
    """All snapshots: their epochs and an array of shape (epochs, neurons)."""
    query = select(SnapshotRow).where(SnapshotRow.run_id == run_id).order_by(SnapshotRow.epoch)
    rows = session.scalars(query).all()
    if not rows:
        return [], np.zeros((0, 0), dtype=np.float32)
    stacked = np.stack([np.frombuffer(row.raw, dtype="<f4") for row in rows])
    return [row.epoch for row in rows], stacked.astype(np.float32)


def group(shape: NetworkShape, layer: str) -> Group:
    """The layer of that name; raises UnknownName."""
    for one in shape.groups:
        if one.name == layer:
            return one
    raise UnknownName("layer", layer, [one.name for one in shape.groups], field="layer")


def layer_history(
    session: Session, run_id: str, shape: NetworkShape, layer: str
) -> npt.NDArray[np.float32]:
    """Raw scales of one layer at every epoch, of shape (epochs, channels); raises UnknownName.

    Only that part of each snapshot is read.
    """
    size = group(shape, layer).size
    before = sum(shape.sizes[: [one.name for one in shape.groups].index(layer)])
    part = func.substr(SnapshotRow.raw, 4 * before + 1, 4 * size, type_=LargeBinary)
    query = select(part).where(SnapshotRow.run_id == run_id).order_by(SnapshotRow.epoch)
    rows = [np.frombuffer(blob, dtype="<f4") for blob in session.scalars(query)]
    return np.array(rows, dtype=np.float32).reshape(len(rows), size)


def polarisations(session: Session, run_id: str) -> list[tuple[int, dict[str, Any]]]:
    """Epoch and polarisation of each snapshot that has one, in order."""
    query = (
        select(SnapshotRow.epoch, SnapshotRow.polarisation)
        .where(SnapshotRow.run_id == run_id)
        .order_by(SnapshotRow.epoch)
    )
    return [(epoch, found) for epoch, found in session.execute(query) if found is not None]


def latest_polarisations(session: Session, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The polarisation of the latest snapshot of each of these runs, in one query."""
    latest = (
        select(SnapshotRow.run_id, func.max(SnapshotRow.epoch).label("epoch"))
        .where(SnapshotRow.run_id.in_(run_ids))
        .group_by(SnapshotRow.run_id)
        .subquery()
    )
    query = select(SnapshotRow.run_id, SnapshotRow.polarisation).join(
        latest,
        (SnapshotRow.run_id == latest.c.run_id) & (SnapshotRow.epoch == latest.c.epoch),
    )
    return {run_id: found for run_id, found in session.execute(query) if found is not None}


def _insert_once(session: Session, table: type[Base], **values: Any) -> None:
    postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if postgres else sqlite.insert
    session.execute(insert(table).values(**values).on_conflict_do_nothing())
