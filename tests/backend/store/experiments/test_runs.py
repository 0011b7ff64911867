"""Runs in the store: order, pages, idempotency, renaming, deletion."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recede.contract.errors import Conflict, NotFound
from recede.contract.spec.run import RunSpec
from recede.contract.states import JobKind, State
from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from tests.backend.store.samples import (
    SPEC,
    add_checkpoint,
    add_epochs,
    add_run,
)


def test_a_new_run_is_queued_with_its_train_job(store: Store):
    run_id, job_id = add_run(store)
    with store.read() as session:
        run, job = runs.get(session, run_id), jobs.get(session, job_id)
    assert (run.state, job.state, job.kind) == ("queued", "queued", "train")
    assert run.name == SPEC.title()
    assert run.created_at > 0


def test_runs_come_newest_first_page_by_page(store: Store):
    made = [add_run(store)[0] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    with store.read() as session:
        while rows := runs.page(session, limit=2, cursor=cursor):
            seen += [row.id for row in rows]
            cursor = (rows[-1].created_at, rows[-1].id)
    assert seen == made[::-1]


def test_runs_are_found_by_state_and_by_a_part_of_their_name(store: Store):
    kept, _ = add_run(store, SPEC.model_copy(update={"name": "100 % wide"}))
    other, other_job = add_run(store)
    with store.write() as session:
        jobs.request_cancel(session, other_job)
    with store.read() as session:
        assert [row.id for row in runs.page(session, search="0 % W")] == [kept]
        assert [row.id for row in runs.page(session, state=State.CANCELLED)] == [other]
        assert runs.counts(session) == {"queued": 1, "cancelled": 1}


def test_the_same_key_with_the_same_spec_queues_once(store: Store):
    with store.write() as session:
        first, first_job = runs.create(session, SPEC, idempotency_key="k")
    with store.write() as session:
        again, again_job = runs.create(session, SPEC, idempotency_key="k")
    assert (again.id, again_job.id) == (first.id, first_job.id)
    with store.read() as session:
        assert len(jobs.page(session)) == 1


def test_the_same_key_from_many_sides_at_once_queues_once(store: Store):
    start = threading.Barrier(4)

    def submit() -> str:
        start.wait()
        with store.write() as session:
            return runs.create(session, SPEC, idempotency_key="k")[0].id

    with ThreadPoolExecutor(4) as pool:
        made = {done.result() for done in [pool.submit(submit) for _ in range(4)]}
    assert len(made) == 1


def test_the_same_key_with_another_spec_is_refused(store: Store):
    with store.write() as session:
        runs.create(session, SPEC, idempotency_key="k")
    with pytest.raises(Conflict, match="another run"), store.write() as session:
        runs.create(session, SPEC.model_copy(update={"seed": 1}), idempotency_key="k")


def test_rename_changes_only_what_is_given(store: Store):
    run_id, _ = add_run(store)
    with store.write() as session:
        runs.rename(session, run_id, name="better", notes=None)
        runs.rename(session, run_id, name=None, notes="why")
    with store.read() as session:
        run = runs.get(session, run_id)
    assert (run.name, run.notes) == ("better", "why")


def test_a_run_with_work_left_is_not_deleted(store: Store):
    run_id, _ = add_run(store)
    with pytest.raises(Conflict, match="queued or running"), store.write() as session:
        runs.remove(session, run_id)


def test_deleting_a_run_takes_all_that_belongs_to_it(store: Store, tmp_path):
    run_id, job_id = add_run(store)
    add_epochs(store, run_id, 2)
    add_checkpoint(store, tmp_path, run_id, 2)
    with store.write() as session:
        jobs.request_cancel(session, job_id)
    with store.write() as session:
        runs.remove(session, run_id)
    with store.read() as session:
        with pytest.raises(NotFound):
            runs.get(session, run_id)
        assert history.snapshot_epochs(session, run_id) == []
        assert jobs.page(session) == []
        last = log.after(session, 0)
    assert [(row.type, row.data) for row in last] == [("run_deleted", {"run_id": run_id})]


def test_ids_are_short_and_hold_no_letters_that_look_alike():
    for _ in range(200):
        id_ = runs.new_id()
        assert len(id_) == 8
        assert not set(id_) & set("0o1il")


def test_a_spec_survives_the_store(store: Store):
    spec = RunSpec(
        dataset="digits", architecture="tiny", method="rni", method_params={"lam": 0.1}, lr=0.05
    )
    run_id, _ = add_run(store, spec)
    with store.read() as session:
        assert RunSpec.model_validate(runs.get(session, run_id).spec) == spec


def test_only_a_stopped_run_is_resumed(store: Store):
    run_id, job_id = add_run(store)
    with pytest.raises(Conflict, match="queued"), store.write() as session:
        jobs.resume(session, run_id)
    with store.write() as session:
        jobs.request_cancel(session, job_id)
    with store.write() as session:
        again = jobs.resume(session, run_id)
    assert again.id != job_id
    with store.read() as session:
        run = runs.get(session, run_id)
        assert (run.state, run.finished_at, run.error) == ("queued", None, None)
        assert jobs.train_jobs(session, [run_id])[run_id].id == again.id
        assert [job.id for job in jobs.active(session, run_id, JobKind.TRAIN)] == [again.id]
