"""Cuts of a run that is trained elsewhere: asked for here, measured there."""

from __future__ import annotations

from base64 import b64encode

import pytest
from sqlalchemy import update

from recede.api.live.notifier import Notices
from recede.client import ApiError
from recede.contract.cut.selection import select
from recede.contract.network.cost import cost
from recede.contract.recorded.metric import Metric
from recede.contract.recorded.sent import CutAnswer
from recede.contract.schemas import RecordedCut, RecordedCutsBody, RecordedEpochBody, RecordingBody
from recede.contract.spec.run import Plan
from recede.contract.states import Lane, State
from recede.store.database.clock import db_now
from recede.store.experiments.serving import LAPSED_S, SERVED_FOR_S
from recede.store.queue import lease
from recede.store.tables.runs import JobRow, RecordingRow
from tests.backend.store.samples import SHAPE, add_run, raw_scales

KEY = "fedcba9876543210" * 2
FIRST = SHAPE.groups[0].name
PLAN = Plan(epoch=2, scope="local", ratio=0.5, locks=(FIRST,), round_to=2)
DIGEST = select(SHAPE, raw_scales(2), PLAN).digest


ACCURACY = Metric(name="accuracy", n=200)


@pytest.fixture
def metric() -> Metric:
    return ACCURACY


@pytest.fixture
def run_id(recede, metric) -> str:
    """A recorded run of two epochs."""
    body = RecordingBody(
        name="Mine", dataset="birds", architecture="Small", metric=metric, network=SHAPE,
        started_at=1000.0,
    )  # fmt: skip
    made = recede.begin_recording(KEY, body)
    for epoch in range(3):
        scales = b64encode(raw_scales(epoch).astype("<f4").tobytes())
        recorded = RecordedEpochBody(
            at=1000.0, metrics={metric.name: 0.5}, seconds=1, scales=scales
        )
        recede.put_recorded_epoch(KEY, epoch, recorded)
    return made.run_id


def silent_for(store, seconds: float) -> None:
    """As if the process that measures was last heard of so long ago."""
    with store.write() as session:
        session.execute(update(RecordingRow).values(serving_at=db_now() - seconds))


@pytest.mark.parametrize("metric", [ACCURACY, Metric(name="psnr", unit="dB")])
def test_what_is_asked_for_is_handed_out_measured_and_known(recede, run_id, metric):
    assert recede.serve_recording(KEY, [0, 2]).items == []
    assert recede.run(run_id).recording.serving == [0, 2]
    job = recede.evaluate(run_id, PLAN).job
    assert (job.state, job.lane) == (State.QUEUED, Lane.ELSEWHERE)
    assert recede.evaluate(run_id, PLAN).job.id == job.id
    for _ in range(2):  # it stays asked for until it is answered
        [asked] = recede.serve_recording(KEY, [0, 2]).items
        assert (asked.id, asked.plan, asked.digest) == (job.id, PLAN, DIGEST)
    recede.answer_request(KEY, job.id, CutAnswer(digest=DIGEST, value=0.75, seconds=2.0))
    assert recede.job(job.id).state is State.SUCCEEDED
    assert recede.serve_recording(KEY, [0, 2]).items == []
    found = recede.evaluate(run_id, PLAN).evaluation
    assert (found.digest, found.epoch, found.plan) == (DIGEST, 2, PLAN)
    assert (found.accuracy.value, found.accuracy.kind) == (0.75, "measured")
    assert found.cost.model_dump() == vars(cost(SHAPE, select(SHAPE, raw_scales(2), PLAN).kept))
    assert recede.preview(run_id, PLAN).accuracy == found.accuracy
    assert [one.id for one in recede.evaluations(run_id).items] == [found.id]
    assert (found.accuracy.n, found.loss) == (metric.n or 0, None)
    assert (found.accuracy.low < 0.75 < found.accuracy.high) == bool(metric.n)
    assert recede.curve(run_id).points == []


def test_where_nobody_measures_it_is_said_what_to_run(recede, store, run_id):
    for _ in range(2):
        assert recede.run(run_id).recording.serving is None
        with pytest.raises(ApiError, match="nobody measures its cuts now") as refused:
            recede.evaluate(run_id, PLAN)
        assert (refused.value.status, refused.value.code) == (409, "nobody_measures")
        assert "recede.serve(folder, model, evaluate, server=…)" in refused.value.hint
        recede.serve_recording(KEY, [2])
        silent_for(store, SERVED_FOR_S + 1)
    assert recede.jobs(run_id=run_id).items == []


