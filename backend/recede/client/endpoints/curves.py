"""Requests of the API on accuracy curves and on what was measured on whole splits."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
)
from recede.contract.schemas import (
    CurveOut,
    EvaluationOut,
    JobAnswer,
    Page,
)
from recede.contract.spec.run import Bias, Scope


def curve(
    run_id: str,
    *,
    epoch: int | None = None,
    criterion: str | None = None,
    scope: Scope | None = None,
    bias: Bias | None = None,
) -> Call[CurveOut]:
    """Accuracy over the share of neurons removed, each point with its kind, n and intervals."""
    params = given(epoch=epoch, criterion=criterion, scope=scope, bias=bias)
    return Call("GET", f"{API}/runs/{run_id}/curve", body(CurveOut), params=params)


def measure_curve(
    run_id: str,
    *,
    epoch: int | None = None,
    criterion: str | None = None,
    scope: Scope | None = None,
    bias: Bias | None = None,
    exact: bool = False,
) -> Call[JobAnswer]:
    """Queue the measuring of a curve, or give the job that is already at it."""
    wanted = given(epoch=epoch, criterion=criterion, scope=scope, bias=bias, exact=exact)
    return Call("POST", f"{API}/runs/{run_id}/curve", body(JobAnswer), json=wanted)


def evaluations(
    run_id: str,
    *,
    epoch: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[Page[EvaluationOut]]:
    """Cuts that were measured on the whole validation split, newest first."""
    params = given(epoch=epoch, limit=limit, cursor=cursor)
    path = f"{API}/runs/{run_id}/evaluations"
    return Call("GET", path, body(Page[EvaluationOut]), params=params)
