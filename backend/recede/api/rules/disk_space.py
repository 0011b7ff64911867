"""What a run will keep on disk, as far as it can be known before its network is built."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from sqlalchemy.orm import Session

from recede.contract.schemas import DiskOut
from recede.contract.spec.kept_weights import (
    require_room,
    room,
    room_of_all,
)
from recede.contract.spec.run import RunSpec
from recede.contract.states import CheckpointKind
from recede.settings import Settings
from recede.store.experiments import runs
from recede.store.results import evaluations

LOOKED_AT = 100
"""The newest runs, among which one with the same network may have weights already."""


def check(settings: Settings, session: Session, spec: RunSpec) -> DiskOut:
    """Free space beside what the run will keep, with a warning if not all of it may fit.

    How large the weights are is known if an earlier run had the same network; else the worker
    looks before it trains. A cut network takes no more than the one it was cut from.

    Raises:
        StorageProblem: not even the weights of the best and the last epoch fit.
    """
    free = shutil.disk_usage(settings.artifacts).free
    weights = _weights(session, spec)
    if weights is None:
        return DiskOut(free_bytes=free)
    found = room(spec, weights, free)
    # A fine-tuning may be far smaller than its parent: the worker, which knows, refuses it.
    warning = None if spec.fine_tunes and free < found.least else require_room(found)
    return DiskOut(
        free_bytes=free,
        weights_bytes=weights,
        keep_bytes=found.least + found.earlier,
        warning=warning,
    )


def check_all(settings: Settings, session: Session, specs: Sequence[RunSpec]) -> None:
    """Refuse runs that will not fit the disk together, as far as their networks are known.

    Raises:
        StorageProblem: not even the weights of their best and last epochs fit.
    """
    free = shutil.disk_usage(settings.artifacts).free
    known: dict[str, int | None] = {}
    rooms = []
    for spec in specs:
        name = repr(_network(spec))
        if name not in known:
            known[name] = _weights(session, spec)
        weights = known[name]
        if weights is not None and not spec.fine_tunes:
            rooms.append(room(spec, weights, free))
    if rooms:
        require_room(room_of_all(rooms))


def _weights(session: Session, spec: RunSpec) -> int | None:
    """Bytes of one epoch's weights in the newest run with this network, uncut."""
    wanted = _network(spec)
    for run in runs.page(session, limit=LOOKED_AT):
        other = RunSpec.model_validate(run.spec)
        if other.fine_tunes or _network(other) != wanted:
            continue
        for row in evaluations.checkpoints(session, run.id):
            if row.kind == CheckpointKind.TRAINED.value:
                return int(row.files["safetensors"]["size_bytes"])
    return None


def _network(spec: RunSpec) -> tuple[object, ...]:
    """What decides the size of a network: the data set has its channels and classes."""
    return spec.architecture, spec.architecture_params, spec.dataset, spec.dataset_params
