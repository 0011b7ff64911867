"""Where the processes of jobs come from: a server that has imported torch forks each of them."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.context import ForkServerContext, SpawnContext

PRELOADED = "worker.engine.interactive"


class Nursery:
    """Starts that server; until it answers no process can begin, and no job should be claimed.

    Starting a process while the server still imports would hold up whoever starts it, with a
    job claimed and nobody to speak for it.
    """

    def __init__(self) -> None:
        self.context: ForkServerContext | SpawnContext
        self._answers = threading.Event()
        if "forkserver" in multiprocessing.get_all_start_methods():
            self.context = multiprocessing.get_context("forkserver")
            self.context.set_forkserver_preload([PRELOADED])
        else:
            self.context = multiprocessing.get_context("spawn")

    @property
    def is_ready(self) -> bool:
        """Whether a process that is started now begins at once."""
        return self._answers.is_set()

    def begin(self) -> None:
        """Start the server beside what the caller does; ready when a first process has ended."""
        threading.Thread(target=self._wait_for_an_answer, name="nursery", daemon=True).start()

    def _wait_for_an_answer(self) -> None:
        try:
            process = self.context.Process(target=nothing, name="first")
            process.start()
            process.join()
        finally:
            self._answers.set()  # if it cannot start, the first job says why


def nothing() -> None:
    """What the first process does: that it ran is the answer."""
