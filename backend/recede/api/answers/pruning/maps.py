"""Accuracy over ratio and epoch as an answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.api.answers.accuracies import counted_if_known
from recede.api.answers.pruning.evaluations import evaluation_out
from recede.contract.schemas import AccuracyOut, CostOut, CurvePoint, MapOut
from recede.contract.spec.run import Bias, Scope
from recede.store.experiments import history
from recede.store.results import maps
from recede.store.tables.cuts import CurvePointRow
from recede.store.tables.runs import EvaluationRow

NUMBERS = ("kind", "value", "low", "high", "n", "n_split", "split_low", "split_high")
PLACE = ("epoch", "criterion", "scope", "bias", "ask", "ratio", "digest")


def map_out(session: Session, run_id: str, *, criterion: str, scope: Scope, bias: Bias) -> MapOut:
    """All that was measured of a run while it trained, by one ranking of its neurons."""
    points = _points(session, run_id, {"criterion": criterion, "scope": scope, "bias": bias})
    return MapOut(
        ratios=list(maps.RATIOS),
        epochs=sorted({point.epoch for point in points}),
        points=points,
        kept_epochs=maps.kept_epochs(session, run_id),
        dense=_dense(session, run_id),
    )


def _points(session: Session, run_id: str, place: dict[str, str]) -> list[CurvePoint]:
    measured = maps.measured(session, run_id)
    rows = [row for row in maps.points(session, run_id, place) if row.ask in maps.RATIOS]
    return [_point(row, measured.get((row.epoch, row.digest))) for row in rows]


def _point(row: CurvePointRow, better: EvaluationRow | None) -> CurvePoint:
    """One point; with the accuracy on the whole split if exactly that cut was evaluated."""
    accuracy = AccuracyOut.model_validate({name: getattr(row, name) for name in NUMBERS})
    if better is not None and better.n > row.n:
        accuracy = evaluation_out(better).accuracy
    return CurvePoint(
        **{name: getattr(row, name) for name in PLACE},
        accuracy=accuracy,
        cost=CostOut(params=row.params, macs=row.macs),
    )


def _dense(session: Session, run_id: str) -> dict[int, AccuracyOut]:
    rows = history.epochs(session, run_id)
    found = {row.epoch: counted_if_known(row.val_correct, row.n_val) for row in rows}
    return {epoch: accuracy for epoch, accuracy in found.items() if accuracy is not None}
