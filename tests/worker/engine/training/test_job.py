"""The train job inside this process: what it records, and that stopping it loses nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from recede.contract.cut.polarisation import of_snapshot
from recede.contract.errors import StorageProblem
from recede.contract.spec.run import Plan
from recede.contract.states import JobKind
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.queue import lease as leases
from recede.store.results import evaluations
from recede_worker.engine.evaluation.evaluate_job import accuracy_of_cut
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.training.epoch.schedule import lr_at
from recede_worker.engine.training.epoch.step import TrainingDiverged
from recede_worker.engine.training.trainer_state import load_state
from tests.worker.engine.claimed_job import (
    SMALL,
    claimed,
    snapshots,
    stop_in_epoch,
)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A whole run, trained once for this module."""
    from recede.store.database.engine import open_store, sqlite_url
    from recede_worker.engine.job.settings import WorkerSettings

    folder = tmp_path_factory.mktemp("unbroken")
    settings = WorkerSettings(sqlite_url(folder / "db"), folder / "files", (folder,), threads=1)
    store = open_store(settings.store_url)
    with store.write() as session:
        runs.create(session, SMALL)
    job = claimed(settings, store)
    outcome = job.perform()
    yield job, outcome
    store.close()


def test_each_snapshot_is_stored_with_its_polarisation(unbroken):
    job, _ = unbroken
    epochs, raw = snapshots(job)
    with job.store.read() as session:
        shape = history.network(session, job.run_id)
        stored = history.polarisations(session, job.run_id)
    assert stored == [(e, of_snapshot(shape, one)) for e, one in zip(epochs, raw, strict=True)]


def test_each_epoch_has_metrics_and_a_snapshot_and_epoch_0_is_untrained(unbroken):
    job, _ = unbroken
    epochs, raw = snapshots(job)
    with job.store.read() as session:
        rows = history.epochs(session, job.run_id)
        shape = history.network(session, job.run_id)
        run = runs.get(session, job.run_id)
    assert epochs == [row.epoch for row in rows] == [0, 1, 2, 3]
    assert raw.shape == (4, shape.n_neurons)
    assert rows[0].train_loss is None
    assert all(row.n_val == 144 for row in rows)
    # w ~ N(0, 1) before training
    assert abs(raw[0].mean()) < 0.3
    assert 0.8 < raw[0].std() < 1.2
    best = max(rows[1:], key=lambda row: (row.val_correct, row.epoch))
    assert (run.best_epoch, run.best_val_correct) == (best.epoch, best.val_correct)
    assert run.n_test == 359


def test_without_disk_for_more_the_best_and_the_last_epoch_keep_their_weights(submit):
    job = submit(SMALL.model_copy(update={"keep_weights_mb": 0}))
    job.perform()
    with job.store.read() as session:
        rows = evaluations.checkpoints(session, job.run_id)
        run = runs.get(session, job.run_id)
    assert {row.epoch for row in rows} == {run.best_epoch, 3}
    on_disk = {path.name for path in (job.folder / "checkpoints").iterdir()}
    assert on_disk == {row.id for row in rows}


def test_stored_weights_are_plain_and_their_scale_is_the_snapshot(unbroken):
    job, _ = unbroken
    with job.store.read() as session:
        row = evaluations.trained(session, job.run_id, 3)
        shape = history.network(session, job.run_id)
        raw = history.snapshot(session, job.run_id, 3)
    weights = load_file(job.settings.artifacts / row.files["safetensors"]["path"])
    first = shape.groups[0].size
    assert torch.equal(weights["features.1.weight"], torch.sigmoid(torch.tensor(raw[:first])))
    assert not weights["features.1.bias"].any()


def test_a_run_stopped_in_mid_epoch_goes_on_bit_for_bit(unbroken, submit, store, settings):
    whole, _ = unbroken
    job = submit(SMALL)
    stop_in_epoch(job, 2)
    with pytest.raises(Cancelled):
        job.perform()
    assert snapshots(job)[0] == [0, 1]
    with store.write() as session:
        leases.hand_back(session, job.lease)
    resumed = claimed(settings, store)
    resumed.perform()
    assert np.array_equal(snapshots(resumed)[1], snapshots(whole)[1])
    ours, theirs = (load_state(c.folder) for c in (resumed, whole))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours.model[name], theirs.model[name]) for name in theirs.model)


