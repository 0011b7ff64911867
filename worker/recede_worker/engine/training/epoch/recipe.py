"""What all processes of a training do alike: the step of a spec, and its epochs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from recede.contract.spec.run import RunSpec
from recede_worker.core.device.few_pixels import speed_up
from recede_worker.core.norms.importance import scale_parameters
from recede_worker.engine.inputs.load import (
    Data,
    Network,
    method_of,
)
from recede_worker.engine.inputs.splits import (
    WHOLE,
    Share,
    Split,
    n_batches,
)
from recede_worker.engine.training.epoch.compiling import compiled
from recede_worker.engine.training.epoch.distillation import Teacher
from recede_worker.engine.training.epoch.precision import resolve
from recede_worker.engine.training.epoch.schedule import lr_at
from recede_worker.engine.training.epoch.step import (
    Step,
    Totals,
    make_optimiser,
    train_epoch,
)

RANK_SEEDS = 2**52  # apart: no run and epoch have so large a seed


def make_step(
    spec: RunSpec, network: Network, device: torch.device, teacher: nn.Module | None = None
) -> Step:
    """The step of a spec; moves the network, and its teacher, to the device, channels last."""
    network.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not spec.compile:
        speed_up(network.model)
    return Step(
        forward=compiled(network.model) if spec.compile else network.model,
        optimiser=make_optimiser(network.model, spec.lr),
        scales=scale_parameters(network.model, list(network.norms.values()), network.shape.sizes),
        method=method_of(spec),
        params=spec.method_params,
        precision=resolve(spec.precision, device),
        label_smoothing=spec.label_smoothing,
        teacher=_teacher(spec, teacher, device),
    )


def _teacher(spec: RunSpec, network: nn.Module | None, device: torch.device) -> Teacher | None:
    if network is None or spec.distill is None:
        return None
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Teacher(network, spec.distill.weight, spec.distill.temperature)


def learning_rate(spec: RunSpec, epoch: int, step: int, steps: int) -> float:
    """Learning rate of a step, counted from 0, of an epoch, counted from 1, of so many steps."""
    return lr_at(epoch - 1 + step / steps, spec)


def train_one(
    step: Step,
    split: Split,
    spec: RunSpec,
    data: Data,
    epoch: int,
    after_step: Callable[[Totals], None],
    share: Share = WHOLE,
) -> Totals:
    """Train one epoch, counted from 1, on this process's share of its batches.

    All processes draw the same epoch; what else is random (dropout) differs between them.
    """
    seed = epoch_seed(spec.seed, epoch)
    torch.manual_seed(seed + share.rank * RANK_SEEDS)
    steps = n_batches(len(split), spec.batch_size, share)
    batches = split.training_batches(spec.batch_size, data.augment, data.normalise, seed, share)
    return train_epoch(
        step,
        batches,
        lambda done: learning_rate(spec, epoch, done, steps),
        epoch=epoch,
        after_step=after_step,
    )


def epoch_seed(seed: int, epoch: int) -> int:
    """One stream of random numbers for each epoch, so that resuming needs no state of it."""
    return seed * 1_000_003 + epoch
