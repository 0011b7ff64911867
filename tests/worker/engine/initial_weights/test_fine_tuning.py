"""A fine-tuning records what its cut was worth before: validation at once, test at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from recede.api.answers.pruning.comparison import comparison
from recede.contract.network.cost import cost, dense_cost
from recede.contract.spec.recipes import recipe
from recede.contract.spec.run import Plan, PrunePayload
from recede.contract.states import JobKind
from recede.store.experiments import history, runs
from recede.store.results import evaluations
from recede_worker.engine.evaluation.accuracy import evaluate
from tests.worker.engine.claimed_job import SMALL
from tests.worker.engine.in_process import (
    PLAN,
    tuned,
    worker,
)

__all__ = ["worker"]


@pytest.fixture(scope="module")
def runs_of(tmp_path_factory):
    """A dense run, a fine-tuning of a cut of it by the short recipe, and what it should find."""
    from tests.worker.engine.in_process import InProcessWorker

    at = InProcessWorker(tmp_path_factory.mktemp("tuning"))
    dense = at.train(SMALL)
    spec = tuned(dense, plan=PLAN)
    after = at.train(spec.model_copy(update=recipe("short").fields(SMALL)))
    yield at, dense, after
    at.store.close()


def compared(at, job):
    with at.store.read() as session:
        found = comparison(session, runs.get(session, job.run_id))
    return {one.network: one for one in found.networks}, found.ratio


def test_the_cut_is_measured_on_both_splits_before_it_is_tuned(runs_of):
    at, dense, after = runs_of
    found, ratio = compared(at, after)
    probe = at.enqueue(dense.run_id, JobKind.EVALUATE, PrunePayload(plan=PLAN))
    trained = probe.trained(None)
    at.finish(probe)
    selection = probe.select(trained, PLAN)
    small = trained.surgeon.cut(selection.mask)
    for split, images in (("validation", trained.validation), ("test", trained.data.test)):
        exact = evaluate(small, images, trained.data.normalise)
        told = getattr(found["cut"], split)
        # Its logits went through bounded batch norm again: the last digits may differ.
        assert told.n == exact.n
        assert abs(told.value - exact.correct / exact.n) <= 2 / exact.n
    assert ratio == selection.ratio
    assert vars(found["cut"].cost) == vars(cost(trained.network.shape, selection.kept))


def test_dense_and_tuned_have_the_figures_of_their_runs(runs_of):
    at, dense, after = runs_of
    found, _ = compared(at, after)
    with at.store.read() as session:
        parent, own = (runs.get(session, c.run_id) for c in (dense, after))
        shape = history.network(session, parent.id)
    assert found["dense"].test.value == parent.test_correct / parent.n_test
    assert found["dense"].validation.value == parent.best_val_correct / parent.n_val
    assert vars(found["dense"].cost) == vars(dense_cost(shape))
    assert found["tuned"].test.value == own.test_correct / own.n_test
    assert found["tuned"].validation.value == own.best_val_correct / own.n_val
    assert found["tuned"].cost == found["cut"].cost


def test_a_fine_tuned_network_is_cut_again_like_any_other(runs_of):
    at, _, after = runs_of
    plan = Plan(ratio=0.2)
    payload = PrunePayload(plan=plan, formats=("safetensors",))
    job = at.enqueue(after.run_id, JobKind.PRUNE, payload)
    result = job.perform().result
    at.finish(job)
    with at.store.read() as session:
        row = evaluations.checkpoint(session, result["checkpoint_id"])
    assert row.manifest["start"]["run_id"] == compared_parent(at, after)
    assert Path(at.settings.artifacts / row.files["safetensors"]["path"]).exists()


def compared_parent(at, job) -> str:
    with at.store.read() as session:
        return comparison(session, runs.get(session, job.run_id)).parent


def test_the_comparison_survives_the_deletion_of_the_parent(runs_of):
    at, dense, after = runs_of
    before, _ = compared(at, after)
    with at.store.write() as session:
        runs.remove(session, dense.run_id)
    found, _ = compared(at, after)
    assert found["dense"] == before["dense"]
    assert found["tuned"] == before["tuned"]


def test_a_run_that_is_no_fine_tuning_measures_no_cut(worker):
    job = worker.train(SMALL.model_copy(update={"epochs": 1}))
    with worker.store.read() as session:
        assert not evaluations.evaluations(session, job.run_id, 0, split="test")
