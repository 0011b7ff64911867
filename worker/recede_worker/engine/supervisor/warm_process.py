"""A warm process for interactive jobs: what one job has loaded, the next one finds cached.

Only the supervisor claims jobs; it sends them through a pipe and receives when they are done. A
crash ends the one job that is being worked on, as in a process of its own.
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
from recede_worker.engine.evaluation.cache import Cache
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.job.heartbeat import BUSY_TIMEOUT_S, Heartbeat
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor.entry import log_of, serve
from recede_worker.engine.supervisor.messages import Cancel, Done, Job, Pause
from recede_worker.engine.supervisor.slots import URGENT
from recede_worker.process.lifetime import (
    end_with_parent,
    log,
    output_to,
)

MEMORY_SHARE = 0.15
MEMORY_FLOOR = 2 << 30
"""A process that holds more than this share of the memory, and this much, is not reused."""
NOT_REUSED_AFTER = (JobKind.PRUNE,)
"""Kinds that leave much memory in use: exporting compiles."""


@dataclass(frozen=True)
class _Order:
    job: Job
    cancelled: threading.Event = field(default_factory=threading.Event)


def main(settings: WorkerSettings, kinds: tuple[JobKind, ...], supervisor: Connection) -> None:
    """Do the jobs that the supervisor sends, one after the other, until SIGTERM."""
    end_with_parent("the worker that started this process")
    torch.set_num_threads(settings.threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
    beats = open_store(settings.store_url, busy_timeout_s=BUSY_TIMEOUT_S)
    server = _Server(settings, supervisor, store, beats, Cache(slim=kinds == URGENT))
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    threading.Thread(target=server.receive, name="messages", daemon=True).start()
    server.work()
    store.close()
    beats.close()


@dataclass
class _Server:
    settings: WorkerSettings
    supervisor: Connection
    store: Store
    beats: Store
    cache: Cache
    orders: SimpleQueue[_Order | None] = field(default_factory=SimpleQueue)
    stopping: threading.Event = field(default_factory=threading.Event)
    may_proceed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_proceed.set()

    def stop(self) -> None:
        """End after the current job, which stops at its next batch."""
        self.stopping.set()
        self.orders.put(None)

    def receive(self) -> None:
        """Receive the supervisor's messages, also while a job runs."""
        order: _Order | None = None
        while True:
            try:
                message = self.supervisor.recv()
            except (EOFError, OSError):
                return  # the supervisor is gone, which another thread notices as well
            if isinstance(message, Job):
                order = _Order(message)
                self.orders.put(order)
            elif (
                isinstance(message, Cancel) and order and message.job_id == order.job.lease.job_id
            ):
                order.cancelled.set()
            elif isinstance(message, Pause) and message.is_paused:
                self.may_proceed.clear()
            elif isinstance(message, Pause):
                self.may_proceed.set()

    def work(self) -> None:
        """Do the jobs."""
        while (order := self.orders.get()) is not None:
            lease = order.job.lease
            with output_to(log_of(self.settings, lease)):
                is_clean = self._do(order)
            is_reusable = is_clean and lease.kind not in NOT_REUSED_AFTER and not _is_large()
            self.supervisor.send(Done(lease.job_id, is_reusable))

    def _do(self, order: _Order) -> bool:
        lease = order.job.lease
        heartbeat = Heartbeat(
            self.settings.store_url, lease, log, store=self.beats, cancelled=order.cancelled
        )
        job = JobHandle(
            store=self.store,
            lease=lease,
            log=log,
            publish=heartbeat.publish,
            beat_now=heartbeat.beat_now,
            cancelled=order.cancelled,
            stopping=self.stopping,
            may_proceed=self.may_proceed,
        )
        if not order.job.pid_stored:
            try:
                with job.write(child_pid=os.getpid()):
                    pass
            except leases.LeaseLost as error:
                log(error.message)
                return True
        return serve(job, self.settings, heartbeat, self.cache)


def _is_large() -> bool:
    limit = max(MEMORY_FLOOR, MEMORY_SHARE * psutil.virtual_memory().total)
    return bool(psutil.Process().memory_info().rss > limit)
