"""A trained and a pruned network, made once for all tests of their files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from recede.contract.spec.run import FORMATS, Plan, PrunePayload
from recede.contract.states import JobKind
from recede.store.results import evaluations
from tests.worker.engine.claimed_job import SMALL, ClaimedJob
from tests.worker.engine.in_process import InProcessWorker

PAYLOAD = PrunePayload(plan=Plan(ratio=0.4), formats=(*FORMATS, "int8"))


@dataclass(frozen=True)
class Pruned:
    """Where it was trained, what was told while it was cut, and the folder of its files."""

    worker: InProcessWorker
    parent: ClaimedJob
    told: list[dict[str, Any]]
    folder: Path


@lru_cache(maxsize=1)
def made(base: Path) -> Pruned:
    worker = InProcessWorker(base / "pruned")
    parent = worker.train(SMALL.model_copy(update={"epochs": 1}))
    job = worker.enqueue(parent.run_id, JobKind.PRUNE, PAYLOAD)
    told: list[dict[str, Any]] = []
    job.publish = told.append
    outcome = job.perform()
    worker.finish(job)
    with worker.store.read() as session:
        row = evaluations.checkpoint(session, outcome.result["checkpoint_id"])
    folder = (worker.settings.artifacts / row.files["manifest"]["path"]).parent
    return Pruned(worker, parent, told, folder)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Pruned:
    return made(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def folder(pruned: Pruned) -> Path:
    return pruned.folder
