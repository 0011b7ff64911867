"""Jobs of several processes in the queue: they get all their devices at once, in their turn."""

from __future__ import annotations

from collections.abc import Sequence

from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database.engine import Store
from recede.store.queue import jobs, lease
from recede.store.queue.lease import Lease
from tests.backend.store.samples import SPEC, add_run

GPUS = ["cuda:0", "cuda:1", "cuda:2"]


def submit(store: Store, processes: int = 1, device: str = "auto") -> int:
    changes = {"processes": processes, "device": device, "batch_size": 12 * processes}
    return add_run(store, SPEC.model_copy(update=changes))[1]


def claim(store: Store, free: Sequence[str], capacity: int = len(GPUS)) -> Lease | None:
    accepts = ["auto", "cuda", free[0]]
    with store.read() as session:
        waiting = lease.is_waiting(
            session, [Lane.TRAINING], accepts, free=len(free), capacity=capacity
        )
    with store.write() as session:
        held = lease.claim(
            session,
            owner="w",
            lanes=[Lane.TRAINING],
            device=free[0],
            spare=free[1:],
            accepts=accepts,
            capacity=capacity,
        )
    assert waiting == (held is not None)  # the cheap look is right
    return held


def end(store: Store, held: Lease) -> None:
    with store.write() as session:
        lease.finish(session, held, State.SUCCEEDED)


def test_a_job_of_two_processes_gets_two_devices_and_the_queue_says_which(store: Store):
    job_id = submit(store, 2)
    held = claim(store, GPUS)
    assert held is not None
    assert held.devices == ("cuda:0", "cuda:1")
    with store.read() as session:
        assert jobs.get(session, job_id).device == "cuda:0,cuda:1"


def test_processes_that_share_the_cpu_are_one_device_in_the_queue(store: Store):
    job_id = submit(store, 3)
    held = claim(store, ["cpu"] * 4, capacity=4)
    assert held is not None
    assert held.devices == ("cpu",) * 3
    with store.read() as session:
        assert jobs.get(session, job_id).device == "cpu"


def test_a_job_waits_until_all_its_devices_are_free_and_younger_ones_wait_behind_it(store: Store):
    submit(store)
    large = submit(store, 3)
    small = submit(store)
    first = claim(store, GPUS)
    assert first is not None
    assert claim(store, GPUS[1:]) is None
    end(store, first)
    second = claim(store, GPUS)
    assert second is not None
    assert (second.job_id, second.devices) == (large, tuple(GPUS))
    end(store, second)
    third = claim(store, GPUS)
    assert third is not None
    assert third.job_id == small


def test_a_job_that_needs_more_than_a_worker_has_does_not_hold_up_its_queue(store: Store):
    large = submit(store, 4)
    small = submit(store)
    held = claim(store, GPUS)
    assert held is not None
    assert held.job_id == small
    elsewhere = claim(store, [*GPUS, "cuda:3"], capacity=4)
    assert elsewhere is not None
    assert elsewhere.job_id == large


def test_a_job_for_the_cpu_does_not_wait_for_gpus(store: Store):
    submit(store, 3, device="cuda")
    on_cpu = submit(store, device="cpu")
    with store.write() as session:
        held = lease.claim(
            session, owner="w", lanes=[Lane.TRAINING], device="cpu", accepts=["cpu"]
        )
    assert held is not None
    assert held.job_id == on_cpu


def test_a_lapsed_job_needs_its_devices_again(store: Store):
    job_id = submit(store, 2)
    with store.write() as session:
        lapsed = lease.claim(
            session, owner="w", lanes=[Lane.TRAINING], device="cuda:0", spare=["cuda:1"],
            capacity=2, lease_s=0,
        )  # fmt: skip
    assert lapsed is not None
    assert claim(store, GPUS[:1]) is None
    again = claim(store, GPUS[1:])
    assert again is not None
    assert (again.job_id, again.devices, again.attempt) == (job_id, ("cuda:1", "cuda:2"), 2)


def test_only_the_training_of_a_run_needs_several_devices(store: Store):
    changes = {"processes": 2, "batch_size": 12}
    run_id, _ = add_run(store, SPEC.model_copy(update=changes))
    with store.write() as session:
        curve = jobs.enqueue(session, run_id, JobKind.CURVE, {}).id
        held = lease.claim(session, owner="w", lanes=[Lane.INTERACTIVE], device="cpu")
    assert held is not None
    assert (held.job_id, held.devices) == (curve, ("cpu",))
