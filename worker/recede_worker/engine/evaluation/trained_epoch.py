"""The trained network of one epoch, ready to be cut and measured again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recede.contract.cut.selection import Selection
from recede.contract.network.cost import Cost, cost
from recede.contract.spec.run import RunSpec
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede.store.tables.runs import CheckpointRow
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.state_dict import load_weights
from recede_worker.engine.checkpoints.weights import read_weights
from recede_worker.engine.evaluation.cache import Cache, CachedEpoch, CachedRun
from recede_worker.engine.initial_weights.take_over import network_of
from recede_worker.engine.inputs.load import Data, Network, load_data
from recede_worker.engine.inputs.parts import Source
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.inputs.splits import Split
from recede_worker.engine.job.handle import JobHandle


@dataclass(frozen=True)
class TrainedEpoch:
    """Weights, importances and images of one epoch of one run; touches neither store nor disk."""

    run_id: str
    spec: RunSpec
    device: torch.device
    data: Data
    network: Network
    dense: nn.Module
    """The folded network with the weights of that epoch, on the CPU."""
    surgeon: Surgeon
    checkpoint: CheckpointRow
    raw: npt.NDArray[np.float32]
    validation: Split
    source: Source
    """Parts of the validation images in random order."""
    cached: CachedEpoch

    @property
    def epoch(self) -> int:
        """Its number."""
        return self.checkpoint.epoch

    def whole(self) -> Selection:
        """The selection that keeps every channel."""
        shape = self.network.shape
        return Selection(np.ones(shape.n_neurons, np.bool_), tuple(shape.sizes), ())

    def cut(self, selection: Selection) -> nn.Module:
        """The really cut network on the CPU, its constants dropped or folded as planned."""
        return self.surgeon.cut(selection.mask, selection.variant)

    def masked(self, selection: Selection) -> nn.Module:
        """The masked network that computes what `cut` does."""
        return self.surgeon.masked(selection.mask, selection.variant)

    def cost(self, selection: Selection) -> Cost:
        """Exact cost of that cut."""
        return cost(self.network.shape, selection.kept)


def load_trained_epoch(
    job: JobHandle, run: RunInputs, cache: Cache, epoch: int | None
) -> TrainedEpoch:
    """The network of that epoch (None: the best), from the cache or from disk.

    Raises:
        WeightsGone: the weights of that epoch were not kept.
        StorageProblem: they are gone from disk or were altered.
    """
    row, raw = _stored(job, cache, epoch)
    of_run = cache.run(job.run_id) or _load_run(job, run)
    key = (job.run_id, row.epoch, row.sha256)
    of_epoch = cache.epoch(key) or _load_epoch(job, run, of_run, row)
    cache.add_run(job.run_id, of_run)
    cache.add_epoch(key, of_epoch)
    return TrainedEpoch(
        run_id=job.run_id,
        spec=run.spec,
        device=run.device,
        data=of_run.data,
        network=of_run.network,
        dense=of_epoch.dense,
        surgeon=of_epoch.surgeon,
        checkpoint=row,
        raw=raw,
        validation=of_run.validation,
        source=of_run.source,
        cached=of_epoch,
    )


def _stored(
    job: JobHandle, cache: Cache, epoch: int | None
) -> tuple[CheckpointRow, npt.NDArray[np.float32]]:
    """Checkpoint and importances; from then on the weights stay until the job ends."""
    run_id, job_id = job.run_id, job.lease.job_id
    with job.read() as session:
        cache.drop_all_but(runs.existing(session, list(cache.runs)))
        # A plan with an epoch has pinned it when it was queued, which saves a commit.
        if epoch is not None and jobs.get(session, job_id).epoch == epoch:
            row = evaluations.trained(session, run_id, epoch)
            return row, history.snapshot(session, run_id, epoch)
    with job.write() as session:
        row = evaluations.trained(session, run_id, epoch)
        jobs.pin(session, job_id, row.epoch)
        return row, history.snapshot(session, run_id, row.epoch)


def _load_run(job: JobHandle, run: RunInputs) -> CachedRun:
    job.progress("loading", 0, 1, "steps", message="images")
    data = load_data(run.spec, run.settings, lambda *_: job.check())
    network = network_of(job, run, data)
    validation = data.validation.to(run.device)
    return CachedRun(data, network, validation, Source(validation))


def _load_epoch(
    job: JobHandle, run: RunInputs, of_run: CachedRun, row: CheckpointRow
) -> CachedEpoch:
    job.progress("loading", 0, 1, "steps", message="weights")
    network = of_run.network
    dense = network.architecture.build(network.config)
    load_weights(dense, read_weights(row, run.artifacts))
    surgeon = Surgeon(dense, network.shape, network.norms, network.traced)
    return CachedEpoch(dense.eval(), surgeon)
