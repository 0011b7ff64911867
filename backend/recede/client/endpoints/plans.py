"""Requests of the API on the named plans of a run."""

from __future__ import annotations

import httpx

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
)
from recede.contract.schemas import Page, PlanOut
from recede.contract.spec.run import Plan


def plans(run_id: str) -> Call[Page[PlanOut]]:
    """All named plans of a run, oldest first."""
    return Call("GET", f"{API}/runs/{run_id}/plans", body(Page[PlanOut]))


def plan(run_id: str, plan_id: int) -> Call[PlanOut]:
    """One named plan."""
    return Call("GET", f"{API}/runs/{run_id}/plans/{plan_id}", body(PlanOut))


def save_plan(run_id: str, name: str, plan: Plan, *, notes: str = "") -> Call[PlanOut]:
    """Keep a plan with its run."""
    wanted = {"name": name, "notes": notes, "plan": plan.model_dump(mode="json")}
    return Call("POST", f"{API}/runs/{run_id}/plans", body(PlanOut), json=wanted)


def change_plan(
    run_id: str,
    plan_id: int,
    *,
    name: str | None = None,
    notes: str | None = None,
    plan: Plan | None = None,
) -> Call[PlanOut]:
    """Rename a plan, change its notes or what it cuts; what is left out stays."""
    cut = None if plan is None else plan.model_dump(mode="json")
    patch = given(name=name, notes=notes, plan=cut)
    return Call("PATCH", f"{API}/runs/{run_id}/plans/{plan_id}", body(PlanOut), json=patch)


def delete_plan(run_id: str, plan_id: int) -> Call[None]:
    """Delete a named plan."""
    return Call("DELETE", f"{API}/runs/{run_id}/plans/{plan_id}", _nothing)


def _nothing(_: httpx.Response) -> None:
    """The answer has no body."""
