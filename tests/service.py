"""Starts `recede up` as a person would, on a free port and a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recede.client import ApiError, RecedeClient
from recede.contract.schemas import JobOut, RunOut
from recede.contract.states import State
from tests.worker_process import PATIENCE_S, eventually

SMALL_RUN = {
    "dataset": "digits",
    "architecture": "vgg11",
    "architecture_params": {"width": 0.1},
    "method": "rni",
    "method_params": {"lam": 0.05, "shift": 3},
    "epochs": 4,
    "batch_size": 32,
}

ASKED_EVERY_S = 0.2
"""Each question is answered by the process that others wait for."""


@dataclass
class Service:
    """A running service, its address and its process."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    client: RecedeClient

    def recede(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `recede` command against this service."""
        return subprocess.run(
            [sys.executable, "-c", "from recede.cli import main; main()", *arguments],
            env={**os.environ, "RECEDE_URL": self.url, "COLUMNS": "120", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def finished_run(self, run_id: str) -> RunOut:
        """The run, once it and its curve are at their end."""

        def look() -> RunOut | None:
            busy = [job for job in self.client.jobs(run_id=run_id).items if not job.state.is_final]
            run = self.client.run(run_id)  # after the jobs: it holds what the last one wrote
            return run if run.state.is_final and not busy else None

        return eventually(look, f"the end of run {run_id}", ASKED_EVERY_S)

    def finished_job(self, job_id: int) -> JobOut:
        """The job, once it has ended."""

        def look() -> JobOut | None:
            job = self.client.job(job_id)
            return job if job.state.is_final else None

        job = eventually(look, f"the end of job {job_id}", ASKED_EVERY_S)
        assert job.state == State.SUCCEEDED, job.error
        return job


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """`recede up` until the end of the block; its output is in `folder`/up.log."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from recede.cli import main; main()", "up"]
    options = ["--data", str(folder / "data"), "--port", str(port), "--no-open"]
    environment = {**os.environ, "RECEDE_THREADS": "1"}  # tiny networks: tests/torch_state.py
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment)
    client = RecedeClient(url)
    try:
        eventually(lambda: _ready(client, process), "the start of the service")
        yield Service(url, folder, process, client)
    finally:
        client.close()
        process.terminate()
        process.wait(PATIENCE_S)


def _ready(client: RecedeClient, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the service ended; see up.log"
    try:
        return bool(client.catalog().datasets)
    except ApiError:
        return False
