"""Surgery: from a mask of kept channels to a really smaller network, or a masked one."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recede.contract.cut.selection import Mask
from recede.contract.errors import ImpossiblePlan
from recede.contract.network.cost import cost
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Bias
from recede_worker.core.cutting.constants import (
    Folding,
    folding,
    norms_behind,
)
from recede_worker.core.cutting.fuse import fusible
from recede_worker.core.graph.coupling import couplings
from recede_worker.core.graph.groups import Channels, Side
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.scaling import Norms, names_of

EMPTY = (dict, OrderedDict, set)
"""Types of a module's tables."""


class Surgeon:
    """Cuts one network many times over, on the CPU and always in copies.

    Which slices go with which channel is traced once; a cut then slices a fresh copy by what
    was recorded, so cuts are independent of each other.
    `norms` maps each group of `shape` to its batch norms, in network order; `traced`
    saves the time of tracing again.

    Raises:
        InvalidInput: a channel reaches a layer that cannot be cut.
    """

    @torch.inference_mode(mode=False)  # tensors made in inference mode cannot be trained
    def __init__(
        self,
        model: nn.Module,
        shape: NetworkShape,
        norms: Norms,
        traced: Trace | None = None,
    ) -> None:
        assert list(norms) == [group.name for group in shape.groups]
        self._shape = shape
        self._dense = fold(model).cpu().eval()
        self._groups = couplings(traced or trace(model, shape.input_shape), model, norms)
        self._scaling = [names_of(norm) for norm in norms.values()]

    @property
    def groups(self) -> tuple[Channels, ...]:
        """What is cut with each group, in network order."""
        return tuple(self._groups)

    @torch.inference_mode(mode=False)
    def cut(self, mask: Mask, bias: Bias = "drop") -> nn.Module:
        """The network with the channels that are True in `mask`, folded and in eval mode.

        `mask` holds one boolean a neuron, in network order. `bias` decides what becomes of the
        numbers that removed channels of ordinary batch norms send besides their scale.

        Raises:
            ImpossiblePlan: the mask does not fit the network or empties a layer.
        """
        kept_by_group = self._checked(mask)
        small = self._shared() if bias == "drop" else self._changed(mask, bias)
        for (name, side), keep in self._slices(kept_by_group):
            _slice(small.get_submodule(name), side, torch.from_numpy(keep))
        self._part_from(small)
        kept = [int(keep.sum()) for keep in kept_by_group]
        assert sum(p.numel() for p in small.parameters()) == cost(self._shape, kept).params
        return small.eval()

    @torch.inference_mode(mode=False)
    def masked(self, mask: Mask, bias: Bias = "drop") -> nn.Module:
        """The dense network, folded, with γ = β = 0 for the channels that are False.

        The same function as `cut(mask, bias)`: a channel without scale and bias sends zeros.
        Every batch norm that the channel passes is masked, also one behind a depthwise layer.

        Raises:
            ImpossiblePlan: the mask does not fit the network or empties a layer.
        """
        kept_by_group = self._checked(mask)
        dense = self._changed(mask, bias)
        with torch.no_grad():
            for (name, _), keep in self._slices(kept_by_group):
                norm = dense.get_submodule(name)
                if isinstance(norm, nn.BatchNorm2d):
                    removed = torch.from_numpy(~keep)
                    norm.weight[removed] = 0
                    norm.bias[removed] = 0
        return dense.eval()

    @torch.inference_mode(mode=False)
    def still(self, mask: Mask) -> nn.Module:
        """The dense network, folded, with γ = 0 but β as it is for the channels that are False.

        They send the same number everywhere: the network that both ways to cut approximate. Of
        bounded batch norm, which has no β, it is the masked one.

        Raises:
            ImpossiblePlan: the mask does not fit the network or empties a layer.
        """
        kept_by_group = self._checked(mask)
        still = copy.deepcopy(self._dense, _fresh(self._dense))
        with torch.no_grad():
            for norms, keep, channels in zip(
                self._scaling, kept_by_group, self._groups, strict=True
            ):
                for coupling in channels.couplings:
                    if coupling.name in norms:
                        removed = torch.from_numpy(~keep[coupling.units])
                        still.get_submodule(coupling.name).weight[removed] = 0  # type: ignore[operator]
        return still.eval()

    @torch.inference_mode(mode=False)
    def folding(self, mask: Mask) -> Folding:
        """What the removed channels' numbers change in the layers that read them.

        Raises:
            ImpossiblePlan: the mask does not fit the network or empties a layer.
        """
        if self._shape.scale == "bounded":
            return Folding()
        removed = {
            name: torch.from_numpy(~keep)
            for (name, side), keep in self._slices(self._checked(mask))
            if side == "in"
        }
        return folding(self.still(mask), removed, self._behind, self._images(2))

    @cached_property
    def fusible(self) -> dict[str, str]:
        """Convolutions that can take over the batch norm behind them, in any cut: see fuse."""
        return fusible(self._dense, self._images(1))

    @cached_property
    def _behind(self) -> dict[str, str]:
        """The batch norm behind each layer that reads prunable channels and has no bias."""
        layers = dict(self._dense.named_modules())
        readers = {c.name for g in self._groups for c in g.couplings if c.side == "in"}
        bare = [name for name in layers if name in readers and layers[name].bias is None]
        return norms_behind(self._dense, bare, self._images(1))

    def _images(self, n: int) -> Tensor:
        dtype = next(self._dense.parameters()).dtype
        generator = torch.Generator().manual_seed(0)
        return torch.randn(n, *self._shape.input_shape, generator=generator).to(dtype)

    def _shared(self) -> nn.Module:
        """A copy that holds the dense network's own tensors: most are about to be sliced."""
        tensors = [*self._dense.parameters(), *self._dense.buffers()]
        memo: dict[int, Any] = {id(tensor): tensor for tensor in tensors}
        return copy.deepcopy(self._dense, memo | _fresh(self._dense))

    def _part_from(self, small: nn.Module) -> None:
        """Give the cut network tensors of its own where it still holds the dense network's."""
        tensors = {id(t) for t in (*self._dense.parameters(), *self._dense.buffers())}
        for module in small.modules():
            own = [*module._parameters.items(), *module._buffers.items()]
            for name, tensor in own:
                if id(tensor) in tensors:
                    setattr(module, name, copy.deepcopy(tensor))

    def _changed(self, mask: Mask, bias: Bias) -> nn.Module:
        """A copy of the dense network, folded if wanted."""
        dense = copy.deepcopy(self._dense, _fresh(self._dense))
        if bias == "fold":
            self.folding(mask).apply(dense)
        return dense

    def _checked(self, mask: Mask) -> list[Mask]:
        if mask.dtype != np.bool_ or mask.shape != (self._shape.n_neurons,):
            raise ImpossiblePlan(
                f"The mask has shape {mask.shape} and type {mask.dtype}; this network needs "
                f"{self._shape.n_neurons} booleans."
            )
        kept_by_group = self._shape.split(mask)
        for group, keep in zip(self._shape.groups, kept_by_group, strict=True):
            if not keep.any():
                raise ImpossiblePlan(
                    f"Layer {group.name!r} would keep none of its {group.size} channels; "
                    "at least one must stay."
                )
        return kept_by_group

    def _slices(self, kept_by_group: list[Mask]) -> Iterator[tuple[tuple[str, Side], Mask]]:
        """What each layer keeps on each side that is cut: a boolean a slice, in order."""
        for keep, channels in zip(kept_by_group, self._groups, strict=True):
            for coupling in channels.couplings:
                yield (coupling.name, coupling.side), keep[coupling.units]


