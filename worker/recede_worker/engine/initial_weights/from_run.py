"""The weights of another run, read while that run may still train, and cut if a plan says so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session
from torch import Tensor

from recede.contract.cut.protected import with_protected
from recede.contract.cut.selection import (
    Mask,
    Selection,
    select,
)
from recede.contract.errors import NotFound, StorageProblem
from recede.contract.network.cost import dense_cost
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import (
    Init,
    Plan,
    RunSpec,
)
from recede.store.experiments import history, runs
from recede.store.results import evaluations, scores
from recede.store.tables.runs import CheckpointRow, RunRow
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.state_dict import load_weights
from recede_worker.engine.checkpoints.weights import read_weights
from recede_worker.engine.initial_weights.teacher import Dense
from recede_worker.engine.inputs.load import network_for
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.job.handle import JobHandle

TRIES = 5
"""A better epoch may replace the weights between looking them up and reading them."""


@dataclass(frozen=True)
class Inherited:
    """What one run takes over from another, in memory and independent of it."""

    spec: RunSpec
    """Of the other run."""
    weights: dict[str, Tensor]
    """Plain state_dict, of the cut network if there is a plan."""
    widths: dict[str, int] | None
    """Neurons of each prunable layer, or None for those of the spec's own network."""
    raw: dict[str, npt.NDArray[np.float32]]
    """Raw scales of the neurons that are left, by prunable layer."""
    scale: Literal["bounded", "plain"]
    record: dict[str, Any]
    dense: Dense
    """The other run's network before the cut."""


@dataclass(frozen=True)
class _Parent:
    """The rows of one epoch of the other run, and its weights."""

    run: RunRow
    row: CheckpointRow
    shape: NetworkShape
    raw: npt.NDArray[np.float32]
    weights: dict[str, Tensor] = field(default_factory=dict)


def inherit(job: JobHandle, run: RunInputs, init: Init) -> Inherited:
    """Weights of the best epoch, or those of `init.plan` at its epoch, cut by it.

    Raises:
        NotFound: the run was deleted.
        WeightsGone: it has no weights of that epoch.
        StorageProblem: they are gone from disk or were altered.
        ImpossiblePlan, UnknownName: the plan does not fit its network.
        ScoreMissing: that epoch was not scored by the plan's criterion.
    """
    assert init.run is not None
    parent = _read(job, run, init.run, init.plan.epoch if init.plan else None)
    spec = RunSpec.model_validate(parent.run.spec)
    own_networks = run.settings.networks
    own = _widths(spec, parent, own_networks)
    record = _record(parent)
    shape = parent.shape
    dense = Dense(spec, own, shape.input_shape, shape.classes, parent.weights)
    if init.plan is None:
        raw = _by_layer(parent, np.ones(shape.n_neurons, dtype=np.bool_))
        return Inherited(spec, parent.weights, own, raw, shape.scale, record, dense)
    plan = with_protected(init.plan, parent.run.protected or ())
    with job.read() as session:
        ranked = scores.ranking(session, init.run, parent.row.epoch, plan.criterion)
    selection = select(shape, ranked, plan)
    names = [group.name for group in shape.groups]
    widths = dict(zip(names, selection.kept, strict=True))
    return Inherited(
        spec=spec,
        weights=_cut(spec, parent, own, selection, own_networks),
        widths=widths,
        raw=_by_layer(parent, selection.mask),
        scale=shape.scale,
        record={**record, **_cut_record(plan, parent.row.epoch, selection, widths)},
        dense=dense,
    )


def _read(job: JobHandle, run: RunInputs, run_id: str, epoch: int | None) -> _Parent:
    """Rows and weights that belong together, while the other run may still train."""
    for left in reversed(range(TRIES)):
        with job.read() as session:
            parent = _rows(session, run_id, epoch)
        try:
            return replace(parent, weights=read_weights(parent.row, run.artifacts))
        except (StorageProblem, OSError):
            if not left or not _replaced(job, parent.row):
                raise
        job.check()
    raise AssertionError


def _rows(session: Session, run_id: str, epoch: int | None) -> _Parent:
    try:
        run = runs.get(session, run_id)
    except NotFound as error:
        raise NotFound(
            f"Run {run_id}, whose weights this run starts from, was deleted.",
            field="init.run",
            hint="Choose another run to start from.",
        ) from error
    row = evaluations.trained(session, run_id, epoch)
    raw = history.snapshot(session, run_id, row.epoch)
    return _Parent(run, row, history.network(session, run_id), raw)


def _replaced(job: JobHandle, row: CheckpointRow) -> bool:
    """Whether the store has meanwhile dropped these weights for better ones."""
    with job.read() as session:
        return all(row.id != kept.id for kept in evaluations.checkpoints(session, row.run_id))


def _by_layer(parent: _Parent, mask: Mask) -> dict[str, npt.NDArray[np.float32]]:
    """Raw scales of the neurons that the mask keeps, by prunable layer."""
    shape = parent.shape
    parts = zip(shape.groups, shape.split(parent.raw), shape.split(mask), strict=True)
    return {group.name: raw[keep] for group, raw, keep in parts}


def _widths(
    spec: RunSpec, parent: _Parent, own_networks: tuple[Path, ...]
) -> dict[str, int] | None:
    """Widths of the other run's network, if it was cut before it was trained."""
    if spec.init is None:
        return None
    shape = parent.shape
    dense = network_for(spec, shape.input_shape, shape.classes, own_networks=own_networks)
    if dense.shape.sizes == parent.shape.sizes:
        return None
    return {group.name: group.size for group in parent.shape.groups}


def _cut(
    spec: RunSpec,
    parent: _Parent,
    widths: dict[str, int] | None,
    selection: Selection,
    own_networks: tuple[Path, ...],
) -> dict[str, Tensor]:
    """The plain state_dict of the other run's network without the channels that go."""
    shape = parent.shape
    network = network_for(
        spec, shape.input_shape, shape.classes, widths, own_networks=own_networks
    )
    dense = network.architecture.build(network.config)
    load_weights(dense, parent.weights)
    surgeon = Surgeon(dense, shape, network.norms, network.traced)
    cut = surgeon.cut(selection.mask, selection.variant)
    return {name: tensor.clone() for name, tensor in cut.state_dict().items()}


def _record(parent: _Parent) -> dict[str, Any]:
    """What the manifest records about the other run."""
    accuracy: dict[str, Any] = {"validation": parent.row.manifest["accuracy"]["validation"]}
    if parent.run.test_correct is not None and parent.row.epoch == parent.run.best_epoch:
        accuracy["test"] = {"correct": parent.run.test_correct, "n": parent.run.n_test}
    return {
        "kind": "run",
        "run_id": parent.run.id,
        "run_name": parent.run.name,
        "epoch": parent.row.epoch,
        "sha256": parent.row.sha256,
        "parent_accuracy": accuracy,
        "parent_cost": vars(dense_cost(parent.shape)),
    }


def _cut_record(
    plan: Plan, epoch: int, selection: Selection, widths: dict[str, int]
) -> dict[str, Any]:
    return {
        "plan": plan.model_copy(update={"epoch": epoch}).model_dump(mode="json"),
        "ratio": selection.ratio,
        "removed": selection.removed,
        "digest": selection.digest,
        "kept": widths,
    }