def test_what_the_recorded_curve_has_needs_nobody(recede, run_id):
    plan = Plan(epoch=2, ratio=0.5)
    digest = select(SHAPE, raw_scales(2), plan).digest
    point = RecordedCut(ratio=0.5, digest=digest, value=0.65)
    recede.put_recorded_cuts(KEY, 2, RecordedCutsBody(cuts=[point]))
    for _ in range(2):
        found = recede.evaluate(run_id, plan).evaluation
        assert (found.digest, found.accuracy.value, found.accuracy.n) == (digest, 0.65, 200)
    assert [one.ask for one in recede.curve(run_id, epoch=2).points] == [0.5]
    assert len(recede.evaluations(run_id).items) == 1
    with pytest.raises(ApiError, match="nobody measures"):
        recede.evaluate(run_id, plan.model_copy(update={"epoch": 1}))


def test_an_epoch_without_weights_is_refused_with_the_nearest(recede, run_id):
    recede.serve_recording(KEY, [0, 2])
    with pytest.raises(ApiError, match="weights of epoch 1") as refused:
        recede.evaluate(run_id, PLAN.model_copy(update={"epoch": 1}))
    assert refused.value.details == {"nearest_epoch": 0, "kept_epochs": [0, 2]}


def test_only_importances_rank_what_is_measured_elsewhere(recede, run_id):
    recede.serve_recording(KEY, [2])
    with pytest.raises(ApiError, match="ranked by their importances alone"):
        recede.evaluate(run_id, Plan(epoch=2, ratio=0.5, criterion="taylor"))


def test_a_newer_choice_takes_the_place_of_one_that_waits(recede, run_id):
    recede.serve_recording(KEY, [2])
    first = recede.evaluate(run_id, PLAN).job
    second = recede.evaluate(run_id, Plan(epoch=2, ratio=0.25)).job
    assert recede.job(first.id).state is State.CANCELLED
    assert [one.id for one in recede.serve_recording(KEY, [2]).items] == [second.id]
    # It was under way already: what was measured is kept, and the request stays cancelled.
    recede.answer_request(KEY, first.id, CutAnswer(digest=DIGEST, value=0.5))
    assert recede.job(first.id).state is State.CANCELLED
    assert recede.evaluate(run_id, PLAN).evaluation.accuracy.value == 0.5


def test_no_worker_takes_it(recede, store, run_id):
    recede.serve_recording(KEY, [2])
    job = recede.evaluate(run_id, PLAN).job
    with store.write() as session:
        lanes = [Lane.TRAINING, Lane.INTERACTIVE]
        assert not lease.is_waiting(session)
        assert lease.claim(session, owner="w", lanes=lanes, device="cpu") is None
    assert recede.job(job.id).state is State.QUEUED
    assert recede.cancel_job(job.id).state is State.CANCELLED


def test_what_could_not_be_measured_says_why(recede, run_id):
    recede.serve_recording(KEY, [2])
    job = recede.evaluate(run_id, PLAN).job
    recede.answer_request(KEY, job.id, CutAnswer(digest=DIGEST, error="KeyError: 'x'."))
    failed = recede.job(job.id)
    assert (failed.state, failed.error.message) == (State.FAILED, "KeyError: 'x'.")
    assert recede.evaluate(run_id, PLAN).job.id != job.id  # it can be asked again


def test_an_answer_to_something_else_is_refused(recede, store, run_id):
    recede.serve_recording(KEY, [2])
    job = recede.evaluate(run_id, PLAN).job
    with pytest.raises(ApiError, match="Other channels were kept"):
        recede.answer_request(KEY, job.id, CutAnswer(digest="0" * 64, value=0.5))
    _, other = add_run(store)
    for id_ in (other, 10_000):
        with pytest.raises(ApiError) as refused:
            recede.answer_request(KEY, id_, CutAnswer(digest=DIGEST, value=0.5))
        assert refused.value.status == 404
    assert recede.job(job.id).state is State.QUEUED


def test_who_stops_leaves_no_request_waiting(recede, run_id):
    recede.serve_recording(KEY, [2])
    job = recede.evaluate(run_id, PLAN).job
    for _ in range(2):
        recede.stop_serving(KEY)
        assert recede.run(run_id).recording.serving is None
        failed = recede.job(job.id)
        assert (failed.state, failed.error.code) == (State.FAILED, "nobody_measures")
        assert "run.serve()" in failed.error.hint


def test_a_request_that_nobody_comes_to_measure_is_given_up(recede, store, settings, run_id):
    recede.serve_recording(KEY, [2])
    job = recede.evaluate(run_id, PLAN).job
    silent_for(store, LAPSED_S + 1)
    notices = Notices(store, settings)
    notices.step()
    assert recede.job(job.id).state is State.QUEUED  # asked just now: an outage may pass
    with store.write() as session:
        session.execute(update(JobRow).values(created_at=db_now() - LAPSED_S - 1))
    notices.step()
    assert recede.job(job.id).state is State.QUEUED  # the service itself was away until now
    notices.since -= LAPSED_S + 1
    notices.step()
    assert recede.job(job.id).error.code == "nobody_measures"
