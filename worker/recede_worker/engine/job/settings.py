"""The settings of a worker; the processes of its jobs get the same."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recede_worker.process.limits import DEFAULT_LIMITS, Limits

KEEP_S = 900.0


@dataclass(frozen=True)
class WorkerSettings:
    """Where store and files are, and what one job may use."""

    store_url: str
    artifacts: Path
    roots: tuple[Path, ...]
    """Folders with data sets; the first one receives downloads."""
    threads: int
    keep_s: float = KEEP_S
    """How long an idle process for interactive jobs is kept; 0: each job has a fresh one."""
    networks: tuple[Path, ...] = ()
    """Files with the user's own networks."""
    trace_limits: Limits = DEFAULT_LIMITS
    """For tracing networks that no test of ours covers."""

    def run_folder(self, run_id: str) -> Path:
        """The folder of one run's files, created if it is new."""
        folder = self.artifacts / "runs" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def files_of(variable: str) -> list[Path]:
    """Absolute paths of files of networks, from a list that is separated as PATH is."""
    return [Path(part).expanduser().absolute() for part in variable.split(os.pathsep) if part]
