"""What a worker process is told when it starts; children get the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KEEP_S = 900.0


@dataclass(frozen=True)
class WorkerSettings:
    """Where the store and the files are, and how many threads one job may use."""

    store_url: str
    artifacts: Path
    roots: tuple[Path, ...]
    """Folders with data sets; the first one receives downloads."""
    threads: int
    keep_s: float = KEEP_S
    """How long a process for interactive jobs stays without work; 0: each job has a fresh one."""

    def run_folder(self, run_id: str) -> Path:
        """The folder of one run's files, created if it is new."""
        folder = self.artifacts / "runs" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder
