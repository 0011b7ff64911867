"""A trained and a pruned network, made once for all tests of their files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from recede.contract.spec.run import Plan, PrunePayload
from recede.contract.states import JobKind
from recede.store.results import evaluations
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.pruning.job import run_prune
from tests.worker.engine.conftest import SMALL
from tests.worker.engine.place import Place

PAYLOAD = PrunePayload(plan=Plan(ratio=0.4))


@dataclass(frozen=True)
class Pruned:
    """Where it was trained, what was told while it was cut, and the folder of its files."""

    place: Place
    parent: JobContext
    told: list[dict[str, Any]]
    folder: Path


@lru_cache(maxsize=1)
def made(base: Path) -> Pruned:
    place = Place(base / "pruned")
    parent = place.trained(SMALL.model_copy(update={"epochs": 1}))
    context = place.job(parent.lease.run_id, JobKind.PRUNE, PAYLOAD)
    told: list[dict[str, Any]] = []
    context.publish = told.append
    outcome = run_prune(context)
    place.done(context)
    with place.store.read() as session:
        row = evaluations.checkpoint(session, outcome.result["checkpoint_id"])
    folder = (place.settings.artifacts / row.files["manifest"]["path"]).parent
    return Pruned(place, parent, told, folder)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Pruned:
    return made(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def folder(pruned: Pruned) -> Path:
    return pruned.folder
