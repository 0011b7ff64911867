"""The accuracy curve of one epoch as answers: its points, and whole evaluations on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.orm import Session

from recede.api.answers.accuracies import accuracy_in, accuracy_out, counted
from recede.api.answers.training.jobs import job_out
from recede.contract.errors import NotFound, WeightsGone
from recede.contract.measuring.accuracy import Known, lossless_ratio, measured
from recede.contract.network.cost import dense_cost
from recede.contract.schemas import CostOut, CurveOut, CurvePoint, CutValue
from recede.contract.spec.run import Bias, CurvePayload, Plan, Scope
from recede.contract.states import JobKind
from recede.store.experiments import history
from recede.store.queue import jobs
from recede.store.results import curves, evaluations
from recede.store.results.curves import Place
from recede.store.tables.cuts import CurvePointRow
from recede.store.tables.runs import EvaluationRow, JobRow, RunRow


def curve_out(
    session: Session, run: RunRow, epoch: int | None, *, criterion: str, scope: Scope, bias: Bias
) -> CurveOut:
    """The curve of one epoch as far as it is known; None: of a run without a finished epoch."""
    place = None if epoch is None else Place(epoch, criterion, scope, bias)
    points = curve_points(session, run.id, place) if place else []
    job = curve_job(session, run, place) if place else None
    return CurveOut(
        checkpoint_id=_weights(session, run.id, epoch),
        epoch=epoch,
        criterion=criterion,
        scope=scope,
        bias=bias,
        points=points,
        lossless_ratio=lossless_ratio(known_points(points)) if job is None else None,
        dense=_dense(session, run.id),
        job=job and job_out(session, job),
        values=_values(session, run.id, place) if place else [],
    )


def curve_points(session: Session, run_id: str, place: Place) -> list[CurvePoint]:
    """All points by ratio. What was measured wholly takes the place of an estimate."""
    rows = evaluations.evaluations(session, run_id, place.epoch)
    whole = {row.digest: row for row in rows if row.n}
    counted_on = [row for row in curves.points(session, run_id, place) if row.n_split]
    found = [_point(row, place, whole.get(row.digest)) for row in counted_on]
    seen = {point.digest for point in found}
    found += [
        _evaluated(row, place)
        for row in whole.values()
        if row.on_curve and row.digest not in seen and _lies_on(row, place)
    ]
    return sorted(found, key=lambda point: (point.ratio, point.ask))


def _values(session: Session, run_id: str, place: Place) -> list[CutValue]:
    """Points of which no images were counted: another metric than the accuracy."""
    return [
        CutValue(
            ask=row.ask,
            ratio=row.ratio,
            value=row.value,
            cost=CostOut(params=row.params, macs=row.macs),
        )
        for row in curves.points(session, run_id, place)
        if not row.n_split
    ]


def known_points(points: Sequence[CurvePoint]) -> list[Known]:
    """The same as the contract takes them."""
    return [Known(point.ratio, accuracy_in(point.accuracy)) for point in points]


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
        accuracy=accuracy_out(accuracy),
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
        accuracy=counted(row.correct, row.n),
        cost=CostOut(params=row.params, macs=row.macs),
    )


def curve_job(
    session: Session, run: RunRow, place: Place, *, exact: bool = False
) -> JobRow | None:
    """An unfinished job of this curve whose cancellation was not requested."""
    for job in jobs.active(session, run.id, JobKind.CURVE):
        payload = CurvePayload.model_validate(job.payload)
        epoch = run.best_epoch if payload.epoch is None else payload.epoch
        of = Place(epoch or 0, payload.criterion, payload.scope, payload.bias)
        if of == place and payload.exact >= exact and job.cancel_requested_at is None:
            return job
    return None


def _weights(session: Session, run_id: str, epoch: int | None) -> str | None:
    try:
        return evaluations.trained(session, run_id, epoch).id
    except WeightsGone:
        return None


def _dense(session: Session, run_id: str) -> CostOut | None:
    try:
        return CostOut(**vars(dense_cost(history.network(session, run_id))))
    except NotFound:
        return None
