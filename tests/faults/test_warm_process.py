"""The process that stays for interactive jobs: killed, stopped, superseded, its run deleted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from recede.contract.spec.run import (
    CurvePayload,
    EvaluatePayload,
    Plan,
)
from recede.contract.states import JobKind, State
from recede.store.events import log
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede.store.tables.runs import JobRow
from tests.worker_process import (
    SMALL,
    DataFolder,
    eventually,
)

pytestmark = pytest.mark.slow

SPEC = SMALL.model_copy(update={"epochs": 1, "map_budget": 0})


class Desk(DataFolder):
    """A folder with a trained run, and what a person asks about it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.run_id = ""

    def train(self) -> str:
        with self.store.write() as session:
            run, _ = runs.create(session, SPEC)
        eventually(lambda: self._is_trained(run.id), "the end of the training")
        with self.store.write() as session:
            curve = [jobs.request_cancel(session, job.id) for job in jobs.active(session, run.id)]
        for job in curve:
            self.ended(job.id)
        return run.id

    def _is_trained(self, run_id: str) -> bool:
        with self.store.read() as session:
            run = runs.get(session, run_id)
            assert run.state != State.FAILED, run.error
            return run.state == State.SUCCEEDED

    def evaluate(self, ratio: float, run_id: str = "") -> int:
        payload = EvaluatePayload(plan=Plan(epoch=1, ratio=ratio)).model_dump(mode="json")
        with self.store.write() as session:
            jobs.supersede(session, run_id or self.run_id, JobKind.EVALUATE)
            return jobs.enqueue(session, run_id or self.run_id, JobKind.EVALUATE, payload).id

    def job(self, job_id: int) -> JobRow:
        with self.store.read() as session:
            return jobs.get(session, job_id)

    def ended(self, job_id: int) -> JobRow:
        def look() -> JobRow | None:
            job = self.job(job_id)
            return job if State(job.state).is_final else None

        return eventually(look, f"the end of job {job_id}")

    def succeeded(self, job_id: int) -> JobRow:
        job = self.ended(job_id)
        assert job.state == State.SUCCEEDED, job.error
        return job

    def running(self, job_id: int) -> int:
        """The process of a job, as soon as it has one."""

        def look() -> int | None:
            job = self.job(job_id)
            return job.child_pid if job.state == State.RUNNING else None

        return eventually(look, f"the start of job {job_id}")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One worker for all tests here: each leaves it in working order, which the next one sees."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    with made.worker():
        made.run_id = made.train()
        yield made
    made.store.close()


@pytest.fixture
def kept(desk: Desk) -> int:
    """The process that waits for evaluations, idle."""
    pid = desk.succeeded(desk.evaluate(0.2)).child_pid
    assert pid is not None
    return pid


@contextmanager
def held(pid: int) -> Iterator[None]:
    """The process stands still, so that what happens meanwhile happens in the middle of a job."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGCONT)


def test_one_process_serves_one_evaluation_after_the_other_with_a_log_each(desk, kept):
    jobs_ = [desk.succeeded(desk.evaluate(ratio)) for ratio in (0.31, 0.41)]
    assert [job.child_pid for job in jobs_] == [kept, kept]
    for job in jobs_:
        said = (desk.artifacts / "runs" / desk.run_id / f"job-{job.id}.log").read_text()
        assert said.count(f"evaluate job {job.id}") == 1
        assert "done" in said
        assert not any(f"evaluate job {other.id}," in said for other in jobs_ if other != job)


def test_a_process_killed_while_idle_is_replaced_with_the_next_job(desk, kept):
    os.kill(kept, signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(kept), "its end")
    job = desk.succeeded(desk.evaluate(0.32))
    assert job.child_pid != kept
    assert job.attempts == 1


def test_a_process_killed_at_a_job_costs_an_attempt_and_the_job_is_done_by_another(desk, kept):
    with held(kept):
        job_id = desk.evaluate(0.33)
        assert desk.running(job_id) == kept
        os.kill(kept, signal.SIGKILL)
        job = desk.succeeded(job_id)
    assert job.child_pid != kept
    assert job.attempts == 2


def test_a_newer_choice_stops_the_older_one_and_is_measured_by_the_same_process(desk, kept):
    with held(kept):
        older = desk.evaluate(0.34)
        assert desk.running(older) == kept
        newer = desk.evaluate(0.35)
    assert desk.ended(older).state == State.CANCELLED
    assert desk.succeeded(newer).child_pid == kept
    with desk.store.read() as session:
        measured = {
            round(row.plan["ratio"], 2) for row in evaluations.evaluations(session, desk.run_id, 1)
        }
    assert 0.35 in measured
    assert 0.34 not in measured


def test_an_evaluation_does_not_wait_behind_a_curve(desk, kept):
    with desk.store.write() as session:
        payload = CurvePayload(ratios=(0.0, 0.9)).model_dump(mode="json")
        first = jobs.enqueue(session, desk.run_id, JobKind.CURVE, payload).id
    other = desk.succeeded(first).child_pid
    assert other not in (None, kept)
    with held(other):
        with desk.store.write() as session:
            curve = jobs.enqueue(session, desk.run_id, JobKind.CURVE, payload).id
        desk.running(curve)
        assert desk.succeeded(desk.evaluate(0.36)).child_pid == kept
        assert desk.job(curve).state == State.RUNNING
    desk.succeeded(curve)


def test_a_run_that_is_deleted_while_it_is_kept_in_memory_leaves_the_others_alone(desk, kept):
    gone = desk.train()
    assert desk.succeeded(desk.evaluate(0.2, gone)).child_pid == kept
    with desk.store.write() as session:
        runs.remove(session, gone)
    assert desk.succeeded(desk.evaluate(0.37)).child_pid == kept


def test_a_run_deleted_in_the_middle_of_its_evaluation_ends_it_and_not_the_process(desk, kept):
    gone = desk.train()
    with held(kept):
        assert desk.running(desk.evaluate(0.2, gone)) == kept
        with desk.store.write() as session:
            for job in jobs.active(session, gone):
                session.delete(job)
            session.flush()
            runs.remove(session, gone)
    assert desk.succeeded(desk.evaluate(0.38)).child_pid == kept


def test_an_estimate_is_told_before_the_result(desk, kept):
    job = desk.succeeded(desk.evaluate(0.39))
    with desk.store.read() as session:
        told = [e for e in log.after(session, 0, limit=100_000) if e.job_id == job.id]
    assert [event.data["state"] for event in told if event.type == "job"][-1] == State.SUCCEEDED
    for event in told:
        if event.type == "progress" and "accuracy" in event.data:
            known = event.data["accuracy"]
            assert known["kind"] == "estimated"
            assert known["split_low"] <= known["value"] <= known["split_high"]
            assert known["n"] < known["n_split"]


def test_a_clean_stop_of_the_worker_ends_the_idle_process(tmp_path: Path):
    desk = Desk(tmp_path)
    with desk.worker() as worker:
        desk.run_id = desk.train()
        pid = desk.succeeded(desk.evaluate(0.2)).child_pid
        worker.terminate()
        assert worker.wait() == 0
    assert pid is not None
    eventually(lambda: not psutil.pid_exists(pid), "the end of the process")
    desk.store.close()
