"""The supervisor's side of the processes that say what can be trained here, and cut of it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess

from recede.contract.errors import RecedeError
from recede.contract.network.reach import NetworkRequest
from recede.store.database.engine import Store
from recede.store.queue import reaches
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor import launch
from recede_worker.engine.supervisor.messages import Offer, Unusable


class CatalogFailed(RecedeError):
    """The process that lists what can be trained has died; the message says how."""

    code = "catalog_failed"


@dataclass
class CatalogProcess:
    """The first process of all: once it has answered, another one begins at once.

    Until then a job must not be claimed: starting its process would block the supervisor, and
    nothing would renew the lease.
    """

    settings: WorkerSettings
    context: ForkServerContext | SpawnContext
    process: BaseProcess | None = None
    _pipe: Connection | None = None
    _is_asked: bool = False
    _thread: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in the background: the server that forks it imports torch first."""
        ours, theirs = self.context.Pipe()
        self.process = self.context.Process(
            target=launch.catalog, args=(self.settings, theirs), name="catalog", daemon=True
        )
        self._pipe, self._is_asked = ours, True
        self._thread = threading.Thread(
            target=self._begin, args=(self.process, theirs), name="catalog", daemon=True
        )
        self._thread.start()

    @staticmethod
    def _begin(process: BaseProcess, theirs: Connection) -> None:
        try:
            process.start()
        finally:
            theirs.close()  # so that its end is the only one, and its death closes the pipe

    def ask(self) -> None:
        """Have it look again, unless it still does; a new process takes a dead one's place."""
        if self._pipe is None:
            self.start()
        elif not self._is_asked:
            with suppress(OSError):  # it has died, which answer() finds
                self._pipe.send(None)
            self._is_asked = True

    def answer(self) -> Offer | None:
        """What it has found since the last call, if anything.

        Raises:
            RecedeError: it found something unusable, or died; ask() starts another one.
        """
        try:
            if self._pipe is None or not self._pipe.poll():
                return None
            message = self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None
        self._is_asked = False
        if isinstance(message, Unusable):
            raise message.error
        assert isinstance(message, Offer)
        return message

    def _died(self) -> CatalogFailed:
        process, self._pipe = self.process, None
        if self._thread is not None:
            self._thread.join()
        if process is not None and process.pid is not None:
            process.join()
        else:
            process = None  # it has not begun
        return CatalogFailed(
            f"The process that lists data sets, networks and devices ended with {_how(process)}.",
            hint="Most likely one of your own network files ended it: see what it printed above.",
        )

    def waits_for(self) -> list[Connection]:
        """Readable when it has answered."""
        return [self._pipe] if self._pipe is not None else []

    def end(self) -> None:
        """End it."""
        if self.process is not None and self.process.pid is not None:
            self.process.kill()
            self.process.join()


@dataclass
class ReachProcess:
    """Looks at the networks that are asked about before a run is queued, one after the other."""

    settings: WorkerSettings
    context: ForkServerContext | SpawnContext
    store: Store
    process: BaseProcess | None = None
    _request: NetworkRequest | None = None

    def serve(self) -> None:
        """Start a process for the newest question, unless one is still at work."""
        if self.process is not None and self.process.is_alive():
            return
        self._settle()
        with self.store.read() as session:
            request = reaches.next_question(session)
        if request is None:
            return
        self._request = request
        self.process = self.context.Process(
            target=launch.reach, args=(self.settings, request), name="reach"
        )
        self.process.start()

    def _settle(self) -> None:
        """A process that died has no answer: without one the question would come up again."""
        process, request = self.process, self._request
        if process is None or request is None:
            return
        process.join()
        self.process = self._request = None
        if process.exitcode:
            words = f"Not known: the process that looked at it ended with {_how(process)}."
            with self.store.write() as session:
                reaches.answer(session, request, refused=words)

    def end(self) -> None:
        """End it; another worker may answer."""
        if self.process is not None:
            self.process.kill()
            self.process.join()


def _how(process: BaseProcess | None) -> str:
    code = None if process is None else process.exitcode
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
