"""Requests on one cut: its cost, its accuracy, its latency, its files."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    plan_json,
)
from recede.contract.cut.targets import OpenPlan, Target
from recede.contract.schemas import (
    EvaluateAnswer,
    JobAnswer,
    LatenciesOut,
    LatencyAnswer,
    PreviewOut,
    SolveOut,
)
from recede.contract.spec.run import Plan


def preview(run_id: str, plan: Plan) -> Call[PreviewOut]:
    """What a plan keeps and costs (exact), with its accuracy where something is known."""
    wanted = {"plan": plan_json(plan)}
    return Call("POST", f"{API}/runs/{run_id}/preview", body(PreviewOut), json=wanted)


def evaluate(run_id: str, plan: Plan) -> Call[EvaluateAnswer]:
    """Measure a plan on the really cut network: the known result, or the job that measures."""
    return Call(
        "POST",
        f"{API}/runs/{run_id}/evaluate",
        body(EvaluateAnswer),
        json={"plan": plan_json(plan)},
    )


def prune(run_id: str, plan: Plan, *, formats: list[str] | None = None) -> Call[JobAnswer]:
    """Queue a cut that ends in files to download."""
    wanted = given(plan=plan_json(plan), formats=formats)
    return Call("POST", f"{API}/runs/{run_id}/prune", body(JobAnswer), json=wanted)


def solve(run_id: str, target: Target, plan: Plan | OpenPlan | None = None) -> Call[SolveOut]:
    """The plan that meets a target, or comes closest; of `plan` all but the ratio holds."""
    wanted = {"plan": (plan or OpenPlan()).model_dump(mode="json"), "target": target.model_dump()}
    return Call("POST", f"{API}/runs/{run_id}/solve", body(SolveOut), json=wanted)


def fast_enough(
    run_id: str, target_ms: float, plan: Plan | OpenPlan | None = None, *, batch: int = 1
) -> Call[JobAnswer]:
    """Queue the search for the plan whose median latency at `batch` is at most that.

    The worker measures on its own device; the job's result holds the `plan`.
    """
    closed = OpenPlan.model_validate((plan or OpenPlan()).model_dump()).closed()
    wanted = {"plan": closed.model_dump(mode="json"), "target_ms": target_ms, "batch": batch}
    return Call("POST", f"{API}/runs/{run_id}/latency", body(JobAnswer), json=wanted)


def latencies(run_id: str, *, digest: str | None = None) -> Call[LatenciesOut]:
    """What was measured of a run's cuts, the dense network first."""
    params = given(digest=digest)
    return Call("GET", f"{API}/runs/{run_id}/latencies", body(LatenciesOut), params=params)


def measure_latency(run_id: str, plan: Plan, *, again: bool = False) -> Call[LatencyAnswer]:
    """Latency of a cut and of the dense network: what is known, or the job that measures it."""
    wanted = {"plan": plan_json(plan), "again": again}
    return Call("POST", f"{API}/runs/{run_id}/latency", body(LatencyAnswer), json=wanted)
