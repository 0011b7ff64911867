"""JobContext: all that a job may use, handed in: store, lease, folders, device, log, progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from sqlalchemy.orm import Session

from recede.contract.spec.run import RunSpec
from recede.contract.states import JobKind
from recede.store.database.engine import Store
from recede.store.experiments import runs
from recede.store.queue import lease as leases
from recede_worker.engine.evaluation.cache import Loaded
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.job.stop import Cancelled, Interrupted

GIVE_WAY_S = 0.1
"""Between two looks at whether the job was cancelled while it gives way."""


@dataclass(frozen=True)
class Outcome:
    """What a finished job leaves: its result and the job that should follow, if any."""

    result: dict[str, Any]
    follow_up: tuple[JobKind, dict[str, Any]] | None = None


@dataclass
class JobContext:
    """One running job. Every write of it goes through `write`, which proves the lease."""

    settings: WorkerSettings
    store: Store
    lease: leases.Lease
    device: torch.device
    log: Callable[[str], None]
    publish: Callable[[dict[str, Any]], None]
    cancelled: threading.Event
    stopping: threading.Event = field(default_factory=threading.Event)
    loaded: Loaded = field(default_factory=Loaded)
    """What earlier jobs of this process have loaded."""
    beat_now: Callable[[], None] = lambda: None
    may_go_on: threading.Event | None = None
    """Cleared while a person waits for another job's answer."""

    @property
    def folder(self) -> Path:
        """Folder of the run's files."""
        return self.settings.run_folder(self.lease.run_id)

    def spec(self) -> RunSpec:
        """The spec of the run that this job works for."""
        with self.store.read() as session:
            return RunSpec.model_validate(runs.get(session, self.lease.run_id).spec)

    def check(self) -> None:
        """Call between batches: raises Cancelled or Interrupted if the job should stop.

        Waits as long as somebody else is to be served first.
        """
        while True:
            if self.cancelled.is_set():
                raise Cancelled
            if self.stopping.is_set():
                raise Interrupted
            if self.may_go_on is None or self.may_go_on.wait(GIVE_WAY_S):
                return

    @contextmanager
    def write(self, **columns: Any) -> Iterator[Session]:
        """One fenced transaction; `columns` are written to the job itself.

        Raises:
            LeaseLost: the job was taken over; nothing is written.
        """
        with self.store.write() as session:
            leases.fence(session, self.lease, **columns)
            yield session

    def progress(
        self, stage: str, done: int, total: int, unit: str, *, at_once: bool = False, **more: Any
    ) -> None:
        """Tell how far the job is; the next heartbeat carries it to the store, or one now."""
        base = {"stage": stage, "done": done, "total": total, "unit": unit}
        self.publish({**base, "message": "", "eta_s": None, **more})
        if at_once:
            self.beat_now()
