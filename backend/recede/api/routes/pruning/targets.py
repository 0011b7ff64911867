"""Asking for a cut by MACs, parameters, file size or accuracy."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from recede.api.answers import (
    curve_points,
    cuts,
    previews,
)
from recede.api.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.cut.targets import CurveAt, solve
from recede.contract.schemas import SolveBody, SolveOut
from recede.contract.spec.run import Plan
from recede.store.networks import history, runs
from recede.store.results import scores
from recede.store.results.curves import Place

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
        asked = cuts.settled(session, run, body.plan.closed())
        assert asked.epoch is not None
        shape = history.network(session, run_id)
        raw = scores.ranking(session, run_id, asked.epoch, asked.criterion)
        by_accuracy = body.target.kind in ("accuracy", "drop")
        points = _points(session, run_id, asked) if by_accuracy else ()
        found = solve(shape, raw, asked, body.target, points)
        plain = cuts.on_curve(run, asked)
        cut = cuts.Cut(run_id, found.plan, asked.epoch, shape, found.selection, plain)
        return SolveOut(
            plan=found.plan,
            preview=previews.of(session, cut),
            reached=found.reached,
            value=found.value,
            bound=found.bound,
            basis=("curve" if plain else "other_curve") if by_accuracy else "exact",
        )


def _points(session: Session, run_id: str, plan: Plan) -> list[CurveAt]:
    """The curve of such plans, as far as it is known."""
    assert plan.epoch is not None
    place = Place(plan.epoch, plan.criterion, plan.scope, plan.bias)
    known = curve_points.of(session, run_id, place)
    return [CurveAt(point.ratio, point.accuracy.value) for point in known]
