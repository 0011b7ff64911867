"""The curve job: honest points, the exact mode's lossless ratio, nothing measured twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy import delete, select

from recede.contract.measuring.accuracy import around_the_knee
from recede.contract.measuring.sampling import TOLERANCE
from recede.contract.spec.run import CurvePayload, Plan
from recede.contract.states import JobKind
from recede.store.events import log
from recede.store.experiments import runs
from recede.store.results import curves
from recede.store.tables.cuts import CurvePointRow, PredictionRow
from recede.store.tables.runs import EvaluationRow
from recede_worker.engine.evaluation.predictions import Predictions
from recede_worker.engine.job.stop import Cancelled
from tests.worker.engine.claimed_job import SMALL, ClaimedJob
from tests.worker.engine.in_process import InProcessWorker, worker

__all__ = ["worker"]

RATIOS = tuple(step / 50 for step in range(50))
EXACT = CurvePayload(ratios=RATIOS, exact=True)
FAST = CurvePayload(ratios=RATIOS)
MANY_TO_VALIDATE = SMALL.model_copy(update={"val_fraction": 0.6, "batch_size": 64, "epochs": 20})
"""So many that it pays to look at a part, of a network that is trained so well that some cuts
change little: else every point is measured wholly."""


@pytest.fixture(scope="module")
def run(worker: InProcessWorker) -> ClaimedJob:
    return worker.train(MANY_TO_VALIDATE)


def forget(worker: InProcessWorker) -> None:
    with worker.store.write() as session:
        for table in (CurvePointRow, EvaluationRow):
            session.execute(delete(table))


def measure(worker: InProcessWorker, run: ClaimedJob, payload: CurvePayload) -> dict[str, Any]:
    job = worker.enqueue(run.run_id, JobKind.CURVE, payload)
    result = job.perform().result
    worker.finish(job)
    return result


def points(worker: InProcessWorker) -> list[CurvePointRow]:
    with worker.store.read() as session:
        return list(session.scalars(select(CurvePointRow).order_by(CurvePointRow.ask)))


Measured = tuple[dict[str, Any], list[CurvePointRow]]


@pytest.fixture(scope="module")
def exact(worker: InProcessWorker, run: ClaimedJob) -> Measured:
    forget(worker)
    return measure(worker, run, EXACT), points(worker)


@pytest.fixture(scope="module")
def fast(worker: InProcessWorker, run: ClaimedJob, exact: Measured) -> Measured:
    forget(worker)
    return measure(worker, run, FAST), points(worker)


def test_exact_mode_measures_every_point_on_the_whole_split(exact):
    result, rows = exact
    assert [row.ask for row in rows] == list(RATIOS)
    assert {row.kind for row in rows} == {"measured"}
    assert all(row.n == row.n_split and row.split_low == row.value for row in rows)
    assert result["points"] == len({row.digest for row in rows})


def test_a_measured_point_is_what_the_cut_network_says_of_all_images(worker, run, exact):
    job = worker.enqueue(run.run_id, JobKind.CURVE, EXACT)
    trained = job.trained(None)
    batches = list(trained.validation.evaluation_batches(trained.data.normalise))
    for row in exact[1][::6]:
        cut = trained.surgeon.cut(job.select(trained, Plan(ratio=row.ask)).mask)
        with torch.no_grad():
            right = sum(int((cut(x_BCHW).argmax(1) == y_B).sum()) for x_BCHW, y_B in batches)
        assert row.value == right / len(trained.validation)
    worker.finish(job)


def test_fast_points_hold_the_exact_ones_and_fewer_images_were_run(exact, fast):
    pairs = list(zip(exact[1], fast[1], strict=True))
    assert all(whole.digest == part.digest for whole, part in pairs)
    inside = [part.split_low <= whole.value <= part.split_high for whole, part in pairs]
    assert np.mean(inside) >= 0.9
    estimated = [part for _, part in pairs if part.kind == "estimated"]
    assert estimated
    assert all(row.n < row.n_split and row.low <= row.split_low for row in estimated)
    assert all((row.split_high - row.split_low) / 2 <= TOLERANCE + 1e-12 for row in estimated)


def test_the_lossless_ratio_is_that_of_the_exact_mode(worker, run, exact, fast):
    assert fast[0]["lossless_ratio"] == exact[0]["lossless_ratio"]
    with worker.store.read() as session:
        assert runs.get(session, run.run_id).lossless_ratio == fast[0]["lossless_ratio"]


def test_the_points_beside_the_knee_are_measured_on_the_whole_split(fast):
    known = curves.known(fast[1])
    assert {point.accuracy.kind for point in around_the_knee(known)} == {"measured"}


def test_what_the_uncut_network_says_is_kept(worker, run, fast):
    with worker.store.read() as session:
        (row,) = session.scalars(select(PredictionRow).filter_by(run_id=run.run_id))
    dense = fast[1][0]
    assert (dense.ask, dense.kind) == (0.0, "measured")
    assert row.correct == round(dense.value * row.n)
    assert len(row.predicted) == 2 * row.n


def test_a_second_job_measures_only_what_is_not_measured_wholly(worker, run, fast):
    # Of the uncut network the predictions are kept, which say as much.
    wholly = {row.digest for row in fast[1] if row.kind == "measured" and row.ratio > 0}
    with worker.store.read() as session:
        before = {row.id for row in session.scalars(select(EvaluationRow))}
    measure(worker, run, EXACT)
    with worker.store.read() as session:
        rows = list(session.scalars(select(EvaluationRow)))
    assert {row.digest for row in rows if row.id in before} == wholly
    assert {row.kind for row in points(worker)} == {"measured"}


def test_a_stopped_job_keeps_its_points_and_goes_on_from_them(worker, run, fast, monkeypatch):
    forget(worker)
    monkeypatch.setattr("recede_worker.engine.evaluation.curve_job.SAVE_S", 0.0)
    job = worker.enqueue(run.run_id, JobKind.CURVE, FAST)

    told: list[int] = []

    def stop_at_eight(progress: dict[str, Any]) -> None:
        told.append(progress["done"])
        if progress["done"] >= 8:
            job.cancelled.set()

    job.publish = stop_at_eight
    with pytest.raises(Cancelled):
        job.perform()
    kept = {row.ask for row in points(worker)}
    assert len(kept) == told[-1] < len(RATIOS)
    job.cancelled.clear()
    job.publish = lambda _progress: None
    made: list[Predictions] = []
    monkeypatch.setattr(
        "recede_worker.engine.evaluation.curve_job.Predictions",
        lambda *given: kept_in(made, Predictions(*given)),
    )
    job.perform()
    worker.finish(job)
    rows = points(worker)
    assert [row.ask for row in rows] == list(RATIOS)
    asked = {RATIOS[cut] for cut in made[0].cuts}
    knee = {point.ratio for point in around_the_knee(curves.known(rows))}
    again = {row.ask for row in rows if row.ask in asked & kept and row.ratio not in knee}
    assert again <= {RATIOS[-1]}  # one end of the bracket of all others


def kept_in(made: list[Predictions], predictions: Predictions) -> Predictions:
    made.append(predictions)
    return predictions


def test_each_part_of_the_curve_is_told_to_who_listens(worker, run, fast):
    with worker.store.read() as session:
        told = [one for one in log.after(session, 0, limit=10_000) if one.type == "curve"]
    assert told
    assert {one.run_id for one in told} == {run.run_id}
    assert told[-1].data["criterion"] == "importance"


def test_another_criterion_has_a_curve_of_its_own_and_leaves_the_lossless_ratio(worker, run, fast):
    measure(worker, run, CurvePayload(ratios=(0.0, 0.3, 0.6), criterion="random"))
    with worker.store.read() as session:
        rows = list(session.scalars(select(CurvePointRow).filter_by(criterion="random")))
        lossless = runs.get(session, run.run_id).lossless_ratio
    assert [row.ask for row in sorted(rows, key=lambda row: row.ask)] == [0.0, 0.3, 0.6]
    assert lossless == fast[0]["lossless_ratio"]
