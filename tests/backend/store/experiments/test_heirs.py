"""A run whose weights another one waits for: they are kept, and so is the run."""

from __future__ import annotations

import pytest

from recede.contract.errors import Conflict
from recede.contract.spec.run import Init, Plan
from recede.contract.states import State
from recede.store.database.engine import Store
from recede.store.experiments import runs
from recede.store.queue import jobs
from tests.backend.store.samples import (
    SPEC,
    add_epochs,
    add_run,
)


def finished(store: Store) -> str:
    run_id, job_id = add_run(store)
    with store.write() as session:
        jobs.request_cancel(session, job_id)
    return run_id


def heir(store: Store, run_id: str, plan: Plan | None = None) -> tuple[str, int]:
    return add_run(store, SPEC.model_copy(update={"init": Init(run=run_id, plan=plan)}))


def test_heirs_are_the_unfinished_runs_that_have_not_begun(store: Store):
    parent, other = finished(store), finished(store)
    first, _ = heir(store, parent)
    second, second_job = heir(store, parent, Plan(ratio=0.5))
    heir(store, other)
    add_run(store, SPEC.model_copy(update={"init": Init(file="w.pt")}))
    with store.read() as session:
        assert {run.id for run in jobs.heirs(session, parent)} == {first, second}
    add_epochs(store, first, 0)
    with store.write() as session:
        jobs.request_cancel(session, second_job)
        assert runs.get(session, second).state == State.CANCELLED
    with store.read() as session:
        assert not jobs.heirs(session, parent)
        assert len(jobs.heirs(session, other)) == 1


def test_an_epoch_that_an_heir_will_cut_is_pinned_until_it_has_begun(store: Store):
    parent = finished(store)
    child, _ = heir(store, parent, Plan(epoch=7, ratio=0.5))
    heir(store, parent, Plan(ratio=0.5))
    with store.read() as session:
        assert jobs.pinned(session, parent) == {7}
    add_epochs(store, child, 0)
    with store.read() as session:
        assert jobs.pinned(session, parent) == set()


def test_a_run_is_deleted_only_after_its_heirs_have_begun(store: Store):
    parent = finished(store)
    child, _ = heir(store, parent)
    with store.write() as session, pytest.raises(Conflict, match=child) as refusal:
        runs.remove(session, parent)
    assert refusal.value.hint
    add_epochs(store, child, 0)
    with store.write() as session:
        runs.remove(session, parent)
