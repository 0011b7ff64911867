"""What the file of a network holds: each tensor of its folded state_dict and what cuts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from recede.contract.network.shape import StoredTensor
from recede_worker.core.graph.groups import Channels, Coupling
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.gated import GatedBatchNorm2d

TYPES = {torch.float32: "F32", torch.int64: "I64"}
NARROWED = {"out": ("weight", "bias", "running_mean", "running_var"), "in": ("weight",)}
"""Tensors of a layer that lose slices on each of its sides."""


def stored_tensors(model: nn.Module, found: Sequence[Channels]) -> tuple[StoredTensor, ...]:
    """All tensors of the folded network's state_dict; empty if one has a type not written here.

    `found` holds what is cut with each group, in network order. The model is not altered.
    """
    links: dict[str, list[tuple[int, int, int]]] = {}
    for group, channels in enumerate(found):
        for coupling in channels.couplings:
            for name, link in _links(group, channels.size, coupling):
                links.setdefault(name, []).append(link)
    sizes = list(_tensors(model))
    if any(dtype not in TYPES for _, dtype, _ in sizes):
        return ()
    return tuple(
        StoredTensor.model_validate(
            {
                "name": name,
                "dtype": TYPES[dtype],
                "shape": dims,
                "links": tuple(sorted(links.get(name, ()))),
            }
        )
        for name, dtype, dims in sizes
    )


def _tensors(model: nn.Module) -> Iterator[tuple[str, torch.dtype, tuple[int, ...]]]:
    """Name, type and shape of each; a bounded or gated norm has scale and bias once folded."""
    folded_away = {
        f"{name}.{leaf}"
        for name, module in model.named_modules()
        if isinstance(module, GatedBatchNorm2d)
        for leaf in module.FOLDED_AWAY
    }
    for name, tensor in model.state_dict().items():
        if name not in folded_away:
            yield name, tensor.dtype, tuple(tensor.shape)
    for name, module in model.named_modules():
        if isinstance(module, BoundedBatchNorm2d):
            scale = module.weight
            bias = f"{name}.bias" if name else "bias"
            yield bias, scale.dtype, tuple(scale.shape)


def _links(
    group: int, size: int, coupling: Coupling
) -> Iterator[tuple[str, tuple[int, int, int]]]:
    slices = int(np.count_nonzero(np.asarray(coupling.units) >= 0)) // size
    for leaf in NARROWED[coupling.side]:
        dim = 1 if coupling.side == "in" else 0
        yield f"{coupling.name}.{leaf}", (dim, group, slices)
