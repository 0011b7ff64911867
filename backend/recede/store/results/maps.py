"""The prunability map of a run: accuracy over ratio and epoch, as far as it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recede.contract.states import CheckpointKind
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.cuts import CurvePointRow
from recede.store.tables.runs import CheckpointRow, EvaluationRow

Values = dict[str, Any]

RATIOS = tuple(6 * step / 100 for step in range(16))
"""What each epoch of the map asks for: 16 ratios, even, on the grid of whole percents."""


def put(
    session: Session,
    run_id: str,
    epoch: int,
    place: Mapping[str, str],
    points: Sequence[Values],
) -> None:
    """Keep the points of one epoch; where more images were measured before, those stay.

    `place` is criterion, scope and bias; a point has every other column of a curve's point.
    """
    known = {row.ask: row for row in _rows(session, run_id, place, epoch)}
    for point in points:
        row = known.get(point["ask"])
        if row is not None and row.n >= point["n"] and row.digest == point["digest"]:
            continue
        if row is not None:
            session.delete(row)
            session.flush()
        values = {**point, **place, "run_id": run_id, "epoch": epoch, "created_at": db_now()}
        session.add(CurvePointRow(**values))
    session.flush()
    log.append(session, "map", run_id=run_id, data={"epoch": epoch, "points": len(points)})


def points(session: Session, run_id: str, place: Mapping[str, str]) -> Sequence[CurvePointRow]:
    """All points of a run, by epoch and ratio."""
    return _rows(session, run_id, place)


def measured(session: Session, run_id: str) -> dict[tuple[int, str], EvaluationRow]:
    """What was measured on the whole validation split, by epoch and kept channels."""
    query = select(EvaluationRow).filter_by(run_id=run_id, split="validation")
    return {(row.epoch, row.digest): row for row in session.scalars(query)}


def kept_epochs(session: Session, run_id: str) -> list[int]:
    """Epochs whose weights are there, in order."""
    query = select(CheckpointRow.epoch).filter_by(run_id=run_id, kind=CheckpointKind.TRAINED.value)
    return sorted(set(session.scalars(query)))


def _rows(
    session: Session, run_id: str, place: Mapping[str, str], epoch: int | None = None
) -> Sequence[CurvePointRow]:
    query = select(CurvePointRow).filter_by(run_id=run_id, **place)
    if epoch is not None:
        query = query.where(CurvePointRow.epoch == epoch)
    return session.scalars(query.order_by(CurvePointRow.epoch, CurvePointRow.ask)).all()
