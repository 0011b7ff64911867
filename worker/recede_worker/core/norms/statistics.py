"""Running statistics that no longer belong to a network, measured anew."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from recede_worker.core.norms.bounded import BoundedBatchNorm2d


@torch.no_grad()
def measure_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace the running statistics of all batch norms, in place, by those of these images.

    They become the plain average over the batches (N, C, H, W), each passed through the network
    as in training; nothing else is trained, and dropout is off. The mode stays as it was.
    """
    was_training = model.training
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm | BoundedBatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        if norm.running_mean is not None and norm.running_var is not None:
            norm.running_mean.zero_()
            norm.running_var.fill_(1)
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.zero_()
        norm.momentum = None  # a plain average
        norm.train()
    try:
        for x_NCHW in batches:
            model(x_NCHW)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(was_training)
