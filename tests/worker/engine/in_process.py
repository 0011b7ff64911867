"""A worker whose jobs run in the test's process, and a trained run to start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recede.contract.errors import RecedeError
from recede.contract.spec.run import (
    Init,
    Plan,
    RunSpec,
)
from recede.contract.states import JobKind, State
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.queue import lease as leases
from recede.store.results import evaluations
from recede_worker.engine.initial_weights.take_over import FOLDER, first_network
from recede_worker.engine.inputs.load import load_data
from recede_worker.engine.job.settings import WorkerSettings
from tests.worker.engine.claimed_job import (
    SMALL,
    ClaimedJob,
    claimed,
)

PLAN = Plan(ratio=0.3, locks=("features.0",))
ORDINARY = SMALL.model_copy(update={"method": "l1", "method_params": {"lam": 0.0}})


class InProcessWorker:
    """A store and a folder of its own; jobs are claimed, done and finished one by one."""

    def __init__(self, folder: Path) -> None:
        self.roots = (folder / "datasets",)
        self.roots[0].mkdir(parents=True)
        url = sqlite_url(folder / "recede.db")
        self.settings = WorkerSettings(url, folder / "artifacts", self.roots, threads=1)
        self.store: Store = open_store(url)

    def submit(self, spec: RunSpec) -> ClaimedJob:
        with self.store.write() as session:
            runs.create(session, spec)
        return self.claim()

    def claim(self) -> ClaimedJob:
        return claimed(self.settings, self.store)

    def enqueue(self, run_id: str, kind: JobKind, payload: Any) -> ClaimedJob:
        with self.store.write() as session:
            jobs.enqueue(session, run_id, kind, payload.model_dump(mode="json"))
        return self.claim()

    def train(self, spec: RunSpec) -> ClaimedJob:
        job = self.submit(spec)
        job.perform()
        self.finish(job)
        return job

    def finish(self, job: ClaimedJob) -> None:
        with self.store.write() as session:
            leases.finish(session, job.lease, State.SUCCEEDED, result={})


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessWorker]:
    made = InProcessWorker(tmp_path_factory.mktemp("worker"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def parent(worker: InProcessWorker) -> ClaimedJob:
    return worker.train(SMALL)


def tuned(parent: ClaimedJob, **changes: Any) -> RunSpec:
    """The recipe without the penalty, on the parent's network cut by PLAN."""
    init = Init(run=parent.run_id, plan=changes.pop("plan", PLAN))
    fixed = {"init": init, "method_params": {"lam": 0.0, "shift": 3.0}, "epochs": 2}
    return SMALL.model_copy(update={**fixed, **changes})


@pytest.fixture(scope="module")
def fine(worker: InProcessWorker, parent: ClaimedJob) -> ClaimedJob:
    return worker.train(tuned(parent))


def manifest(job: ClaimedJob) -> dict[str, Any]:
    with job.store.read() as session:
        return evaluations.trained(session, job.run_id, None).manifest


def notices(job: ClaimedJob) -> list[dict[str, Any]]:
    with job.store.read() as session:
        return runs.get(session, job.run_id).notices


def weights_of(job: ClaimedJob) -> Path:
    with job.store.read() as session:
        row = evaluations.trained(session, job.run_id, None)
    return job.settings.artifacts / row.files["safetensors"]["path"]


def started(job: ClaimedJob) -> Any:
    """The network that training would begin with, in evaluation mode, and its data."""
    spec = job.spec()
    data = load_data(spec, job.settings, lambda *_: None)
    network = first_network(job.handle, job.inputs, data)
    network.model.eval()
    return network, data


def cancel(job: ClaimedJob) -> None:
    with job.store.write() as session:
        leases.finish(session, job.lease, State.CANCELLED)


def refused(job: ClaimedJob, kind: type[RecedeError]) -> RecedeError:
    with pytest.raises(kind) as error:
        started(job)
    assert error.value.hint
    assert not (job.folder / FOLDER).exists()
    cancel(job)
    return error.value
