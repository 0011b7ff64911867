"""The accuracy curve of one epoch as answers: its points, and whole evaluations on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.orm import Session

from recede.api.answers import runs
from recede.contract.measuring.accuracy import Known, measured
from recede.contract.schemas import CostOut, CurvePoint
from recede.contract.spec.run import Plan
from recede.store.results import curves, evaluations
from recede.store.results.curves import Place
from recede.store.tables.cuts import CurvePointRow
from recede.store.tables.runs import EvaluationRow


def of(session: Session, run_id: str, place: Place) -> list[CurvePoint]:
    """All points by ratio. What was measured wholly takes the place of an estimate."""
    whole = {row.digest: row for row in evaluations.evaluations(session, run_id, place.epoch)}
    rows = curves.points(session, run_id, place)
    found = [_point(row, place, whole.get(row.digest)) for row in rows]
    seen = {point.digest for point in found}
    found += [
        _evaluated(row, place)
        for row in whole.values()
        if row.on_curve and row.digest not in seen and _lies_on(row, place)
    ]
    return sorted(found, key=lambda point: (point.ratio, point.ask))


def known(points: Sequence[CurvePoint]) -> list[Known]:
    """The same as the contract takes them."""
    return [Known(point.ratio, runs.accuracy_in(point.accuracy)) for point in points]


def _lies_on(row: EvaluationRow, place: Place) -> bool:
    plan = Plan.model_validate(row.plan)
    same = (plan.scope, plan.criterion, plan.bias) == (place.scope, place.criterion, place.bias)
    return row.ratio == 0 or same


def _point(row: CurvePointRow, place: Place, whole: EvaluationRow | None) -> CurvePoint:
    accuracy = curves.accuracy_of(row)
    if whole is not None and whole.n > row.n:
        accuracy = measured(whole.correct, whole.n)
    return CurvePoint(
        **asdict(place),
        ask=row.ask,
        ratio=row.ratio,
        digest=row.digest,
        accuracy=runs.accuracy_out(accuracy),
        cost=CostOut(params=row.params, macs=row.macs),
    )


def _evaluated(row: EvaluationRow, place: Place) -> CurvePoint:
    """A point of a curve of the first release, which kept whole evaluations alone."""
    asked = row.plan.get("ratio")
    return CurvePoint(
        **asdict(place),
        ask=row.ratio if asked is None else asked,
        ratio=row.ratio,
        digest=row.digest,
        accuracy=runs.counted(row.correct, row.n),
        cost=CostOut(params=row.params, macs=row.macs),
    )
