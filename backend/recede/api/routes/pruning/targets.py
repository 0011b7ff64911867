"""Asking for a cut by MACs, parameters, file size or accuracy."""

from __future__ import annotations

from fastapi import APIRouter

from recede.api.answers.pruning.targets import solved
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.schemas import SolveBody, SolveOut
from recede.store.experiments import runs

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])


@router.post("/solve", responses=documented(404, 409, 413))
def solve_target(services: Ctx, run_id: RunId, body: SolveBody) -> SolveOut:
    """The plan that meets a target: the largest network of that cost, or the smallest of that
    accuracy. Where nothing meets it, `reached` is false and `bound` says what can be had.

    Costs are exact. An accuracy is looked up on the curve of the plan's epoch, criterion and
    scope; a latency is measured: POST /runs/{run_id}/latency.
    """
    with services.store.read() as session:
        run = runs.get(session, run_id)
        return solved(session, run, body.plan.closed(), body.target)
