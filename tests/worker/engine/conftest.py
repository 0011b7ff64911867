"""Settings and a store of a test's own, and a run that is queued and claimed there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recede.contract.spec.run import RunSpec
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede_worker.engine.job.settings import WorkerSettings
from tests.worker.engine.claimed_job import ClaimedJob, claimed


@pytest.fixture
def settings(tmp_path: Path, empty_store: Path) -> WorkerSettings:
    path = shutil.copy(empty_store, tmp_path / "recede.db")
    return WorkerSettings(
        sqlite_url(path), tmp_path / "artifacts", (tmp_path / "datasets",), threads=1
    )


@pytest.fixture
def store(settings: WorkerSettings) -> Iterator[Store]:
    opened = open_store(settings.store_url)
    yield opened
    opened.close()


@pytest.fixture
def submit(settings: WorkerSettings, store: Store) -> Callable[[RunSpec], ClaimedJob]:
    """Queue a run and claim its train job."""

    def start(spec: RunSpec) -> ClaimedJob:
        with store.write() as session:
            runs.create(session, spec)
        return claimed(settings, store)

    return start
