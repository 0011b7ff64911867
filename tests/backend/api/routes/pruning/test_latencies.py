"""Latency over the API: what is known, what is queued, what is refused."""

from __future__ import annotations

import pytest

from recede.client import ApiError
from recede.contract.spec.run import Plan
from recede.contract.states import JobKind, State
from recede.store.queue import jobs
from recede.store.results import latencies
from tests.backend.store.results.test_latencies import row

WHOLE = "0" * 64


@pytest.fixture
def digest(recede, finished) -> str:
    return recede.preview(finished.id, Plan(ratio=0.5)).digest


def keep(store, run_id, *rows):
    with store.write() as session:
        latencies.put(session, run_id, rows)


def test_a_cut_that_was_never_timed_queues_a_job_and_asking_again_gives_the_same(recede, finished):
    first = recede.measure_latency(finished.id, Plan(ratio=0.5))
    again = recede.measure_latency(finished.id, Plan(ratio=0.5))
    assert first.items == []
    assert first.job is not None
    assert (first.job.kind, first.job.state) == (JobKind.LATENCY, State.QUEUED)
    assert first.job.payload["plan"]["epoch"] == 3
    assert again.job is not None
    assert again.job.id == first.job.id


def test_what_is_known_comes_at_once_with_the_dense_network_first(recede, finished, store, digest):
    whole = recede.preview(finished.id, Plan(ratio=0.0)).digest
    keep(store, finished.id, row(digest), row(digest, batch=64))
    keep(store, finished.id, row(whole, ratio=0.0), row("f" * 64, ratio=0.1))
    answer = recede.measure_latency(finished.id, Plan(ratio=0.5))
    assert answer.job is None
    assert [(item.dense, item.batch) for item in answer.items] == [
        (True, 1),
        (False, 1),
        (False, 64),
    ]
    assert recede.measure_latency(finished.id, Plan(ratio=0.5), again=True).job is not None


def test_half_of_a_measurement_is_not_enough(recede, finished, store, digest):
    keep(store, finished.id, row(digest))
    assert recede.measure_latency(finished.id, Plan(ratio=0.5)).job is not None


def test_the_list_can_be_asked_for_one_cut(recede, finished, store, digest):
    keep(store, finished.id, row(digest), row("f" * 64, ratio=0.1, busy=True))
    assert len(recede.latencies(finished.id).items) == 2
    (one,) = recede.latencies(finished.id, digest=digest).items
    assert (one.median_ms, one.p95_ms, one.device, one.busy) == (2.0, 3.0, "a processor", False)


def test_a_newer_search_replaces_an_older_one(recede, finished, store):
    first = recede.fast_enough(finished.id, 4.0).job
    second = recede.fast_enough(finished.id, 3.0, batch=64).job
    assert second.payload["target_ms"] == 3.0
    assert second.payload["batch"] == 64
    with store.read() as session:
        assert jobs.get(session, first.id).state == State.CANCELLED


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target_ms": 0}, "target_ms"),
        ({"target_ms": -1.5}, "target_ms"),
        ({"target_ms": "4"}, "target_ms"),
        ({"batch": 0}, "batch"),
        ({"batch": 2.5}, "batch"),
        ({"speed": 1}, "speed"),
        ({"plan": {"ratio": 1.5}}, "plan.ratio"),
        ({"plan": {"epoch": 9, "ratio": 0.5}}, "plan.epoch"),
        ({"plan": {"ratio": 0.5, "locks": ["nothing"]}}, "plan.locks"),
    ],
)
def test_what_cannot_be_measured_is_refused_at_its_field(http, finished, body, field):
    answer = http.post(
        f"/api/v1/runs/{finished.id}/latency", json={"plan": {"ratio": 0.5}, **body}
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field
    assert not http.get("/api/v1/jobs?kind=latency").json()["items"]


def test_an_epoch_without_weights_is_refused_with_the_nearest_that_has_them(http, finished):
    answer = http.post(
        f"/api/v1/runs/{finished.id}/latency", json={"plan": {"epoch": 1, "ratio": 0.5}}
    )
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["nearest_epoch"] == 2


def test_a_run_that_does_not_exist_has_none(recede):
    with pytest.raises(ApiError) as error:
        recede.latencies("nothing")
    assert error.value.status == 404
