"""Notices of a training: stuck at chance, whole layers receded, and taken back again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recede.contract.cut.polarisation import of_snapshot
from recede.store.experiments import history, runs
from recede_worker.engine.training.warnings import chance_limit, update_notices
from tests.backend.store.samples import SHAPE
from tests.worker.engine.claimed_job import SMALL

LABELS = torch.arange(10).repeat(100)


@pytest.fixture
def run_id(store) -> str:
    with store.write() as session:
        found = runs.create(session, SMALL)[0].id
        history.put_network(session, found, SHAPE)
    return found


def after_epoch(store, run_id: str, epoch: int, correct: int, raw=None, warmup: int = 0) -> dict:
    """Store an epoch with that many correct answers; the notices by code."""
    metrics = {"val_loss": 2.3, "val_correct": correct, "n_val": len(LABELS), "seconds": 1.0}
    raw = np.ones(SHAPE.n_neurons, np.float32) if raw is None else raw
    described = of_snapshot(SHAPE, raw)
    with store.write() as session:
        history.put_epoch(session, run_id, epoch, metrics, raw, described)
        update_notices(
            session,
            run_id,
            epoch=epoch,
            polarisation=described,
            labels_N=LABELS,
            warmup_epochs=warmup,
        )
    with store.read() as session:
        return {told["code"]: told for told in runs.get(session, run_id).notices}


def test_three_epochs_at_chance_are_said_and_a_better_one_takes_it_back(store, run_id):
    assert after_epoch(store, run_id, 0, 100) == {}
    assert after_epoch(store, run_id, 1, 99) == {}
    assert after_epoch(store, run_id, 2, 110) == {}
    told = after_epoch(store, run_id, 3, 105)["at_chance"]
    assert told["epoch"] == 1
    assert "10.50 % of 1000" in told["message"]
    assert after_epoch(store, run_id, 4, 100)["at_chance"]["epoch"] == 2
    assert after_epoch(store, run_id, 5, 400) == {}


def test_warm_up_and_the_untrained_network_do_not_count(store, run_id):
    for epoch in range(5):
        assert after_epoch(store, run_id, epoch, 100, warmup=2) == {}
    assert "at_chance" in after_epoch(store, run_id, 5, 100, warmup=2)


def test_a_layer_that_receded_whole_is_named(store, run_id):
    raw = np.ones(SHAPE.n_neurons, np.float32)
    raw[: SHAPE.groups[0].size] = -9.0  # σ(−9) is about 0.0001
    told = after_epoch(store, run_id, 1, 500, raw)["layer_receded"]
    assert SHAPE.groups[0].name in told["message"]
    assert SHAPE.groups[1].name not in told["message"]
    assert after_epoch(store, run_id, 2, 500) == {}


def test_chance_is_that_of_the_largest_class():
    skewed = torch.tensor([0] * 900 + [1] * 100)
    assert 900 < chance_limit(skewed) < 925
    assert 100 < chance_limit(LABELS) < 125
