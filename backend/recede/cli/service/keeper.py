"""Keeps one worker process running beside the web service."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from recede.settings import Settings

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A worker that ran this long counts as healthy: the next pause is short again."""
STOP_TIMEOUT_S = 30.0
TAKEN = 3
"""Exit code of a worker that finds another one on the same folder."""


def worker_environment(settings: Settings) -> dict[str, str]:
    """The environment of that worker: a store's password does not belong on a command line."""
    return {**os.environ, "RECEDE_STORE_URL": settings.store_url}


def worker_command(settings: Settings) -> list[str]:
    """The command line of the worker that belongs to these settings."""
    roots = [settings.datasets, *settings.data_roots]
    command = [
        *(sys.executable, "-m", "recede_worker"),
        *("--artifacts", str(settings.artifacts)),
        *(part for root in roots for part in ("--data-root", str(root))),
        *(part for file in settings.networks for part in ("--networks", str(file))),
    ]
    if settings.threads is not None:
        command += ["--threads", str(settings.threads)]
    if settings.keep_s is not None:
        command += ["--keep", str(settings.keep_s)]
    return command


class WorkerKeeper(threading.Thread):
    """Starts a command, and restarts it after growing pauses whenever it ends by itself."""

    def __init__(
        self,
        command: Sequence[str],
        say: Callable[[str], None],
        *,
        environment: Mapping[str, str] | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        super().__init__(name="worker-keeper", daemon=True)
        self._command = list(command)
        self._environment = environment
        self._say = say
        self._first_pause_s = first_pause_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Until `stop` is called."""
        pause_s = self._first_pause_s
        waiting = False
        while (process := self._start()) is not None:
            started = time.monotonic()
            code = process.wait()
            _close_input(process)
            if self._stopping.is_set():
                return
            if time.monotonic() - started > STEADY_S:
                pause_s, waiting = self._first_pause_s, False
            if code != TAKEN:
                self._say(
                    f"The worker exited with code {code}; restarting in {pause_s:g} s. "
                    "Running jobs continue from their last finished epoch."
                )
            elif not waiting:
                self._say("Another worker is serving this folder; this one starts when it stops.")
            waiting = code == TAKEN
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def runs(self) -> bool:
        """Whether there is a process now, be it ready or not."""
        process = self._process
        return process is not None and process.poll() is None

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop the worker, which hands its jobs back; kill it if it takes longer than that."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._say(f"The worker did not stop within {timeout_s:g} s and is killed.")
            process.kill()
            process.wait()
        _close_input(process)

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl+C reaches only us, and we stop the worker in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,  # closes when this process is gone, however it ended
                start_new_session=True,
            )
            return self._process


def _close_input(process: subprocess.Popen[bytes]) -> None:
    """Close our end of an ended worker's input."""
    if process.stdin is not None:
        process.stdin.close()
