"""The layer that makes the class scores."""

from __future__ import annotations

import torch
from torch import nn

HEADS = nn.Linear | nn.Conv2d


@torch.inference_mode()
def scoring_layer(model: nn.Module, input_shape: tuple[int, int, int]) -> str:
    """Name of the layer that makes the class scores: the last that works on an image (C, H, W).

    Layers may be registered in any order, and auxiliary heads work only in training.
    """
    called: list[str] = []
    handles = [
        layer.register_forward_hook(lambda *_, name=name: called.append(name))
        for name, layer in model.named_modules()
        if isinstance(layer, HEADS)
    ]
    trained = {name: module.training for name, module in model.named_modules()}
    try:
        model.eval()(torch.zeros(1, *input_shape, dtype=next(model.parameters()).dtype))
    finally:
        for handle in handles:
            handle.remove()
        for name, module in model.named_modules():
            module.training = trained[name]
    return called[-1]
