"""Somebody's own network, looked at in their process: its shape, without altering it."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.sdk.network.outputs import as_rows
from recede_worker.core.cutting.discover import Prunable, prunable_norms
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.scaling import Norms


def unwrapped(model: nn.Module) -> nn.Module:
    """The network in what torch.compile, DataParallel and DistributedDataParallel make of it."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        inner = model.module if isinstance(model, wrappers) else getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def copied(model: nn.Module) -> nn.Module:
    """A copy on the CPU in evaluation mode; a GPU needs no memory for it."""
    memo: dict[int, Any] = {}
    with torch.no_grad():
        for weight in model.parameters():
            memo[id(weight)] = nn.Parameter(weight.detach().cpu().clone(), weight.requires_grad)
        for buffer in model.buffers():
            memo[id(buffer)] = buffer.detach().cpu().clone()
    return copy.deepcopy(model, memo).eval()


def images_of(given: Tensor) -> Tensor:
    """The example inputs on the CPU; raises InvalidInput unless they are images (N, C, H, W)."""
    if isinstance(given, Tensor) and given.ndim == 4 and len(given):
        return given.detach().cpu()
    found = f"shape {tuple(given.shape)}" if isinstance(given, Tensor) else type(given).__name__
    raise InvalidInput(
        f"example_inputs had {found}; a tensor (N, C, H, W) with at least one image is needed.",
        field="example_inputs",
        hint="Take a batch from your data loader, as the model takes it.",
    )


def traced(
    dense: nn.Module, images: Tensor, prunable: Prunable
) -> tuple[NetworkShape, Norms, Trace]:
    """The shape of a network, the norms of its groups, in network order, and its trace.

    `dense` is a copy in evaluation mode and on the CPU, as the images are. It gives rows from
    now on: see as_rows.

    Raises:
        InvalidInput: it gives no tensor with a row for each image, or nothing of it can be cut.
    """
    as_rows(dense, images)
    with torch.inference_mode():
        classes = dense(images[:1]).shape[1]
    channels, height, width = images.shape[1:]
    input_shape = (channels, height, width)
    # A copy: looking for what can be cut draws other weights. Gates fold away under their names.
    norms = prunable_norms(fold(dense), input_shape, classes, prunable=prunable)
    bounded = any(isinstance(module, BoundedBatchNorm2d) for module in dense.modules())
    routes = trace(dense, input_shape)
    shape = network_shape(
        dense,
        architecture=type(dense).__name__,
        norms=norms,
        input_shape=input_shape,
        classes=classes,
        scale="bounded" if bounded else "plain",
        traced=routes,
    )
    return shape, norms, routes
