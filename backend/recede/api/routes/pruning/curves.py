"""The accuracy curve of a run at one epoch, by any criterion, and all that was evaluated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from recede.api.answers import (
    curve_points,
    cuts,
)
from recede.api.answers import (
    runs as views,
)
from recede.api.deps import (
    Ctx,
    Cursor,
    Limit,
    RunId,
    decode_cursor,
    encode_cursor,
)
from recede.api.http.errors import documented
from recede.contract.errors import NotFound, WeightsGone
from recede.contract.measuring.accuracy import lossless_ratio
from recede.contract.network.cost import dense_cost
from recede.contract.schemas import (
    CostOut,
    CurveBody,
    CurveOut,
    EvaluationOut,
    JobAnswer,
    Page,
)
from recede.contract.spec.run import (
    IMPORTANCE,
    MAX_EPOCHS,
    Bias,
    CurvePayload,
    Plan,
    Scope,
    Text,
)
from recede.contract.states import JobKind
from recede.store.networks import history, runs
from recede.store.queue import jobs, workers
from recede.store.results import curves, evaluations
from recede.store.results.curves import Place
from recede.store.tables.runs import JobRow, RunRow

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])

Epoch = Annotated[
    int | None, Query(ge=0, le=MAX_EPOCHS, description="Default: the best by validation")
]


@router.get("/curve", responses=documented(404))
def get_curve(
    services: Ctx,
    run_id: RunId,
    epoch: Epoch = None,
    criterion: Annotated[
        Text, Query(min_length=1, max_length=60, description="What ranks the neurons")
    ] = IMPORTANCE,
    scope: Annotated[Scope | None, Query(description="Default: the method's own")] = None,
    bias: Annotated[Bias, Query(description="What becomes of removed channels' biases")] = "drop",
) -> CurveOut:
    """Accuracy of really cut networks over the share of neurons removed, as far as measured.

    Each point says whether it was measured on the whole validation split or estimated from a
    random part of it, on how many images, and its 95 % intervals. `job` is the one at work.
    """
    with services.store.read() as session:
        run = runs.get(session, run_id)
        wanted = run.best_epoch if epoch is None else epoch
        scope = scope or _scope(session, run)
        place = None if wanted is None else Place(wanted, criterion, scope, bias)
        points = curve_points.of(session, run_id, place) if place else []
        job = _at_work(session, run, place) if place else None
        return CurveOut(
            checkpoint_id=_weights(session, run_id, wanted),
            epoch=wanted,
            criterion=criterion,
            scope=scope,
            bias=bias,
            points=points,
            lossless_ratio=lossless_ratio(curve_points.known(points)) if job is None else None,
            dense=_dense(session, run_id),
            job=job and views.job(session, job),
        )


@router.post("/curve", status_code=202, responses=documented(404, 409, 413))
def measure_curve(services: Ctx, run_id: RunId, body: CurveBody | None = None) -> JobAnswer:
    """Queue the measuring of a curve, or give the job that is already at it.

    What is known already is kept, so that this also completes a curve. Scores that a criterion
    needs are computed first.
    """
    wanted = body or CurveBody()
    with services.store.write() as session:
        run = runs.get(session, run_id)
        weights = evaluations.trained(session, run_id, wanted.epoch)
        plan = Plan(
            epoch=weights.epoch,
            scope=wanted.scope or _scope(session, run),
            criterion=wanted.criterion,
            bias=wanted.bias,
            ratio=0.0,
        )
        cuts.settled(session, run, plan)
        place = Place(weights.epoch, plan.criterion, plan.scope, plan.bias)
        active = _at_work(session, run, place, exact=wanted.exact)
        if active is None:
            payload = CurvePayload(**asdict(place), exact=wanted.exact).model_dump(mode="json")
            active = jobs.enqueue(session, run_id, JobKind.CURVE, payload)
            jobs.pin(session, active.id, weights.epoch)
        return JobAnswer(job=views.job(session, active))


@router.get("/evaluations", responses=documented(404))
def list_evaluations(
    services: Ctx,
    run_id: RunId,
    epoch: Annotated[int | None, Query(ge=0, le=MAX_EPOCHS, description="Only this one")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[EvaluationOut]:
    """Cuts that were measured on the whole validation split, newest first."""
    before = None if cursor is None else decode_cursor(cursor, int)[0]
    with services.store.read() as session:
        runs.get(session, run_id)
        rows = curves.evaluations(session, run_id, epoch=epoch, limit=limit + 1, before=before)
    items = [views.evaluation(row) for row in rows[:limit]]
    return Page(items=items, next=encode_cursor(items[-1].id) if len(rows) > limit else None)


def _at_work(session: Session, run: RunRow, place: Place, *, exact: bool = False) -> JobRow | None:
    """An unfinished job of this curve that nobody asked to stop."""
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


def _scope(session: Session, run: RunRow) -> Scope:
    return workers.catalog(session).method(str(run.spec["method"])).scope
