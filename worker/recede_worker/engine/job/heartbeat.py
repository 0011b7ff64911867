"""The thread that renews a job's lease each second and acts on the store's answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from recede.contract.errors import RecedeError
from recede.store.database.engine import Store, open_store
from recede.store.queue import lease as leases

BEAT_S = 1.0
GIVE_UP_SHARE = 0.7
"""Share of the lease without a successful beat after which the process ends itself, before
the job can be taken over."""
BUSY_TIMEOUT_S = 0.15 * leases.LEASE_S
"""Under 0.2 × lease, so that a locked store is noticed in time."""
STALL_S = 1800.0
"""Without any progress for this long the job hangs, even if this thread still runs."""

EXIT_LOST = 75
EXIT_STALLED = 76

Progress = dict[str, Any]


class Heartbeat:
    """Beats for one lease until stopped; ends the process when another one has taken the job.

    A job that was cancelled or deleted stops by itself: its process may live on.

    `store` may be one that is open already, of this thread alone; `cancelled` an event that
    others set as well.
    """

    def __init__(
        self,
        store_url: str,
        lease: leases.Lease,
        log: Callable[[str], None],
        *,
        store: Store | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        self.cancelled = cancelled or threading.Event()
        self._url = store_url
        self._store = store
        self._lease = lease
        self._log = log
        self._stopped = threading.Event()
        self._due = threading.Event()
        self._progress: Progress | None = None
        self._moved_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start beating."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; returns when the thread has ended. It may be called again."""
        self._stopped.set()
        self._due.set()
        if self._thread.is_alive():
            self._thread.join()

    def beat_now(self) -> None:
        """Beat at once, so that what was published is shown without delay."""
        self._due.set()

    def publish(self, progress: Progress) -> None:
        """Set the progress that the next beat stores."""
        self._progress = progress
        self._moved_at = time.monotonic()

    def _run(self) -> None:
        store = self._store or open_store(self._url, busy_timeout_s=BUSY_TIMEOUT_S)
        stored: Progress | None = None
        last_success = time.monotonic()
        while self._wait():
            progress = self._progress
            answer = self._beat(store, None if progress is stored else progress)
            now = time.monotonic()
            if answer is not None:
                stored, last_success = progress, now
            if answer == "lost" and not self._stopped.is_set():
                self._end("The job was taken over by another process.", EXIT_LOST)
            if answer == "gone" and not self.cancelled.is_set():
                self._log("The job was deleted with its run; it ends.")
            if answer in ("cancel", "gone"):
                self.cancelled.set()
            if now - last_success > GIVE_UP_SHARE * leases.LEASE_S:
                self._end("The store did not answer; the lease is about to lapse.", EXIT_LOST)
            if now - self._moved_at > STALL_S:
                self._end(f"No progress for {STALL_S:.0f} s: the job hangs.", EXIT_STALLED)
        if store is not self._store:
            store.close()

    def _wait(self) -> bool:
        """Until the next beat; False when there is none."""
        self._due.wait(BEAT_S)
        self._due.clear()
        return not self._stopped.is_set()

    def _beat(self, store: Store, progress: Progress | None) -> str | None:
        try:
            with store.write() as session:
                return leases.beat(session, self._lease, progress)
        except RecedeError as error:
            self._log(f"heartbeat: {error.message}")
            return None

    def _end(self, reason: str, code: int) -> None:
        self._log(reason)
        os._exit(code)
