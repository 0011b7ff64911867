"""Requests on what is measured of many cuts: curves, maps, scores, fine-tunings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    read_float32,
)
from recede.contract.schemas import (
    ComparisonOut,
    CurveOut,
    EvaluationOut,
    JobAnswer,
    MapOut,
    Page,
    ScoreAnswer,
)
from recede.contract.spec.run import IMPORTANCE, Bias, Scope


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


def scores(run_id: str, epoch: int, criterion: str = IMPORTANCE) -> Call[npt.NDArray[np.float32]]:
    """The score of every prunable neuron by a criterion, in network order."""
    path = f"{API}/runs/{run_id}/scores/{epoch}"
    return Call("GET", path, read_float32, params={"criterion": criterion})


def compute_scores(run_id: str, criterion: str, *, epoch: int | None = None) -> Call[ScoreAnswer]:
    """Queue the scoring of an epoch (None: the best) by a criterion; no job if it is known."""
    wanted = given(criterion=criterion, epoch=epoch)
    return Call("POST", f"{API}/runs/{run_id}/scores", body(ScoreAnswer), json=wanted)


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
