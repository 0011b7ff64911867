"""A network in which every layer outputs what a probe defines, whatever it reads, and notes that.

Tensor letters: B probes, C channels of a layer's output, W slices of a layer's input.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recede_worker.core.graph.layers import (
    cuttable,
    is_depthwise,
    is_norm,
    other_parameters,
    width_of,
)
from recede_worker.core.graph.outside import (
    ACTIVATION,
    Flags,
    Outside,
    Watch,
    mark,
    probes_a_pass,
)
from recede_worker.core.norms.fold import fold_in_place

OUTPUT = ""
"""The name under which the network's output is read."""
PROBES_A_PASS = 16
NO_EPS = 1e-30  # 1 + this is 1


class Weightless(nn.Parameter):
    """A weight without memory that says it lies on the CPU: networks make tensors where it is."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where tensors that go along with it belong."""
        return torch.device("cpu")


class Rig:
    """A copy of the network whose layers output what a probe defines and note what they read."""

    def __init__(self, model: nn.Module, input_shape: tuple[int, int, int]) -> None:
        self.model = _skeleton(model)
        self.outside = Outside(self.model, other_parameters(self.model))
        self.input_shape = input_shape
        self.probes_a_pass = PROBES_A_PASS
        self.dtype = next(model.parameters()).dtype
        self.widths: dict[str, int] = {}
        self.norms: set[str] = set()
        self.calls: dict[str, int] = {}
        self.positions: dict[str, int] = {}
        self.output_shape: tuple[int, ...] = ()
        self.met: dict[str, Flags] = {}
        """Why channels stay whole → whether NaN of probe p got there, (P,), by the last probes."""
        self._sent: dict[str, list[Tensor]] = {}
        self._turn: dict[str, int] = {}
        self._size = 1
        self._generator = torch.Generator().manual_seed(0)
        self._marks: Mapping[str, Tensor] = {}
        self._noted: dict[str, Tensor] = {}
        self._silent: Sequence[Collection[str]] = ()
        self._note: Callable[[Tensor, list[int]], Tensor] = _holds_nan
        known = cuttable(self.model)
        for name, layer in list(self.model.named_modules()):
            if name in known or is_norm(layer):
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

    def settle(self) -> None:
        """Find out how many probes fit into one pass: one, where it does not keep them apart.

        Raises:
            InvalidInput: what the network computes depends on numbers in its activations.
        """
        everything = {
            name: torch.tensor([False, True])[:, None].expand(2, width)
            for name, width in self.widths.items()
        }
        try:
            flags = self.run(everything, 2, torch.tensor([False, True])).values()
            strayed = [flags_BX[0].any() for flags_BX in (*flags, *self.outside.met.values())]
            is_apart = self.outside.in_rows and not any(strayed)
        except RuntimeError:  # it takes no two images, or mixes them
            is_apart = False
        if not is_apart:
            self.probes_a_pass = 1
            every = {name: flags_BW[1:] for name, flags_BW in everything.items()}
            self.run(every, 1, torch.tensor([True]))
            return
        self.probes_a_pass = probes_a_pass(self.outside.largest // 2, PROBES_A_PASS)

    def probe(self, marks: Sequence[Mapping[str, Flags]]) -> dict[str, Flags]:
        """For each layer (P, W): whether NaN of probe p reached its slice k.

        `met` says so of what lies outside of the layers.
        """
        parts: list[dict[str, Flags]] = []
        self.met = {}
        for start in range(0, len(marks), self.probes_a_pass):
            chunk = marks[start : start + self.probes_a_pass]
            named = {name for marked in chunk for name in marked}
            tensors = {
                name: torch.from_numpy(
                    np.stack([m.get(name, np.zeros(self.widths[name], np.bool_)) for m in chunk])
                )
                for name in named
            }
            parts.append(self.run(tensors, len(chunk)))
            for reason, flags_B in self.outside.met.items():
                met_P = self.met.setdefault(reason, np.zeros(len(marks), np.bool_))
                met_P[start : start + len(chunk)] |= flags_B
        names = parts[0] if parts else {}
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def silence(self, sets: Sequence[Collection[str]]) -> list[dict[str, bool]]:
        """For each set of norms, when all of them send zeros: which layers read only zeros."""
        found: list[dict[str, bool]] = []
        self._note = _is_not_zero
        for start in range(0, len(sets), self.probes_a_pass):
            self._silent = sets[start : start + self.probes_a_pass]
            noted = self.run({}, len(self._silent), watch="nothing")
            found += [
                {name: not flags[sample].any() for name, flags in noted.items()}
                for sample in range(len(self._silent))
            ]
        self._silent, self._note = (), _holds_nan
        return found

    def run(
        self,
        marks: Mapping[str, Tensor],
        size: int,
        images: Tensor | None = None,
        watch: Watch = "all",
    ) -> dict[str, Flags]:
        """One pass of `size` probes; what was noted of each layer's input, (B, W).

        `images` says of which probes the image is NaN, (B,), or which of its channels, (B, C);
        for `watch` see Outside.watching.
        """
        self._marks, self._noted, self._size = marks, {}, size
        self.calls, self.positions, self._turn = {}, {}, {}
        x_NCHW = torch.ones(size, *self.input_shape, dtype=self.dtype)
        if images is not None:
            x_NCHW[images] = torch.nan
        mark(x_NCHW, ACTIVATION)
        with self.outside.watching(size, watch):
            output = self.model(x_NCHW)
        if not isinstance(output, Tensor):
            raise TypeError(f"the network gives a {type(output).__name__}, not one tensor")
        self.output_shape = tuple(output.shape)
        if output.dim() > 1:
            self._look(OUTPUT, output, 1)
        return {name: flags.numpy() for name, flags in self._noted.items()}

    def _look(self, name: str, x: Tensor, dim: int) -> None:
        """Note slices of (B·k, …), the probes one after another."""
        with self.outside.quiet():
            rest = [d for d in range(1, x.dim()) if d != dim % x.dim()]
            flags_BW = self.outside.by_probe(self._note(x, rest))
        known = self._noted.get(name)
        self._noted[name] = flags_BW if known is None else known | flags_BW
        self.calls[name] = self.calls.get(name, 0) + 1

    def _read_norm(self, name: str, _norm: nn.Module, inputs: tuple[Any, ...]) -> Any:
        x = inputs[0]
        self._look(name, x, 1)
        samples = [sample for sample, norms in enumerate(self._silent) if name in norms]
        if not samples:
            return None
        with self.outside.quiet():
            x = x.clone(memory_format=torch.contiguous_format)
            x.view(self._size, -1)[samples] = -1  # scale 1, bias 1: it sends exactly 0
        return (mark(x, ACTIVATION), *inputs[1:])

    def _pass_on(self, name: str, layer: nn.Conv2d, forward: Any, x: Tensor) -> Tensor:
        self._look(name, x, 1)
        with self.outside.quiet():
            shape = _shape_of(forward, x)
            self._count(name, shape, layer.out_channels)
            mean = x.mean((2, 3), keepdim=True)
            out = (mean if layer.bias is None else mean + 1).expand(shape).clone()
        return mark(out, ACTIVATION)

    def _send(self, name: str, layer: nn.Module, forward: Any, x: Tensor) -> Tensor:
        dim = -1 if isinstance(layer, nn.Linear) else 1
        self._look(name, x, dim)
        turn = self._turn.get(name, 0)
        self._turn[name] = turn + 1
        sent = self._sent.setdefault(name, [])
        with self.outside.quiet():
            if turn == len(sent):
                shape = _shape_of(forward, x)[1:]
                sent.append(torch.randn(shape, generator=self._generator, dtype=x.dtype))
            out = sent[turn].expand(len(x), *sent[turn].shape).clone()
            self._count(name, tuple(out.shape), self.widths[name])
            if name in self._marks:
                marks_NC = self._marks[name].repeat_interleave(len(x) // self._size, 0)
                shape_ = [1] * out.dim()
                shape_[0], shape_[dim] = marks_NC.shape
                out.masked_fill_(marks_NC.view(shape_), torch.nan)
        return mark(out, ACTIVATION)

    def _count(self, name: str, shape: tuple[int, ...], width: int) -> None:
        pixels = int(np.prod(shape)) // width // self._size
        self.positions[name] = self.positions.get(name, 0) + pixels


def _holds_nan(x: Tensor, rest: list[int]) -> Tensor:
    """Of each slice, over the dimensions in `rest`; no number here is infinite."""
    return (x.sum(rest) if rest else x).isnan()


def _is_not_zero(x: Tensor, rest: list[int]) -> Tensor:
    """Of each slice: what does not sum to 0 is not zero, and the few others are looked at."""
    if not rest:
        return x != 0
    found: Tensor = x.sum(rest) != 0
    unsure = ~found
    if unsure.any():
        kept = [dim for dim in range(x.dim()) if dim not in rest]
        slices = x.movedim(kept, list(range(len(kept))))[unsure]
        found[unsure] = (slices != 0).flatten(1).any(1)
    return found


def _shape_of(forward: Any, x: Tensor) -> tuple[int, ...]:
    return tuple(forward(torch.empty_like(x, device="meta")).shape)


def _skeleton(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode, its cuttable layers without memory, its norms all x + 1.

    The 1 stands for what a running mean or bias adds: a norm undoes the silence of another.
    """
    layers = cuttable(model).values()
    weights = [p for layer in layers for p in layer.parameters(recurse=False)]
    memo: dict[int, Any] = {
        id(weight): Weightless(torch.empty_like(weight, device="meta"), requires_grad=False)
        for weight in weights
    }
    memo |= {
        id(other): nn.Parameter(torch.randn_like(other, device="cpu"), requires_grad=False)
        for other in other_parameters(model).values()
        if other.is_meta
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
