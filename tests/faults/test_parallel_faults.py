"""Pull the plug on trainings of several processes: none is left over, and nothing is lost."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from recede.contract.states import State
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.tables.runs import JobRow, RunRow
from tests.worker_process import (
    SMALL,
    DataFolder,
    eventually,
)

pytestmark = pytest.mark.slow

SPEC = SMALL.model_copy(update={"epochs": 10_000, "processes": 2})


def run_of(folder: DataFolder, run_id: str) -> RunRow:
    with folder.store.read() as session:
        return runs.get(session, run_id)


def job_of(folder: DataFolder, run_id: str) -> JobRow:
    with folder.store.read() as session:
        return jobs.train_job(session, run_id)


def next_epoch(folder: DataFolder, run_id: str) -> int:
    """Wait for one more finished epoch; its number."""
    before = run_of(folder, run_id).epochs_done
    eventually(lambda: run_of(folder, run_id).epochs_done > before, f"epoch {before + 1}")
    return run_of(folder, run_id).epochs_done


def below(pid: int | None) -> list[psutil.Process]:
    """All that a job's process has started: the other ranks and their server."""
    assert pid is not None
    return psutil.Process(pid).children(recursive=True)


def rank_1(pid: int | None) -> psutil.Process:
    """The newest process below a job's: ranks are forked by a server that came first."""
    return max(below(pid), key=lambda process: process.create_time())


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_whichever_process_is_killed_the_run_goes_on_and_none_is_left(folder: DataFolder):
    with folder.store.write() as session:
        run_id = runs.create(session, SPEC)[0].id
    with folder.worker() as worker:
        next_epoch(folder, run_id)
        job = job_of(folder, run_id)
        assert job.device == "cpu"
        first = below(job.child_pid)
        assert first
        os.kill(rank_1(job.child_pid).pid, signal.SIGKILL)
        eventually(lambda: gone(first), "the end of all processes of the first attempt")
        eventually(
            lambda: job_of(folder, run_id).child_pid not in (None, job.child_pid), "a new attempt"
        )
        next_epoch(folder, run_id)
        again = job_of(folder, run_id)
        second = below(again.child_pid)
        assert again.child_pid is not None
        os.kill(again.child_pid, signal.SIGKILL)
        eventually(lambda: gone(second), "the end of all processes of the second attempt")
        next_epoch(folder, run_id)
        third = below(job_of(folder, run_id).child_pid)
        with folder.store.write() as session:
            jobs.request_cancel(session, job_of(folder, run_id).id)
        eventually(lambda: run_of(folder, run_id).state == State.CANCELLED, "the cancellation")
        eventually(lambda: gone(third), "the end of all processes of the third attempt")
        assert worker.poll() is None
    with folder.store.read() as session:
        epochs = history.snapshot_epochs(session, run_id)
    assert epochs == list(range(len(epochs)))
    assert "died: signal 9" in next((folder.artifacts / "runs" / run_id).glob("*.log")).read_text()
