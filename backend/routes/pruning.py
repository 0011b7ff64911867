"""From a plan to its cost, its accuracy and a smaller network."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from backend.contract.cost import cost, dense_cost
from backend.contract.specs import CurvePayload, EvaluatePayload, PrunePayload, Scope
from backend.contract.states import JobKind
from backend.deps import Ctx, RunId
from backend.errors import documented
from backend.routes import cuts, views
from backend.schemas import (
    CostOut,
    CurveOut,
    EvaluateAnswer,
    JobAnswer,
    JobOut,
    PlanBody,
    PreviewOut,
    PruneBody,
)
from backend.store import jobs, results, runs, workers
from backend.store.tables import RunRow

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])


@router.post("/preview", responses=documented(404, 409, 413))
def preview(services: Ctx, run_id: RunId, body: PlanBody) -> PreviewOut:
    """What a plan keeps and costs (exact) and its accuracy: measured, estimated or unknown."""
    with services.store.read() as session:
        cut = cuts.make(session, runs.get(session, run_id), body.plan)
        accuracy = cuts.known_accuracy(session, cut)
    names = [group.name for group in cut.shape.groups]
    return PreviewOut(
        epoch=cut.epoch,
        ratio=cut.selection.ratio,
        removed=cut.selection.removed,
        kept=dict(zip(names, cut.selection.kept, strict=True)),
        held_at_minimum=list(cut.selection.held_at_minimum),
        digest=cut.selection.digest,
        cost=CostOut(**vars(cost(cut.shape, cut.selection.kept))),
        dense=CostOut(**vars(dense_cost(cut.shape))),
        accuracy=accuracy,
    )


@router.post(
    "/evaluate",
    responses=documented(
        404, 409, 413, answers={202: {"model": EvaluateAnswer, "description": "Queued: see `job`"}}
    ),
)
def evaluate(services: Ctx, run_id: RunId, body: PlanBody, response: Response) -> EvaluateAnswer:
    """Measure a plan on the really cut network.

    The same cut is measured once: then its result comes at once. Else a job is queued, and
    unfinished evaluations of this run are cancelled, since a newer choice replaced them.
    """
    with services.store.write() as session:
        cut = cuts.make(session, runs.get(session, run_id), body.plan)
        known = results.evaluation(session, run_id, cut.epoch, cut.selection.digest)
        if known is not None:
            return EvaluateAnswer(evaluation=views.evaluation(known))
        results.trained(session, run_id, cut.epoch)
        payload = EvaluatePayload(plan=cut.plan).model_dump(mode="json")
        job = _same(session, run_id, JobKind.EVALUATE, payload)
        if job is None:
            jobs.supersede(session, run_id, JobKind.EVALUATE)
            job = views.job(session, jobs.enqueue(session, run_id, JobKind.EVALUATE, payload))
    response.status_code = 202
    return EvaluateAnswer(job=job)


@router.get("/curve", responses=documented(404))
def get_curve(services: Ctx, run_id: RunId) -> CurveOut:
    """Measured accuracy over the share of neurons removed, at the best epoch."""
    with services.store.read() as session:
        run = runs.get(session, run_id)
        found = cuts.curve(session, run)
        active = jobs.active(session, run_id, JobKind.CURVE)
        return CurveOut(
            checkpoint_id=found.checkpoint_id,
            epoch=found.epoch,
            points=[views.evaluation(row) for row in found.points],
            lossless_ratio=run.lossless_ratio,
            dense=found.dense and CostOut(**vars(found.dense)),
            job=views.job(session, active[0]) if active else None,
        )


@router.post("/curve", status_code=202, responses=documented(404, 409))
def measure_curve(services: Ctx, run_id: RunId) -> JobAnswer:
    """Queue the measuring of the curve, or give the job that is already at it."""
    with services.store.write() as session:
        run = runs.get(session, run_id)
        results.trained(session, run_id, None)
        active = jobs.active(session, run_id, JobKind.CURVE)
        if active:
            return JobAnswer(job=views.job(session, active[0]))
        payload = CurvePayload(scope=_scope(session, run)).model_dump(mode="json")
        return JobAnswer(
            job=views.job(session, jobs.enqueue(session, run_id, JobKind.CURVE, payload))
        )


@router.post("/prune", status_code=202, responses=documented(404, 409, 413))
def prune(services: Ctx, run_id: RunId, body: PruneBody) -> JobAnswer:
    """Cut the network as planned, prove that the files compute it, and keep them."""
    with services.store.write() as session:
        cut = cuts.make(session, runs.get(session, run_id), body.plan)
        results.trained(session, run_id, cut.epoch)
        formats = tuple(dict.fromkeys(("safetensors", *body.formats)))
        payload = PrunePayload(plan=cut.plan, formats=formats).model_dump(mode="json")
        job = jobs.enqueue(session, run_id, JobKind.PRUNE, payload)
        return JobAnswer(job=views.job(session, job))


def _same(session: Session, run_id: str, kind: JobKind, payload: dict[str, Any]) -> JobOut | None:
    """An unfinished job that does just this, if nobody asked it to stop."""
    for job in jobs.active(session, run_id, kind):
        if job.payload == payload and job.cancel_requested_at is None:
            return views.job(session, job)
    return None


def _scope(session: Session, run: RunRow) -> Scope:
    return workers.catalog(session).method(str(run.spec["method"])).scope
