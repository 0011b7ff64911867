"""The evaluate job: estimates on the way, the exact answer at its end, what stays in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recede.contract.spec.run import EvaluatePayload, Plan
from recede.contract.states import JobKind
from recede.store.experiments import history
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede.store.tables.cuts import PredictionRow
from recede_worker.engine.evaluation import evaluate_job
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.evaluation.cache import MAX_RUNS, Cache
from recede_worker.engine.evaluation.dense_predictions import known_predictions
from recede_worker.engine.inputs import parts
from recede_worker.engine.job.stop import Cancelled
from tests.worker.engine.claimed_job import ClaimedJob
from tests.worker.engine.in_process import (
    InProcessWorker,
    parent,
    worker,
)

__all__ = ["parent", "worker"]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, and each of them tells: so that few images show what thousands would."""
    monkeypatch.setattr(parts, "FIRST", 16)
    monkeypatch.setattr(parts, "LARGEST", 16)
    monkeypatch.setattr(evaluate_job, "FIRST_S", 0.0)
    monkeypatch.setattr(evaluate_job, "REFINE_S", 0.0)


@pytest.fixture
def ask(worker: InProcessWorker, parent: ClaimedJob) -> Callable[..., ClaimedJob]:
    """Queue an evaluation of the trained run and claim it."""

    def queued(ratio: float, cache: Cache | None = None, **changes: Any) -> ClaimedJob:
        payload = EvaluatePayload(plan=Plan(epoch=3, ratio=ratio))
        job = worker.enqueue(parent.run_id, JobKind.EVALUATE, payload)
        return replace(job, cache=cache or Cache(), **changes)

    return queued


def stored(job: ClaimedJob, evaluation_id: int) -> Any:
    with job.store.read() as session:
        rows = evaluations.evaluations(session, job.run_id, 3)
    return next(row for row in rows if row.id == evaluation_id)


def test_the_answer_is_that_of_the_whole_split_at_once(worker, ask):
    job = ask(0.42)
    row = stored(job, job.perform().result["evaluation_id"])
    trained = job.trained(3)
    cut = trained.cut(job.select(trained, Plan(epoch=3, ratio=0.42)))
    plain = evaluate(cut, trained.validation, trained.data.normalise)
    assert (row.correct, row.n) == (plain.correct, plain.n)
    assert row.loss == pytest.approx(plain.loss, rel=1e-5)
    worker.finish(job)


@pytest.mark.usefixtures("eager")
def test_estimates_come_first_and_their_intervals_narrow_down_to_the_answer(worker, ask):
    told: list[dict[str, Any]] = []
    beats: list[int] = []
    job = ask(0.43, publish=told.append, beat_now=lambda: beats.append(len(told)))
    row = stored(job, job.perform().result["evaluation_id"])
    known = [progress["accuracy"] for progress in told if "accuracy" in progress]
    assert len(known) > 2
    assert len(beats) == len(known)  # nobody waits for the next second
    assert [one["n"] for one in known] == sorted({one["n"] for one in known})
    assert {one["kind"] for one in known} == {"estimated"}
    widths = [one["split_high"] - one["split_low"] for one in known]
    assert widths[-1] < widths[0]
    assert known[-1]["split_low"] <= row.correct / row.n <= known[-1]["split_high"]
    worker.finish(job)


def test_what_the_dense_network_says_is_asked_once_and_kept(worker, ask, parent):
    cache = Cache()
    first = ask(0.44, cache)
    first.perform()
    key = (parent.run_id, 3, "validation")
    with worker.store.read() as session:
        row = session.get(PredictionRow, key)
        metrics = history.epochs(session, parent.run_id)[-1]
    assert row is not None
    assert (row.n, row.correct) == (metrics.n_val, metrics.val_correct)
    worker.finish(first)
    second = ask(0.45, cache)
    trained = second.trained(3)
    known = known_predictions(second.handle, trained)
    assert known.model is None
    assert known.predicted_N is not None
    right = known.predicted_N == trained.validation.y_N.numpy()
    assert right.sum() == row.correct == known.correct
    worker.finish(second)


@pytest.mark.usefixtures("eager")
def test_a_superseded_measurement_stops_between_two_parts_and_keeps_nothing(worker, ask):
    told: list[dict[str, Any]] = []
    job = ask(0.46, publish=told.append)
    replaced = replace(job, beat_now=job.cancelled.set)
    with pytest.raises(Cancelled):
        replaced.perform()
    assert sum("accuracy" in progress for progress in told) == 1
    job.cancelled.clear()
    trained = job.trained(3)
    selection = job.select(trained, Plan(epoch=3, ratio=0.46))
    with worker.store.read() as session:
        assert evaluations.evaluation(session, job.run_id, 3, selection.digest) is None
    worker.finish(job)


def test_the_second_job_of_a_process_loads_nothing(worker, ask):
    cache = Cache(slim=True)
    first = ask(0.47, cache)
    first.perform()
    worker.finish(first)
    told: list[dict[str, Any]] = []
    second = ask(0.48, cache, publish=told.append)
    second.perform()
    worker.finish(second)
    assert "loading" not in {progress["stage"] for progress in told}
    assert len(cache.runs) == len(cache.epochs) == 1


def test_weights_that_were_replaced_are_read_anew(worker, ask, parent):
    cache = Cache()
    first = ask(0.0, cache)
    before = first.trained(3).cached
    with worker.store.write() as session:
        row = evaluations.trained(session, parent.run_id, 3)
        sha256, row.sha256 = row.sha256, "0" * 64
    with pytest.raises(Exception, match="altered"):
        first.trained(3)
    with worker.store.write() as session:
        evaluations.trained(session, parent.run_id, 3).sha256 = sha256
    assert first.trained(3).cached is before
    worker.finish(first)


def test_the_run_used_longest_ago_is_forgotten_with_its_epochs(worker, ask, parent):
    cache = Cache()
    job = ask(0.0, cache)
    trained = job.trained(3)
    run = cache.run(parent.run_id)
    assert run is not None
    for number in range(MAX_RUNS):
        cache.add_run(f"run{number}", run)
        cache.add_epoch((f"run{number}", 1, "sha"), trained.cached)
    assert list(cache.runs) == [f"run{number}" for number in range(MAX_RUNS)]
    assert {key[0] for key in cache.epochs} == set(cache.runs)
    cache.drop_all_but({"run1"})
    assert list(cache.runs) == ["run1"]
    assert {key[0] for key in cache.epochs} == {"run1"}
    worker.finish(job)


def test_an_evaluation_pins_its_weights_before_it_reads_them(worker, parent):
    payload = EvaluatePayload(plan=Plan(ratio=0.1))  # no epoch: the best of now
    job = worker.enqueue(parent.run_id, JobKind.EVALUATE, payload)
    epoch = job.trained(None).checkpoint.epoch
    with worker.store.read() as session:
        assert jobs.get(session, job.lease.job_id).epoch == epoch
        assert epoch in jobs.pinned(session, parent.run_id)
    worker.finish(job)


def test_without_a_count_of_the_dense_network_the_share_itself_is_the_estimate():
    counted = parts.Counted()
    right = np.arange(100) % 4 != 0
    counted.add(right, np.ones(100, bool))
    known = counted.accuracy(1000, None)
    assert known.value == pytest.approx(0.75)
    assert known.split_low < 0.75 < known.split_high
    assert (known.n, known.n_split) == (100, 1000)
    same = counted.accuracy(100, None)
    assert (same.kind, same.value) == ("measured", 0.75)
