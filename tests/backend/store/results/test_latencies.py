"""Latencies: the newest of each condition, unless it was measured on a busy device."""

from __future__ import annotations

import pytest

from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database import clock
from recede.store.database.engine import Store
from recede.store.queue import jobs, lease
from recede.store.results import latencies
from tests.backend.store.samples import add_run


def row(digest: str = "d", **changes):
    base = {
        "digest": digest,
        "ratio": 0.5,
        "device": "a processor",
        "threads": 2,
        "batch": 1,
        "median_ms": 2.0,
        "p95_ms": 3.0,
        "n": 50,
        "busy": False,
    }
    return {**base, **changes}


def test_each_condition_is_kept_once_and_the_newest_counts(store: Store):
    run_id, _ = add_run(store)
    with store.write() as session:
        latencies.put(session, run_id, [row(), row(batch=64), row("whole", ratio=0.0)])
        latencies.put(session, run_id, [row(median_ms=1.5)])
        found = latencies.known(session, run_id)
        only = latencies.known(session, run_id, ["d"])
    assert [(r.digest, r.batch) for r in found] == [("whole", 1), ("d", 1), ("d", 64)]
    assert [(r.batch, r.median_ms) for r in only] == [(1, 1.5), (64, 2.0)]


@pytest.mark.parametrize(("first", "second", "kept"), [(False, True, 2.0), (True, False, 9.0)])
def test_a_busy_device_does_not_spoil_what_was_measured_alone(store, first, second, kept):
    run_id, _ = add_run(store)
    with store.write() as session:
        latencies.put(session, run_id, [row(busy=first)])
        latencies.put(session, run_id, [row(busy=second, median_ms=9.0)])
        (found,) = latencies.known(session, run_id)
    assert found.median_ms == kept


def started(store: Store, run_id: str, kind: JobKind, owner: str, device: str) -> lease.Lease:
    with store.write() as session:
        if kind is not JobKind.TRAIN:
            jobs.enqueue(session, run_id, kind, {})
        held = lease.claim(session, owner=owner, lanes=list(Lane), device=device, kinds=[kind])
    assert held is not None
    return held


def test_only_other_jobs_on_this_device_of_this_machine_make_it_busy(store):
    run_id, _ = add_run(store)
    ours = started(store, run_id, JobKind.LATENCY, "here|1|2|3", "cpu")

    def busy() -> bool:
        with store.read() as session:
            return latencies.others_ran(session, ours.job_id, clock.now(session))

    assert not busy()
    started(store, run_id, JobKind.CURVE, "elsewhere|1|2|3", "cpu")
    started(store, run_id, JobKind.PRUNE, "here|1|2|3", "cuda:0")
    assert not busy()
    training = started(store, run_id, JobKind.TRAIN, "here|1|2|3", "cpu")
    with store.read() as session:
        since = clock.now(session)
    assert busy()
    with store.write() as session:
        lease.finish(session, training, State.SUCCEEDED, result={})
    assert not busy()
    with store.read() as session:  # it ran for a part of the time
        assert latencies.others_ran(session, ours.job_id, since)
