"""The supervisor: claims jobs, gives each a process, watches, cancels and reaps."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess

from recede.contract.errors import RecedeError
from recede.contract.spec.catalog import Catalog
from recede.contract.states import State
from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.events.changes import Changes
from recede.store.experiments import runs
from recede.store.queue import jobs, workers
from recede.store.queue import lease as leases
from recede.store.tables.runs import JobRow
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor import launch
from recede_worker.engine.supervisor.catalog import CatalogProcess, ReachProcess
from recede_worker.engine.supervisor.messages import Cancel, Offer
from recede_worker.engine.supervisor.owner import Owner
from recede_worker.engine.supervisor.slots import (
    URGENT,
    Slot,
    capacity,
    make_slots,
    spare,
    taken,
)
from recede_worker.engine.supervisor.warm_pool import WarmPool, WarmProcess
from recede_worker.process.lifetime import EXIT_RANK_DIED, warm_context

POLL_S = 0.25
"""Children are looked after at least this often."""
CLAIM_S = 1.0
"""The queue is read at least this often, even without a notification of a change: leases lapse."""
BEAT_S = 5.0
TRIM_S = 600.0
CANCEL_GRACE_S = 10.0
"""A child that does not stop by itself within this time is killed."""


@dataclass
class Running:
    """A child process and what it works on."""

    slots: list[Slot]
    lease: leases.Lease
    process: BaseProcess
    warm: WarmProcess | None = None
    """Its place in the warm pool, if it stays after this job."""
    cancel_seen_at: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, or done with this job."""
        if self.warm is not None:
            return self.warm.has_ended(self.lease.job_id)
        return not self.process.is_alive()


