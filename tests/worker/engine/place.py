"""A store with a folder whose jobs run in this process, and a trained run to start from."""

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
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.training.job import run_training
from tests.worker.engine.conftest import (
    SMALL,
    claimed,
    context_of,
)

PLAN = Plan(ratio=0.3, locks=("features.0",))
ORDINARY = SMALL.model_copy(update={"method": "l1", "method_params": {"lam": 0.0}})


class Place:
    """A store with a folder, and jobs run in this process."""

    def __init__(self, folder: Path) -> None:
        self.roots = (folder / "datasets",)
        self.roots[0].mkdir(parents=True)
        url = sqlite_url(folder / "recede.db")
        self.settings = WorkerSettings(url, folder / "artifacts", self.roots, threads=1)
        self.store: Store = open_store(url)

    def queued(self, spec: RunSpec) -> JobContext:
        with self.store.write() as session:
            runs.create(session, spec)
        return self.next()

    def next(self) -> JobContext:
        return context_of(self.settings, self.store, claimed(self.store))

    def job(self, run_id: str, kind: JobKind, payload: Any) -> JobContext:
        with self.store.write() as session:
            jobs.enqueue(session, run_id, kind, payload.model_dump(mode="json"))
        return self.next()

    def trained(self, spec: RunSpec) -> JobContext:
        context = self.queued(spec)
        run_training(context)
        self.done(context)
        return context

    def done(self, context: JobContext) -> None:
        with self.store.write() as session:
            leases.finish(session, context.lease, State.SUCCEEDED, result={})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def parent(place: Place) -> JobContext:
    return place.trained(SMALL)


def tuned(parent: JobContext, **changes: Any) -> RunSpec:
    """The recipe without the penalty, on the parent's network cut by PLAN."""
    init = Init(run=parent.lease.run_id, plan=changes.pop("plan", PLAN))
    fixed = {"init": init, "method_params": {"lam": 0.0, "shift": 3.0}, "epochs": 2}
    return SMALL.model_copy(update={**fixed, **changes})


@pytest.fixture(scope="module")
def fine(place: Place, parent: JobContext) -> JobContext:
    return place.trained(tuned(parent))


def manifest(context: JobContext) -> dict[str, Any]:
    with context.store.read() as session:
        return evaluations.trained(session, context.lease.run_id, None).manifest


def notices(context: JobContext) -> list[dict[str, Any]]:
    with context.store.read() as session:
        return runs.get(session, context.lease.run_id).notices


def weights_of(context: JobContext) -> Path:
    with context.store.read() as session:
        row = evaluations.trained(session, context.lease.run_id, None)
    return context.settings.artifacts / row.files["safetensors"]["path"]


def started(context: JobContext) -> Any:
    """The network that training would begin with, in evaluation mode, and its data."""
    spec = context.spec()
    data = load_data(spec, context.settings, lambda *_: None)
    network = first_network(context, spec, data)
    network.model.eval()
    return network, data


def cancel(context: JobContext) -> None:
    with context.store.write() as session:
        leases.finish(session, context.lease, State.CANCELLED)


def refused(context: JobContext, kind: type[RecedeError]) -> RecedeError:
    with pytest.raises(kind) as error:
        started(context)
    assert error.value.hint
    assert not (context.folder / FOLDER).exists()
    cancel(context)
    return error.value
