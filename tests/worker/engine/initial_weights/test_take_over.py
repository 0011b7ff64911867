"""Fine-tuning another run's network: cut as measured, kept, and independent of its parent."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from recede.contract.spec.run import (
    CurvePayload,
    EvaluatePayload,
    Plan,
    PrunePayload,
)
from recede.contract.states import JobKind
from recede.store.experiments import history, runs
from recede.store.queue import lease as leases
from recede.store.results import evaluations
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.training.trainer_state import load_state
from tests.worker.engine.claimed_job import SMALL, ClaimedJob, snapshots, stop_in_epoch
from tests.worker.engine.in_process import (
    ORDINARY,
    PLAN,
    InProcessWorker,
    cancel,
    fine,
    manifest,
    notices,
    parent,
    started,
    tuned,
    weights_of,
    worker,
)

__all__ = ["fine", "parent", "worker"]


def test_epoch_0_is_the_cut_network_that_the_parent_measured(worker, parent, fine):
    evaluation = worker.enqueue(parent.run_id, JobKind.EVALUATE, EvaluatePayload(plan=PLAN))
    evaluation.perform()
    worker.finish(evaluation)
    with worker.store.read() as session:
        best = runs.get(session, parent.run_id).best_epoch
        measured = evaluations.evaluation(
            session, parent.run_id, best, manifest(fine)["start"]["digest"]
        )
        first = history.epochs(session, fine.run_id)[0]
        raw = history.snapshot(session, parent.run_id, best)
        ours = history.snapshot(session, fine.run_id, 0)
        shape = history.network(session, fine.run_id)
    assert measured is not None
    assert (first.val_correct, first.n_val) == (measured.correct, measured.n)
    assert shape.sizes == list(manifest(fine)["start"]["kept"].values())
    assert shape.n_neurons < raw.size
    # The very logits of the neurons that were kept, to the last bit.
    assert set(ours.tolist()) <= set(raw.tolist())
    assert sum(shape.sizes) == ours.size


def test_the_manifest_says_where_a_fine_tuning_started(parent, fine):
    start, theirs = manifest(fine)["start"], manifest(parent)
    with parent.store.read() as session:
        run = runs.get(session, parent.run_id)
        first = history.epochs(session, fine.run_id)[0]
    assert (start["kind"], start["run_id"]) == ("run", parent.run_id)
    assert start["epoch"] == start["plan"]["epoch"] == run.best_epoch
    assert start["plan"]["ratio"] == PLAN.ratio
    assert start["sha256"] == theirs["files"]["model.safetensors"]["sha256"]
    assert start["parent_accuracy"]["validation"] == theirs["accuracy"]["validation"]
    assert start["parent_accuracy"]["test"] == {"correct": run.test_correct, "n": run.n_test}
    assert start["parent_cost"] == theirs["cost"]
    assert start["before_training"] == {"correct": first.val_correct, "n": first.n_val}
    assert (start["clamped"], start["dropped_biases"]) == (0, 0)
    assert manifest(fine)["widths"] == start["kept"]
    assert "start" not in theirs
    assert not notices(fine)


def test_without_a_penalty_there_is_none(fine):
    with fine.store.read() as session:
        rows = history.epochs(session, fine.run_id)
    assert [row.epoch for row in rows] == [0, 1, 2]
    assert [row.penalty for row in rows[1:]] == [0.0, 0.0]


def test_a_fine_tuned_network_is_cut_again_without_its_parent(worker, parent, fine, tmp_path):
    """The parent's row and files are gone: what the run kept is enough for all that follows."""
    folder = worker.settings.run_folder(parent.run_id)
    moved = tmp_path / "parent"
    shutil.move(folder, moved)
    try:
        run_id = fine.run_id
        curve = worker.enqueue(run_id, JobKind.CURVE, CurvePayload(ratios=(0.0, 0.5)))
        assert curve.perform().result["points"] == 2
        worker.finish(curve)
        prune = worker.enqueue(run_id, JobKind.PRUNE, PrunePayload(plan=Plan(ratio=0.2)))
        result = prune.perform().result
        worker.finish(prune)
    finally:
        shutil.move(moved, folder)
    with worker.store.read() as session:
        row = evaluations.checkpoint(session, result["checkpoint_id"])
    assert row.manifest["start"]["run_id"] == parent.run_id
    assert sum(row.manifest["widths"].values()) < sum(manifest(fine)["widths"].values())
    assert result["max_difference"] <= 1e-5


