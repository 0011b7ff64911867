"""The forkserver: a process that has imported torch and forks the processes of jobs."""

from __future__ import annotations

import threading

from recede_worker.process.lifetime import warm_context

PRELOADED = "recede_worker.engine.supervisor.warm_process"


class Forkserver:
    """Starts that server; until it is ready no process can start, and no job should be claimed.

    Starting a process while the server still imports would block the supervisor, with a job
    claimed whose lease nothing renews.
    """

    def __init__(self) -> None:
        self.context = warm_context(PRELOADED)
        self._ready = threading.Event()

    @property
    def is_ready(self) -> bool:
        """Whether a process that is started now begins at once."""
        return self._ready.is_set()

    def start(self) -> None:
        """Start the server in the background; ready when a first process has ended."""
        threading.Thread(target=self._run_first_process, name="forkserver", daemon=True).start()

    def _run_first_process(self) -> None:
        try:
            process = self.context.Process(target=nothing, name="first")
            process.start()
            process.join()
        finally:
            self._ready.set()  # if it cannot start, the first job shows why


def nothing() -> None:
    """What the first process does: it only has to run."""
