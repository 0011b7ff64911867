"""Latency: measured by a worker on its own device, dense and cut network in turns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from recede.api.answers.pruning.latencies import latencies_of_cut, latency_out
from recede.api.answers.training.jobs import job_out
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.api.rules import cuts
from recede.contract.schemas import (
    LatenciesOut,
    LatencyAnswer,
    LatencyBody,
)
from recede.contract.spec.run import LatencyPayload
from recede.contract.states import JobKind
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import evaluations, latencies

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])

BATCHES = {1, 64}
"""What a measurement of one cut covers."""

Digest = Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", description="Only of this cut")]


@router.get("/latencies", responses=documented(404))
def list_latencies(services: Ctx, run_id: RunId, digest: Digest = None) -> LatenciesOut:
    """What was measured of a run's cuts so far; the dense network is ratio 0."""
    with services.store.read() as session:
        runs.get(session, run_id)
        rows = latencies.known(session, run_id, None if digest is None else [digest])
    return LatenciesOut(items=[latency_out(row) for row in rows])


@router.post(
    "/latency",
    responses=documented(
        404, 409, 413, answers={202: {"model": LatencyAnswer, "description": "Queued: see `job`"}}
    ),
)
def measure_latency(
    services: Ctx, run_id: RunId, body: LatencyBody, response: Response
) -> LatencyAnswer:
    """Measure a cut and the dense network at batch 1 and 64, or look for a cut by its latency.

    What is known comes at once. With `target_ms` a job is queued whose result has `plan`,
    `median_ms`, `reached` and all that was `tried`; unfinished searches of this run are
    cancelled, since a newer one replaced them.
    """
    with services.store.write() as session:
        cut = cuts.make(session, runs.get(session, run_id), body.plan)
        evaluations.trained(session, run_id, cut.epoch)
        payload = LatencyPayload(plan=cut.plan, target_ms=body.target_ms, batch=body.batch)
        known = latencies_of_cut(session, cut)
        complete = {item.batch for item in known if item.digest == cut.selection.digest} >= BATCHES
        if body.target_ms is None and complete and not body.again:
            return LatencyAnswer(items=known)
        asked = payload.model_dump(mode="json")
        same = jobs.under_way(session, run_id, JobKind.LATENCY, asked)
        if same is None:
            jobs.supersede(session, run_id, JobKind.LATENCY)
            same = jobs.enqueue(session, run_id, JobKind.LATENCY, asked)
        job = job_out(session, same)
    response.status_code = 202
    return LatencyAnswer(job=job)
