"""Watches the other processes of a training: which are ready, which failed, which died."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from recede.contract.errors import RecedeError

POLL_S = 0.2
SETTLE_S = 0.5
"""A death makes others fail too; their reports may arrive before it is noticed."""
STUCK_S = 60.0
"""How long rank 0 may take to leave a step that can no longer finish."""


class RankDied(Exception):
    """Another process of the training ended without a report, for instance killed."""


class RankFailed(RecedeError):
    """Another process of the training raised an error."""

    def __init__(self, rank: int, size: int, report: dict[str, str]) -> None:
        super().__init__(
            f"In process {rank + 1} of {size}: {report['message']}",
            field=report.get("field"),
            hint=report.get("hint"),
        )
        self.code = report["code"]


class Watchdog:
    """Watches the processes of rank 1, 2, … in a thread of its own until it is stopped.

    `stuck` is called from that thread if one failed and the watchdog still runs long after.
    """

    def __init__(
        self,
        links: Sequence[Connection],
        processes: Sequence[BaseProcess],
        stuck: Callable[[Exception], None],
    ) -> None:
        self._links = dict(zip(links, range(1, len(links) + 1), strict=True))
        self._living = {process.sentinel: process for process in processes}
        self._ranks = {process.sentinel: 1 + i for i, process in enumerate(processes)}
        self._size = 1 + len(processes)
        self._stuck = stuck
        self._changed = threading.Condition()
        self._ready: set[int] = set()
        self._failed: dict[int, RankFailed] = {}
        self._died: list[RankDied] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def all_ready(self, timeout_s: float) -> bool:
        """Whether all have reported ready, after this time at the latest."""
        with self._changed:
            self._changed.wait_for(lambda: self._are_ready() or self._first_failure(), timeout_s)
            return self._are_ready()

    def failure(self, timeout_s: float) -> Exception | None:
        """RankDied or RankFailed, as soon as there is one; None if none comes in time."""
        with self._changed:
            self._changed.wait_for(self._first_failure, timeout_s)
            if self._failed and not self._died:
                self._changed.wait_for(lambda: self._died, SETTLE_S)
            return self._first_failure()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()
        self._thread.join()

    def _are_ready(self) -> bool:
        return len(self._ready) == self._size - 1

    def _first_failure(self) -> Exception | None:
        return next(iter([*self._died, *self._failed.values()]), None)

    def _run(self) -> None:
        since: float | None = None
        while not self._stopped.is_set():
            for item in wait([*self._links, *self._living], POLL_S):
                if isinstance(item, Connection):
                    self._receive(item)
                elif isinstance(item, int):
                    self._record_exit(item)
            reason = self._first_failure()
            if reason is None:
                continue
            since = since or time.monotonic()
            if time.monotonic() - since > STUCK_S:
                self._stuck(reason)
            if not self._links and not self._living:
                self._stopped.wait(POLL_S)

    def _receive(self, link: Connection) -> None:
        rank = self._links[link]
        try:
            report = link.recv()
        except (EOFError, OSError):
            del self._links[link]  # its process has ended, which its sentinel shows
            return
        with self._changed:
            if report == "ready":
                self._ready.add(rank)
            else:
                self._failed[rank] = RankFailed(rank, self._size, report)
            self._changed.notify_all()

    def _record_exit(self, sentinel: int) -> None:
        rank, process = self._ranks[sentinel], self._living.pop(sentinel)
        for link in [link for link, of_rank in self._links.items() if of_rank == rank]:
            while link in self._links and link.poll():
                self._receive(link)  # sent before it ended
        process.join()
        code = process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        with self._changed:
            if rank not in self._failed:
                died = f"process {rank + 1} of {self._size} (id {process.pid}) died: {how}"
                self._died.append(RankDied(died))
            self._changed.notify_all()
