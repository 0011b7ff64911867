"""From a plan to its cost, its accuracy and a smaller network."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from recede.api.answers import (
    cuts,
    previews,
)
from recede.api.answers import (
    runs as views,
)
from recede.api.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.schemas import (
    EvaluateAnswer,
    JobAnswer,
    JobOut,
    PlanBody,
    PreviewOut,
    PruneBody,
)
from recede.contract.spec.run import EvaluatePayload, PrunePayload
from recede.contract.states import JobKind
from recede.store.networks import runs
from recede.store.queue import jobs
from recede.store.results import evaluations

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])


@router.post("/preview", responses=documented(404, 409, 413))
def preview(services: Ctx, run_id: RunId, body: PlanBody) -> PreviewOut:
    """What a plan keeps and costs (exact) and its accuracy: measured, estimated or unknown."""
    with services.store.read() as session:
        return previews.of(session, cuts.make(session, runs.get(session, run_id), body.plan))


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
        run = runs.get(session, run_id)
        plan = cuts.settled(session, run, body.plan)
        known = cuts.measured(session, run, plan)
        if known is not None:
            return EvaluateAnswer(evaluation=views.evaluation(known))
        evaluations.trained(session, run_id, plan.epoch)
        payload = EvaluatePayload(plan=plan).model_dump(mode="json")
        job = _same(session, run_id, JobKind.EVALUATE, payload)
        if job is None:
            jobs.supersede(session, run_id, JobKind.EVALUATE)
            job = views.job(session, jobs.enqueue(session, run_id, JobKind.EVALUATE, payload))
    response.status_code = 202
    return EvaluateAnswer(job=job)


@router.post("/prune", status_code=202, responses=documented(404, 409, 413))
def prune(services: Ctx, run_id: RunId, body: PruneBody) -> JobAnswer:
    """Cut the network as planned, prove that the files compute it, and keep them."""
    with services.store.write() as session:
        plan = cuts.settled(session, runs.get(session, run_id), body.plan)
        evaluations.trained(session, run_id, plan.epoch)
        formats = tuple(dict.fromkeys(("safetensors", *body.formats)))
        payload = PrunePayload(plan=plan, formats=formats).model_dump(mode="json")
        job = jobs.enqueue(session, run_id, JobKind.PRUNE, payload)
        return JobAnswer(job=views.job(session, job))


def _same(session: Session, run_id: str, kind: JobKind, payload: dict[str, Any]) -> JobOut | None:
    """An unfinished job that does just this, if nobody asked it to stop."""
    for job in jobs.active(session, run_id, kind):
        if job.payload == payload and job.cancel_requested_at is None:
            return views.job(session, job)
    return None
