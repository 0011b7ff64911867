"""The supervisor's side of the processes that stay for interactive jobs, one for each slot."""

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
from recede_worker.engine.supervisor import warm_process
from recede_worker.engine.supervisor.slots import AT_ONCE, Slot
from recede_worker.engine.supervisor.warm_process import (
    Done,
    GiveWay,
    Job,
)

KEEP_GPU_S = 120.0
"""On a GPU a process holds memory that a training may need, so it goes earlier."""


@dataclass
class Hand:
    """A process that waits for jobs of one slot, or works on one."""

    process: BaseProcess
    pipe: Connection
    job_id: int | None = None
    keep: bool = True
    idle_since: float = field(default_factory=time.monotonic)

    @property
    def usable(self) -> bool:
        """Whether it takes a job now."""
        return self.job_id is None and self.keep and self.process.is_alive()

    def give(self, lease: leases.Lease, *, written: bool) -> None:
        """Hand it a job; if it has just died, that is seen when it is reaped."""
        self.job_id = lease.job_id
        self.send(Job(lease, written))

    def has_ended(self, job_id: int) -> bool:
        """Whether this job was recorded as ended, or its process is gone."""
        self._hear()
        return self.job_id != job_id or not self.process.is_alive()

    def send(self, said: Any) -> None:
        """Say something; to a process that is gone nothing is said."""
        try:
            self.pipe.send(said)
        except OSError:
            return

    def _hear(self) -> None:
        try:
            while self.pipe.poll():
                said = self.pipe.recv()
                assert isinstance(said, Done)
                if said.job_id == self.job_id:
                    self.job_id, self.idle_since = None, time.monotonic()
                self.keep = self.keep and said.keep
        except (EOFError, OSError):
            self.keep = False


@dataclass
class Hands:
    """All of them; a slot whose process is gone gets a new one with its next job."""

    settings: WorkerSettings
    context: ForkServerContext | SpawnContext
    by_slot: dict[Slot, Hand] = field(default_factory=dict)
    waiting: bool = False
    """Whether a person waits for an evaluation: the others give way."""
    leaving: list[BaseProcess] = field(default_factory=list)

    def serves(self, slot: Slot) -> bool:
        """Whether jobs of this slot go to a process that stays."""
        return slot.lane is Lane.INTERACTIVE and self.settings.keep_s > 0

    def pid(self, slot: Slot) -> int | None:
        """The process that the slot's next job will have, if it runs already."""
        hand = self.by_slot.get(slot)
        return hand.process.pid if hand and hand.usable else None

    def give(self, slot: Slot, lease: leases.Lease, pid: int | None) -> Hand:
        """Hand a job to the slot's process; `pid` is what the store was told."""
        hand = self.by_slot.get(slot)
        if hand is None or not hand.usable:
            hand = self._start(slot)
        hand.give(lease, written=hand.process.pid == pid)
        return hand

    def _start(self, slot: Slot) -> Hand:
        self._drop(slot)
        ours, theirs = self.context.Pipe()
        kinds = slot.kinds or ()
        process = self.context.Process(
            target=warm_process.main,
            args=(self.settings, kinds, theirs),
            name="-".join(kind.value for kind in kinds[:2]) or "interactive",
        )
        process.start()
        theirs.close()  # so that its end is the only one, and its death closes the pipe
        hand = self.by_slot[slot] = Hand(process, ours)
        if self.waiting and kinds != AT_ONCE:
            hand.send(GiveWay(True))
        return hand

    def give_way(self, wait: bool) -> None:
        """Let the other jobs wait between two batches while a person waits, or go on."""
        if wait == self.waiting:
            return
        self.waiting = wait
        for slot, hand in self.by_slot.items():
            if slot.kinds != AT_ONCE:
                hand.send(GiveWay(wait))

    def tidy(self, now: float) -> None:
        """End processes that are not needed: used up, dead, or idle for long."""
        self.leaving = [process for process in self.leaving if process.is_alive()]
        for slot, hand in list(self.by_slot.items()):
            if hand.job_id is not None and hand.process.is_alive():
                continue
            on_gpu = slot.device != "cpu"
            keep_s = min(self.settings.keep_s, KEEP_GPU_S) if on_gpu else self.settings.keep_s
            if not hand.usable or now - hand.idle_since > keep_s:
                self._drop(slot)

    def _drop(self, slot: Slot) -> None:
        hand = self.by_slot.pop(slot, None)
        if hand is not None:
            hand.process.terminate()
            hand.pipe.close()
            self.leaving.append(hand.process)

    def idle(self) -> list[BaseProcess]:
        """Processes that work on nothing."""
        waiting = [hand.process for hand in self.by_slot.values() if hand.job_id is None]
        return [*waiting, *self.leaving]

    def ears(self) -> list[Any]:
        """What has something to say when a job is done or a process is gone."""
        return [hand.pipe for hand in self.by_slot.values()]
