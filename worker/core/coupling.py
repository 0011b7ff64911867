"""Which slices of which layers go together with a channel, read from torch-pruning's graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import numpy as np
import numpy.typing as npt
import torch
import torch_pruning as tp
from torch import nn

from backend.contract.errors import InvalidInput

Side = Literal["in", "out"]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coupling:
    """Layer `name` loses slice `slices[k]` on its `side` when channel `channels[k]` goes.

    Batch norms and depthwise convolutions have one width only: their side is "out".
    """

    name: str
    side: Side
    slices: Index
    channels: Index


def is_depthwise(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """True for a convolution with one filter a channel."""
    if not isinstance(layer, nn.Conv2d):
        return False
    return 1 < layer.groups == layer.in_channels == layer.out_channels


def couplings(
    model: nn.Module, roots: Sequence[str], input_shape: tuple[int, int, int]
) -> list[list[Coupling]]:
    """For each root convolution, everything that is cut with its output channels.

    The model must be folded, on the CPU and in evaluation mode; it is read, not altered.
    Not to be called in inference mode, for the graph is traced by autograd.

    Raises:
        InvalidInput: a channel reaches a layer that this surgery cannot cut.
    """
    dtype = next(model.parameters()).dtype
    x_NCHW = torch.zeros(1, *input_shape, dtype=dtype)
    with torch.enable_grad():
        graph = tp.DependencyGraph().build_dependency(model, (x_NCHW,), verbose=False)
    names = {module: name for name, module in model.named_modules()}
    return [_group(graph, model.get_submodule(root), names) for root in roots]


def _group(graph: Any, root: nn.Module, names: dict[nn.Module, str]) -> list[Coupling]:
    if not isinstance(root, nn.Conv2d):
        raise InvalidInput(
            f"A group must start at a Conv2d; {names[root]!r} is a {type(root).__name__}."
        )
    channels = list(range(root.out_channels))
    found = []
    for item in graph.get_pruning_group(root, tp.prune_conv_out_channels, channels):
        dep, layer = item.dep, item.dep.target.module
        if layer not in names:  # an operation without weights: add, concatenate, flatten
            _check_operation(layer, names[root])
            continue
        _check_layer(layer, names[layer], names[root])
        out = graph.is_out_channel_pruning_fn(dep.handler)
        side: Side = "out" if out else "in"
        found.append(Coupling(names[layer], side, np.array(item.idxs), np.array(item.root_idxs)))
    return found


def _check_operation(layer: Any, root: str) -> None:
    if isinstance(layer, nn.Parameter):
        raise InvalidInput(
            f"The channels of {root!r} reach a bare parameter of shape {tuple(layer.shape)}, "
            "which cannot be cut.",
            hint="Leave this layer out of the prunable groups.",
        )


def _check_layer(layer: nn.Module, name: str, root: str) -> None:
    plain = isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    grouped = isinstance(layer, nn.Conv2d) and layer.groups > 1 and not is_depthwise(layer)
    if not plain or grouped:
        kind = "grouped Conv2d" if grouped else type(layer).__name__
        raise InvalidInput(
            f"The channels of {root!r} reach {name!r}, a {kind}, which cannot be cut.",
            hint="Leave this layer out of the prunable groups.",
        )
