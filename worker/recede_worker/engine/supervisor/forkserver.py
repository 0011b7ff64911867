"""Where the processes of jobs come from: a server that has imported torch forks each of them."""

from __future__ import annotations

import threading

from recede_worker.process.lifetime import warm_context

PRELOADED = "recede_worker.engine.supervisor.warm_process"


class Nursery:
    """Starts that server; until it answers no process can begin, and no job should be claimed.

    Starting a process while the server still imports would hold up whoever starts it, with a
    job claimed and nobody to speak for it.
    """

    def __init__(self) -> None:
        self.context = warm_context(PRELOADED)
        self._answers = threading.Event()

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
