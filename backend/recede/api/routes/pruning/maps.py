"""Accuracy over ratio and epoch while a run trained, and fine-tunings beside their parents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from recede.api.answers.pruning.comparison import comparison
from recede.api.answers.pruning.maps import map_out
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.api.rules import cuts
from recede.contract.schemas import (
    ComparisonOut,
    MapOut,
)
from recede.contract.spec.run import (
    IMPORTANCE,
    Bias,
    Scope,
    Text,
)
from recede.store.experiments import runs

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])


@router.get("/map", responses=documented(404))
def get_map(
    services: Ctx,
    run_id: RunId,
    criterion: Annotated[
        Text, Query(min_length=1, max_length=60, description="What neurons were ranked by")
    ] = IMPORTANCE,
    scope: Annotated[Scope | None, Query(description="Default: that of the run's method")] = None,
    bias: Annotated[Bias, Query(description="What became of removed biases")] = "drop",
) -> MapOut:
    """Accuracy of really cut networks over ratio and epoch, measured while the run trained.

    Which epochs and how many images follows from the run's `map_budget`. POST
    /runs/{run_id}/curve measures the whole curve of any of the `kept_epochs`.
    """
    with services.store.read() as session:
        run = runs.get(session, run_id)
        scope = scope or cuts.default_scope(session, run)
        return map_out(session, run_id, criterion=criterion, scope=scope, bias=bias)


@router.get("/comparison", responses=documented(404, 409))
def get_comparison(services: Ctx, run_id: RunId) -> ComparisonOut:
    """A fine-tuned network beside the same cut before fine-tuning and the dense parent."""
    with services.store.read() as session:
        return comparison(session, runs.get(session, run_id))
