"""Taylor: how much the loss would change without a channel, to first order."""

from __future__ import annotations

import copy
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from recede.contract.spec.catalog import CriterionInfo
from recede_worker.criteria.base import (
    Criterion,
    FloatArray,
    Group,
    Scored,
    joined,
    summed,
)


class Taylor(Criterion):
    """(∂L/∂g)² of a gate g = 1 on each unit, as γ·∂L/∂γ + β·∂L/∂β gives it."""

    info: ClassVar[CriterionInfo] = CriterionInfo(
        name="taylor",
        label="Taylor (gradient × scale)",
        help="How much the loss L would change without the channel, to first order: the root "
        "mean square of γ·∂L/∂γ + β·∂L/∂β of its batch norm over batches of training images; of "
        "a unit of several channels of their sum. Molchanov et al., “Importance Estimation for "
        "Neural Network Pruning”, CVPR 2019.",
    )

    def scores(self, scored: Scored) -> FloatArray:
        """Root of the mean square over all batches."""
        model = copy.deepcopy(scored.model).to(scored.device).eval()
        model.requires_grad_(False)
        for group in scored.groups:
            for part in group.norms:
                model.get_submodule(part.name).requires_grad_(True)
        total = [torch.zeros(group.size, dtype=torch.float64) for group in scored.groups]
        batches = 0
        for x_BCHW, y_B in scored.batches():
            model.zero_grad(set_to_none=True)
            with torch.enable_grad():
                functional.cross_entropy(model(x_BCHW), y_B).backward()  # type: ignore[no-untyped-call]
            for sum_U, group in zip(total, scored.groups, strict=True):
                sum_U += _change(model, group).square()
            batches += 1
        return joined([(sum_U / batches).sqrt() for sum_U in total])


def _change(model: nn.Module, group: Group) -> Tensor:
    """What the gate of each unit does to the loss of one batch."""
    changes = []
    for part in group.norms:
        norm = model.get_submodule(part.name)
        assert isinstance(norm.weight, Tensor)
        assert isinstance(norm.bias, Tensor)
        changes.append((part, _times_gradient(norm.weight) + _times_gradient(norm.bias)))
    return summed(group, changes)


def _times_gradient(parameter_K: Tensor) -> Tensor:
    if parameter_K.grad is None:  # the loss does not depend on it
        return torch.zeros_like(parameter_K)
    return parameter_K.detach() * parameter_K.grad


PLUGINS: tuple[Criterion, ...] = (Taylor(),)
