"""Batch norms computed inside the convolutions before them: the same function, fewer passes.

In evaluation a batch norm is a scale and a shift of each channel, which the weights and the
bias of the convolution before it can take over. Outputs differ by float32's rounding alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from recede_worker.core.cutting.constants import norms_behind


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
        assert norm.running_mean is not None
        assert norm.running_var is not None
        conv.weight, conv.bias = fuse_conv_bn_weights(
            *(conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps),
            *(norm.weight, norm.bias),
        )
        model.set_submodule(norm_name, nn.Identity())
    return model
