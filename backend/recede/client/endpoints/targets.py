"""Requests of the API on cuts by a target, on scores of criteria and on protected layers."""

from __future__ import annotations

import httpx
import numpy as np
import numpy.typing as npt

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
)
from recede.contract.cut.targets import OpenPlan, Target
from recede.contract.schemas import (
    JobAnswer,
    RunOut,
    ScoreAnswer,
    SolveOut,
)
from recede.contract.spec.run import IMPORTANCE, Plan


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


def scores(run_id: str, epoch: int, criterion: str = IMPORTANCE) -> Call[npt.NDArray[np.float32]]:
    """The score of every prunable neuron by a criterion, in network order."""
    path = f"{API}/runs/{run_id}/scores/{epoch}"
    return Call("GET", path, _read_scores, params={"criterion": criterion})


def compute_scores(run_id: str, criterion: str, *, epoch: int | None = None) -> Call[ScoreAnswer]:
    """Queue the scoring of an epoch (None: the best) by a criterion; no job if it is known."""
    wanted = given(criterion=criterion, epoch=epoch)
    return Call("POST", f"{API}/runs/{run_id}/scores", body(ScoreAnswer), json=wanted)


def protect_layers(run_id: str, layers: list[str]) -> Call[RunOut]:
    """Make these the layers that no plan of the run may cut; an empty list ends it."""
    return Call("PATCH", f"{API}/runs/{run_id}", body(RunOut), json={"protected": layers})


def _read_scores(response: httpx.Response) -> npt.NDArray[np.float32]:
    return np.frombuffer(response.content, dtype="<f4").astype(np.float32)
