"""Requests on what is kept with a run: named plans and checkpoints."""

from __future__ import annotations

from typing import Any

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    nothing,
    plan_json,
)
from recede.contract.schemas import (
    BenchAnswer,
    BenchBody,
    BenchOut,
    BenchSolveOut,
    CheckpointOut,
    Page,
    PlanOut,
)
from recede.contract.spec.run import Plan


def plans(run_id: str) -> Call[Page[PlanOut]]:
    """All named plans of a run, oldest first."""
    return Call("GET", f"{API}/runs/{run_id}/plans", body(Page[PlanOut]))


def plan(run_id: str, plan_id: int) -> Call[PlanOut]:
    """One named plan."""
    return Call("GET", f"{API}/runs/{run_id}/plans/{plan_id}", body(PlanOut))


def save_plan(run_id: str, name: str, plan: Plan, *, notes: str = "") -> Call[PlanOut]:
    """Keep a plan with its run."""
    wanted = {"name": name, "notes": notes, "plan": plan_json(plan)}
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
    cut = None if plan is None else plan_json(plan)
    patch = given(name=name, notes=notes, plan=cut)
    return Call("PATCH", f"{API}/runs/{run_id}/plans/{plan_id}", body(PlanOut), json=patch)


def delete_plan(run_id: str, plan_id: int) -> Call[None]:
    """Delete a named plan."""
    return Call("DELETE", f"{API}/runs/{run_id}/plans/{plan_id}", nothing)


def checkpoints(run_id: str) -> Call[Page[CheckpointOut]]:
    """Weights of a run that can be downloaded, newest first."""
    return Call("GET", f"{API}/runs/{run_id}/checkpoints", body(Page[CheckpointOut]))


def checkpoint(checkpoint_id: str) -> Call[CheckpointOut]:
    """One set of weights with its manifest."""
    return Call("GET", f"{API}/checkpoints/{checkpoint_id}", body(CheckpointOut))


def add_benches(timed: BenchBody | dict[str, Any], *, token: str = "") -> Call[BenchAnswer]:
    """Send what was timed of a file; the checkpoints that have it.

    `token` goes along as Authorization: Bearer, for what stands in front of the service.
    """
    wanted = timed.model_dump(mode="json") if isinstance(timed, BenchBody) else timed
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Call("POST", f"{API}/benches", body(BenchAnswer), json=wanted, headers=headers)


def benches(run_id: str) -> Call[Page[BenchOut]]:
    """What devices elsewhere timed of a run's files, by device."""
    return Call("GET", f"{API}/runs/{run_id}/benches", body(Page[BenchOut]))


def solve_benched(
    run_id: str, device: str, target_ms: float, *, batch: int = 1
) -> Call[BenchSolveOut]:
    """Among the networks timed on a device, the one that removes least and is fast enough."""
    wanted = {"device": device, "target_ms": target_ms, "batch": batch}
    path = f"{API}/runs/{run_id}/benches/solve"
    return Call("POST", path, body(BenchSolveOut), json=wanted)


def bench_script() -> Call[str]:
    """The script that times an ONNX file elsewhere, as text."""
    return Call("GET", f"{API}/bench.py", lambda response: response.text)
