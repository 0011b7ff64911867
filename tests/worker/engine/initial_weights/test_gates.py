"""Gates on given weights: epoch 0 is the given network, and what they learn outlives a cut."""

from __future__ import annotations

import math
import shutil
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from recede.contract.spec.run import Init, Plan, PrunePayload, RunSpec
from recede.contract.states import JobKind
from recede.store.experiments import history
from recede.store.queue import lease as leases
from recede_worker.core.norms.gated import GatedBatchNorm2d
from recede_worker.core.state_dict import load_weights
from recede_worker.engine.inputs.running_statistics import BATCH, measure_again
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.training.job import n_statistics
from recede_worker.engine.training.trainer_state import load_state
from tests.worker.engine.claimed_job import SMALL, ClaimedJob, snapshots, stop_in_epoch
from tests.worker.engine.in_process import (
    ORDINARY,
    InProcessWorker,
    cancel,
    manifest,
    notices,
    started,
    weights_of,
    worker,
)

__all__ = ["worker"]

GATED = {"scale": "gate", "method_params": {"lam": 0.2, "shift": 3.0}}


@pytest.fixture(scope="module")
def given(worker: InProcessWorker) -> ClaimedJob:
    """A run with ordinary batch norm; its weights are a file below the data root, too."""
    job = worker.train(ORDINARY.model_copy(update={"epochs": 2}))
    shutil.copy(weights_of(job), worker.roots[0] / "given.safetensors")
    return job


def gated(**changes: Any) -> RunSpec:
    init = Init(file="given.safetensors")
    return SMALL.model_copy(update={"init": init, "epochs": 2, **GATED, **changes})


@pytest.fixture(scope="module")
def run(worker: InProcessWorker, given: ClaimedJob) -> ClaimedJob:
    return worker.train(gated())


def test_epoch_0_is_the_given_network_to_the_last_image_and_bit(worker, given, run):
    with worker.store.read() as session:
        theirs = history.epochs(session, given.run_id)[manifest(given)["epoch"]]
        ours = history.epochs(session, run.run_id)[0]
    assert (ours.val_correct, ours.val_loss) == (theirs.val_correct, theirs.val_loss)
    assert not notices(run)


def test_gates_move_under_the_penalty_and_the_pruned_network_is_the_masked_one(worker, run):
    first, *_, last = snapshots(run)[1]
    assert np.abs(last - first).mean() > 0.1
    prune = worker.enqueue(run.run_id, JobKind.PRUNE, PrunePayload(plan=Plan(ratio=0.3)))
    result = prune.perform().result
    worker.finish(prune)
    assert result["max_difference"] <= 1e-5


def test_running_statistics_keep_up_with_the_gates_and_only_with_them(worker, given, run):
    job = worker.submit(gated())
    network, data = started(job)
    cancel(job)
    state = load_state(run.folder)
    assert state is not None
    load_weights(network.model, state.model)
    kept = {n: t.clone() for n, t in network.model.named_buffers() if "running" in n}
    measure_again(
        network.model,
        data.train,
        data.normalise,
        seed=SMALL.seed,
        most=n_statistics(len(data.train)),
        report=lambda *_: None,
    )
    now = dict(network.model.named_buffers())
    assert kept
    assert all(torch.equal(now[name], tensor) for name, tensor in kept.items())
    plain = load_state(given.folder)
    assert plain is not None
    tracked = [t for name, t in plain.model.items() if name.endswith("num_batches_tracked")]
    assert all(t == 2 * math.ceil(len(data.train) / SMALL.batch_size) for t in tracked)


def test_a_cut_of_a_gated_network_is_tuned_with_the_importances_it_was_cut_by(worker, run):
    init = Init(run=run.run_id, plan=Plan(ratio=0.4))
    job = worker.submit(gated(init=init, method_params={"lam": 0.0, "shift": 3.0}))
    network, _ = started(job)
    cancel(job)
    gates = [m for m in network.model.modules() if isinstance(m, GatedBatchNorm2d)]
    assert all(torch.equal(gate.weight, gate.start) for gate in gates)
    w_N = torch.cat([gate.weight.detach() for gate in gates])
    at = manifest(run)["epoch"]
    assert set(w_N.tolist()) <= set(snapshots(run)[1][at].tolist())


def test_stopped_in_its_second_epoch_it_goes_on_bit_for_bit(worker, run):
    job = worker.submit(gated())
    stop_in_epoch(job, 2)
    with pytest.raises(Cancelled):
        job.perform()
    with worker.store.write() as session:
        leases.hand_back(session, job.lease)
    resumed = worker.claim()
    resumed.perform()
    worker.finish(resumed)
    ours, theirs = (load_state(one.folder) for one in (resumed, run))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours.model[name], theirs.model[name]) for name in theirs.model)


def test_the_given_batch_norms_are_ranked_by_their_own_scale_where_nothing_is_trained(
    worker, given
):
    job = worker.train(gated(scale="plain", epochs=0))
    (raw_N,) = snapshots(job)[1]
    weights = load_file(weights_of(given))
    with worker.store.read() as session:
        shape = history.network(session, job.run_id)
    norms = [name.removesuffix(".running_mean") for name in weights if "running_mean" in name]
    gamma_N = torch.cat([weights[f"{norm}.weight"] for norm in norms])
    assert shape.scale == "plain"
    assert sorted(raw_N.tolist()) == sorted(gamma_N.tolist())


def test_bounded_norms_of_such_weights_have_statistics_of_what_is_left(worker, given):
    network, data = started(job := worker.submit(gated(scale="bounded")))
    cancel(job)
    assert [notice["code"] for notice in notices(job)] == ["clamped"]
    assert "measured again" in notices(job)[0]["message"]
    last = list(network.norms.values())[-1]
    norm, weights = network.model.get_submodule(last), load_file(weights_of(given))
    assert norm.num_batches_tracked == math.ceil(len(data.train) / BATCH)
    assert not torch.allclose(norm.running_mean, weights[f"{last}.running_mean"], rtol=1e-3)
