"""Logs of jobs, read piece by piece while they grow."""

from __future__ import annotations

from pathlib import Path

from recede.api.disk import folders
from recede.contract.schemas import LogOut
from recede.settings import Settings
from recede.store.tables.runs import JobRow

CHUNK_BYTES = 256 << 10


def path_of(settings: Settings, job: JobRow) -> Path:
    """Where the log of a job lies, once it has begun."""
    return folders.of_run(settings, job.run_id) / f"job-{job.id}.log"


def lines(path: Path, after: int, ended: bool) -> LogOut:
    """Lines from byte `after` on; the rest of an unfinished line comes with the next call."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(min(after, size))
            chunk = file.read(CHUNK_BYTES)
    except FileNotFoundError:
        return LogOut(lines=[], next=0, complete=ended)
    start = min(after, size)
    at_end = start + len(chunk) >= size
    cut = chunk.rfind(b"\n") + 1
    if (ended and at_end) or (cut == 0 and len(chunk) == CHUNK_BYTES):
        cut = len(chunk)
    lines = chunk[:cut].decode(errors="replace").splitlines()
    return LogOut(lines=lines, next=start + cut, complete=ended and at_end)
