"""From a network to its NetworkShape: the prunable groups and what each layer costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from backend.contract.cost import dense_cost
from backend.contract.errors import InvalidInput
from backend.contract.network import MIN_CHANNELS, Group, NetworkShape, Op
from worker.core.coupling import Coupling, Side, couplings, is_depthwise
from worker.core.fold import fold

Couplings = list[list[Coupling]]


@torch.inference_mode(mode=False)  # the graph is traced by autograd
def network_shape(
    model: nn.Module,
    *,
    architecture: str,
    norms: Mapping[str, str],
    input_shape: tuple[int, int, int],
    classes: int,
    scale: Literal["bounded", "plain"],
) -> NetworkShape:
    """Groups in the order of `norms` (convolution → its batch norm) and every costly layer.

    `input_shape` is (C, H, W). Reads a folded copy on the CPU; the model is not altered.

    Raises:
        InvalidInput: a norm is not fed by its convolution, a channel reaches a layer that
            cannot be cut, or parameters lie outside convolutions, linear layers and norms.
    """
    folded = fold(model).cpu().eval()
    found = couplings(folded, list(norms), input_shape)
    _check_norms(found, norms)
    sizes = [len(set(coupled[0].channels.tolist())) for coupled in found]
    groups = tuple(
        Group(name=name, size=size, minimum=min(MIN_CHANNELS, size))
        for name, size in zip(norms, sizes, strict=True)
    )
    positions = _positions(folded, input_shape)
    ops = tuple(
        _op(name, layer, positions.get(name, 0), _links(name, found))
        for name, layer in folded.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    )
    shape = NetworkShape(
        architecture=architecture,
        groups=groups,
        ops=ops,
        input_shape=input_shape,
        classes=classes,
        scale=scale,
    )
    _check_links(shape, found)
    _check_complete(shape, folded)
    return shape


def _positions(model: nn.Module, input_shape: tuple[int, int, int]) -> dict[str, int]:
    """Output pixels of each layer for one image, summed over its calls."""
    counted: dict[str, int] = {}

    def counter(name: str) -> Any:
        def count(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
            width = layer.out_features if isinstance(layer, nn.Linear) else output.shape[1]
            counted[name] = counted.get(name, 0) + output.numel() // int(width)

        return count

    costly = nn.Conv2d | nn.Linear
    layers = [(n, m) for n, m in model.named_modules() if isinstance(m, costly)]
    handles = [layer.register_forward_hook(counter(name)) for name, layer in layers]
    try:
        with torch.no_grad():
            model(torch.zeros(1, *input_shape, dtype=next(model.parameters()).dtype))
    finally:
        for handle in handles:
            handle.remove()
    return counted


def _links(name: str, found: Couplings) -> dict[Side, int]:
    """The group that feeds the layer ("in") and the one that it makes ("out")."""
    links: dict[Side, int] = {}
    for group, coupled in enumerate(found):
        for coupling in coupled:
            if coupling.name != name:
                continue
            if links.get(coupling.side, group) != group:
                raise InvalidInput(
                    f"Layer {name!r} mixes the channels of two groups, so its cost is not a "
                    "product of kept counts.",
                    hint="Leave one of the two layers out of the prunable groups.",
                )
            links[coupling.side] = group
    return links


def _op(name: str, layer: nn.Module, positions: int, links: dict[Side, int]) -> Op:
    source, target = links.get("in"), links.get("out")
    if isinstance(layer, nn.BatchNorm2d):
        width = layer.num_features
        return Op(
            name=name, kind="norm", fan_in=width, fan_out=width, source=target, target=target
        )
    if isinstance(layer, nn.Conv2d):
        depthwise = is_depthwise(layer)
        return Op(
            name=name,
            kind="depthwise" if depthwise else "conv",
            fan_in=layer.in_channels if depthwise else layer.in_channels // layer.groups,
            fan_out=layer.out_channels,
            source=target if depthwise else source,
            target=target,
            kernel=layer.kernel_size[0] * layer.kernel_size[1],
            positions=positions,
            bias=layer.bias is not None,
        )
    assert isinstance(layer, nn.Linear)
    return Op(
        name=name,
        kind="linear",
        fan_in=layer.in_features,
        fan_out=layer.out_features,
        source=source,
        target=target,
        positions=positions,
        bias=layer.bias is not None,
    )


def _check_norms(found: Couplings, norms: Mapping[str, str]) -> None:
    for (conv, norm), coupled in zip(norms.items(), found, strict=True):
        if norm not in {coupling.name for coupling in coupled}:
            raise InvalidInput(f"Batch norm {norm!r} does not scale the channels of {conv!r}.")


def _check_links(shape: NetworkShape, found: Couplings) -> None:
    """Each channel must own the same number of slices of a layer, and all slices an owner."""
    ops = {op.name: op for op in shape.ops}
    for group, coupled in zip(shape.groups, found, strict=True):
        for coupling in coupled:
            op = ops[coupling.name]
            width = op.fan_out if coupling.side == "out" else op.fan_in
            owned = np.bincount(coupling.channels, minlength=group.size)
            if owned.sum() != width or (owned != owned[0]).any():
                raise InvalidInput(
                    f"Layer {coupling.name!r} joins the channels of {group.name!r} with others, "
                    "so its cost is not a product of kept counts.",
                    hint="Leave this layer out of the prunable groups.",
                )


def _check_complete(shape: NetworkShape, model: nn.Module) -> None:
    counted, real = dense_cost(shape).params, sum(p.numel() for p in model.parameters())
    if counted != real:
        raise InvalidInput(
            f"The network has {real} parameters, {counted} of them in convolutions, linear "
            "layers and affine batch norms; other kinds of layers cannot be costed."
        )
