"""Snapshots, checkpoints, evaluations and workers: retries are harmless, reasons are given."""

from __future__ import annotations

import numpy as np
import pytest

from recede.contract.errors import (
    NotFound,
    Unavailable,
    WeightsGone,
)
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.run import Plan
from recede.contract.states import CheckpointKind
from recede.store.database.engine import Store
from recede.store.experiments import history, runs
from recede.store.queue import workers
from recede.store.results import evaluations
from tests.backend.store.samples import (
    SHAPE,
    SPEC,
    add_checkpoint,
    add_epochs,
    add_evaluation,
    add_run,
    metrics,
    raw_scales,
)

CATALOG = Catalog(methods=(), architectures=(), datasets=(), devices=(), demo=SPEC)


def test_a_snapshot_comes_back_bit_for_bit(store: Store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 2)
    with store.read() as session:
        epochs, stacked = history.snapshots(session, run_id)
        assert epochs == history.snapshot_epochs(session, run_id) == [0, 1, 2]
        for epoch in epochs:
            np.testing.assert_array_equal(
                history.snapshot(session, run_id, epoch), raw_scales(epoch)
            )
            np.testing.assert_array_equal(stacked[epoch], raw_scales(epoch))


def test_writing_an_epoch_again_changes_nothing(store: Store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 1)
    changed = {**metrics(1), "val_correct": 3}
    with store.write() as session:
        history.put_network(session, run_id, SHAPE)
        history.put_epoch(session, run_id, 1, changed, raw_scales(1) + 1)
        history.put_epoch(session, run_id, 0, metrics(0), raw_scales(0))
    with store.read() as session:
        np.testing.assert_array_equal(history.snapshot(session, run_id, 1), raw_scales(1))
        assert [row.val_correct for row in history.epochs(session, run_id)] == [10, 50]
        assert runs.get(session, run_id).epochs_done == 1


def test_epochs_after_a_number(store: Store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 3)
    with store.read() as session:
        assert [row.epoch for row in history.epochs(session, run_id, after=1)] == [2, 3]


def test_a_missing_snapshot_names_those_that_exist(store: Store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 2)
    with store.read() as session, pytest.raises(NotFound, match="0 to 2"):
        history.snapshot(session, run_id, 9)


def test_a_run_that_has_not_started_has_no_network(store: Store):
    run_id, _ = add_run(store)
    with store.read() as session, pytest.raises(NotFound, match="no network yet"):
        history.network(session, run_id)


def test_weights_that_were_not_kept_name_the_nearest_that_were(store: Store, tmp_path):
    run_id, _ = add_run(store)
    with store.read() as session, pytest.raises(WeightsGone, match="no weights yet"):
        evaluations.trained(session, run_id, None)
    add_epochs(store, run_id, 5)
    for epoch in (2, 5):
        add_checkpoint(store, tmp_path, run_id, epoch)
    add_checkpoint(store, tmp_path, run_id, 4, kind=CheckpointKind.PRUNED)
    with store.read() as session:
        assert evaluations.trained(session, run_id, None).epoch == 5
        assert evaluations.trained(session, run_id, 2).epoch == 2
        with pytest.raises(WeightsGone, match="2, 5") as caught:
            evaluations.trained(session, run_id, 4)
    assert caught.value.hint == "The nearest is epoch 5."


def test_a_cut_is_measured_once(store: Store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 1)
    plan = Plan(ratio=0.5)
    first = add_evaluation(store, run_id, plan, epoch=1, correct=80)
    again = add_evaluation(store, run_id, plan, epoch=1, correct=20, on_curve=True)
    other = add_evaluation(store, run_id, Plan(ratio=0.2), epoch=1, correct=88)
    assert again == first
    assert other != first
    with store.read() as session:
        rows = evaluations.evaluations(session, run_id, 1)
    assert [(row.correct, row.on_curve) for row in rows] == [(88, False), (80, True)]


def test_what_was_measured_outlives_the_weights(store: Store, tmp_path):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 1)
    weights = add_checkpoint(store, tmp_path, run_id, 1)
    add_evaluation(store, run_id, Plan(ratio=0.5), epoch=1, correct=80)
    with store.write() as session:
        evaluations.drop_checkpoint(session, evaluations.checkpoint(session, weights))
    with store.read() as session:
        assert [row.correct for row in evaluations.evaluations(session, run_id, 1)] == [80]
        with pytest.raises(NotFound):
            evaluations.checkpoint(session, weights)


def test_the_catalog_is_that_of_the_worker_started_last(store: Store):
    with store.read() as session, pytest.raises(Unavailable, match="No worker"):
        workers.catalog(session)
    demo = SPEC.model_copy(update={"name": "second"})
    for name, catalog in (("a", CATALOG), ("b", CATALOG.model_copy(update={"demo": demo}))):
        with store.write() as session:
            workers.announce(
                session, id_=name, host="h", pid=1, catalog=catalog, versions={"recede": "1"}
            )
    with store.write() as session:
        assert workers.catalog(session).demo.name == "second"
        workers.retire(session, "b")
        workers.beat(session, "a")
    with store.read() as session:
        seen = {row.id: age for row, age in workers.all_workers(session)}
        assert workers.catalog(session).demo.name == "second"
    assert seen["a"] < workers.STALE_S < seen["b"]
