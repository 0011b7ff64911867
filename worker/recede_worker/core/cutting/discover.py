"""Finds what can be pruned in a network that nobody described: convolutions and their norms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from recede.contract.cut.selection import Mask
from recede.contract.errors import InvalidInput
from recede.contract.network.reach import Reach, share_of
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import check_untied, network_shape
from recede_worker.core.graph.groups import (
    LAST,
    Channels,
    channels_of,
    look_ahead,
)
from recede_worker.core.graph.layers import other_parameters
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.scaling import Norm

FIELD = "architecture"
TOLERANCE_32, TOLERANCE_64 = 1e-3, 1e-9  # relative to the largest output of an untrained network
FAINT = 1e-2  # a parameter of this size at most, such as a layer scale, would prove nothing
SHOWN = 3  # reasons that a refusal lists
UNSCALED = "no batch norm scales these channels on all their ways"
UNPROVEN = "a cut on trial computed something else than its mask"
Prunable = Literal["inner", "all"]
"""Which groups: those that go alone, or also those that shortcuts join (RunSpec.prunable)."""
HINT = (
    "Recede scales channels by batch norm: choose a convolutional network in which a batch norm "
    "follows convolutions whose channels are not all joined by shortcuts."
)


@dataclass(frozen=True)
class Found:
    """What of a network can be pruned."""

    norms: dict[str, Norm]
    """First convolution of each group → its norms, in network order; several make it coupled."""
    left_out: dict[str, str]
    """First convolution of other channels → why they cannot be cut."""
    reach: Reach
    """How much of the network the groups of each scope hold."""

    def of(self, prunable: Prunable) -> dict[str, Norm]:
        """The groups of a scope: "inner" has those that go alone, by one norm."""
        return _alone(self.norms) if prunable == "inner" else dict(self.norms)


def prunable_norms(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    prove: bool = True,
    prunable: Prunable = "inner",
) -> dict[str, Norm]:
    """The groups that a scope has; see `find_prunable` and `chosen`."""
    return chosen(find_prunable(model, input_shape, classes, prove=prove), prunable)


def chosen(found: Found, prunable: Prunable) -> dict[str, Norm]:
    """The groups that a scope has; raises InvalidInput if it has none."""
    norms = found.of(prunable)
    if norms:
        return norms
    if found.norms:
        message = "Nothing of this network can be cut alone: shortcuts join all its channels."
        hint = 'Let joined channels shrink together: choose "all" for what can be pruned.'
        raise InvalidInput(message, field="prunable", hint=hint)
    reasons = [f"{conv}: {reason}" for conv, reason in found.left_out.items()]
    why = some_of(reasons) or "no convolution has a batch norm behind it"
    raise InvalidInput(f"Nothing of this network can be cut. {why}.", field=FIELD, hint=HINT)


def find_prunable(
    model: nn.Module, input_shape: tuple[int, int, int], classes: int, *, prove: bool = True
) -> Found:
    """All channels that can go, alone or with those that sums join with them.

    A convolution counts if no concatenation joins its channels with others and batch norms
    scale them on all their ways: by one norm, the last, they go alone; where sums join them
    with the channels of others they go with those, by the norms of all. Branches that gate them
    (squeeze-and-excitation) and depthwise or grouped convolutions on their way go with them.
    `model` is an untrained network on the CPU for images (C, H, W); its batch norms are altered.
    With `prove` one random cut is made and compared with its mask, and what does not hold is
    left out.

    Raises:
        InvalidInput: the network has no batch norm, has layers that share weights, does not
            compute the same for every image, or does not give (N, classes) for such images.
    """
    check_layers(model)
    try:
        traced = _traced(model.eval(), input_shape, classes)
        _shape(model, {}, traced, input_shape)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=FIELD, hint=error.hint) from error
    norms: dict[str, Norm] = {}
    left_out: dict[str, str] = {}
    every = channels_of(traced, model)
    look_ahead(traced, model, [one for one in every if not one.refusal and _root(one, model)])
    for channels in every:
        root = _root(channels, model)
        scaling = channels.norms(traced, model) if root and not channels.refusal else ()
        if scaling:
            norms[root] = scaling[0] if len(scaling) == 1 else scaling
        elif root and channels.refusal != LAST:
            left_out[root] = channels.refusal or UNSCALED
    if norms and prove:
        held = _proven(model, norms, traced, input_shape)
        left_out |= dict.fromkeys([conv for conv in norms if conv not in held], UNPROVEN)
        norms = held
    return Found(norms, left_out, _reach(model, norms, traced, input_shape))


def _alone(norms: Mapping[str, Norm]) -> dict[str, Norm]:
    return {conv: norm for conv, norm in norms.items() if isinstance(norm, str)}


def _reach(
    model: nn.Module, norms: dict[str, Norm], traced: Trace, input_shape: tuple[int, int, int]
) -> Reach:
    alone = _alone(norms)
    whole = share_of(_shape(model, norms, traced, input_shape))
    if len(alone) == len(norms):
        return Reach(inner=whole, all=whole)
    return Reach(inner=share_of(_shape(model, alone, traced, input_shape)), all=whole)


def check_layers(model: nn.Module) -> None:
    """Raises InvalidInput unless it has batch norm and no layers that share weights.

    The model may be on the meta device.
    """
    _check_norms(model)
    try:
        check_untied(model)
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
    except InvalidInput:
        raise
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
            hint="Build its last layer for the given number of classes.",
        )
    return traced


def _root(channels: Channels, model: nn.Module) -> str:
    """The first ordinary convolution that makes these channels; empty if none does."""
    layers = {name: model.get_submodule(name) for name in channels.members}
    convs = [n for n, m in layers.items() if isinstance(m, nn.Conv2d) and m.groups == 1]
    return convs[0] if convs else ""


def some_of(reasons: list[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = f" (and {len(reasons) - SHOWN} more)" if len(reasons) > SHOWN else ""
    return f"{'; '.join(reasons[:SHOWN])}{more}"


def _proven(
    model: nn.Module, norms: dict[str, Norm], traced: Trace, input_shape: tuple[int, int, int]
) -> dict[str, Norm]:
    """The groups whose cut and masked networks agree, tried on random images."""
    generator = torch.Generator().manual_seed(0)
    _enliven(model, generator)
    x_NCHW = torch.randn(2, *input_shape, generator=generator)
    is_known = not other_parameters(model) and not traced.outside
    if is_known and _holds(model, norms, traced, x_NCHW, TOLERANCE_32):
        return norms
    # Rounding alone can part two untrained networks of a hundred layers; and what is not known
    # is not to be judged by it.
    return _held(model.double(), norms, traced, x_NCHW.double())


def _held(
    model: nn.Module, norms: dict[str, Norm], traced: Trace, x_NCHW: Tensor
) -> dict[str, Norm]:
    """The groups that hold, found by halves."""
    if _holds(model, norms, traced, x_NCHW, TOLERANCE_64):
        return norms
    if len(norms) == 1:
        return {}
    items = list(norms.items())
    halves = dict(items[: len(items) // 2]), dict(items[len(items) // 2 :])
    return {k: v for half in halves for k, v in _held(model, half, traced, x_NCHW).items()}


@torch.no_grad()
def _enliven(model: nn.Module, generator: torch.Generator) -> None:
    """Some networks start with scales or weights of zero: they would prove nothing."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.affine:
            layer.weight.fill_(1)
            layer.bias.copy_(0.1 * torch.randn(layer.bias.shape, generator=generator))
        elif isinstance(layer, nn.Conv2d) and not layer.weight.any():
            layer.weight.copy_(0.1 * torch.randn(layer.weight.shape, generator=generator))
    for parameter in other_parameters(model).values():
        if float(parameter.abs().max()) < FAINT:
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


def _holds(
    model: nn.Module, norms: dict[str, Norm], traced: Trace, x_NCHW: Tensor, tolerance: float
) -> bool:
    channels, height, width = x_NCHW.shape[1:]
    shape = _shape(model, norms, traced, (channels, height, width))
    surgeon = Surgeon(model, shape, norms, traced)
    rng = np.random.default_rng(0)
    parts: list[Mask] = [rng.permutation(size) < (size + 1) // 2 for size in shape.sizes]
    for part, group in zip(parts, shape.groups, strict=True):
        part[: group.minimum] = True
    mask = np.concatenate(parts)
    try:
        with torch.no_grad():
            expected = surgeon.masked(mask)(x_NCHW)
            difference = (surgeon.cut(mask)(x_NCHW) - expected).abs().max()
    except Exception:  # noqa: BLE001 - code that relies on widths may raise anything
        return False
    return bool(difference <= tolerance * expected.abs().max())


def _shape(
    model: nn.Module, norms: dict[str, Norm], traced: Trace, input_shape: tuple[int, int, int]
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
