"""What a plan ranks by: the snapshot, or the scores of its criterion, computed where missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recede.contract.errors import ImpossiblePlan, UnknownName
from recede.contract.spec.run import IMPORTANCE
from recede.store.results import scores
from recede_worker.criteria.base import (
    Criterion,
    Scored,
    groups_of,
)
from recede_worker.plugins import registry

if TYPE_CHECKING:
    from recede_worker.engine.evaluation.trained_epoch import Subject

IMAGES = 1024
"""Training images that a criterion may look at; all of them, where there are fewer."""
BATCH = 16  # small: a criterion that squares what a batch says hears more of them


def scores_of(subject: Subject, criterion: str) -> npt.NDArray[np.float32]:
    """One score a neuron, in network order; those that were not known yet are kept.

    Raises:
        UnknownName: no plug-in has that name.
        ImpossiblePlan: the scores are not finite, so they rank nothing.
    """
    if criterion == IMPORTANCE:
        return subject.raw
    context, epoch = subject.context, subject.checkpoint.epoch
    run_id = context.lease.run_id
    with context.store.read() as session:
        known = scores.get(session, run_id, epoch, criterion)
    if known is not None:
        return known
    raw = _plugin(criterion).scores(_scored(subject))
    if not np.isfinite(raw).all():
        raise ImpossiblePlan(
            f"The scores of epoch {epoch} by {criterion!r} are not finite numbers, so they rank "
            "nothing; choose an epoch before the training diverged.",
            field="plan.criterion",
        )
    with context.write() as session:
        scores.put(session, run_id, epoch, criterion, raw)
    context.log(f"scored {raw.size} neurons of epoch {epoch} by {criterion}")
    return raw


def _plugin(name: str) -> Criterion:
    known = registry.criteria()
    if name not in known:
        raise UnknownName("criterion", name, known, field="plan.criterion")
    return known[name]


def _scored(subject: Subject) -> Scored:
    found = list(subject.surgeon.groups)
    return Scored(
        model=subject.dense,
        groups=groups_of(subject.dense, found, subject.network.norms),
        raw_N=subject.raw,
        batches=lambda: _batches(subject),
        device=subject.context.device,
        seed=subject.spec.seed,
    )


def _batches(subject: Subject) -> Iterator[tuple[Tensor, Tensor]]:
    """The same images for every criterion, epoch and device, drawn with the run's seed."""
    train, context = subject.data.train, subject.context
    generator = torch.Generator().manual_seed(subject.spec.seed)
    index_N = torch.randperm(len(train), generator=generator)[:IMAGES]
    images = train.pick(index_N).to(context.device)
    done = 0
    for x_BCHW, y_B in images.evaluation_batches(subject.data.normalise, BATCH):
        context.check()
        context.progress("scoring", done, len(index_N), "images")
        yield x_BCHW, y_B
        done += len(y_B)
