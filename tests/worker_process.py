"""Starts the real worker as a process of its own, and waits for what the store says."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from recede.contract.spec.run import RunSpec
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)

T = TypeVar("T")
SMALL = RunSpec(
    dataset="digits",
    architecture="vgg11",
    architecture_params={"width": 0.1},
    method="rni",
    method_params={"lam": 0.02, "shift": 3.0},
    batch_size=128,
)
"""A training of seconds; how many epochs it takes is each test's own."""
PATIENCE_S = 240.0  # for machines that are busy with something else; nothing waits for it


class DataFolder:
    """One data folder with its store, as `recede up` lays it out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = sqlite_url(path / "recede.db")
        self.artifacts = path / "artifacts"
        self.store: Store = open_store(self.url, busy_timeout_s=30)

    def command(self) -> list[str]:
        return [
            sys.executable, "-m", "recede_worker", "--store", self.url,
            "--artifacts", str(self.artifacts), "--data-root", str(self.path / "datasets"),
            "--threads", "1",
        ]  # fmt: skip

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A running worker; it is killed at the end if it still runs."""
        with (self.path / "worker.log").open("ab") as log:
            process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE_S)

    def said(self) -> str:
        """What the workers of this folder have printed."""
        return (self.path / "worker.log").read_text()


def eventually(look: Callable[[], T | None], what: str, every_s: float = 0.05) -> T:
    """The first true answer of `look`; fails with `what` if none comes."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = look()
        if answer:
            return answer
        time.sleep(every_s)
    raise AssertionError(f"{what} did not happen within {PATIENCE_S:.0f} s")
