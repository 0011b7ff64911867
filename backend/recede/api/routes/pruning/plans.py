"""Named plans of a run: keep, list, change, delete."""

from __future__ import annotations

from fastapi import APIRouter

from recede.api.answers.pruning.plans import plan_out
from recede.api.http.deps import (
    Ctx,
    PlanId,
    RunId,
)
from recede.api.http.errors import documented
from recede.api.rules import cuts
from recede.contract.schemas import (
    NamedPlanBody,
    NamedPlanPatch,
    Page,
    PlanOut,
)
from recede.store.experiments import plans, runs

router = APIRouter(prefix="/runs/{run_id}/plans", tags=["Plans"])


@router.get("", responses=documented(404))
def list_plans(services: Ctx, run_id: RunId) -> Page[PlanOut]:
    """All named plans of a run, oldest first."""
    with services.store.read() as session:
        runs.get(session, run_id)
        return Page(items=[plan_out(row) for row in plans.of_run(session, run_id)])


@router.post("", status_code=201, responses=documented(404, 409, 413))
def save_plan(services: Ctx, run_id: RunId, body: NamedPlanBody) -> PlanOut:
    """Keep a plan with its run. It must fit the run's network and epochs; nothing is cut."""
    with services.store.write() as session:
        cuts.settled(session, runs.get(session, run_id), body.plan)
        return plan_out(
            plans.create(session, run_id, name=body.name, notes=body.notes, plan=body.plan)
        )


@router.get("/{plan_id}", responses=documented(404))
def get_plan(services: Ctx, run_id: RunId, plan_id: PlanId) -> PlanOut:
    """One named plan."""
    with services.store.read() as session:
        return plan_out(plans.get(session, run_id, plan_id))


@router.patch("/{plan_id}", responses=documented(404, 409, 413))
def change_plan(services: Ctx, run_id: RunId, plan_id: PlanId, patch: NamedPlanPatch) -> PlanOut:
    """Rename a plan, change its notes or what it cuts; what is left out stays."""
    with services.store.write() as session:
        if patch.plan is not None:
            cuts.settled(session, runs.get(session, run_id), patch.plan)
        return plan_out(plans.change(session, run_id, plan_id, **dict(patch)))


@router.delete("/{plan_id}", status_code=204, responses=documented(404))
def delete_plan(services: Ctx, run_id: RunId, plan_id: PlanId) -> None:
    """Delete a named plan; runs and files that were made with it stay."""
    with services.store.write() as session:
        plans.remove(session, run_id, plan_id)
