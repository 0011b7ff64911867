"""Kinds of layers, by what they do to channels."""

from __future__ import annotations

from typing import TypeGuard

from torch import nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d

ONE_GROUP = "recede_one_group"
"""Set on a layer that was depthwise or grouped, and was cut until one group was left."""


def cuttable(model: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """Convolutions and linear layers that hold nothing but the weight and bias that they use.

    Others compute with parameters of their own, or are read by a layer above without being
    called: nothing is known of what a cut would do to them, so that they stay whole.
    """
    found = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and not _is_read_by_owner(model, name):
            held = {leaf for leaf, tensor in layer._parameters.items() if tensor is not None}
            if "weight" in held and held <= {"weight", "bias"}:
                found[name] = layer
    return found


def _is_read_by_owner(model: nn.Module, name: str) -> bool:
    owner = model.get_submodule(name.rpartition(".")[0])
    return isinstance(owner, nn.MultiheadAttention)


def other_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """By name the parameters of all other layers than `cuttable` ones and batch norms."""
    layers = [*cuttable(model).values(), *(m for m in model.modules() if is_norm(m))]
    known = {
        id(parameter)
        for layer in layers
        for parameter in (layer.weight, getattr(layer, "bias", None))
        if isinstance(parameter, nn.Parameter)
    }
    for norm in model.modules():
        if isinstance(norm, BoundedBatchNorm2d):  # also the γ and β behind a gate
            known |= {id(parameter) for parameter in norm.parameters(recurse=False)}
    return {name: p for name, p in model.named_parameters() if id(p) not in known}


def is_norm(layer: nn.Module) -> TypeGuard[nn.BatchNorm2d | BoundedBatchNorm2d]:
    """True for a batch norm over images, ordinary or bounded."""
    return isinstance(layer, nn.BatchNorm2d | BoundedBatchNorm2d)


def is_depthwise(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """True for a convolution with one filter a channel."""
    if not isinstance(layer, nn.Conv2d):
        return False
    several = 1 < layer.groups == layer.in_channels == layer.out_channels
    return several or getattr(layer, ONE_GROUP, "") == "depthwise"


def is_grouped(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """True for a convolution in several groups that is not depthwise."""
    if not isinstance(layer, nn.Conv2d) or is_depthwise(layer):
        return False
    return layer.groups > 1 or getattr(layer, ONE_GROUP, "") == "grouped"


def remember_kind(layer: nn.Module, kind: str) -> None:
    """After a cut: a layer of one group is still cut with what it reads."""
    if kind and isinstance(layer, nn.Conv2d) and layer.groups == 1:
        layer.__dict__[ONE_GROUP] = kind


def kind_of(layer: nn.Module) -> str:
    """Which of the two it is: depthwise, grouped, or empty for neither."""
    return "depthwise" if is_depthwise(layer) else "grouped" if is_grouped(layer) else ""


def width_of(layer: nn.Conv2d | nn.Linear) -> int:
    """Number of channels that a layer makes."""
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
