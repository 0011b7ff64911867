"""The accuracy curve of a run at one epoch, by any criterion, and all that was evaluated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from recede.api.answers.pruning.curves import curve_job, curve_out
from recede.api.answers.pruning.evaluations import evaluation_out
from recede.api.answers.training.jobs import job_out
from recede.api.http.cursors import decode_cursor, encode_cursor
from recede.api.http.deps import (
    Ctx,
    Cursor,
    Limit,
    RunId,
)
from recede.api.http.errors import documented
from recede.api.rules import cuts
from recede.contract.schemas import (
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
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import curves, evaluations
from recede.store.results.curves import Place

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])

Epoch = Annotated[
    int | None, Query(ge=0, le=MAX_EPOCHS, description="Default: best on validation")
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
        scope = scope or cuts.default_scope(session, run)
        return curve_out(session, run, wanted, criterion=criterion, scope=scope, bias=bias)


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
            scope=wanted.scope or cuts.default_scope(session, run),
            criterion=wanted.criterion,
            bias=wanted.bias,
            ratio=0.0,
        )
        cuts.settled(session, run, plan)
        place = Place(weights.epoch, plan.criterion, plan.scope, plan.bias)
        active = curve_job(session, run, place, exact=wanted.exact)
        if active is None:
            payload = CurvePayload(**asdict(place), exact=wanted.exact).model_dump(mode="json")
            active = jobs.enqueue(session, run_id, JobKind.CURVE, payload)
            jobs.pin(session, active.id, weights.epoch)
        return JobAnswer(job=job_out(session, active))


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
    items = [evaluation_out(row) for row in rows[:limit]]
    return Page(items=items, next=encode_cursor(items[-1].id) if len(rows) > limit else None)
