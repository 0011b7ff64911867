"""Accuracy over ratio and epoch while a run trained, and fine-tunings beside their parents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from recede.api.answers import comparing
from recede.api.answers import runs as views
from recede.api.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.schemas import (
    AccuracyOut,
    ComparisonOut,
    CostOut,
    CurvePoint,
    MapOut,
)
from recede.contract.spec.run import (
    IMPORTANCE,
    Bias,
    Scope,
    Text,
)
from recede.store.networks import history, runs
from recede.store.queue import workers
from recede.store.results import maps
from recede.store.tables.cuts import CurvePointRow
from recede.store.tables.runs import EvaluationRow, RunRow

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])

NUMBERS = ("kind", "value", "low", "high", "n", "n_split", "split_low", "split_high")
PLACE = ("epoch", "criterion", "scope", "bias", "ask", "ratio", "digest")


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
        place = {"criterion": criterion, "scope": scope or _scope(session, run), "bias": bias}
        points = _points(session, run_id, place)
        return MapOut(
            ratios=list(maps.RATIOS),
            epochs=sorted({point.epoch for point in points}),
            points=points,
            kept_epochs=maps.kept_epochs(session, run_id),
            dense=_dense(session, run_id),
        )


@router.get("/comparison", responses=documented(404, 409))
def get_comparison(services: Ctx, run_id: RunId) -> ComparisonOut:
    """A fine-tuned network beside the same cut before fine-tuning and the dense parent."""
    with services.store.read() as session:
        return comparing.comparison(session, runs.get(session, run_id))


def _points(session: Session, run_id: str, place: dict[str, str]) -> list[CurvePoint]:
    measured = maps.measured(session, run_id)
    rows = [row for row in maps.points(session, run_id, place) if row.ask in maps.RATIOS]
    return [_point(row, measured.get((row.epoch, row.digest))) for row in rows]


def _point(row: CurvePointRow, better: EvaluationRow | None) -> CurvePoint:
    """One point; with the accuracy on the whole split if exactly that cut was evaluated."""
    accuracy = AccuracyOut.model_validate({name: getattr(row, name) for name in NUMBERS})
    if better is not None and better.n > row.n:
        accuracy = views.evaluation(better).accuracy
    return CurvePoint(
        **{name: getattr(row, name) for name in PLACE},
        accuracy=accuracy,
        cost=CostOut(params=row.params, macs=row.macs),
    )


def _dense(session: Session, run_id: str) -> dict[int, AccuracyOut]:
    rows = history.epochs(session, run_id)
    return {row.epoch: views.counted(row.val_correct, row.n_val) for row in rows}


def _scope(session: Session, run: RunRow) -> Scope:
    return workers.catalog(session).method(str(run.spec["method"])).scope
