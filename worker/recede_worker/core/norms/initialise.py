"""Initial weights of a network as the method prescribes, the same on every device."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.gated import GatedBatchNorm2d

LINEAR_STD = 0.01
PLAIN_SCALE = 0.5  # γ of an ordinary batch norm, the σ(w) of a bounded one at w = 0


@torch.no_grad()
def initialise(model: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights anew from a CPU generator and reset the running statistics, in place.

    Convolutions ~ N(0, √(2/(k_h·k_w·C_out/groups))), linear layers ~ N(0, 0.01), biases 0,
    ordinary batch norm γ = 0.5 and β = 0, bounded and gated batch norm w ~ N(0, 1). Equal
    generators give equal weights: numbers are drawn in float32 on the CPU, as
    `model.modules()` goes.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            # √(2 / fan-out): an input channel reaches only the outputs of its own group.
            k_h, k_w = module.kernel_size
            fan_out = k_h * k_w * module.out_channels / module.groups
            _draw(module.weight, math.sqrt(2 / fan_out), generator)
            _clear(module.bias)
        elif isinstance(module, nn.Linear):
            _draw(module.weight, LINEAR_STD, generator)
            _clear(module.bias)
        elif isinstance(module, BoundedBatchNorm2d):
            _draw(module.weight, 1.0, generator)
            if isinstance(module, GatedBatchNorm2d):
                module.begin_at(module.weight)
                module.gamma.fill_(PLAIN_SCALE)
                module.beta.zero_()
            _forget(module)
        elif isinstance(module, nn.BatchNorm2d):
            if module.affine:
                module.weight.fill_(PLAIN_SCALE)
                _clear(module.bias)
            module.reset_running_stats()


def freeze_redundant_biases(model: nn.Module, convs: Iterable[str]) -> None:
    """Keep the biases of convolutions that a batch norm follows at zero, in place.

    The norm subtracts the mean, so such a bias does nothing and its gradient is rounding
    noise. Where a layer's importances are small this noise is divided by √ε: the bias
    wanders, the running mean lags behind it, and a network that trains well fails in
    evaluation. The parameter stays in the network and in its counts.
    """
    for name in convs:
        bias = model.get_submodule(name).bias
        if isinstance(bias, nn.Parameter):
            with torch.no_grad():
                bias.zero_()
            bias.requires_grad_(False)


def _draw(weight: Tensor, std: float, generator: torch.Generator) -> None:
    weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float32) * std)


def _clear(bias: Tensor | None) -> None:
    if bias is not None:
        bias.zero_()


def _forget(norm: BoundedBatchNorm2d) -> None:
    norm.running_mean.zero_()
    norm.running_var.fill_(1)
    norm.num_batches_tracked.zero_()