def test_resuming_keeps_the_best_weights_and_what_was_measured_on_them(submit, store, settings):
    job = submit(SMALL)
    stop_in_epoch(job, 2)
    with pytest.raises(Cancelled):
        job.perform()
    with store.write() as session:
        before = evaluations.trained(session, job.run_id, 1)
        measured = {"correct": 1, "n": 2, "loss": 0.5, "params": 1, "macs": 1, "seconds": 0.1}
        key = {"run_id": job.run_id, "epoch": 1}
        evaluations.put_evaluation(
            session, digest="d", split="validation", ratio=0.1, plan={}, **key, **measured
        )
        leases.hand_back(session, job.lease)
    resumed = claimed(settings, store)
    stop_in_epoch(resumed, 2)
    with pytest.raises(Cancelled):
        resumed.perform()
    with store.read() as session:
        assert evaluations.trained(session, job.run_id, 1).id == before.id
        assert evaluations.evaluation(session, job.run_id, 1, "d") is not None


@pytest.mark.parametrize("damage", [b"junk", b"", b"PK\x03\x04" + bytes(200)])
def test_a_damaged_state_file_is_said_in_words(tmp_path: Path, damage: bytes):
    (tmp_path / "trainer.pt").write_bytes(damage)
    with pytest.raises(StorageProblem, match="cannot be read"):
        load_state(tmp_path)


def test_an_epoch_whose_transaction_was_lost_is_recorded_again(submit, store, settings):
    """The state file is written first: killed between the two, nothing may be missing."""
    job = submit(SMALL)
    stop_in_epoch(job, 2)
    with pytest.raises(Cancelled):
        job.perform()
    with store.write() as session:
        from recede.store.tables.runs import EpochRow, SnapshotRow

        for table in (EpochRow, SnapshotRow):
            session.delete(session.get_one(table, (job.run_id, 1)))
        leases.hand_back(session, job.lease)
    resumed = claimed(settings, store)
    resumed.perform()
    assert snapshots(resumed)[0] == [0, 1, 2, 3]


def test_a_job_that_was_taken_over_writes_nothing(submit, store, settings):
    job = submit(SMALL)
    stop_in_epoch(job, 1)
    with store.write() as session:
        leases.hand_back(session, job.lease)
    taken = claimed(settings, store)
    with pytest.raises(leases.LeaseLost):
        job.perform()
    with store.read() as session:
        assert not history.snapshot_epochs(session, taken.run_id)


def test_a_run_that_diverges_keeps_the_best_earlier_weights(submit, store):
    spec = SMALL.model_copy(update={"method": "ucs", "method_params": {}})
    job = submit(spec)
    with pytest.MonkeyPatch.context() as patch:
        rate = lambda done, s: 1e30 if done >= 1 else lr_at(done, s)  # noqa: E731
        patch.setattr("recede_worker.engine.training.epoch.recipe.lr_at", rate)
        with pytest.raises(TrainingDiverged, match="epoch 2, step"):
            job.perform()
    with store.read() as session:
        row = evaluations.trained(session, job.run_id, None)
    assert row.epoch == 1
    assert Path(job.settings.artifacts / row.files["safetensors"]["path"]).exists()


def test_the_same_spec_gives_the_same_run_bit_for_bit(submit):
    spec = SMALL.model_copy(update={"epochs": 1, "architecture_params": {"width": 0.25}})
    before = torch.get_num_threads()
    torch.set_num_threads(2)  # sums that are shared by threads are where bits would differ
    try:
        first, second = (submit(spec) for _ in range(2))
        for job in (first, second):
            job.perform()
    finally:
        torch.set_num_threads(before)
    (_, raw), (_, again) = snapshots(first), snapshots(second)
    assert raw.tobytes() == again.tobytes()
    told = []
    for job in (first, second):
        with job.store.read() as session:
            rows = history.epochs(session, job.run_id)
            weights = evaluations.trained(session, job.run_id, None)
        told.append([(r.train_loss, r.penalty, r.val_loss, r.val_correct) for r in rows])
        told[-1].append(weights.sha256)
    assert told[0] == told[1]


def test_an_evaluation_goes_on_while_training_replaces_the_weights(store, settings, submit):
    training = submit(SMALL.model_copy(update={"epochs": 6, "keep_weights_mb": 0}))
    run_id = training.run_id
    stop_in_epoch(training, 2)
    with pytest.raises(Cancelled):
        training.perform()
    with store.write() as session:
        jobs.enqueue(session, run_id, JobKind.EVALUATE, {"plan": {"ratio": 0.3}})
    evaluating = claimed(settings, store)
    assert evaluating.lease.kind is JobKind.EVALUATE
    trained = evaluating.trained(None)
    training.cancelled.clear()
    training.publish = lambda _progress: None
    training.perform()
    with store.read() as session:
        kept = [row.epoch for row in evaluations.checkpoints(session, run_id)]
    assert trained.checkpoint.epoch in kept
    row = accuracy_of_cut(evaluating.handle, trained, Plan(ratio=0.3))
    assert row.epoch == trained.epoch
