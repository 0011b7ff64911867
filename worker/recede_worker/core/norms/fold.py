"""Folding: the same function in plain PyTorch, without bounded or gated batch norm."""

from __future__ import annotations

import copy

import torch
from torch import nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d, ThenOwnModules


@torch.inference_mode(mode=False)  # tensors made in inference mode cannot be trained
def fold(model: nn.Module) -> nn.Module:
    """A deep copy in which each bounded batch norm is an ordinary one: γ = σ(w), β = 0.

    Of a gated one γ and β are multiplied by σ(w)/σ(w₀). In evaluation the outputs are equal to
    the last bit. The model itself is not altered.
    """
    folded = copy.deepcopy(model)
    if isinstance(folded, BoundedBatchNorm2d):
        return _folded_norm(folded)
    fold_in_place(folded)
    return folded


def fold_in_place(model: nn.Module) -> None:
    """Replace each bounded batch norm below `model` by the ordinary one."""
    for name, module in list(model.named_modules()):
        if isinstance(module, BoundedBatchNorm2d):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, _folded_norm(module))


@torch.no_grad()
def _folded_norm(bounded: BoundedBatchNorm2d) -> nn.BatchNorm2d:
    weight_C = bounded.weight
    norm = _plain_norm(bounded).to(device=weight_C.device, dtype=weight_C.dtype)
    scale_C, shift_C = bounded.affine()
    norm.weight.copy_(scale_C)
    norm.bias.copy_(torch.zeros_like(scale_C) if shift_C is None else shift_C)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    norm.running_mean.copy_(bounded.running_mean)
    norm.running_var.copy_(bounded.running_var)
    norm.num_batches_tracked.copy_(bounded.num_batches_tracked)
    return norm.train(bounded.training)


def _plain_norm(bounded: BoundedBatchNorm2d) -> nn.BatchNorm2d:
    if not isinstance(bounded, ThenOwnModules):
        return nn.BatchNorm2d(bounded.num_features, bounded.eps, bounded.momentum)
    return bounded.original  # a copy already, as all of the model is
