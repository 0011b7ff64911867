"""The latency job: dense and cut in turns, every figure stored, the search for a target."""

from __future__ import annotations

from typing import Any

import pytest

from recede.contract.spec.run import LatencyPayload, Plan
from recede.contract.states import JobKind
from recede.store.results import latencies
from recede_worker.core.device.latency import Latency
from recede_worker.engine.evaluation import latency_job
from recede_worker.process.machine import cpu_name
from tests.worker.engine.claimed_job import ClaimedJob
from tests.worker.engine.in_process import (
    InProcessWorker,
    parent,
    worker,
)

__all__ = ["parent", "worker"]


def run(worker: InProcessWorker, parent: ClaimedJob, **payload: Any) -> dict[str, Any]:
    asked = LatencyPayload(plan=Plan(epoch=3, ratio=0.5), **payload)
    job = worker.enqueue(parent.run_id, JobKind.LATENCY, asked)
    result = job.perform().result
    worker.finish(job)
    return result


@pytest.fixture
def by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device on which each million parameters takes a second: figures that are known."""

    def measured(models: Any, _shape: Any, batch: int, device: Any, **_: Any) -> list[Latency]:
        sizes = [sum(p.numel() for p in model.parameters()) / 1000 for model in models]
        return [Latency(ms, ms, 10, batch, str(device), 1) for ms in sizes]

    monkeypatch.setattr(latency_job, "measure_in_turns", measured)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_job, "LIMIT_S", 0.0)


@pytest.mark.usefixtures("quick")
def test_dense_and_cut_are_timed_at_both_batch_sizes_and_stored(worker, parent):
    items = run(worker, parent)["items"]
    assert [(item["batch"], item["dense"]) for item in items] == [
        (1, True),
        (1, False),
        (64, True),
        (64, False),
    ]
    assert {item["device"] for item in items} == {cpu_name()}
    for item in items:
        assert 0 < item["median_ms"] <= item["p95_ms"]
        assert item["n"] >= 10
        assert item["busy"] is False
        assert item["threads"] >= 1
    with worker.store.read() as session:
        rows = latencies.known(session, parent.run_id, [items[1]["digest"]])
    assert [(row.batch, row.median_ms) for row in rows] == [
        (item["batch"], item["median_ms"]) for item in items if not item["dense"]
    ]


@pytest.mark.usefixtures("by_size")
def test_the_search_finds_the_least_cut_that_is_fast_enough(worker, parent):
    dense = run(worker, parent)["items"][0]["median_ms"]
    found = run(worker, parent, target_ms=0.4 * dense)
    assert found["reached"]
    assert found["median_ms"] <= 0.4 * dense
    slower = [one for one in found["tried"] if one["ratio"] < found["ratio"]]
    assert all(one["median_ms"] > 0.4 * dense for one in slower)
    assert found["plan"]["ratio"] - max(one["ask"] for one in slower) <= 0.01
    with worker.store.read() as session:
        known = {row.digest for row in latencies.known(session, parent.run_id)}
    assert {one["digest"] for one in found["tried"]} <= known


@pytest.mark.usefixtures("by_size")
def test_a_target_that_nothing_meets_says_what_can_be_had(worker, parent):
    found = run(worker, parent, target_ms=1e-6, batch=64)
    assert found["reached"] is False
    assert found["median_ms"] == min(one["median_ms"] for one in found["tried"])
    assert found["batch"] == 64
    assert found["plan"]["ratio"] > 0.9


@pytest.mark.usefixtures("by_size")
def test_a_target_that_the_dense_network_meets_cuts_nothing(worker, parent):
    found = run(worker, parent, target_ms=1e6)
    assert found["reached"]
    assert found["plan"]["ratio"] == 0
    assert found["ratio"] == 0
