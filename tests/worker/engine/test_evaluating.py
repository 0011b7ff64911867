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
from recede_worker.engine.evaluation.cache import MAX_RUNS, Loaded
from recede_worker.engine.evaluation.evaluate import evaluate
from recede_worker.engine.evaluation.evaluate_job import run_evaluate
from recede_worker.engine.evaluation.trained_epoch import load_subject
from recede_worker.engine.inputs import parts
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.job.stop import Cancelled
from tests.worker.engine.place import (
    Place,
    parent,
    place,
)

__all__ = ["parent", "place"]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, and each of them tells: so that few images show what thousands would."""
    monkeypatch.setattr(parts, "FIRST", 16)
    monkeypatch.setattr(parts, "LARGEST", 16)
    monkeypatch.setattr(evaluate_job, "FIRST_S", 0.0)
    monkeypatch.setattr(evaluate_job, "REFINE_S", 0.0)


@pytest.fixture
def ask(place: Place, parent: JobContext) -> Callable[..., JobContext]:
    """Queue an evaluation of the trained run and claim it."""

    def queued(ratio: float, loaded: Loaded | None = None, **changes: Any) -> JobContext:
        payload = EvaluatePayload(plan=Plan(epoch=3, ratio=ratio))
        context = place.job(parent.lease.run_id, JobKind.EVALUATE, payload)
        return replace(context, loaded=loaded or Loaded(), **changes)

    return queued


def stored(context: JobContext, evaluation_id: int) -> Any:
    with context.store.read() as session:
        rows = evaluations.evaluations(session, context.lease.run_id, 3)
    return next(row for row in rows if row.id == evaluation_id)


def test_the_answer_is_that_of_the_whole_split_at_once(place, ask):
    context = ask(0.42)
    row = stored(context, run_evaluate(context).result["evaluation_id"])
    subject = load_subject(context, 3)
    cut = subject.cut(subject.select(Plan(epoch=3, ratio=0.42)))
    plain = evaluate(cut, subject.validation, subject.data.normalise)
    assert (row.correct, row.n) == (plain.correct, plain.n)
    assert row.loss == pytest.approx(plain.loss, rel=1e-5)
    place.done(context)


@pytest.mark.usefixtures("eager")
def test_estimates_come_first_and_their_intervals_narrow_down_to_the_answer(place, ask):
    told: list[dict[str, Any]] = []
    beats: list[int] = []
    context = ask(0.43, publish=told.append, beat_now=lambda: beats.append(len(told)))
    row = stored(context, run_evaluate(context).result["evaluation_id"])
    known = [progress["accuracy"] for progress in told if "accuracy" in progress]
    assert len(known) > 2
    assert len(beats) == len(known)  # nobody waits for the next second
    assert [one["n"] for one in known] == sorted({one["n"] for one in known})
    assert {one["kind"] for one in known} == {"estimated"}
    widths = [one["split_high"] - one["split_low"] for one in known]
    assert widths[-1] < widths[0]
    assert known[-1]["split_low"] <= row.correct / row.n <= known[-1]["split_high"]
    place.done(context)


def test_what_the_dense_network_says_is_asked_once_and_kept(place, ask, parent):
    loaded = Loaded()
    first = ask(0.44, loaded)
    run_evaluate(first)
    key = (parent.lease.run_id, 3, "validation")
    with place.store.read() as session:
        row = session.get(PredictionRow, key)
        metrics = history.epochs(session, parent.lease.run_id)[-1]
    assert row is not None
    assert (row.n, row.correct) == (metrics.n_val, metrics.val_correct)
    place.done(first)
    subject = load_subject(ask(0.45, loaded), 3)
    answers = subject.dense_answers()
    assert answers.model is None
    assert answers.predicted_N is not None
    right = answers.predicted_N == subject.validation.y_N.numpy()
    assert right.sum() == row.correct == answers.correct
    place.done(subject.context)


@pytest.mark.usefixtures("eager")
def test_a_superseded_measurement_stops_between_two_parts_and_keeps_nothing(place, ask):
    told: list[dict[str, Any]] = []
    context = ask(0.46, publish=told.append)
    replaced = replace(context, beat_now=context.cancelled.set)
    with pytest.raises(Cancelled):
        run_evaluate(replaced)
    assert sum("accuracy" in progress for progress in told) == 1
    context.cancelled.clear()
    subject = load_subject(context, 3)
    assert subject.measured(subject.select(Plan(epoch=3, ratio=0.46))) is None
    place.done(context)


def test_the_second_job_of_a_process_loads_nothing(place, ask):
    loaded = Loaded(slim=True)
    first = ask(0.47, loaded)
    run_evaluate(first)
    place.done(first)
    told: list[dict[str, Any]] = []
    second = ask(0.48, loaded, publish=told.append)
    run_evaluate(second)
    place.done(second)
    assert "loading" not in {progress["stage"] for progress in told}
    assert len(loaded.runs) == len(loaded.epochs) == 1


def test_weights_that_were_replaced_are_read_anew(place, ask, parent):
    loaded = Loaded()
    first = ask(0.0, loaded)
    before = load_subject(first, 3).loaded
    with place.store.write() as session:
        row = evaluations.trained(session, parent.lease.run_id, 3)
        sha256, row.sha256 = row.sha256, "0" * 64
    with pytest.raises(Exception, match="altered"):
        load_subject(first, 3)
    with place.store.write() as session:
        evaluations.trained(session, parent.lease.run_id, 3).sha256 = sha256
    assert load_subject(first, 3).loaded is before
    place.done(first)


def test_the_run_used_longest_ago_is_forgotten_with_its_epochs(place, ask, parent):
    loaded = Loaded()
    context = ask(0.0, loaded)
    subject = load_subject(context, 3)
    run = loaded.run(parent.lease.run_id)
    assert run is not None
    for number in range(MAX_RUNS):
        loaded.add_run(f"run{number}", run)
        loaded.add_epoch((f"run{number}", 1, "sha"), subject.loaded)
    assert list(loaded.runs) == [f"run{number}" for number in range(MAX_RUNS)]
    assert {key[0] for key in loaded.epochs} == set(loaded.runs)
    loaded.drop_all_but({"run1"})
    assert list(loaded.runs) == ["run1"]
    assert {key[0] for key in loaded.epochs} == {"run1"}
    place.done(context)


def test_an_evaluation_pins_its_weights_before_it_reads_them(place, parent):
    payload = EvaluatePayload(plan=Plan(ratio=0.1))  # no epoch: the best of now
    context = place.job(parent.lease.run_id, JobKind.EVALUATE, payload)
    epoch = load_subject(context, None).checkpoint.epoch
    with place.store.read() as session:
        assert jobs.get(session, context.lease.job_id).epoch == epoch
        assert epoch in jobs.pinned(session, parent.lease.run_id)
    place.done(context)


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
