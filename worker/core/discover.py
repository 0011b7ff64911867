"""Finds what can be pruned in a network that nobody described: convolutions and their norms."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from backend.contract.errors import InvalidInput
from backend.contract.network import NetworkShape
from backend.contract.selection import Mask
from worker.core.channels import check_costable, network_shape
from worker.core.groups import Channels, channels_of
from worker.core.surgery import Surgeon
from worker.core.trace import Trace, trace

FIELD = "architecture"
PROOF_TOLERANCE = 1e-3  # float32, relative to the largest output of an untrained network
SHOWN = 3  # reasons that a refusal lists
HINT = (
    "Recede scales channels by batch norm: choose a convolutional network in which a batch norm "
    "follows convolutions whose channels are not all joined by shortcuts."
)


def prunable_norms(
    model: nn.Module, input_shape: tuple[int, int, int], classes: int, *, prove: bool = True
) -> dict[str, str]:
    """Convolution → the last batch norm that its channels pass, in network order.

    A convolution counts if its channels can go without others: no sum or concatenation joins
    them with those of another one, though branches that gate them (squeeze-and-excitation) and
    depthwise or grouped convolutions on their way go with them. `model` is an untrained network
    on the CPU for images (C, H, W); its batch norms are altered. With `prove` one random cut is
    made and compared with its mask, and what does not hold is left out.

    Raises:
        InvalidInput: the network has no batch norm or nothing that can be cut, holds layers
            whose cost is unknown, or does not give (N, classes) for such images.
    """
    check_layers(model)
    try:
        traced = _traced(model.eval(), input_shape, classes)
        _shape(model, {}, traced, input_shape)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=FIELD, hint=error.hint) from error
    found = channels_of(traced, model)
    norms = {}
    for channels in found:
        root = _root(channels, model)
        if root and (scaling := channels.norms(traced, model)):
            norms[root] = scaling[0]
    if norms and prove:
        norms = _proven(model, norms, traced, input_shape)
    if not norms:
        raise InvalidInput(
            f"Nothing of this network can be cut. {_reasons(found, model)}",
            field=FIELD,
            hint=HINT,
        )
    return norms


def check_layers(model: nn.Module) -> None:
    """Raises InvalidInput unless it has batch norm and no layers whose cost is unknown.

    The model may be on the meta device.
    """
    _check_norms(model)
    try:
        check_costable(model)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=FIELD, hint=error.hint) from error


def _check_norms(model: nn.Module) -> None:
    if any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return
    kinds = sorted({type(m).__name__ for m in model.modules() if "Norm" in type(m).__name__})
    instead = f"; it normalises by {', '.join(kinds)}" if kinds else ""
    raise InvalidInput(
        f"This network has no BatchNorm2d{instead}. The importance of a channel is the scale of "
        "its batch norm, so nothing of it can be pruned here.",
        field=FIELD,
        hint=HINT,
    )


def _traced(model: nn.Module, input_shape: tuple[int, int, int], classes: int) -> Trace:
    channels, height, width = input_shape
    try:
        traced = trace(model, input_shape)
    except Exception as error:  # whatever the network's own code raises
        raise InvalidInput(
            f"This network cannot take images of {height}×{width} pixels and {channels} "
            f"channels: {type(error).__name__}: {error}",
            field=FIELD,
            hint="Choose another image size or network.",
        ) from error
    if traced.output_shape != (1, classes):
        raise InvalidInput(
            f"The head does not fit: for one image the network gives a tensor of shape "
            f"{traced.output_shape}; (1, {classes}) is needed, one score a class.",
            field=FIELD,
            hint="Build its last layer for the number of classes that is asked for.",
        )
    return traced


def _root(channels: Channels, model: nn.Module) -> str:
    """The first of the layers that make these channels, if they can be cut."""
    if channels.refusal:
        return ""
    layers = {name: model.get_submodule(name) for name in channels.members}
    convs = [n for n, m in layers.items() if isinstance(m, nn.Conv2d) and m.groups == 1]
    return convs[0] if convs else ""


def _reasons(found: list[Channels], model: nn.Module) -> str:
    refused = [
        f"{channels.members[0]}: {channels.refusal}"
        for channels in found
        if channels.refusal and isinstance(model.get_submodule(channels.members[0]), nn.Conv2d)
    ]
    if not refused:
        return "No batch norm scales the channels of a convolution on all their ways."
    more = f" (and {len(refused) - SHOWN} more)" if len(refused) > SHOWN else ""
    return f"{'; '.join(refused[:SHOWN])}{more}."


def _proven(
    model: nn.Module, norms: dict[str, str], traced: Trace, input_shape: tuple[int, int, int]
) -> dict[str, str]:
    """The groups whose cut and masked networks agree, tried on random images."""
    generator = torch.Generator().manual_seed(0)
    _enliven(model, generator)
    x_NCHW = torch.randn(2, *input_shape, generator=generator)
    if _holds(model, norms, traced, x_NCHW):
        return norms
    return {
        conv: norm for conv, norm in norms.items() if _holds(model, {conv: norm}, traced, x_NCHW)
    }


@torch.no_grad()
def _enliven(model: nn.Module, generator: torch.Generator) -> None:
    """Some networks start with scales or weights of zero: they would prove nothing."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.affine:
            layer.weight.fill_(1)
            layer.bias.copy_(0.1 * torch.randn(layer.bias.shape, generator=generator))
        elif isinstance(layer, nn.Conv2d) and not layer.weight.any():
            layer.weight.copy_(0.1 * torch.randn(layer.weight.shape, generator=generator))


def _holds(model: nn.Module, norms: dict[str, str], traced: Trace, x_NCHW: Tensor) -> bool:
    channels, height, width = x_NCHW.shape[1:]
    shape = _shape(model, norms, traced, (channels, height, width))
    surgeon = Surgeon(model, shape, norms, traced)
    rng = np.random.default_rng(0)
    parts: list[Mask] = [rng.permutation(size) < (size + 1) // 2 for size in shape.sizes]
    for part, group in zip(parts, shape.groups, strict=True):
        part[: group.minimum] = True
    mask = np.concatenate(parts)
    masked = surgeon.masked(mask)
    try:
        with torch.no_grad():
            expected = masked(x_NCHW)
            difference = (surgeon.cut(mask)(x_NCHW) - expected).abs().max()
    except Exception:  # noqa: BLE001 - code that relies on widths may raise anything
        return False
    return bool(difference <= PROOF_TOLERANCE * expected.abs().max())


def _shape(
    model: nn.Module, norms: dict[str, str], traced: Trace, input_shape: tuple[int, int, int]
) -> NetworkShape:
    return network_shape(
        model,
        architecture="",
        norms=norms,
        input_shape=input_shape,
        classes=traced.output_shape[1],
        scale="plain",
        traced=traced,
    )
