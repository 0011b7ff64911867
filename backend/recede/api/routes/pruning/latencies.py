"""Latency: measured by a worker on its own device, dense and cut network in turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from recede.api.answers import cuts
from recede.api.answers import runs as views
from recede.api.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.cut.selection import Selection
from recede.contract.schemas import (
    LatenciesOut,
    LatencyAnswer,
    LatencyBody,
    LatencyOut,
)
from recede.contract.spec.run import LatencyPayload
from recede.contract.states import JobKind
from recede.store.networks import runs
from recede.store.queue import jobs
from recede.store.results import evaluations, latencies
from recede.store.tables.cuts import LatencyRow
from recede.store.tables.runs import JobRow

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
    return LatenciesOut(items=[view(row) for row in rows])


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
        known = of_cut(session, cut)
        complete = {item.batch for item in known if item.digest == cut.selection.digest} >= BATCHES
        if body.target_ms is None and complete and not body.again:
            return LatencyAnswer(items=known)
        asked = payload.model_dump(mode="json")
        same = _unfinished(jobs.active(session, run_id, JobKind.LATENCY), asked)
        if same is None:
            jobs.supersede(session, run_id, JobKind.LATENCY)
            same = jobs.enqueue(session, run_id, JobKind.LATENCY, asked)
        job = views.job(session, same)
    response.status_code = 202
    return LatencyAnswer(job=job)


def _unfinished(active: Sequence[JobRow], asked: object) -> JobRow | None:
    same = (job for job in active if job.payload == asked and job.cancel_requested_at is None)
    return next(same, None)


def of_cut(session: Session, cut: cuts.Cut) -> list[LatencyOut]:
    """What was measured of a cut, and of the dense network; nothing if the cut never was."""
    whole = Selection(np.ones(cut.shape.n_neurons, np.bool_), tuple(cut.shape.sizes), ()).digest
    rows = latencies.known(session, cut.run_id, [cut.selection.digest, whole])
    timed = any(row.digest == cut.selection.digest for row in rows)
    return [view(row) for row in rows] if timed else []


def view(row: LatencyRow) -> LatencyOut:
    """One measured latency."""
    return LatencyOut(
        digest=row.digest,
        ratio=row.ratio,
        dense=row.ratio == 0,
        device=row.device,
        threads=row.threads,
        batch=row.batch,
        median_ms=row.median_ms,
        p95_ms=row.p95_ms,
        n=row.n,
        busy=row.busy,
        created_at=row.created_at,
    )
