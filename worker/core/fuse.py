"""Batch norms computed inside the convolutions before them: the same function, fewer passes.

In evaluation a batch norm is a scale and a shift of each channel, which the weights and the
bias of the convolution before it can take over. Outputs differ by float32's rounding alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from worker.core.constants import norms_behind


def fusible(model: nn.Module, x_NCHW: Tensor) -> dict[str, str]:
    """Convolution → the batch norm that alone reads its output, found by trying on the images."""
    convolutions = [name for name, layer in model.named_modules() if type(layer) is nn.Conv2d]
    pairs = norms_behind(model, convolutions, x_NCHW)
    return {
        conv: norm
        for conv, norm in pairs.items()
        if type(model.get_submodule(norm)) is nn.BatchNorm2d
    }


@torch.inference_mode(mode=False)
@torch.no_grad()
def fuse(model: nn.Module, pairs: Mapping[str, str]) -> nn.Module:
    """Put these norms into their convolutions, in place; `pairs` may be those of a larger cut."""
    for conv_name, norm_name in pairs.items():
        conv, norm = model.get_submodule(conv_name), model.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        mean_C, var_C = norm.running_mean, norm.running_var
        assert mean_C is not None
        assert var_C is not None
        scale_C = (var_C.double() + norm.eps).rsqrt()
        if norm.weight is not None:
            scale_C = scale_C * norm.weight.double()
        bias_C = torch.zeros_like(scale_C) if conv.bias is None else conv.bias.double()
        bias_C = (bias_C - mean_C.double()) * scale_C
        if norm.bias is not None:
            bias_C = bias_C + norm.bias.double()
        dtype = conv.weight.dtype
        conv.weight = nn.Parameter((conv.weight.double() * scale_C.view(-1, 1, 1, 1)).to(dtype))
        conv.bias = nn.Parameter(bias_C.to(dtype))
        parent, _, leaf = norm_name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, nn.Identity())
    return model
