"""The warm pool: the supervisor's side of the processes kept for interactive jobs, one a slot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from recede.contract.states import Lane
from recede.store.queue import lease as leases
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor import launch
from recede_worker.engine.supervisor.messages import Done, Job, Pause
from recede_worker.engine.supervisor.slots import URGENT, Slot

KEEP_GPU_S = 120.0
"""On a GPU a process holds memory that a training may need, so it is ended earlier."""


@dataclass
class WarmProcess:
    """A process that waits for jobs of one slot, or works on one."""

    process: BaseProcess
    pipe: Connection
    job_id: int | None = None
    is_reusable: bool = True
    idle_since: float = field(default_factory=time.monotonic)

    @property
    def is_available(self) -> bool:
        """Whether it can take a job now."""
        return self.job_id is None and self.is_reusable and self.process.is_alive()

    def assign(self, lease: leases.Lease, *, pid_stored: bool) -> None:
        """Give it a job; if it has just died, that is noticed when it is reaped."""
        self.job_id = lease.job_id
        self.send(Job(lease, pid_stored))

    def has_ended(self, job_id: int) -> bool:
        """Whether this job was recorded as ended, or its process is gone."""
        self._receive()
        return self.job_id != job_id or not self.process.is_alive()

    def send(self, message: Any) -> None:
        """Send a message; ignored if the process is gone."""
        try:
            self.pipe.send(message)
        except OSError:
            return

    def _receive(self) -> None:
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                assert isinstance(message, Done)
                if message.job_id == self.job_id:
                    self.job_id, self.idle_since = None, time.monotonic()
                self.is_reusable = self.is_reusable and message.is_reusable
        except (EOFError, OSError):
            self.is_reusable = False


@dataclass
class WarmPool:
    """All warm processes; a slot whose process is gone gets a new one with its next job."""

    settings: WorkerSettings
    context: ForkServerContext | SpawnContext
    by_slot: dict[Slot, WarmProcess] = field(default_factory=dict)
    is_paused: bool = False
    """Whether an urgent job runs, so that the others pause."""
    ending: list[BaseProcess] = field(default_factory=list)

    def serves(self, slot: Slot) -> bool:
        """Whether jobs of this slot go to a warm process."""
        return slot.lane is Lane.INTERACTIVE and self.settings.keep_s > 0

    def pid(self, slot: Slot) -> int | None:
        """The process that the slot's next job will have, if it runs already."""
        warm = self.by_slot.get(slot)
        return warm.process.pid if warm and warm.is_available else None

    def assign(self, slot: Slot, lease: leases.Lease, pid: int | None) -> WarmProcess:
        """Give a job to the slot's process; `pid` is the one that the store has for the job."""
        warm = self.by_slot.get(slot)
        if warm is None or not warm.is_available:
            warm = self._start(slot)
        warm.assign(lease, pid_stored=warm.process.pid == pid)
        return warm

    def _start(self, slot: Slot) -> WarmProcess:
        self._end(slot)
        ours, theirs = self.context.Pipe()
        kinds = slot.kinds or ()
        process = self.context.Process(
            target=launch.warm_process,
            args=(self.settings, kinds, theirs),
            name="-".join(kind.value for kind in kinds[:2]) or "interactive",
        )
        process.start()
        theirs.close()  # so that its end is the only one, and its death closes the pipe
        warm = self.by_slot[slot] = WarmProcess(process, ours)
        if self.is_paused and kinds != URGENT:
            warm.send(Pause(True))
        return warm

    def pause(self, is_paused: bool) -> None:
        """Let all but urgent jobs pause between two batches, or resume."""
        if is_paused == self.is_paused:
            return
        self.is_paused = is_paused
        for slot, warm in self.by_slot.items():
            if slot.kinds != URGENT:
                warm.send(Pause(is_paused))

    def end_unneeded(self, now: float) -> None:
        """End processes that are dead, not reusable, or idle for too long."""
        self.ending = [process for process in self.ending if process.is_alive()]
        for slot, warm in list(self.by_slot.items()):
            if warm.job_id is not None and warm.process.is_alive():
                continue
            on_gpu = slot.device != "cpu"
            keep_s = min(self.settings.keep_s, KEEP_GPU_S) if on_gpu else self.settings.keep_s
            if not warm.is_available or now - warm.idle_since > keep_s:
                self._end(slot)

    def _end(self, slot: Slot) -> None:
        warm = self.by_slot.pop(slot, None)
        if warm is not None:
            warm.process.terminate()
            warm.pipe.close()
            self.ending.append(warm.process)

    def idle(self) -> list[BaseProcess]:
        """Processes that work on nothing."""
        waiting = [warm.process for warm in self.by_slot.values() if warm.job_id is None]
        return [*waiting, *self.ending]

    def pipes(self) -> list[Any]:
        """Readable when a job is done or a process is gone."""
        return [warm.pipe for warm in self.by_slot.values()]
