"""A process for interactive jobs that stays: what one job has loaded, the next one finds.

The supervisor alone claims; it hands jobs over through a pipe and hears when they are done. A
crash takes the one job along that is being worked on, as in a process of its own.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue

import psutil
import torch

from recede.contract.states import JobKind
from recede.store.database.engine import (
    WORKER_BUSY_TIMEOUT_S,
    Store,
    open_store,
)
from recede.store.queue import lease as leases
from recede_worker.engine.evaluation.cache import Loaded
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.job.heartbeat import BUSY_TIMEOUT_S, Heartbeat
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor.entry import log_of, serve
from recede_worker.engine.supervisor.slots import AT_ONCE
from recede_worker.process.lifetime import (
    end_with_parent,
    log,
    output_to,
)

MEMORY_SHARE = 0.15
MEMORY_FLOOR = 2 << 30
"""A process that holds more than this share of the memory, and this much, is not kept."""
UNKEPT = (JobKind.PRUNE,)
"""Kinds that leave much behind in a process: exporting compiles."""


@dataclass(frozen=True)
class Job:
    """To the process: do this next. `written` says that the store knows who does it."""

    lease: leases.Lease
    written: bool


@dataclass(frozen=True)
class Cancel:
    """To the process: somebody asked for this job's end."""

    job_id: int


@dataclass(frozen=True)
class GiveWay:
    """To the process: wait between two batches, or go on."""

    wait: bool


@dataclass(frozen=True)
class Done:
    """From the process: the job has ended and is recorded; whether another one may follow."""

    job_id: int
    keep: bool


@dataclass(frozen=True)
class _Order:
    job: Job
    cancelled: threading.Event = field(default_factory=threading.Event)


def main(settings: WorkerSettings, kinds: tuple[JobKind, ...], supervisor: Connection) -> None:
    """Do what the supervisor hands over, one job after the other, until SIGTERM."""
    end_with_parent("the worker that started this process")
    torch.set_num_threads(settings.threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
    beats = open_store(settings.store_url, busy_timeout_s=BUSY_TIMEOUT_S)
    server = _Server(settings, supervisor, store, beats, Loaded(slim=kinds == AT_ONCE))
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    threading.Thread(target=server.listen, name="orders", daemon=True).start()
    server.work()
    store.close()
    beats.close()


@dataclass
class _Server:
    settings: WorkerSettings
    supervisor: Connection
    store: Store
    beats: Store
    loaded: Loaded
    orders: SimpleQueue[_Order | None] = field(default_factory=SimpleQueue)
    stopping: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    def stop(self) -> None:
        """End after the present job, which stops at its next batch."""
        self.stopping.set()
        self.orders.put(None)

    def listen(self) -> None:
        """Hear the supervisor, also while a job runs."""
        order: _Order | None = None
        while True:
            try:
                said = self.supervisor.recv()
            except (EOFError, OSError):
                return  # it is gone, which another thread notices as well
            if isinstance(said, Job):
                order = _Order(said)
                self.orders.put(order)
            elif isinstance(said, Cancel) and order and said.job_id == order.job.lease.job_id:
                order.cancelled.set()
            elif isinstance(said, GiveWay) and said.wait:
                self.may_go_on.clear()
            elif isinstance(said, GiveWay):
                self.may_go_on.set()

    def work(self) -> None:
        """Do the jobs."""
        while (order := self.orders.get()) is not None:
            lease = order.job.lease
            with output_to(log_of(self.settings, lease)):
                fine = self._do(order)
            kept = fine and lease.kind not in UNKEPT and not _is_large()
            self.supervisor.send(Done(lease.job_id, kept))

    def _do(self, order: _Order) -> bool:
        lease = order.job.lease
        heartbeat = Heartbeat(
            self.settings.store_url, lease, log, store=self.beats, cancelled=order.cancelled
        )
        context = JobContext(
            self.settings,
            self.store,
            lease,
            torch.device(lease.devices[0]),
            log,
            heartbeat.publish,
            order.cancelled,
            self.stopping,
            self.loaded,
            heartbeat.beat_now,
            self.may_go_on,
        )
        if not order.job.written:
            try:
                with context.write(child_pid=os.getpid()):
                    pass
            except leases.LeaseLost as error:
                log(error.message)
                return True
        return serve(context, heartbeat)


def _is_large() -> bool:
    limit = max(MEMORY_FLOOR, MEMORY_SHARE * psutil.virtual_memory().total)
    return bool(psutil.Process().memory_info().rss > limit)
