"""Which weights a training keeps, and the guard before one that will not fit the disk."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from recede.contract.errors import StorageProblem, WeightsGone
from recede.contract.spec.kept_weights import MB, stride
from recede.contract.states import JobKind
from recede.store.database.engine import open_store, sqlite_url
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.queue import lease as leases
from recede.store.results import evaluations
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.job.stop import Cancelled
from tests.worker.engine.claimed_job import (
    SMALL,
    claimed,
    stop_in_epoch,
)


def kept_epochs(job) -> list[int]:
    with job.store.read() as session:
        rows = evaluations.checkpoints(session, job.run_id)
    on_disk = {path.name for path in (job.folder / "checkpoints").iterdir()}
    assert on_disk == {row.id for row in rows}
    return sorted(row.epoch for row in rows)


SPREAD = SMALL.model_copy(update={"epochs": 6, "keep_weights_mb": 2})
"""The network takes some 400 kB, so not every epoch's weights have room."""


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """A run that keeps every second epoch, trained once for this module."""
    folder = tmp_path_factory.mktemp("spread")
    settings = WorkerSettings(sqlite_url(folder / "db"), folder / "files", (folder,), threads=1)
    store = open_store(settings.store_url)
    with store.write() as session:
        runs.create(session, SPREAD)
    job = claimed(settings, store)
    job.perform()
    yield job
    store.close()


def test_a_run_keeps_every_kth_epoch_that_its_budget_has_room_for(spread):
    with spread.store.read() as session:
        run = runs.get(session, spread.run_id)
        row = evaluations.trained(session, spread.run_id, 6)
    assert stride(6, row.files["safetensors"]["size_bytes"], 2 * MB) == 2
    assert kept_epochs(spread) == sorted({2, 4, 6, run.best_epoch})


def test_a_resumed_run_keeps_the_same_epochs_as_an_unbroken_one(spread, submit, store, settings):
    job = submit(SPREAD)
    stop_in_epoch(job, 4)
    with pytest.raises(Cancelled):
        job.perform()
    with store.write() as session:
        leases.hand_back(session, job.lease)
    resumed = claimed(settings, store)
    resumed.perform()
    assert kept_epochs(resumed) == kept_epochs(spread)


def test_any_kept_epoch_can_be_cut_and_a_gone_one_names_the_nearest(spread):
    there = kept_epochs(spread)
    with spread.store.write() as session:
        jobs.enqueue(session, spread.run_id, JobKind.EVALUATE, {"plan": {"ratio": 0.3}})
    evaluating = claimed(spread.settings, spread.store)
    assert [evaluating.trained(epoch).checkpoint.epoch for epoch in there] == there
    gone = next(epoch for epoch in (3, 1, 5) if epoch not in there)
    with pytest.raises(WeightsGone) as refusal:
        evaluating.trained(gone)
    details = refusal.value.as_dict()["details"]
    assert details["kept_epochs"] == there
    assert abs(details["nearest_epoch"] - gone) == min(abs(epoch - gone) for epoch in there)


def test_a_job_keeps_the_weights_that_it_works_on(submit, store, settings):
    job = submit(SMALL.model_copy(update={"epochs": 4, "keep_weights_mb": 0}))
    stop_in_epoch(job, 3)
    with pytest.raises(Cancelled):
        job.perform()
    pinned = kept_epochs(job)[-1]
    with store.write() as session:
        plan = {"plan": {"ratio": 0.3, "epoch": pinned}}
        jobs.enqueue(session, job.run_id, JobKind.EVALUATE, plan)
    job.cancelled.clear()
    job.publish = lambda _progress: None
    job.perform()
    assert pinned in kept_epochs(job)


Usage = namedtuple("Usage", "total used free")


def small_disk(monkeypatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10 * free, 9 * free, free))


def test_a_run_that_will_not_fit_is_refused_before_it_trains(submit, monkeypatch):
    small_disk(monkeypatch, 1000)
    job = submit(SMALL)
    with pytest.raises(StorageProblem) as refusal:
        job.perform()
    assert "are free" in refusal.value.message
    assert refusal.value.details["free_bytes"] == 1000
    assert refusal.value.details["needed_bytes"] > 1000
    assert "resume" in (refusal.value.hint or "")
    assert not (job.folder / "checkpoints").exists()


def test_a_run_whose_earlier_weights_may_not_fit_is_warned_and_trains(submit, store, monkeypatch):
    small_disk(monkeypatch, 6 * MB)
    job = submit(SMALL.model_copy(update={"keep_weights_mb": 1000, "epochs": 50}))
    stop_in_epoch(job, 1)
    with pytest.raises(Cancelled):
        job.perform()
    with store.read() as session:
        told = runs.get(session, job.run_id).notices
    assert [one["code"] for one in told] == ["disk"]
