"""What a plan ranks neurons by: the snapshot, or its criterion's scores, computed if missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recede.contract.cut.selection import Selection, select
from recede.contract.errors import ImpossiblePlan, UnknownName
from recede.contract.spec.run import IMPORTANCE, Plan
from recede.store.results import scores
from recede_worker.criteria.base import (
    Criterion,
    Scored,
    groups_of,
)
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.job.handle import JobHandle
from recede_worker.plugins import registry

IMAGES = 1024
"""Training images that a criterion sees; all of them, where there are fewer."""
BATCH = 16  # small: a criterion that squares each batch's gradient averages over more of them


def select_channels(job: JobHandle, trained: TrainedEpoch, plan: Plan) -> Selection:
    """Channels that the plan keeps at this epoch.

    Raises:
        UnknownName, ImpossiblePlan: the plan's criterion cannot rank them.
    """
    return select(trained.network.shape, scores_by(job, trained, plan.criterion), plan)


def scores_by(job: JobHandle, trained: TrainedEpoch, criterion: str) -> npt.NDArray[np.float32]:
    """One score per neuron, in network order; computed scores are stored.

    Raises:
        UnknownName: no plug-in has that name.
        ImpossiblePlan: the scores are not finite, so they rank nothing.
    """
    if criterion == IMPORTANCE:
        return trained.raw
    with job.read() as session:
        known = scores.get(session, job.run_id, trained.epoch, criterion)
    if known is not None:
        return known
    raw = _plugin(criterion).scores(_scored(job, trained))
    if not np.isfinite(raw).all():
        raise ImpossiblePlan(
            f"The scores of epoch {trained.epoch} by {criterion!r} are not finite numbers, so "
            "they rank nothing; choose an epoch before the training diverged.",
            field="plan.criterion",
        )
    with job.write() as session:
        scores.put(session, job.run_id, trained.epoch, criterion, raw)
    job.log(f"scored {raw.size} neurons of epoch {trained.epoch} by {criterion}")
    return raw


def _plugin(name: str) -> Criterion:
    known = registry.criteria()
    if name not in known:
        raise UnknownName("criterion", name, known, field="plan.criterion")
    return known[name]


def _scored(job: JobHandle, trained: TrainedEpoch) -> Scored:
    found = list(trained.surgeon.groups)
    return Scored(
        model=trained.dense,
        groups=groups_of(trained.dense, found, trained.network.norms),
        raw_N=trained.raw,
        batches=lambda: _batches(job, trained),
        device=trained.device,
        seed=trained.spec.seed,
    )


def _batches(job: JobHandle, trained: TrainedEpoch) -> Iterator[tuple[Tensor, Tensor]]:
    """The same images for every criterion, epoch and device, drawn with the run's seed."""
    train = trained.data.train
    generator = torch.Generator().manual_seed(trained.spec.seed)
    index_N = torch.randperm(len(train), generator=generator)[:IMAGES]
    images = train.pick(index_N).to(trained.device)
    done = 0
    for x_BCHW, y_B in images.evaluation_batches(trained.data.normalise, BATCH):
        job.check()
        job.progress("scoring", done, len(index_N), "images")
        yield x_BCHW, y_B
        done += len(y_B)
