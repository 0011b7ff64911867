"""Trainings that several processes share: equal to one process, and ended as one."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from recede.contract.spec.run import (
    Distill,
    Init,
    Plan,
    RunSpec,
)
from recede.contract.states import State
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import history, runs
from recede.store.queue import lease as leases
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.training.distributed.watchdog import RankDied, RankFailed
from recede_worker.engine.training.epoch.step import TrainingDiverged
from recede_worker.engine.training.trainer_state import TrainerState, load_state
from tests.worker.engine.claimed_job import SMALL, ClaimedJob, claimed

TWO = SMALL.model_copy(update={"processes": 2, "precision": "fp32", "epochs": 2})
THREE_STEPS = {"epochs": 1, "batch_size": 500}


@pytest.fixture
def queued(settings: WorkerSettings, store: Store) -> Callable[[RunSpec], ClaimedJob]:
    """Queue a run and claim its train job."""

    def start(spec: RunSpec) -> ClaimedJob:
        with store.write() as session:
            runs.create(session, spec)
        return claimed(settings, store, spare=spec.processes - 1)

    return start


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
    assert not dist.is_initialized()


def at_epoch(job: ClaimedJob, number: int, act: Callable[[], None]) -> None:
    """Act once at the first report of an epoch."""
    pending = [act]

    def publish(progress):
        if progress.get("epoch") == number and pending:
            pending.pop()()

    job.publish = publish


def again(settings: WorkerSettings, store: Store, job: ClaimedJob) -> ClaimedJob:
    """The next attempt of a job."""
    with store.write() as session:
        leases.hand_back(session, job.lease)
    return claimed(settings, store, spare=1)


def state_of(job: ClaimedJob) -> TrainerState:
    state = load_state(job.folder)
    assert state is not None
    return state


def kill_a_rank() -> None:
    (other,) = multiprocessing.active_children()
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> TrainerState:
    """The state after a whole training of two processes."""
    folder: Path = tmp_path_factory.mktemp("unbroken")
    settings = WorkerSettings(sqlite_url(folder / "db"), folder / "files", (folder,), threads=2)
    store = open_store(settings.store_url)
    with store.write() as session:
        runs.create(session, TWO)
    job = claimed(settings, store, spare=1)
    job.perform()
    store.close()
    return state_of(job)


@pytest.mark.parametrize(
    ("method", "params", "more"),
    [
        ("rni", {"lam": 0.02, "shift": 3.0}, {}),
        ("ucs", {}, {"label_smoothing": 0.1}),
        # 1295 training images: one process has an image more in the last batch
        ("rni", {"lam": 0.02, "shift": 3.0}, {"val_fraction": 0.0995}),
    ],
)
def test_two_processes_are_one_process_of_the_double_batch(queued, method, params, more):
    spec = TWO.model_copy(
        update={"method": method, "method_params": params, **THREE_STEPS, **more}
    )
    alone = queued(spec.model_copy(update={"processes": 1}))
    alone.perform()
    together = queued(spec)
    together.perform()
    one, two = state_of(alone), state_of(together)
    assert list(one.model) == list(two.model)
    for name, wanted in one.model.items():
        # float32: test_meeting.py holds that nothing but rounding differs
        room = max(2e-3, 0.02 * float(wanted.abs().max()))
        torch.testing.assert_close(two.model[name], wanted, rtol=0, atol=room, msg=name)
    for metric in ("train_loss", "penalty", "val_loss", "lr"):
        assert two.metrics[metric] == pytest.approx(one.metrics[metric], rel=1e-5)
    assert two.metrics["train_accuracy"] == pytest.approx(one.metrics["train_accuracy"], abs=2e-3)
    with together.store.read() as session:
        assert history.snapshot_epochs(session, together.run_id) == [0, 1]


def test_a_cut_network_is_trained_on_and_taught_in_two_processes(queued):
    parent = queued(TWO.model_copy(update={"processes": 1, **THREE_STEPS}))
    parent.perform()
    init = Init(run=parent.run_id, plan=Plan(ratio=0.5, scope="local"))
    with parent.store.write() as session:
        leases.finish(session, parent.lease, State.SUCCEEDED)
    taught = {"init": init, "distill": Distill(), **THREE_STEPS}
    job = queued(TWO.model_copy(update=taught))
    job.perform()
    dense, cut = state_of(parent).model, state_of(job).model
    assert list(cut) == list(dense)
    assert sum(t.numel() for t in cut.values()) < 0.5 * sum(t.numel() for t in dense.values())


def test_cancelling_between_batches_stops_all_and_resuming_changes_nothing(
    unbroken, queued, settings, store
):
    job = queued(TWO)
    at_epoch(job, 2, job.cancelled.set)
    with pytest.raises(Cancelled):
        job.perform()
    assert multiprocessing.active_children() == []
    resumed = again(settings, store, job)
    resumed.perform()
    final = state_of(resumed)
    assert all(torch.equal(final.model[name], unbroken.model[name]) for name in unbroken.model)


def test_a_killed_process_ends_the_attempt_and_keeps_the_last_epoch(queued):
    # A quick epoch is reported with its last batch alone: only the next one would miss a process.
    job = queued(TWO.model_copy(update={"epochs": 3}))
    at_epoch(job, 2, kill_a_rank)
    with pytest.raises(RankDied, match=r"process 2 of 2 .* died: signal 9"):
        job.perform()
    assert state_of(job).epoch in (1, 2)


def test_an_error_in_another_process_is_told_with_its_text(queued, settings, monkeypatch):
    """The other process finds its data set gone, which rank 0 has read."""
    from recede_worker.engine.inputs import load
    from recede_worker.plugins import registry

    known = registry.datasets()[TWO.dataset]
    monkeypatch.setattr(load.registry, "datasets", lambda: {"elsewhere": known})
    job = queued(TWO.model_copy(update={"dataset": "elsewhere"}))
    with pytest.raises(RankFailed, match=r"In process 2 of 2: .*elsewhere"):
        job.perform()


def test_a_loss_that_is_not_finite_ends_all_processes_with_the_step(queued, monkeypatch):
    from recede_worker.engine.training.epoch.schedule import lr_at

    monkeypatch.setattr(
        "recede_worker.engine.training.epoch.recipe.lr_at",
        lambda done, s: 1e30 if done >= 1 else lr_at(done, s),
    )
    job = queued(TWO.model_copy(update={"method": "ucs", "method_params": {}}))
    with pytest.raises(TrainingDiverged, match="epoch 2, step"):
        job.perform()
