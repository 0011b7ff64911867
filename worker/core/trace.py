"""Which channels reach which layer: found by sending NaN through the network, one probe a sample.

Every convolution and linear layer is replaced by one that ignores its input and sends fixed
numbers, with NaN in the channels that a probe marks. Whatever lies between two layers, NaN
passes through it from channel to channel, so that what arrives tells where it came from. No
convolution is computed and no graph is recorded: networks of any kind are traced in seconds.

Tensor letters: B probes, C channels of a layer's output, W slices of a layer's input.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from worker.core.bounded_norm import BoundedBatchNorm2d
from worker.core.fold import fold_in_place

Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]

OUTPUT = ""
"""The name under which the network's output is read."""
PROBES_A_PASS = 16
TRACED_SIZES = (32, 64)
NO_EPS = 1e-30  # 1 + this is 1


def is_norm(layer: nn.Module) -> TypeGuard[nn.BatchNorm2d | BoundedBatchNorm2d]:
    """True for a batch norm over images, ordinary or bounded."""
    return isinstance(layer, nn.BatchNorm2d | BoundedBatchNorm2d)


def is_depthwise(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """True for a convolution with one filter a channel."""
    if not isinstance(layer, nn.Conv2d):
        return False
    return 1 < layer.groups == layer.in_channels == layer.out_channels


def is_grouped(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """True for a convolution in several groups that is not depthwise."""
    return isinstance(layer, nn.Conv2d) and layer.groups > 1 and not is_depthwise(layer)


def width_of(layer: nn.Conv2d | nn.Linear) -> int:
    """Number of channels that a layer makes."""
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels


@dataclass(frozen=True)
class Reading:
    """Where the slices of one layer's input come from."""

    sources: Flags
    """(S, W): whether a channel of source s reaches slice k."""
    index: Index
    """(W,): the one channel index that reaches it in all its sources; −1 for several or none."""


@dataclass(frozen=True)
class Trace:
    """How channels travel through a network."""

    sources: tuple[str, ...]
    """Convolutions (depthwise ones pass their input on) and linear layers, as first called."""
    readings: dict[str, Reading]
    """By layer in the order of calls; norms and depthwise convolutions read as well."""
    calls: dict[str, int]
    positions: dict[str, int]
    """Output pixels of each convolution and linear layer for one image, over all calls."""
    output_shape: tuple[int, ...]
    macs: int
    """Multiply-adds of one image as torch counts them, also those outside of layers."""
    zeros: dict[str, dict[str, bool]]
    """For each norm: whether a layer reads nothing but zeros when the norm sends zeros."""


@torch.inference_mode(mode=False)
@torch.no_grad()
def trace(model: nn.Module, input_shape: tuple[int, int, int]) -> Trace:
    """Trace a network on the CPU, or without memory on the meta device, for images (C, H, W).

    The model is read, not altered.

    Large images are counted at their size, but traced at a smaller one if the network takes it,
    for what passes between two layers is the same there.

    Raises:
        Exception: whatever the network raises for such images, and TypeError unless its
            output is one tensor.
    """
    real = _Rig(model, input_shape)
    with FlopCounterMode(display=False) as counter:
        real.run({}, 1)
    macs = counter.get_total_flops() // 2
    calls, positions, output_shape = real.calls, real.positions, real.output_shape
    rig = _smaller(model, real)
    names = tuple(name for name in rig.calls if name in rig.widths)
    by_source = rig.probe([{name: np.ones(rig.widths[name], np.bool_)} for name in names])
    n_bits = max(1, (max(rig.widths.values(), default=1) - 1).bit_length())
    ones = rig.probe([_marked(rig.widths, bit, 1) for bit in range(n_bits)])
    zeros = rig.probe([_marked(rig.widths, bit, 0) for bit in range(n_bits)])
    readings = {
        name: Reading(by_source[name], _decoded(ones[name], zeros[name])) for name in by_source
    }
    zeros_of = rig.silence([name for name in rig.calls if name in rig.norms])
    return Trace(names, readings, calls, positions, output_shape, macs, zeros_of)


def _smaller(model: nn.Module, real: _Rig) -> _Rig:
    """The network for small images, or as it is where it takes no others."""
    channels, height, width = real.input_shape
    for size in TRACED_SIZES:
        if size >= min(height, width):
            break
        rig = _Rig(model, (channels, size, size))
        try:
            rig.run({}, 1)
        except Exception:  # noqa: BLE001, S112 - however a network says that it wants its own size
            continue
        if rig.calls == real.calls:
            return rig
    return real


def _marked(widths: Mapping[str, int], bit: int, value: int) -> dict[str, Flags]:
    """In every source the channels whose index has `value` at this bit."""
    return {name: (np.arange(width) >> bit & 1) == value for name, width in widths.items()}


def _decoded(ones: Flags, zeros: Flags) -> Index:
    """The index spelt by the bits; −1 where a bit is both 0 and 1, or neither."""
    weights = 1 << np.arange(len(ones), dtype=np.int64)
    index = (ones * weights[:, None]).sum(axis=0)
    return np.where((ones != zeros).all(axis=0), index, -1)


class _Rig:
    """A copy of the network whose layers send what a probe says and note what they read."""

    def __init__(self, model: nn.Module, input_shape: tuple[int, int, int]) -> None:
        self.model = _skeleton(model)
        self.input_shape = input_shape
        self.dtype = next(model.parameters()).dtype
        self.widths: dict[str, int] = {}
        self.norms: set[str] = set()
        self.calls: dict[str, int] = {}
        self.positions: dict[str, int] = {}
        self.output_shape: tuple[int, ...] = ()
        self._sent: dict[str, list[Tensor]] = {}
        self._turn: dict[str, int] = {}
        self._generator = torch.Generator().manual_seed(0)
        self._marks: Mapping[str, Tensor] = {}
        self._noted: dict[str, Tensor] = {}
        self._silent: Sequence[str] = ()
        self._note: Callable[[Tensor], Tensor] = torch.isnan
        for name, layer in list(self.model.named_modules()):
            self._attach(name, layer)

    def _attach(self, name: str, layer: nn.Module) -> None:
        if is_norm(layer):
            self.norms.add(name)
            layer.register_forward_pre_hook(partial(self._read_norm, name))
        elif is_depthwise(layer):
            layer.__dict__["forward"] = partial(self._pass_on, name, layer, layer.forward)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            self.widths[name] = width_of(layer)
            layer.__dict__["forward"] = partial(self._send, name, layer, layer.forward)

    def probe(self, marks: Sequence[Mapping[str, Flags]]) -> dict[str, Flags]:
        """For each layer (P, W): whether NaN of probe p reached its slice k."""
        parts: list[dict[str, Flags]] = []
        for start in range(0, len(marks), PROBES_A_PASS):
            chunk = marks[start : start + PROBES_A_PASS]
            named = {name for marked in chunk for name in marked}
            tensors = {
                name: torch.from_numpy(
                    np.stack([m.get(name, np.zeros(self.widths[name], np.bool_)) for m in chunk])
                )
                for name in named
            }
            parts.append(self.run(tensors, len(chunk)))
        names = parts[0] if parts else {}
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def silence(self, norms: Sequence[str]) -> dict[str, dict[str, bool]]:
        """For each norm, when it sends zeros: which layers then read zeros only."""
        found: dict[str, dict[str, bool]] = {}
        self._note = lambda x: x != 0
        for start in range(0, len(norms), PROBES_A_PASS):
            self._silent = norms[start : start + PROBES_A_PASS]
            noted = self.run({}, len(self._silent))
            for sample, norm in enumerate(self._silent):
                found[norm] = {name: not flags[sample].any() for name, flags in noted.items()}
        self._silent, self._note = (), torch.isnan
        return found

    def run(self, marks: Mapping[str, Tensor], size: int) -> dict[str, Flags]:
        """One pass of `size` probes; what was noted of each layer's input, (B, W)."""
        self._marks, self._noted = marks, {}
        self.calls, self.positions, self._turn = {}, {}, {}
        output = self.model(torch.ones(size, *self.input_shape, dtype=self.dtype))
        if not isinstance(output, Tensor):
            raise TypeError(f"the network gives a {type(output).__name__}, not one tensor")
        self.output_shape = tuple(output.shape)
        if output.dim() > 1:
            self._look(OUTPUT, output, 1)
        return {name: flags.numpy() for name, flags in self._noted.items()}

    def _look(self, name: str, x: Tensor, dim: int) -> None:
        rest = [d for d in range(1, x.dim()) if d != dim % x.dim()]
        flags_BW = self._note(x.abs().sum(rest) if rest else x)
        known = self._noted.get(name)
        self._noted[name] = flags_BW if known is None else known | flags_BW
        self.calls[name] = self.calls.get(name, 0) + 1

    def _read_norm(self, name: str, _norm: nn.Module, inputs: tuple[Any, ...]) -> Any:
        x = inputs[0]
        self._look(name, x, 1)
        if name not in self._silent:
            return None
        x = x.clone()
        x[self._silent.index(name)] = -1  # scale 1, bias 1: it sends exactly 0
        return (x, *inputs[1:])

    def _pass_on(self, name: str, layer: nn.Conv2d, forward: Any, x: Tensor) -> Tensor:
        self._look(name, x, 1)
        shape = _shape_of(forward, x)
        self._count(name, shape, layer.out_channels)
        mean = x.mean((2, 3), keepdim=True)
        return (mean if layer.bias is None else mean + 1).expand(shape).clone()

    def _send(self, name: str, layer: nn.Module, forward: Any, x: Tensor) -> Tensor:
        dim = -1 if isinstance(layer, nn.Linear) else 1
        self._look(name, x, dim)
        turn = self._turn.get(name, 0)
        self._turn[name] = turn + 1
        sent = self._sent.setdefault(name, [])
        if turn == len(sent):
            shape = _shape_of(forward, x)[1:]
            sent.append(torch.randn(shape, generator=self._generator, dtype=x.dtype))
        out = sent[turn].expand(len(x), *sent[turn].shape).clone()
        self._count(name, tuple(out.shape), self.widths[name])
        if name in self._marks:
            marks_BC = self._marks[name]
            shape_ = [1] * out.dim()
            shape_[0], shape_[dim] = marks_BC.shape
            out.masked_fill_(marks_BC.view(shape_), torch.nan)
        return out

    def _count(self, name: str, shape: tuple[int, ...], width: int) -> None:
        pixels = int(np.prod(shape[1:])) // width
        self.positions[name] = self.positions.get(name, 0) + pixels


def _shape_of(forward: Any, x: Tensor) -> tuple[int, ...]:
    return tuple(forward(torch.empty_like(x, device="meta")).shape)


def _skeleton(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode, its layers without memory, its norms all x + 1.

    The 1 stands for what a running mean or bias adds: a norm undoes the silence of another.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    weights = [p for layer in layers for p in layer.parameters(recurse=False)]
    memo: dict[int, Any] = {
        id(weight): nn.Parameter(torch.empty_like(weight, device="meta"), requires_grad=False)
        for weight in weights
    }
    skeleton = copy.deepcopy(model, memo).eval()
    fold_in_place(skeleton)
    for norm in skeleton.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.to_empty(device="cpu", recurse=False)  # the model may be on the meta device
            norm.eps = NO_EPS
            norm.reset_running_stats()
            norm.reset_parameters()
            if norm.bias is not None:
                norm.bias.fill_(1)
    return skeleton
