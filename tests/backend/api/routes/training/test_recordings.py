"""Trainings that run elsewhere: sent, sent again, shown, refused."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from recede.client import ApiError
from recede.contract.cut.selection import select
from recede.contract.network.cost import cost, dense_cost
from recede.contract.network.shape import NetworkShape, Op
from recede.contract.recorded.metric import Metric
from recede.contract.schemas import RecordedEpochBody, RecordingBody, RecordingStateBody
from recede.contract.spec.run import Plan
from recede.store.database.clock import db_now
from recede.store.tables.runs import RecordingRow
from tests.backend.store.samples import SHAPE, raw_scales

KEY = "0123456789abcdef" * 2
ACCURACY = Metric(name="accuracy", n=200)


def body(**changes) -> RecordingBody:
    fields = {
        "name": "Mine", "dataset": "birds", "architecture": "Small", "metric": ACCURACY,
        "network": SHAPE, "started_at": 1000.0,
    }  # fmt: skip
    return RecordingBody.model_validate(fields | changes)


def with_fixed(**counts: int) -> dict[str, Any]:
    """The network with one module that no cut changes."""
    fixed = Op(name="gate", kind="fixed", fan_in=0, fan_out=0, positions=0, **counts)
    return SHAPE.model_copy(update={"ops": (*SHAPE.ops, fixed)}).model_dump()


def epoch(number: int, **metrics: float) -> RecordedEpochBody:
    scales = b64encode(raw_scales(number).astype("<f4").tobytes())
    return RecordedEpochBody(at=1000.0 + number, metrics=metrics, seconds=2.0, scales=scales)


@pytest.fixture
def run_id(recede) -> str:
    """A run of three epochs, the second of which is the best."""
    made = recede.begin_recording(KEY, body())
    for number, accuracy in enumerate((0.1, 0.5, 0.9, 0.8)):
        recede.put_recorded_epoch(KEY, number, epoch(number, accuracy=accuracy, val_loss=1.0))
    return made.run_id


def test_a_recording_is_a_run_with_metrics_and_distribution(recede, run_id):
    run = recede.run(run_id)
    assert (run.state, run.name, run.epochs_done, run.best_epoch) == ("running", "Mine", 3, 2)
    assert (run.spec.method, run.spec.dataset) == ("recorded elsewhere", "birds")
    assert run.recording.metric == ACCURACY
    assert run.recording.best_value == 0.9
    assert (run.val_accuracy.value, run.val_accuracy.n) == (0.9, 200)
    assert run.started_at == 1000.0
    assert run.stalled_s is None
    rows = recede.epochs(run_id).items
    assert [row.metrics["accuracy"] for row in rows] == [0.1, 0.5, 0.9, 0.8]
    assert (rows[2].val_loss, rows[2].finished_at) == (1.0, 1002.0)
    assert recede.snapshots(run_id).epochs == [0, 1, 2, 3]
    np.testing.assert_array_equal(recede.snapshot(run_id, 3), raw_scales(3))
    assert recede.histograms(run_id, bins=8).counts.sum() == 4 * SHAPE.n_neurons
    assert len(recede.polarisation(run_id).items) == 4
    assert [one.id for one in recede.runs().items] == [run_id]


def test_a_plan_of_it_is_exact(recede, run_id):
    plan = Plan(ratio=0.5)
    shown = recede.preview(run_id, plan)
    chosen = select(SHAPE, raw_scales(2), plan)
    assert (shown.epoch, shown.digest) == (2, chosen.digest)
    assert shown.cost.model_dump() == vars(cost(SHAPE, chosen.kept))
    assert recede.curve(run_id).scope == "global"


def test_what_is_sent_again_changes_nothing(recede, run_id):
    before = recede.epochs(run_id), recede.run(run_id).best_epoch
    again = recede.begin_recording(KEY, body(name="Other"))
    assert (again.run_id, again.epochs, again.without_metrics) == (run_id, [0, 1, 2, 3], [])
    recede.put_recorded_epoch(KEY, 3, epoch(0, accuracy=1.0))
    assert (recede.epochs(run_id), recede.run(run_id).best_epoch) == before
    assert recede.run(run_id).name == "Mine"
    assert len(recede.runs().items) == 1


def test_metrics_of_the_network_before_training_may_come_later(recede):
    run_id = recede.begin_recording(KEY, body()).run_id
    recede.put_recorded_epoch(KEY, 0, epoch(0))
    assert recede.recording(KEY).without_metrics == [0]
    late = RecordedEpochBody(at=1.0, metrics={"accuracy": 0.25}, seconds=0.0)
    recede.put_recorded_epoch(KEY, 0, late)
    assert recede.epochs(run_id).items[0].metrics == {"accuracy": 0.25}
    assert recede.run(run_id).recording.best_value == 0.25
    np.testing.assert_array_equal(recede.snapshot(run_id, 0), raw_scales(0))


def test_a_metric_can_be_better_when_lower_and_needs_no_interval(recede):
    metric = Metric(name="loss", higher_is_better=False)
    run_id = recede.begin_recording(KEY, body(metric=metric)).run_id
    for number, loss in enumerate((9.0, 2.5, 3.0)):
        recede.put_recorded_epoch(KEY, number, epoch(number, loss=loss))
    run = recede.run(run_id)
    assert (run.best_epoch, run.recording.best_value) == (1, 2.5)
    assert run.val_accuracy is None


def test_without_a_metric_the_latest_epoch_counts_as_the_best(recede):
    run_id = recede.begin_recording(KEY, body(metric=None)).run_id
    for number in range(3):
        recede.put_recorded_epoch(KEY, number, epoch(number, anything=1.0))
        assert recede.run(run_id).best_epoch == number


def test_without_a_network_it_has_metrics_alone(recede):
    run_id = recede.begin_recording(KEY, body(network=None)).run_id
    recede.put_recorded_epoch(
        KEY, 1, RecordedEpochBody(at=1.0, metrics={"accuracy": 0.5}, seconds=1.0)
    )
    assert recede.snapshots(run_id).epochs == []
    assert recede.epochs(run_id).items[0].metrics == {"accuracy": 0.5}
    assert recede.run(run_id).epochs_done == 1


def test_its_state_is_what_is_sent(recede, run_id):
    recede.set_recording_state(KEY, RecordingStateBody(state="succeeded", ended_at=2000.0))
    assert recede.run(run_id).state == "succeeded"
    assert recede.run(run_id).finished_at == 2000.0
    recede.set_recording_state(KEY, RecordingStateBody(state="failed", error="It was killed."))
    run = recede.run(run_id)
    assert (run.state, run.error.message) == ("failed", "It was killed.")
    recede.set_recording_state(KEY, RecordingStateBody(state="running"))
    assert (recede.run(run_id).error, recede.run(run_id).finished_at) == (None, None)


def test_one_that_is_not_heard_of_any_more_stalls(recede, run_id, store):
    with store.write() as session:
        session.query(RecordingRow).update({"heard_at": db_now() - 60})
    assert recede.run(run_id).stalled_s == pytest.approx(60, abs=5)
    recede.set_recording_state(KEY, RecordingStateBody(state="running"))
    assert recede.run(run_id).stalled_s is None


def test_it_can_be_deleted_while_it_trains_and_is_then_not_known(recede, run_id):
    recede.delete_run(run_id)
    assert recede.runs().items == []
    with pytest.raises(ApiError) as refused:
        recede.put_recorded_epoch(KEY, 4, epoch(4))
    assert refused.value.status == 404


PLAN = Plan(epoch=2, ratio=0.5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda recede, run_id: recede.cancel_run(run_id),
        lambda recede, run_id: recede.resume_run(run_id),
        lambda recede, run_id: recede.evaluate(run_id, PLAN),
        lambda recede, run_id: recede.prune(run_id, PLAN),
        lambda recede, run_id: recede.measure_curve(run_id),
        lambda recede, run_id: recede.measure_latency(run_id, PLAN),
        lambda recede, run_id: recede.compute_scores(run_id, epoch=2, criterion="taylor"),
    ],
    ids=["cancel", "resume", "evaluate", "prune", "curve", "latency", "scores"],
)
def test_what_needs_its_process_or_weights_is_refused_in_words(recede, run_id, ask):
    with pytest.raises(ApiError, match="recorded elsewhere") as refused:
        ask(recede, run_id)
    assert refused.value.status == 409
    assert refused.value.hint


def test_what_needs_its_weights_is_not_offered_for_copying(recede, run_id):
    offered = recede.cut_snippets(run_id, PLAN, origin="http://127.0.0.1:8400")
    assert [one.action for one in offered.items] == ["preview", "save"]


def test_its_weights_are_none_to_start_from(recede, run_id):
    spec = {
        "dataset": "digits", "architecture": "tiny", "method": "rni", "init": {"run": run_id},
    }  # fmt: skip
    with pytest.raises(ApiError) as refused:
        recede.create_run(spec)
    assert refused.value.field == "init.run"


def test_what_no_cut_of_its_network_changes_is_counted_as_it_is(http):
    sent = body().model_dump(mode="json") | {"network": with_fixed(params=7, macs=11)}
    run_id = http.put(f"/api/v1/recordings/{KEY}", json=sent).json()["run_id"]
    shown = NetworkShape.model_validate(http.get(f"/api/v1/runs/{run_id}/network").json())
    assert dense_cost(shown).params == dense_cost(SHAPE).params + 7
    assert dense_cost(shown).macs == dense_cost(SHAPE).macs + 11


def test_nobody_trains_with_the_method_that_marks_it(recede):
    spec = {"dataset": "digits", "architecture": "tiny", "method": "recorded elsewhere"}
    with pytest.raises(ApiError, match="Unknown method"):
        recede.create_run(spec)


BEYOND = {"name": "a.weight", "dtype": "F32", "shape": [8], "links": [[1, 0, 1]]}
"""Cut along a dimension that it does not have."""


def broken(**changes):
    return SHAPE.model_dump(mode="json") | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format was 2; this service takes up to 1"),
        ({"name": ""}, "name"),
        ({"epochs": 0}, "epochs"),
        ({"metric": {"name": "x", "n": 0}}, "metric.n"),
        ({"network": SHAPE.model_copy(update={"groups": ()}).model_dump()}, "contradicts itself"),
        ({"network": with_fixed(macs=-1)}, "contradicts itself"),
        ({"network": broken(groups=[{"name": "a", "size": 8, "minimum": 0}])}, "contradicts"),
        ({"network": broken(tensors=[BEYOND])}, "contradicts itself"),
        ({"started_at": -1}, "started_at"),
        ({"more": 1}, "more"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused(http, changes, words):
    sent = body().model_dump(mode="json") | changes
    answer = http.put(f"/api/v1/recordings/{KEY}", json=sent)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
    assert http.get("/api/v1/runs").json()["items"] == []


@pytest.mark.parametrize(
    ("number", "changes", "words"),
    [
        (4, {"scales": b64encode(b"123").decode()}, "scales had 3 bytes; 80 are wanted"),
        (4, {"scales": None}, "scales had 0 bytes"),
        (4, {"scales": "!"}, "scales"),
        (4, {"metrics": {"x": "much"}}, "metrics.x"),
        (4, {"metrics": {"": 1}}, "metrics"),
        (4, {"seconds": -1}, "seconds"),
        (10_001, {}, "at most 10000"),
    ],
)
def test_an_epoch_that_cannot_be_used_is_refused(http, run_id, number, changes, words):
    sent = epoch(4, accuracy=0.5).model_dump(mode="json") | changes
    answer = http.put(f"/api/v1/recordings/{KEY}/epochs/{number}", json=sent)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["error"]["message"]
    assert len(http.get(f"/api/v1/runs/{run_id}/epochs").json()["items"]) == 4