@dataclass
class Supervisor:
    """Runs until `stop` is set; one per data folder."""

    settings: WorkerSettings
    store: Store
    stop: threading.Event
    owner: Owner = field(default_factory=Owner.here)
    running: list[Running] = field(default_factory=list)
    catalog: Catalog | None = None
    """What can be trained now: files of data sets come and go. None: not known yet."""

    def run(self) -> None:
        """Serve the queue; on a clean stop every job goes back into it.

        Raises:
            RecedeError: a plug-in cannot be used, or the first look at what there is failed.
        """
        context = warm_context(*launch.PRELOADED)
        self.catalogs = CatalogProcess(self.settings, context)
        self.catalogs.start()
        self.reaches = ReachProcess(self.settings, context, self.store)
        self.pool = WarmPool(self.settings, context)
        changes = Changes(self.store)
        try:
            self._serve(context, changes)
        finally:
            changes.close()
            self._shut_down()

    def _serve(self, context: ForkServerContext | SpawnContext, changes: Changes) -> None:
        slots: list[Slot] = []
        beat_at = trim_at = claim_at = 0.0
        while not self.stop.is_set():
            first_look = self.catalogs.waits_for() if self.catalog is None else []
            changed = changes.wait(POLL_S, [*self.pool.pipes(), *first_look])
            now = time.monotonic()
            if self.catalog is None and (first := self.catalogs.answer()):
                slots = make_slots(first.catalog.devices)
                self._announce(first)
            try:
                reaped = self._reap()
                self.pool.end_unneeded(now)
                self._enforce_cancel(now)
                if changed or reaped or now >= claim_at:
                    claim_at = now + CLAIM_S
                    self._fill(slots, context)
                if self.catalog is not None:
                    self.reaches.serve()
                self.pool.pause(any(r.lease.kind in URGENT for r in self.running))
                if now >= beat_at:
                    beat_at = now + BEAT_S
                    self._beat()
                    self._offer()
                if now >= trim_at:
                    self._trim()
                    trim_at = now + TRIM_S
            except RecedeError as error:
                _log(f"{error.message} Trying again.")

    def _announce(self, first: Offer) -> None:
        for problem in first.catalog.problems:
            _log(problem)
        self.catalog = first.catalog
        with self.store.write() as session:
            workers.announce(
                session,
                id_=str(self.owner),
                host=self.owner.host,
                pid=self.owner.pid,
                catalog=first.catalog,
                versions=first.versions,
            )

    def _fill(self, slots: list[Slot], context: ForkServerContext | SpawnContext) -> None:
        for slot in slots:
            busy = [slot for running in self.running for slot in running.slots]
            if slot in busy:
                continue
            pid = self.pool.pid(slot)
            lease = self._claim(slot, spare(slot, slots, busy), capacity(slot, slots), pid)
            if lease is None:
                continue
            occupied = taken(slot, slots, lease.devices)
            if self.pool.serves(slot):
                warm = self.pool.assign(slot, lease, pid)
                self.running.append(Running(occupied, lease, warm.process, warm))
            else:
                process = context.Process(
                    target=launch.job, args=(self.settings, lease), name=f"job-{lease.job_id}"
                )
                process.start()
                self.running.append(Running(occupied, lease, process))
            where = ", ".join(dict.fromkeys(lease.devices))
            _log(f"job {lease.job_id} ({lease.kind}, run {lease.run_id}) started on {where}")

    def _claim(
        self, slot: Slot, others: list[str], most: int, pid: int | None
    ) -> leases.Lease | None:
        with self.store.read() as session:
            if not leases.is_waiting(
                session,
                [slot.lane],
                slot.accepts,
                kinds=slot.kinds,
                free=1 + len(others),
                capacity=most,
            ):
                return None
        with self.store.write() as session:
            return leases.claim(
                session,
                owner=str(self.owner),
                lanes=[slot.lane],
                device=slot.device,
                spare=others,
                accepts=slot.accepts,
                kinds=slot.kinds,
                capacity=most,
                child_pid=pid,
            )

    def _reap(self) -> bool:
        """Settle the jobs whose processes have ended; whether there were any."""
        ended = [running for running in self.running if running.has_ended]
        for running in ended:
            if running.warm is None:
                running.process.join()
            self.running.remove(running)
            self._settle(running)
            _log(f"job {running.lease.job_id} ended")
        return bool(ended)

    def _settle(self, running: Running) -> None:
        """A child that ended without recording it: queue its job again, or end it."""
        try:
            with self.store.write() as session:
                job = jobs.get(session, running.lease.job_id)
                if job.cancel_requested_at is not None:
                    leases.finish(session, running.lease, State.CANCELLED)
                elif job.attempts >= leases.MAX_ATTEMPTS:
                    batch_size = runs.get(session, job.run_id).spec["batch_size"]
                    error = _died(running.process.exitcode, job.attempts, batch_size)
                    leases.finish(session, running.lease, State.FAILED, error=error)
                else:
                    leases.hand_back(session, running.lease, died=True)
        except (leases.LeaseLost, RecedeError):
            return  # the child has recorded its own end, or the run was deleted

    def _enforce_cancel(self, now: float) -> None:
        for running in self.running:
            if running.cancel_seen_at is None:
                if self._should_end(running.lease.job_id):
                    running.cancel_seen_at = now
                    if running.warm is not None:
                        running.warm.send(Cancel(running.lease.job_id))
            elif now - running.cancel_seen_at > CANCEL_GRACE_S:
                running.process.kill()

    def _should_end(self, job_id: int) -> bool:
        """Whether the job was cancelled, or deleted with its run."""
        with self.store.read() as session:
            job = session.get(JobRow, job_id)
            return job is None or job.cancel_requested_at is not None

    def _beat(self) -> None:
        """Beat as a worker; jobs of owners that died on this machine need not wait."""
        with self.store.write() as session:
            workers.beat(session, str(self.owner))
            dead = [o for o in leases.owners(session) if (p := Owner.parse(o)) and p.is_dead()]
            leases.expire_owners(session, dead)
            leases.sweep(session)

    def _offer(self) -> None:
        """Publish what has appeared or gone since the last look, and look again."""
        if self.catalog is None:
            return
        found = self.catalogs.answer()
        self.catalogs.ask()
        if found is not None and found.catalog != self.catalog:
            with self.store.write() as session:
                workers.offer(session, str(self.owner), found.catalog)
            self.catalog = found.catalog

    def _trim(self) -> None:
        with self.store.write() as session:
            log.trim(session)

    def _shut_down(self) -> None:
        processes = [running.process for running in self.running] + self.pool.idle()
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + CANCEL_GRACE_S
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        self.catalogs.end()
        self.reaches.end()
        for running in self.running:
            self._give_back(running.lease)
        with self.store.write() as session:
            workers.retire(session, str(self.owner))

    def _give_back(self, lease: leases.Lease) -> None:
        try:
            with self.store.write() as session:
                leases.hand_back(session, lease)
        except leases.LeaseLost:
            return  # it has ended or handed itself back


def _died(exit_code: int | None, attempts: int, batch_size: int) -> dict[str, str]:
    how = f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else str(exit_code)
    if exit_code == EXIT_RANK_DIED:
        how += ": one of the processes that share it was killed"
    return {
        "code": "process_died",
        "message": f"The process of this job died {attempts} times without finishing an epoch, "
        f"the last time with exit code {how}.",
        "hint": "Signal 9 often means that the system ran out of memory: try a batch size below "
        f"{batch_size}, or a narrower network. See the end of the log of this job.",
    }


def _log(text: str) -> None:
    stamp = time.strftime("%H:%M:%S")
    os.write(2, f"{stamp} worker: {text}\n".encode())
