"""A worker whose processes cannot begin yet: it claims nothing that nobody would speak for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from recede.contract.states import State
from recede.store.events import log as events
from recede.store.experiments import history
from recede.store.queue import jobs, workers
from recede_worker.engine.supervisor.loop import CLAIM_S
from tests.faults.test_worker_faults import (
    SPEC,
    kill,
    run_of,
    submit,
    train_job,
    wait_for_epoch,
    wait_for_state,
)
from tests.worker_process import DataFolder, eventually

pytestmark = pytest.mark.slow

# Holds up the server that forks the processes of jobs, as a slow disk does with its imports.
HOLD = """
import pathlib, sys, time
if any("forkserver" in word for word in sys.orig_argv):
    while not pathlib.Path({gate!r}).exists():
        time.sleep(0.02)
"""


def is_known(folder: DataFolder, pid: int) -> bool:
    """Whether the worker with this process has said what it can train."""
    with folder.store.read() as session:
        return any(row.pid == pid for row, _ in workers.all_workers(session))


def test_a_job_of_a_killed_worker_is_claimed_only_when_a_process_can_go_on_with_it(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
):
    run_id = submit(folder, SPEC)
    with folder.worker() as first:
        wait_for_epoch(folder, run_id, 1)
        kill(folder, first, run_id)
        done = run_of(folder, run_id).epochs_done
    left = train_job(folder, run_id)
    assert left.state == State.RUNNING  # nobody was there to say otherwise
    gate = folder.path / "gate"
    (folder.path / "sitecustomize.py").write_text(HOLD.format(gate=str(gate)))
    monkeypatch.setenv("PYTHONPATH", str(folder.path), prepend=os.pathsep)
    with folder.worker() as second:
        eventually(lambda: train_job(folder, run_id).lease_expires_at == 0, "the old lease's end")
        time.sleep(2 * CLAIM_S)  # in which it looks for jobs
        assert not is_known(folder, second.pid)
        held_up = train_job(folder, run_id)
        assert (held_up.token, held_up.heartbeat_at) == (left.token, left.heartbeat_at)
        gate.touch()
        wait_for_state(folder, run_id, State.SUCCEEDED)
    with folder.store.read() as session:
        assert history.snapshot_epochs(session, run_id) == list(range(SPEC.epochs + 1))
        seen = [e.data["epoch"] for e in events.after(session, 0) if e.type == "epoch"]
    assert not [epoch for epoch in seen if epoch > done and seen.count(epoch) > 1]
    said = log_of(folder, run_id)
    assert said[0].endswith(f"train job {left.id} on cpu")
    assert any("the worker that started this process is gone" in line for line in said)
    assert any(f"train job {left.id} resumes in a new process on cpu" in line for line in said)
    assert any(f"resuming after epoch {n}" in line for line in said for n in (done, done + 1))


def log_of(folder: DataFolder, run_id: str) -> list[str]:
    """The lines of the training's log."""
    with folder.store.read() as session:
        job_id = jobs.train_job(session, run_id).id
    path: Path = folder.artifacts / "runs" / run_id / f"job-{job_id}.log"
    return path.read_text().splitlines()
