"""Pull the plug: no job is lost, none runs twice, and what was finished stays."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from recede.contract.spec.run import RunSpec
from recede.contract.states import JobKind, State
from recede.store.events import log as events
from recede.store.experiments import history, runs
from recede.store.queue import jobs, workers
from recede.store.results import evaluations
from recede.store.tables.runs import JobRow, RunRow
from tests.worker_process import (
    SMALL,
    DataFolder,
    eventually,
)

pytestmark = pytest.mark.slow

SPEC = SMALL.model_copy(update={"epochs": 4, "batch_size": 32})
ENDLESS = SPEC.model_copy(update={"epochs": 10_000})


def submit(folder: DataFolder, spec: RunSpec) -> str:
    with folder.store.write() as session:
        run, _ = runs.create(session, spec)
    return run.id


def run_of(folder: DataFolder, run_id: str) -> RunRow:
    with folder.store.read() as session:
        return runs.get(session, run_id)


def train_job(folder: DataFolder, run_id: str) -> JobRow:
    with folder.store.read() as session:
        return jobs.train_job(session, run_id)


def wait_for_epoch(folder: DataFolder, run_id: str, epoch: int) -> None:
    eventually(lambda: run_of(folder, run_id).epochs_done >= epoch, f"epoch {epoch}")


def wait_for_state(folder: DataFolder, run_id: str, state: State) -> None:
    eventually(lambda: run_of(folder, run_id).state == state, f"run {state}")


def child_of(folder: DataFolder, run_id: str) -> int:
    return eventually(lambda: train_job(folder, run_id).child_pid, "the child's start")


def kill(folder: DataFolder, worker: subprocess.Popen[bytes], run_id: str) -> None:
    """Kill a worker in mid-training, and wait until its child has noticed."""
    child = child_of(folder, run_id)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    eventually(lambda: not psutil.pid_exists(child), "the child's end")


@pytest.mark.thorough  # test_slow_start.py holds the same up in between
def test_a_killed_worker_is_followed_by_one_that_goes_on(folder: DataFolder):
    run_id = submit(folder, SPEC)
    with folder.worker() as first:
        wait_for_epoch(folder, run_id, 2)
        kill(folder, first, run_id)
        done = run_of(folder, run_id).epochs_done
    with folder.worker():
        wait_for_state(folder, run_id, State.SUCCEEDED)
    with folder.store.read() as session:
        assert history.snapshot_epochs(session, run_id) == list(range(SPEC.epochs + 1))
        seen = [e.data["epoch"] for e in events.after(session, 0) if e.type == "epoch"]
    trained_twice = [epoch for epoch in seen if epoch > done and seen.count(epoch) > 1]
    assert not trained_twice
    log = next((folder.artifacts / "runs" / run_id).glob("job-*.log")).read_text()
    assert f"resuming after epoch {done}" in log or f"resuming after epoch {done + 1}" in log


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    """A folder with a worker that outlives whatever happens to its jobs."""
    data = DataFolder(tmp_path_factory.mktemp("served"))
    with data.worker() as worker:
        yield data
        assert worker.poll() is None
    data.store.close()


def test_a_killed_child_is_started_again_and_the_worker_lives(served: DataFolder):
    run_id = submit(served, SPEC)
    wait_for_epoch(served, run_id, 1)
    os.kill(child_of(served, run_id), signal.SIGKILL)
    wait_for_state(served, run_id, State.SUCCEEDED)
    with served.store.read() as session:
        assert history.snapshot_epochs(session, run_id) == list(range(SPEC.epochs + 1))


def test_a_job_that_kills_its_process_each_time_ends_failed_with_the_reason(served: DataFolder):
    run_id = submit(served, ENDLESS)
    killed: set[int] = set()

    def kill_and_look() -> bool:
        job = train_job(served, run_id)
        pid = job.child_pid
        if job.state == State.RUNNING and pid is not None and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return job.state == State.FAILED

    eventually(kill_and_look, "the end of attempts")
    error = train_job(served, run_id).error
    assert len(killed) == 3
    assert error is not None
    assert error["code"] == "process_died"
    assert "signal 9" in error["message"]
    assert run_of(served, run_id).state == State.FAILED


def cancel(folder: DataFolder, run_id: str) -> None:
    with folder.store.write() as session:
        jobs.request_cancel(session, jobs.train_job(session, run_id).id)
    wait_for_state(folder, run_id, State.CANCELLED)


def test_cancel_in_mid_epoch_stops_and_resume_goes_on(served: DataFolder):
    run_id = submit(served, ENDLESS)
    wait_for_epoch(served, run_id, 1)
    cancel(served, run_id)
    done = run_of(served, run_id).epochs_done
    with served.store.write() as session:
        assert evaluations.trained(session, run_id, None).epoch <= done
        jobs.resume(session, run_id)
    wait_for_epoch(served, run_id, done + 1)
    cancel(served, run_id)
    with served.store.read() as session:
        epochs = history.snapshot_epochs(session, run_id)
    assert epochs == list(range(len(epochs)))


def test_a_clean_stop_puts_the_job_back_into_its_queue(folder: DataFolder):
    run_id = submit(folder, ENDLESS)
    with folder.worker() as worker:
        wait_for_epoch(folder, run_id, 1)
        worker.terminate()
        assert worker.wait() == 0
    job = train_job(folder, run_id)
    assert (job.state, job.owner, job.token) == (State.QUEUED, None, None)
    assert run_of(folder, run_id).state == State.QUEUED


def test_a_second_worker_on_the_same_folder_is_refused(served: DataFolder):
    eventually(lambda: _catalog(served), "the first worker's start")
    second = subprocess.run(served.command(), capture_output=True, text=True, check=False)
    assert second.returncode == 3
    assert "Another worker already serves" in second.stderr
    assert "--data" in second.stderr


def test_an_interactive_job_does_not_wait_behind_a_training(served: DataFolder):
    run_id = submit(served, ENDLESS)
    wait_for_epoch(served, run_id, 1)
    with served.store.write() as session:
        plan = {"plan": {"ratio": 0.3}}
        job_id = jobs.enqueue(session, run_id, JobKind.EVALUATE, plan).id

    def finished() -> JobRow | None:
        with served.store.read() as session:
            job = jobs.get(session, job_id)
        return job if State(job.state).is_final else None

    job = eventually(finished, "the evaluation")
    assert job.state == State.SUCCEEDED, job.error
    assert run_of(served, run_id).state == State.RUNNING
    cancel(served, run_id)


def test_a_worker_ends_when_whoever_started_it_is_gone(folder: DataFolder):
    run_id = submit(folder, ENDLESS)
    command = [*folder.command(), "--end-with-stdin"]
    with (folder.path / "worker.log").open("ab") as log:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    wait_for_epoch(folder, run_id, 1)
    assert worker.stdin is not None
    worker.stdin.close()  # as the system does when the other process dies
    assert worker.wait(60) == 0
    assert train_job(folder, run_id).state == State.QUEUED


def test_a_data_set_that_appears_or_goes_is_told_while_the_worker_runs(served: DataFolder):
    def status() -> str:
        with served.store.read() as session:
            return workers.catalog(session).dataset("cifar10").status

    eventually(lambda: _catalog(served), "the worker's start")
    assert status() == "download"
    (served.path / "datasets").mkdir(exist_ok=True)
    (served.path / "datasets" / "cifar-10-batches-py").write_text("not a folder")
    eventually(lambda: status() == "unreadable", "the news of a broken data set")


def _catalog(folder: DataFolder) -> bool:
    with folder.store.read() as session:
        return bool(workers.all_workers(session))
