"""From a network to its NetworkShape: the prunable groups and what each layer costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeGuard

from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.cost import dense_cost
from recede.contract.network.shape import (
    MIN_CHANNELS,
    Group,
    NetworkShape,
    Op,
)
from recede_worker.core.graph.coupling import couplings
from recede_worker.core.graph.groups import Channels, Side
from recede_worker.core.graph.layers import (
    cuttable,
    is_depthwise,
    is_norm,
    other_parameters,
)
from recede_worker.core.graph.stored import stored_tensors
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.scaling import Norms


def network_shape(
    model: nn.Module,
    *,
    architecture: str,
    norms: Norms,
    input_shape: tuple[int, int, int],
    classes: int,
    scale: Literal["bounded", "plain"],
    traced: Trace | None = None,
) -> NetworkShape:
    """Groups in the order of `norms` (convolution → its batch norms) and every costly layer.

    `input_shape` is (C, H, W); the model is on the CPU, and is not altered. `traced` saves the
    time of tracing it again.

    What lies outside of convolutions, linear layers and norms is counted as it is, whatever is
    cut: no channel of a group reaches it.

    Raises:
        InvalidInput: a norm is not fed by its convolution, a channel reaches a layer that
            cannot be cut, or layers share parameters.
    """
    check_untied(model)
    traced = traced or trace(model, input_shape)
    found = couplings(traced, model, norms)
    groups = tuple(
        Group(
            name=name,
            size=channels.size,
            minimum=min(MIN_CHANNELS, channels.size),
            members=() if isinstance(norm, str) else channels.members,
        )
        for (name, norm), channels in zip(norms.items(), found, strict=True)
    )
    known = cuttable(model)
    ops = tuple(
        _op(name, layer, traced.positions.get(name, 0), _links(name, found))
        for name, layer in model.named_modules()
        if name in known or _is_affine(layer)
    )
    shape = NetworkShape(
        architecture=architecture,
        groups=groups,
        ops=(*ops, *_fixed(model, traced)),
        input_shape=input_shape,
        classes=classes,
        scale=scale,
        tensors=stored_tensors(model, found),
    )
    assert dense_cost(shape).params == _count(model)
    assert dense_cost(shape).macs == traced.macs
    return shape


def _links(name: str, found: Sequence[Channels]) -> dict[Side, int]:
    """The group that feeds the layer ("in") and the one that it makes ("out")."""
    return {
        coupling.side: group
        for group, channels in enumerate(found)
        for coupling in channels.couplings
        if coupling.name == name
    }


def _op(name: str, layer: nn.Module, positions: int, links: dict[Side, int]) -> Op:
    source, target = links.get("in"), links.get("out")
    if is_norm(layer):
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


def check_untied(model: nn.Module) -> None:
    """Raises InvalidInput where a layer that can be cut shares a parameter with another one."""
    known = cuttable(model)
    owners: dict[int, str] = {}
    for name, layer in model.named_modules():
        for parameter in layer.parameters(recurse=False):
            other = owners.setdefault(id(parameter), name)
            if other != name and (name in known or other in known):
                raise InvalidInput(
                    f"The layers {other!r} and {name!r} share a parameter: they cannot be costed "
                    "or cut one by one.",
                    hint="Choose a network whose layers have weights of their own.",
                )


def _fixed(model: nn.Module, traced: Trace) -> Iterator[Op]:
    """What lies outside of the layers that can be cut, by the module that holds or makes it."""
    params: dict[str, int] = {}
    used: dict[str, bool] = {}
    for name, parameter in other_parameters(model).items():
        owner = name.rpartition(".")[0]
        params[owner] = params.get(owner, 0) + parameter.numel()
        used[owner] = used.get(owner, True) and name in traced.used
    for name in dict.fromkeys([*params, *traced.outside]):
        yield Op(
            name=name,
            kind="fixed",
            fan_in=0,
            fan_out=0,
            positions=int(used.get(name, True)),
            params=params.get(name, 0),
            macs=traced.outside.get(name, 0),
        )


def _is_affine(layer: nn.Module) -> TypeGuard[nn.BatchNorm2d | BoundedBatchNorm2d]:
    return is_norm(layer) and layer.weight is not None


def _count(model: nn.Module) -> int:
    """Parameters of the folded network: there each bounded or gated norm has γ and β."""
    bounded = [m for m in model.modules() if isinstance(m, BoundedBatchNorm2d)]
    own = sum(p.numel() for m in bounded for p in m.parameters(recurse=False))
    folded = sum(2 * m.num_features for m in bounded)
    return sum(p.numel() for p in model.parameters()) - own + folded
