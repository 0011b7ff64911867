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
from recede_worker.engine.evaluation.curve_job import run_curve
from recede_worker.engine.evaluation.evaluate_job import run_evaluate
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.pruning.job import run_prune
from recede_worker.engine.training.job import run_training
from recede_worker.engine.training.trainer_state import load_state
from tests.worker.engine.conftest import SMALL
from tests.worker.engine.place import (
    ORDINARY,
    PLAN,
    Place,
    cancel,
    fine,
    manifest,
    notices,
    parent,
    place,
    started,
    tuned,
    weights_of,
)
from tests.worker.engine.test_trainer import snapshots, stop_in_epoch

__all__ = ["fine", "parent", "place"]


def test_epoch_0_is_the_cut_network_that_the_parent_measured(place, parent, fine):
    evaluation = place.job(parent.lease.run_id, JobKind.EVALUATE, EvaluatePayload(plan=PLAN))
    run_evaluate(evaluation)
    place.done(evaluation)
    with place.store.read() as session:
        best = runs.get(session, parent.lease.run_id).best_epoch
        measured = evaluations.evaluation(
            session, parent.lease.run_id, best, manifest(fine)["start"]["digest"]
        )
        first = history.epochs(session, fine.lease.run_id)[0]
        raw = history.snapshot(session, parent.lease.run_id, best)
        ours = history.snapshot(session, fine.lease.run_id, 0)
        shape = history.network(session, fine.lease.run_id)
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
        run = runs.get(session, parent.lease.run_id)
        first = history.epochs(session, fine.lease.run_id)[0]
    assert (start["kind"], start["run_id"]) == ("run", parent.lease.run_id)
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
        rows = history.epochs(session, fine.lease.run_id)
    assert [row.epoch for row in rows] == [0, 1, 2]
    assert [row.penalty for row in rows[1:]] == [0.0, 0.0]


def test_a_fine_tuned_network_is_cut_again_without_its_parent(place, parent, fine, tmp_path):
    """The parent's row and files are gone: what the run kept is enough for all that follows."""
    folder = place.settings.run_folder(parent.lease.run_id)
    moved = tmp_path / "parent"
    shutil.move(folder, moved)
    try:
        run_id = fine.lease.run_id
        curve = place.job(run_id, JobKind.CURVE, CurvePayload(ratios=(0.0, 0.5)))
        assert run_curve(curve).result["points"] == 2
        place.done(curve)
        prune = place.job(run_id, JobKind.PRUNE, PrunePayload(plan=Plan(ratio=0.2)))
        result = run_prune(prune).result
        place.done(prune)
    finally:
        shutil.move(moved, folder)
    with place.store.read() as session:
        row = evaluations.checkpoint(session, result["checkpoint_id"])
    assert row.manifest["start"]["run_id"] == parent.lease.run_id
    assert sum(row.manifest["widths"].values()) < sum(manifest(fine)["widths"].values())
    assert result["max_difference"] <= 1e-5


def test_a_stopped_fine_tuning_goes_on_bit_for_bit_though_its_parent_was_deleted(
    place, parent, fine
):
    doomed = place.trained(SMALL)
    context = place.queued(tuned(doomed))
    stop_in_epoch(context, 2)
    with pytest.raises(Cancelled):
        run_training(context)
    with place.store.write() as session:
        runs.remove(session, doomed.lease.run_id)
        leases.hand_back(session, context.lease)
    shutil.rmtree(place.settings.run_folder(doomed.lease.run_id))
    resumed = place.next()
    run_training(resumed)
    place.done(resumed)
    assert np.array_equal(snapshots(resumed)[1], snapshots(fine)[1])
    ours, theirs = (load_state(c.folder) for c in (resumed, fine))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours.model[name], theirs.model[name]) for name in theirs.model)


def test_killed_before_its_first_epoch_it_starts_from_what_it_kept(place, parent, fine):
    context = place.queued(tuned(parent))
    stop_in_epoch(context, 1)
    with pytest.raises(Cancelled):
        run_training(context)
    weights = place.settings.run_folder(parent.lease.run_id) / "checkpoints"
    moved = weights.with_name("elsewhere")
    weights.rename(moved)
    try:
        with place.store.write() as session:
            leases.hand_back(session, context.lease)
        resumed = place.next()
        run_training(resumed)
    finally:
        moved.rename(weights)
    place.done(resumed)
    assert np.array_equal(snapshots(resumed)[1], snapshots(fine)[1])


def test_a_fine_tuning_of_a_fine_tuned_network_starts_from_its_widths(place, fine):
    whole = place.queued(tuned(fine, plan=None))
    network, _ = started(whole)
    assert {g.name: g.size for g in network.shape.groups} == manifest(fine)["widths"]
    cancel(whole)
    again = place.queued(tuned(fine, plan=Plan(ratio=0.4)))
    network, _ = started(again)
    assert network.shape.n_neurons < sum(manifest(fine)["widths"].values())
    cancel(again)


def test_other_validation_images_than_the_parents_are_told(place, parent):
    context = place.queued(tuned(parent, seed=5))
    started(context)
    cancel(context)
    assert [notice["code"] for notice in notices(context)] == ["other_split"]
    assert "seed 0" in notices(context)[0]["hint"]


def test_an_ordinary_method_takes_over_a_bounded_network_as_it_is(place, parent):
    params = {"method": "l1", "method_params": {"lam": 0.0}, "plan": None}
    context = place.queued(tuned(parent, **params))
    network, data = started(context)
    cancel(context)
    bounded, _ = bounded_start(place, parent)
    x = data.normalise.apply(data.validation.head(64))
    with torch.no_grad():
        assert torch.equal(network.model(x), bounded.model(x))


def bounded_start(place: Place, parent: JobContext) -> Any:
    context = place.queued(tuned(parent, plan=None))
    found = started(context)
    cancel(context)
    return found


def test_a_bounded_method_on_an_ordinary_network_says_what_is_lost(place):
    ordinary = place.trained(ORDINARY.model_copy(update={"epochs": 1}))
    context = place.queued(tuned(ordinary, plan=None))
    started(context)
    cancel(context)
    weights = load_file(weights_of(ordinary))
    norms = [name.removesuffix(".running_mean") for name in weights if "running_mean" in name]
    beta = torch.cat([weights[f"{name}.bias"] for name in norms])
    said = notices(context)[0]
    assert said["code"] == "clamped"
    assert f"{int((beta != 0).sum())} of {beta.numel()} have a β other than 0" in said["message"]
    assert f"{beta.abs().max().item():.3g}" in said["message"]
