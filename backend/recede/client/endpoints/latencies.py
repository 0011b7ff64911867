"""Requests of the API on measured latencies; asking_calls has the search for one."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
)
from recede.contract.schemas import LatenciesOut, LatencyAnswer
from recede.contract.spec.run import Plan


def latencies(run_id: str, *, digest: str | None = None) -> Call[LatenciesOut]:
    """What was measured of a run's cuts, the dense network first."""
    params = given(digest=digest)
    return Call("GET", f"{API}/runs/{run_id}/latencies", body(LatenciesOut), params=params)


def measure_latency(run_id: str, plan: Plan, *, again: bool = False) -> Call[LatencyAnswer]:
    """Latency of a cut and of the dense network: what is known, or the job that measures it."""
    wanted = {"plan": plan.model_dump(mode="json"), "again": again}
    return Call("POST", f"{API}/runs/{run_id}/latency", body(LatencyAnswer), json=wanted)
