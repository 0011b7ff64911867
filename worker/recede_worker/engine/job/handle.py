"""JobHandle: what a running job writes, logs and reports through, and when it should stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from recede.contract.states import JobKind
from recede.store.database.engine import Store
from recede.store.queue import lease as leases
from recede_worker.engine.job.stop import Cancelled, Interrupted

PAUSE_CHECK_S = 0.1
"""A paused job checks this often whether it was cancelled."""


@dataclass(frozen=True)
class Outcome:
    """What a finished job leaves: its result and the job that should follow, if any."""

    result: dict[str, Any]
    follow_up: tuple[JobKind, dict[str, Any]] | None = None


@dataclass(frozen=True)
class JobHandle:
    """The lease of one running job, its log and its progress.

    Every write goes through `write`, which proves the lease.
    """

    store: Store
    lease: leases.Lease
    log: Callable[[str], None]
    publish: Callable[[dict[str, Any]], None]
    """Takes the progress that the next heartbeat stores."""
    beat_now: Callable[[], None] = lambda: None
    """Asks for that heartbeat at once."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the worker shuts down."""
    may_proceed: threading.Event | None = None
    """Cleared while a more urgent job runs: this one pauses between two batches."""

    @property
    def run_id(self) -> str:
        """The run that the job works for."""
        return self.lease.run_id

    def check(self) -> None:
        """Call between batches; waits while the job is paused.

        Raises:
            Cancelled, Interrupted: the job should stop.
        """
        while True:
            if self.cancelled.is_set():
                raise Cancelled
            if self.stopping.is_set():
                raise Interrupted
            if self.may_proceed is None or self.may_proceed.wait(PAUSE_CHECK_S):
                return

    def read(self) -> AbstractContextManager[Session]:
        """One reading transaction."""
        return self.store.read()

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
        """Report how far the job is: with the next heartbeat, or `at_once` with an extra one."""
        base = {"stage": stage, "done": done, "total": total, "unit": unit}
        self.publish({**base, "message": "", "eta_s": None, **more})
        if at_once:
            self.beat_now()
