"""The queue: order, leases, fencing, takeover, cancelling, giving up."""

from __future__ import annotations

import pytest

from recede.contract.errors import Conflict
from recede.contract.spec.run import RunSpec
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database.engine import Store
from recede.store.experiments import runs
from recede.store.queue import jobs, lease
from recede.store.queue.lease import Lease, LeaseLost
from tests.backend.store.samples import SPEC, add_run

ALL = [Lane.TRAINING, Lane.INTERACTIVE]


def claim(store: Store, owner: str = "w1", lanes: list[Lane] = ALL, **more) -> Lease | None:
    with store.read() as session:
        waiting = lease.is_waiting(session)
    with store.write() as session:
        held = lease.claim(session, owner=owner, lanes=lanes, device="cpu", **more)
    assert waiting or held is None  # the cheap look never hides work
    return held


def state_of(store: Store, job_id: int) -> str:
    with store.read() as session:
        return jobs.get(session, job_id).state


def enqueue(store: Store, run_id: str, kind: JobKind) -> int:
    with store.write() as session:
        return jobs.enqueue(session, run_id, kind, {}).id


def test_jobs_of_a_kind_start_in_the_order_in_which_they_came(store: Store):
    made = [add_run(store)[1] for _ in range(3)]
    taken = [claim(store) for _ in range(4)]
    assert [held and held.job_id for held in taken] == [*made, None]


def test_an_evaluation_goes_before_a_prune_and_a_curve(store: Store):
    run_id, _ = add_run(store)
    kinds = [JobKind.CURVE, JobKind.PRUNE, JobKind.EVALUATE]
    ids = {kind: enqueue(store, run_id, kind) for kind in kinds}
    with store.read() as session:
        positions = jobs.queue_positions(session)
    order = [claim(store, lanes=[Lane.INTERACTIVE]) for _ in kinds]
    assert [held.kind for held in order if held] == kinds[::-1]
    assert [positions[ids[kind]] for kind in kinds] == [2, 1, 0]


def test_lanes_do_not_wait_for_each_other(store: Store):
    run_id, train = add_run(store)
    curve = enqueue(store, run_id, JobKind.CURVE)
    with store.read() as session:
        assert jobs.queue_positions(session) == {train: 0, curve: 0}
        assert jobs.lane_depth(session, Lane.TRAINING) == 1
    held = claim(store, lanes=[Lane.INTERACTIVE])
    assert held is not None
    assert held.job_id == curve


def test_a_worker_takes_only_jobs_for_its_devices(store: Store):
    spec = RunSpec.model_validate({**SPEC.model_dump(), "device": "cuda:1"})
    _, on_gpu = add_run(store, spec)
    assert claim(store, accepts=["auto", "cpu"]) is None
    held = claim(store, accepts=["auto", "cuda:1"])
    assert held is not None
    assert held.job_id == on_gpu


def test_a_claimed_job_runs_and_its_run_follows(store: Store):
    run_id, job_id = add_run(store)
    held = claim(store)
    assert held is not None
    assert held.attempt == 1
    with store.read() as session:
        run, job = runs.get(session, run_id), jobs.get(session, job_id)
    assert (run.state, job.state, job.owner, job.device) == ("running", "running", "w1", "cpu")
    assert run.started_at is not None
    assert job.heartbeat_at is not None
    assert claim(store) is None


def test_a_lapsed_job_is_taken_over_and_the_first_owner_can_write_nothing(store: Store):
    add_run(store)
    first = claim(store, lease_s=0)
    second = claim(store, owner="w2")
    assert first is not None
    assert second is not None
    assert (second.job_id, second.attempt) == (first.job_id, 2)
    with store.write() as session:
        assert lease.beat(session, first) == "lost"
        assert lease.beat(session, second) == "ok"
    with pytest.raises(LeaseLost), store.write() as session:
        lease.finish(session, first, State.SUCCEEDED)
    assert state_of(store, first.job_id) == "running"


def test_a_job_that_kills_its_process_each_time_is_given_up_with_the_reason(store: Store):
    run_id, job_id = add_run(store)
    for _ in range(lease.MAX_ATTEMPTS):
        assert claim(store, lease_s=0) is not None
    assert claim(store) is None
    with store.write() as session:
        lease.sweep(session)
    with store.read() as session:
        run, job = runs.get(session, run_id), jobs.get(session, job_id)
    assert (job.state, run.state) == ("failed", "failed")
    assert job.error is not None
    assert "3 times" in job.error["message"]
    assert run.error == job.error


def test_sweep_leaves_jobs_alone_that_may_still_start(store: Store):
    _, job_id = add_run(store)
    claim(store, lease_s=0)
    with store.write() as session:
        lease.sweep(session)
    assert state_of(store, job_id) == "running"


def test_a_queued_job_is_cancelled_at_once(store: Store):
    run_id, job_id = add_run(store)
    with store.write() as session:
        jobs.request_cancel(session, job_id)
    assert state_of(store, job_id) == "cancelled"
    with store.read() as session:
        assert runs.get(session, run_id).state == "cancelled"
    assert claim(store) is None


def test_a_running_job_is_asked_to_stop_and_learns_it_with_its_next_beat(store: Store):
    _, job_id = add_run(store)
    held = claim(store)
    assert held is not None
    with store.write() as session:
        assert lease.beat(session, held) == "ok"
        jobs.request_cancel(session, job_id)
    with store.write() as session:
        assert lease.beat(session, held) == "cancel"
        lease.finish(session, held, State.CANCELLED)
    assert state_of(store, job_id) == "cancelled"


