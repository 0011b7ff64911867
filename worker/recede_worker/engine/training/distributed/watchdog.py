"""Looks after the other processes of a training: who is ready, who has failed, who has died."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from recede.contract.errors import RecedeError

LOOK_S = 0.2
SETTLE_S = 0.5
"""A death makes others fail too; their words may arrive before it is noticed."""
STUCK_S = 60.0
"""How long rank 0 may take to leave a step that cannot end any more."""


class RankDied(Exception):
    """Another process of the training ended without a word, killed for instance."""


class RankFailed(RecedeError):
    """Another process of the training raised an error."""

    def __init__(self, rank: int, size: int, told: dict[str, str]) -> None:
        super().__init__(
            f"In process {rank + 1} of {size}: {told['message']}",
            field=told.get("field"),
            hint=told.get("hint"),
        )
        self.code = told["code"]


class Lookout:
    """Listens to the processes of rank 1, 2, … in a thread of its own until told to leave.

    `stuck` is called from that thread when there is trouble and nobody has left for long.
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
        self._news = threading.Condition()
        self._ready: set[int] = set()
        self._failed: dict[int, RankFailed] = {}
        self._died: list[RankDied] = []
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
        self._thread.start()

    def all_ready(self, timeout_s: float) -> bool:
        """Whether all have said that they are, after this time at the latest."""
        with self._news:
            self._news.wait_for(lambda: self._are_ready() or self._first(), timeout_s)
            return self._are_ready()

    def trouble(self, timeout_s: float) -> Exception | None:
        """RankDied or RankFailed, as soon as there is one; None if none comes in time."""
        with self._news:
            self._news.wait_for(self._first, timeout_s)
            if self._failed and not self._died:
                self._news.wait_for(lambda: self._died, SETTLE_S)
            return self._first()

    def leave(self) -> None:
        """Look no more."""
        self._left.set()
        self._thread.join()

    def _are_ready(self) -> bool:
        return len(self._ready) == self._size - 1

    def _first(self) -> Exception | None:
        return next(iter([*self._died, *self._failed.values()]), None)

    def _run(self) -> None:
        since: float | None = None
        while not self._left.is_set():
            for item in wait([*self._links, *self._living], LOOK_S):
                if isinstance(item, Connection):
                    self._hear(item)
                elif isinstance(item, int):
                    self._bury(item)
            reason = self._first()
            if reason is None:
                continue
            since = since or time.monotonic()
            if time.monotonic() - since > STUCK_S:
                self._stuck(reason)
            if not self._links and not self._living:
                self._left.wait(LOOK_S)

    def _hear(self, link: Connection) -> None:
        rank = self._links[link]
        try:
            told = link.recv()
        except (EOFError, OSError):
            del self._links[link]  # its process has ended, which is noticed by itself
            return
        with self._news:
            if told == "ready":
                self._ready.add(rank)
            else:
                self._failed[rank] = RankFailed(rank, self._size, told)
            self._news.notify_all()

    def _bury(self, sentinel: int) -> None:
        rank, process = self._ranks[sentinel], self._living.pop(sentinel)
        for link in [link for link, whose in self._links.items() if whose == rank]:
            while link in self._links and link.poll():
                self._hear(link)  # its last words
        process.join()
        code = process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        with self._news:
            if rank not in self._failed:
                died = f"process {rank + 1} of {self._size} (id {process.pid}) died: {how}"
                self._died.append(RankDied(died))
            self._news.notify_all()