def test_a_stopped_fine_tuning_goes_on_bit_for_bit_though_its_parent_was_deleted(
    worker, parent, fine
):
    doomed = worker.train(SMALL)
    job = worker.submit(tuned(doomed))
    stop_in_epoch(job, 2)
    with pytest.raises(Cancelled):
        job.perform()
    with worker.store.write() as session:
        runs.remove(session, doomed.run_id)
        leases.hand_back(session, job.lease)
    shutil.rmtree(worker.settings.run_folder(doomed.run_id))
    resumed = worker.claim()
    resumed.perform()
    worker.finish(resumed)
    assert np.array_equal(snapshots(resumed)[1], snapshots(fine)[1])
    ours, theirs = (load_state(c.folder) for c in (resumed, fine))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours.model[name], theirs.model[name]) for name in theirs.model)


def test_killed_before_its_first_epoch_it_starts_from_what_it_kept(worker, parent, fine):
    job = worker.submit(tuned(parent))
    stop_in_epoch(job, 1)
    with pytest.raises(Cancelled):
        job.perform()
    weights = worker.settings.run_folder(parent.run_id) / "checkpoints"
    moved = weights.with_name("elsewhere")
    weights.rename(moved)
    try:
        with worker.store.write() as session:
            leases.hand_back(session, job.lease)
        resumed = worker.claim()
        resumed.perform()
    finally:
        moved.rename(weights)
    worker.finish(resumed)
    assert np.array_equal(snapshots(resumed)[1], snapshots(fine)[1])


def test_a_fine_tuning_of_a_fine_tuned_network_starts_from_its_widths(worker, fine):
    whole = worker.submit(tuned(fine, plan=None))
    network, _ = started(whole)
    assert {g.name: g.size for g in network.shape.groups} == manifest(fine)["widths"]
    cancel(whole)
    again = worker.submit(tuned(fine, plan=Plan(ratio=0.4)))
    network, _ = started(again)
    assert network.shape.n_neurons < sum(manifest(fine)["widths"].values())
    cancel(again)


def test_other_validation_images_than_the_parents_are_told(worker, parent):
    job = worker.submit(tuned(parent, seed=5))
    started(job)
    cancel(job)
    assert [notice["code"] for notice in notices(job)] == ["other_split"]
    assert "seed 0" in notices(job)[0]["hint"]


def test_an_ordinary_method_takes_over_a_bounded_network_as_it_is(worker, parent):
    params = {"method": "l1", "method_params": {"lam": 0.0}, "plan": None}
    job = worker.submit(tuned(parent, **params))
    network, data = started(job)
    cancel(job)
    bounded, _ = bounded_start(worker, parent)
    x = data.normalise.apply(data.validation.head(64))
    with torch.no_grad():
        assert torch.equal(network.model(x), bounded.model(x))


def bounded_start(worker: InProcessWorker, parent: ClaimedJob) -> Any:
    job = worker.submit(tuned(parent, plan=None))
    found = started(job)
    cancel(job)
    return found


def test_a_bounded_method_on_an_ordinary_network_says_what_is_lost(worker):
    ordinary = worker.train(ORDINARY.model_copy(update={"epochs": 1}))
    job = worker.submit(tuned(ordinary, plan=None))
    started(job)
    cancel(job)
    weights = load_file(weights_of(ordinary))
    norms = [name.removesuffix(".running_mean") for name in weights if "running_mean" in name]
    beta = torch.cat([weights[f"{name}.bias"] for name in norms])
    said = notices(job)[0]
    assert said["code"] == "clamped"
    assert f"{int((beta != 0).sum())} of {beta.numel()} have a β other than 0" in said["message"]
    assert f"{beta.abs().max().item():.3g}" in said["message"]