def _fresh(model: nn.Module) -> dict[int, Any]:
    """For a deep copy: new tables in place of all empty ones.

    Each module holds a dozen for hooks that hardly any has; to copy them one by one takes most
    of the time of a cut.
    """
    held = (value for module in model.modules() for value in vars(module).values())
    return {id(value): type(value)() for value in held if type(value) in EMPTY and not value}


@dataclass(frozen=True)
class BiasDifference:
    """How far two ways to cut are from the network whose removed channels send their constant."""

    dropped: float
    """Largest absolute difference of the outputs if the constants are dropped."""
    folded: float
    """The same if they are folded into what follows."""
    left: tuple[str, ...]
    """Layers in which they could not be folded; see constants.Folding."""


def bias_difference(surgeon: Surgeon, mask: Mask, x_NCHW: Tensor) -> BiasDifference:
    """Both differences on these images, to `Surgeon.still` (γ = 0, β kept).

    Raises:
        ImpossiblePlan: the mask does not fit the network or empties a layer.
    """
    still = surgeon.still(mask)
    return BiasDifference(
        dropped=max_difference(surgeon.cut(mask, "drop"), still, x_NCHW),
        folded=max_difference(surgeon.cut(mask, "fold"), still, x_NCHW),
        left=surgeon.folding(mask).left,
    )


def max_difference(a: nn.Module, b: nn.Module, x_NCHW: Tensor) -> float:
    """Largest absolute difference of two networks' outputs for the same images."""
    with torch.inference_mode():
        return float((a(x_NCHW) - b(x_NCHW)).abs().max())


def _slice(layer: nn.Module, side: Side, keep: Tensor) -> None:
    """Keep only some slices of one layer, in place."""
    width = int(keep.sum())
    if isinstance(layer, nn.BatchNorm2d):
        _slice_tensors(layer, ("weight", "bias", "running_mean", "running_var"), keep)
        layer.num_features = width
    elif side == "in":
        _slice_tensors(layer, ("weight",), keep, dim=1)
        setattr(layer, "in_features" if isinstance(layer, nn.Linear) else "in_channels", width)
    else:
        _slice_tensors(layer, ("weight", "bias"), keep)
        if isinstance(layer, nn.Conv2d) and layer.groups > 1:  # groups keep their size
            per_group = layer.out_channels // layer.groups
            layer.in_channels = layer.in_channels // layer.groups * (width // per_group)
            layer.groups = width // per_group
        setattr(layer, "out_features" if isinstance(layer, nn.Linear) else "out_channels", width)


def _slice_tensors(
    layer: nn.Module, names: tuple[str, ...], keep: Tensor, *, dim: int = 0
) -> None:
    index = keep.nonzero().flatten()
    for name in names:
        tensor = getattr(layer, name)
        if tensor is None:
            continue
        part = tensor.detach().index_select(dim, index)
        is_parameter = isinstance(tensor, nn.Parameter)
        setattr(layer, name, nn.Parameter(part, tensor.requires_grad) if is_parameter else part)
