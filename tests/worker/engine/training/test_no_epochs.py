"""Weights that were trained elsewhere: measured and cut as they are, nothing is trained."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sqlalchemy import select

from recede.contract.spec.run import CurvePayload, EvaluatePayload, Init, Plan, PrunePayload
from recede.contract.states import CheckpointKind, JobKind
from recede.store.experiments import history, runs
from recede.store.queue import lease as leases
from recede.store.results import evaluations
from recede.store.tables.cuts import CurvePointRow
from recede_worker.core.cutting.surgery import max_difference
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.job.stop import Cancelled
from tests.worker.engine.claimed_job import ClaimedJob, stop_in_epoch
from tests.worker.engine.in_process import (
    ORDINARY,
    InProcessWorker,
    manifest,
    parent,
    weights_of,
    worker,
)

__all__ = ["parent", "worker"]

FILE = "elsewhere.safetensors"
GIVEN = ORDINARY.model_copy(update={"epochs": 0, "init": Init(file=FILE)})


@pytest.fixture(scope="module")
def elsewhere(worker: InProcessWorker) -> ClaimedJob:
    """An ordinary training whose weights lie below the data root as somebody's file."""
    trained = worker.train(ORDINARY)
    shutil.copy(weights_of(trained), worker.roots[0] / FILE)
    return trained


@pytest.fixture(scope="module")
def given(worker: InProcessWorker, elsewhere: ClaimedJob) -> ClaimedJob:
    return worker.train(GIVEN)


def trained(worker: InProcessWorker, job: ClaimedJob, epoch: int | None) -> TrainedEpoch:
    probe = worker.enqueue(job.run_id, JobKind.EVALUATE, EvaluatePayload(plan=Plan(ratio=0.1)))
    found = probe.trained(epoch)
    worker.finish(probe)
    return found


def test_it_is_the_network_that_was_given_to_the_last_bit(worker, elsewhere, given):
    ours, theirs = (trained(worker, job, None) for job in (given, elsewhere))
    images = ours.data.normalise.apply(ours.validation.head(64))
    assert max_difference(ours.network.model, theirs.network.model, images) == 0.0
    weights = load_file(weights_of(given))
    before = load_file(worker.roots[0] / FILE)
    assert weights.keys() == before.keys()
    assert all(torch.equal(weights[name], before[name]) for name in before)


def test_its_only_epoch_is_measured_and_its_importances_are_those_of_the_file(
    worker, elsewhere, given
):
    with worker.store.read() as session:
        run, other = (runs.get(session, job.run_id) for job in (given, elsewhere))
        rows = history.epochs(session, given.run_id)
        raw, theirs = (
            history.snapshot(session, job.run_id, epoch)
            for job, epoch in ((given, 0), (elsewhere, other.best_epoch))
        )
    assert [(row.epoch, row.train_loss) for row in rows] == [(0, None)]
    assert (run.best_epoch, run.epochs_done) == (0, 0)
    assert (run.best_val_correct, run.test_correct) == (other.best_val_correct, other.test_correct)
    assert np.array_equal(raw, theirs)
    assert manifest(given)["start"]["kind"] == "file"


def test_it_has_a_curve_and_is_cut_to_files_like_any_other(worker, given):
    curve = worker.enqueue(given.run_id, JobKind.CURVE, CurvePayload(ratios=(0.0, 0.3)))
    assert curve.perform().result["points"] == 2
    worker.finish(curve)
    prune = worker.enqueue(given.run_id, JobKind.PRUNE, PrunePayload(plan=Plan(ratio=0.3)))
    result = prune.perform().result
    worker.finish(prune)
    assert result["max_difference"] <= 1e-5
    with worker.store.read() as session:
        points = select(CurvePointRow).where(CurvePointRow.run_id == given.run_id)
        assert {point.epoch for point in session.scalars(points)} == {0}
        cut = evaluations.checkpoint(session, result["checkpoint_id"])
    assert (cut.epoch, cut.manifest["start"]["kind"]) == (0, "file")


def test_the_given_weights_stay_when_training_goes_on_from_them(worker, elsewhere):
    spec = GIVEN.model_copy(update={"epochs": 2, "keep_weights_mb": 0})
    job = worker.submit(spec)
    stop_in_epoch(job, 1)
    with pytest.raises(Cancelled):
        job.perform()
    with worker.store.write() as session:
        assert runs.get(session, job.run_id).best_epoch == 0  # what there is can be cut already
        leases.hand_back(session, job.lease)
    resumed = worker.claim()
    resumed.perform()
    worker.finish(resumed)
    with worker.store.read() as session:
        rows = evaluations.checkpoints(session, job.run_id)
        best = runs.get(session, job.run_id).best_epoch
    kept = sorted(row.epoch for row in rows if row.kind == CheckpointKind.TRAINED.value)
    assert kept == sorted({0, best, 2})
    assert best > 0
    assert trained(worker, job, 0).checkpoint.epoch == 0
