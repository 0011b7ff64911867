"""From a plan to its cost, its accuracy and a smaller network."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from recede.api.answers.pruning.evaluations import evaluation_out
from recede.api.answers.pruning.previews import preview_out
from recede.api.answers.training.jobs import job_out
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.api.rules import cuts, serving
from recede.contract.schemas import (
    EvaluateAnswer,
    JobAnswer,
    PlanBody,
    PreviewOut,
    PruneBody,
)
from recede.contract.spec.run import EvaluatePayload, Plan, PrunePayload, RunSpec, with_needed
from recede.contract.states import JobKind
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede.store.tables.runs import JobRow, RunRow

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])


@router.post("/preview", responses=documented(404, 409, 413))
def preview(services: Ctx, run_id: RunId, body: PlanBody) -> PreviewOut:
    """What a plan keeps and costs (exact) and its accuracy: measured, estimated or unknown."""
    with services.store.read() as session:
        return preview_out(session, cuts.make(session, runs.get(session, run_id), body.plan))


@router.post(
    "/evaluate",
    responses=documented(
        404, 409, 413, answers={202: {"model": EvaluateAnswer, "description": "Queued: see `job`"}}
    ),
)
def evaluate(services: Ctx, run_id: RunId, body: PlanBody, response: Response) -> EvaluateAnswer:
    """Measure a plan on the really cut network.

    The same cut is measured once: then its result comes at once. Else a job is queued, and
    unfinished evaluations of this run are cancelled, since a newer choice replaced them. Of a run
    that is recorded elsewhere the process measures it that has the network, while one serves.
    """
    with services.store.write() as session:
        run = runs.get(session, run_id)
        plan = cuts.settled(session, run, body.plan)
        recorded = RunSpec.model_validate(run.spec).recorded
        known = cuts.measured(session, run, plan)
        if known is None and recorded:
            known = serving.known(session, run, plan)
        if known is not None:
            return EvaluateAnswer(evaluation=evaluation_out(known))
        ask = serving.ask if recorded else _queued
        job = job_out(session, ask(session, run, plan))
    response.status_code = 202
    return EvaluateAnswer(job=job)


def _queued(session: Session, run: RunRow, plan: Plan) -> JobRow:
    evaluations.trained(session, run.id, plan.epoch)
    payload = EvaluatePayload(plan=plan).model_dump(mode="json")
    known = jobs.under_way(session, run.id, JobKind.EVALUATE, payload)
    if known is not None:
        return known
    jobs.supersede(session, run.id, JobKind.EVALUATE)
    return jobs.enqueue(session, run.id, JobKind.EVALUATE, payload)


@router.post("/prune", status_code=202, responses=documented(404, 409, 413))
def prune(services: Ctx, run_id: RunId, body: PruneBody) -> JobAnswer:
    """Cut the network as planned, prove that the files compute it, and keep them."""
    with services.store.write() as session:
        plan = cuts.settled(session, runs.get(session, run_id), body.plan)
        evaluations.trained(session, run_id, plan.epoch)
        payload = PrunePayload(plan=plan, formats=with_needed(body.formats)).model_dump(
            mode="json"
        )
        job = jobs.enqueue(session, run_id, JobKind.PRUNE, payload)
        return JobAnswer(job=job_out(session, job))
