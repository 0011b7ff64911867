"""Requests of the API on accuracy over the epochs of a run, and on fine-tunings."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
)
from recede.contract.schemas import ComparisonOut, MapOut
from recede.contract.spec.run import Bias, Scope


def prunability(
    run_id: str,
    *,
    criterion: str | None = None,
    scope: Scope | None = None,
    bias: Bias | None = None,
) -> Call[MapOut]:
    """Accuracy of cuts over ratio and epoch, measured while the run trained."""
    params = given(criterion=criterion, scope=scope, bias=bias)
    return Call("GET", f"{API}/runs/{run_id}/map", body(MapOut), params=params)


def comparison(run_id: str) -> Call[ComparisonOut]:
    """A fine-tuned network beside the same cut before fine-tuning and its dense parent."""
    return Call("GET", f"{API}/runs/{run_id}/comparison", body(ComparisonOut))
