"""Points of accuracy curves, kept as they are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recede.contract.measuring.accuracy import Accuracy, Known
from recede.contract.spec.run import Bias, Scope
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.cuts import CurvePointRow
from recede.store.tables.runs import EvaluationRow

_NUMBERS = ("value", "low", "high", "n", "n_split", "split_low", "split_high")


@dataclass(frozen=True)
class Place:
    """Which curve of a run."""

    epoch: int
    criterion: str
    scope: Scope
    bias: Bias


def put(
    session: Session,
    run_id: str,
    place: Place,
    *,
    ask: float,
    ratio: float,
    digest: str,
    accuracy: Accuracy,
    cost: dict[str, int],
) -> None:
    """Keep one point in place of what was known of that ratio."""
    key = {"run_id": run_id, **asdict(place), "ask": ask}
    session.execute(delete(CurvePointRow).filter_by(**key))
    values: dict[str, Any] = {"kind": accuracy.kind}
    values |= {name: getattr(accuracy, name) for name in _NUMBERS}
    session.add(
        CurvePointRow(**key, ratio=ratio, digest=digest, **values, **cost, created_at=db_now())
    )
    session.flush()


def known_ratios(session: Session, run_id: str) -> dict[int, list[float]]:
    """By epoch, the ratios that any curve of a run has a point of."""
    query = select(CurvePointRow.epoch, CurvePointRow.ask).where(CurvePointRow.run_id == run_id)
    found: dict[int, list[float]] = {}
    for epoch, ask in session.execute(query.order_by(CurvePointRow.epoch, CurvePointRow.ask)):
        found.setdefault(epoch, []).append(ask)
    return found


def tell(session: Session, run_id: str, place: Place) -> None:
    """Announce to listeners that there are more points."""
    log.append(session, "curve", run_id=run_id, data=asdict(place))


def points(session: Session, run_id: str, place: Place) -> Sequence[CurvePointRow]:
    """The points of one curve by ratio."""
    query = select(CurvePointRow).filter_by(run_id=run_id, **asdict(place))
    return session.scalars(query.order_by(CurvePointRow.ask)).all()


def of_cut(session: Session, run_id: str, epoch: int, digest: str) -> CurvePointRow | None:
    """A measured point of exactly this cut, on any curve of the epoch."""
    query = select(CurvePointRow).filter_by(
        run_id=run_id, epoch=epoch, digest=digest, kind="measured"
    )
    return session.scalars(query.limit(1)).first()


def accuracy_of(row: CurvePointRow) -> Accuracy:
    """What is known at one point."""
    numbers = {name: getattr(row, name) for name in _NUMBERS}
    return Accuracy(kind="measured" if row.kind == "measured" else "estimated", **numbers)


def known(rows: Sequence[CurvePointRow]) -> list[Known]:
    """Points as the contract takes them."""
    return [Known(row.ratio, accuracy_of(row)) for row in rows]


def forget(session: Session, run_id: str) -> None:
    """Drop all curves of a run: its plans cut other channels than before."""
    session.execute(delete(CurvePointRow).filter_by(run_id=run_id))


def evaluations(
    session: Session, run_id: str, *, epoch: int | None, limit: int, before: int | None
) -> Sequence[EvaluationRow]:
    """What was measured on whole splits, newest first, with ids under `before`."""
    query = select(EvaluationRow).filter_by(run_id=run_id).order_by(EvaluationRow.id.desc())
    if epoch is not None:
        query = query.where(EvaluationRow.epoch == epoch)
    if before is not None:
        query = query.where(EvaluationRow.id < before)
    return session.scalars(query.limit(limit)).all()
