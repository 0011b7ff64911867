"""A claimed job over a real store and folder, done inside the test's process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recede.contract.cut.selection import Selection
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import Lane
from recede.store.database.engine import Store
from recede.store.experiments import history
from recede.store.queue import lease as leases
from recede_worker.engine.evaluation.cache import Cache
from recede_worker.engine.evaluation.ranking import select_channels
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch, load_trained_epoch
from recede_worker.engine.inputs.run import RunInputs, run_inputs
from recede_worker.engine.job.handle import JobHandle, Outcome
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor.dispatch import perform
from tests import worker_process

SMALL = worker_process.SMALL.model_copy(update={"epochs": 3})


@dataclass
class ClaimedJob:
    """What the supervisor's entry composes for a job; a test may replace its parts."""

    settings: WorkerSettings
    store: Store
    lease: leases.Lease
    cache: Cache = field(default_factory=Cache)
    cancelled: threading.Event = field(default_factory=threading.Event)
    log: Callable[[str], None] = lambda _text: None
    publish: Callable[[dict[str, Any]], None] = lambda _progress: None
    beat_now: Callable[[], None] = lambda: None

    @property
    def run_id(self) -> str:
        return self.lease.run_id

    @property
    def handle(self) -> JobHandle:
        """What the job's code sees; it calls whatever the test has put here by then."""
        return JobHandle(
            store=self.store,
            lease=self.lease,
            log=lambda text: self.log(text),
            publish=lambda progress: self.publish(progress),
            beat_now=lambda: self.beat_now(),
            cancelled=self.cancelled,
        )

    @property
    def inputs(self) -> RunInputs:
        return run_inputs(self.handle, self.settings)

    @property
    def folder(self) -> Path:
        return self.inputs.folder

    def spec(self) -> RunSpec:
        return self.inputs.spec

    def perform(self) -> Outcome:
        return perform(self.handle, self.inputs, self.cache)

    def trained(self, epoch: int | None) -> TrainedEpoch:
        return load_trained_epoch(self.handle, self.inputs, self.cache, epoch)

    def select(self, trained: TrainedEpoch, plan: Plan) -> Selection:
        return select_channels(self.handle, trained, plan)


def claimed(settings: WorkerSettings, store: Store, spare: int = 0) -> ClaimedJob:
    """The next job of the queue, which may have so many CPU devices beside the first."""
    with store.write() as session:
        lease = leases.claim(
            session,
            owner="test",
            lanes=list(Lane),
            device="cpu",
            spare=["cpu"] * spare,
            capacity=1 + spare,
            lease_s=600,
        )
    assert lease is not None
    return ClaimedJob(settings, store, lease)


def snapshots(job: ClaimedJob) -> Any:
    """Epochs of the job's run and their raw scales."""
    with job.store.read() as session:
        return history.snapshots(session, job.run_id)


def stop_in_epoch(job: ClaimedJob, number: int) -> None:
    """Cancel the job in the middle of an epoch."""
    original = job.publish

    def publish(progress: dict[str, Any]) -> None:
        original(progress)
        if progress.get("epoch") == number:
            job.cancelled.set()

    job.publish = publish
