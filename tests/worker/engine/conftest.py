"""A job context over a real store and folder, for running jobs inside the test's process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from recede.contract.spec.run import RunSpec
from recede.contract.states import Lane
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede.store.queue import lease as leases
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.job.settings import WorkerSettings
from tests import worker_process
from tests.one_thread import one_thread

__all__ = ["one_thread"]

SMALL = worker_process.SMALL.model_copy(update={"epochs": 3})


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    url = sqlite_url(tmp_path / "recede.db")
    return WorkerSettings(url, tmp_path / "artifacts", (tmp_path / "datasets",), threads=1)


@pytest.fixture
def store(settings: WorkerSettings) -> Iterator[Store]:
    opened = open_store(settings.store_url)
    yield opened
    opened.close()


def claimed(store: Store) -> leases.Lease:
    with store.write() as session:
        lease = leases.claim(session, owner="test", lanes=list(Lane), device="cpu", lease_s=600)
    assert lease is not None
    return lease


def context_of(settings: WorkerSettings, store: Store, lease: leases.Lease) -> JobContext:
    said: list[str] = []
    return JobContext(
        settings,
        store,
        lease,
        torch.device("cpu"),
        said.append,
        lambda _progress: None,
        threading.Event(),
    )


@pytest.fixture
def submit(settings: WorkerSettings, store: Store) -> Callable[[RunSpec], JobContext]:
    """Queue a run and claim its train job."""

    def start(spec: RunSpec) -> JobContext:
        with store.write() as session:
            runs.create(session, spec)
        return context_of(settings, store, claimed(store))

    return start