def test_a_job_that_was_deleted_is_gone_and_not_lost_to_another_process(store: Store):
    run_id, _ = add_run(store)
    held = claim(store)
    assert held is not None
    with store.write() as session:
        session.delete(jobs.get(session, held.job_id))
        session.flush()
        runs.remove(session, run_id)
    with store.write() as session:
        assert lease.beat(session, held, {"stage": "training"}) == "gone"
        with pytest.raises(LeaseLost):
            lease.finish(session, held, State.CANCELLED)


def test_a_lapsed_job_that_was_cancelled_is_ended_and_not_taken_over(store: Store):
    run_id, job_id = add_run(store)
    claim(store, lease_s=0)
    with store.write() as session:
        jobs.request_cancel(session, job_id)
    assert claim(store, owner="w2") is None
    with store.write() as session:
        lease.sweep(session)
    assert state_of(store, job_id) == "cancelled"
    with store.read() as session:
        assert runs.get(session, run_id).state == "cancelled"


def test_a_finished_job_cannot_be_cancelled(store: Store):
    _, job_id = add_run(store)
    held = claim(store)
    assert held is not None
    with store.write() as session:
        lease.finish(session, held, State.SUCCEEDED, result={"epochs": 1})
    with pytest.raises(Conflict, match="already succeeded"), store.write() as session:
        jobs.request_cancel(session, job_id)


def test_a_job_handed_back_waits_again_without_losing_an_attempt(store: Store):
    add_run(store)
    held = claim(store)
    assert held is not None
    with store.write() as session:
        lease.hand_back(session, held)
    again = claim(store)
    assert again is not None
    assert again.attempt == 1
    with store.write() as session:
        lease.hand_back(session, again, died=True)
    third = claim(store)
    assert third is not None
    assert third.attempt == 2


def test_the_jobs_of_a_dead_owner_are_taken_over_at_once(store: Store):
    add_run(store)
    first = claim(store, owner="dead")
    with store.write() as session:
        assert lease.owners(session) == ["dead"]
        lease.expire_owners(session, ["dead"])
    second = claim(store, owner="alive")
    assert first is not None
    assert second is not None
    assert second.job_id == first.job_id


def test_a_newer_evaluation_supersedes_unfinished_ones_of_its_run_only(store: Store):
    mine, _ = add_run(store)
    other, _ = add_run(store)
    old = enqueue(store, mine, JobKind.EVALUATE)
    foreign = enqueue(store, other, JobKind.EVALUATE)
    curve = enqueue(store, mine, JobKind.CURVE)
    with store.write() as session:
        jobs.supersede(session, mine, JobKind.EVALUATE)
    assert [state_of(store, job) for job in (old, foreign, curve)] == [
        "cancelled",
        "queued",
        "queued",
    ]


def test_only_a_train_job_changes_its_run(store: Store):
    run_id, _ = add_run(store)
    enqueue(store, run_id, JobKind.CURVE)
    held = claim(store, lanes=[Lane.INTERACTIVE])
    assert held is not None
    with store.write() as session:
        lease.finish(session, held, State.FAILED, error={"code": "x", "message": "y"})
    with store.read() as session:
        assert runs.get(session, run_id).state == "queued"
        assert [job.id for job in jobs.page(session, kind=JobKind.CURVE)] == [held.job_id]


def test_progress_is_kept_with_the_job_and_announced(store: Store):
    _, job_id = add_run(store)
    held = claim(store)
    assert held is not None
    with store.write() as session:
        lease.beat(session, held, {"stage": "training", "done": 3, "total": 9})
    with store.read() as session:
        job = jobs.get(session, job_id)
    assert job.progress == {"stage": "training", "done": 3, "total": 9}


def test_nothing_waits_in_an_empty_queue_nor_while_a_lease_holds(store: Store):
    with store.read() as session:
        assert not lease.is_waiting(session)
    add_run(store)
    assert claim(store) is not None
    with store.read() as session:
        assert not lease.is_waiting(session)


def test_handing_back_after_a_finished_epoch_leaves_no_negative_count(store: Store):
    _, job_id = add_run(store)
    held = claim(store)
    assert held is not None
    with store.write() as session:
        lease.fence(session, held, attempts=0)  # as after each epoch
        lease.hand_back(session, held)
    with store.read() as session:
        assert jobs.get(session, job_id).attempts == 0


def test_a_claim_may_be_for_some_kinds_only_and_says_who_gets_the_job(store: Store):
    run_id, _ = add_run(store)
    evaluate = enqueue(store, run_id, JobKind.EVALUATE)
    curve = enqueue(store, run_id, JobKind.CURVE)
    lanes = [Lane.INTERACTIVE]
    with store.read() as session:
        assert not lease.is_waiting(session, lanes, kinds=[JobKind.PRUNE])
        assert lease.is_waiting(session, lanes, kinds=[JobKind.CURVE])
    assert claim(store, lanes=lanes, kinds=[JobKind.PRUNE]) is None
    held = claim(store, lanes=lanes, kinds=[JobKind.CURVE, JobKind.PRUNE], child_pid=77)
    assert held is not None
    assert held.job_id == curve
    with store.read() as session:
        assert jobs.get(session, curve).child_pid == 77
        assert jobs.get(session, evaluate).state == State.QUEUED
