"""Which channels reach which layer: found by sending NaN through the network, one probe a sample.

Every convolution and linear layer is replaced by one that ignores its input and sends fixed
numbers, with NaN in the channels that a probe marks. Whatever lies between two layers, NaN
passes through it from channel to channel, so that what arrives shows where it came from; what
else it meets there is watched (outside.py). No
convolution is computed and no graph is recorded: networks of any kind are traced in seconds.

Tensor letters: C channels of a layer's output, W slices of a layer's input.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from recede_worker.core.graph.outside import Flags
from recede_worker.core.graph.rig import Rig

Index = npt.NDArray[np.int64]

TRACED_SIZES = (32, 64, 96, 128)


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
    outside: dict[str, int]
    """Of these, those outside of `cuttable` layers, by the module that makes them."""
    used: frozenset[str]
    """Parameters outside of such layers and norms that work on an image."""
    whole: dict[str, str]
    """Sources whose channels reach what lies outside of the layers → what that is."""
    rig: Rig = field(repr=False, compare=False)
    """The network that was probed, for the questions that depend on what was found."""

    @torch.inference_mode(mode=False)
    @torch.no_grad()
    def silenced(self, sets: Sequence[Collection[str]]) -> list[dict[str, bool]]:
        """For each set of norms: whether a layer reads only zeros when all of them send zeros.

        What was asked before is known; many sets at once take fewer passes.
        """
        keys = [frozenset(names) for names in sets]
        unknown = [key for key in dict.fromkeys(keys) if key not in self._silenced]
        self._silenced.update(zip(unknown, self.rig.silence(unknown), strict=True))
        return [self._silenced[key] for key in keys]

    @cached_property
    def _silenced(self) -> dict[frozenset[str], dict[str, bool]]:
        return {}


@torch.inference_mode(mode=False)
@torch.no_grad()
def trace(model: nn.Module, input_shape: tuple[int, int, int]) -> Trace:
    """Trace a network on the CPU, or without memory on the meta device, for images (C, H, W).

    The model is read, not altered.

    Large images are counted at their size, but traced at a smaller one if the network takes it,
    for what passes between two layers is the same there.

    Raises:
        Exception: whatever the network raises for such images, TypeError unless its
            output is one tensor, and InvalidInput if what it computes depends on them.
    """
    real = Rig(model, input_shape)
    with FlopCounterMode(display=False) as counter:
        real.run({}, 1, watch="operators")
    macs, outside = counter.get_total_flops() // 2, real.outside
    macs_outside, used = dict(outside.macs), frozenset(outside.used)
    calls, positions, output_shape = real.calls, real.positions, real.output_shape
    rig = _smaller(model, real)
    rig.settle()
    names = tuple(name for name in rig.calls if name in rig.widths)
    by_source = rig.probe([{name: np.ones(rig.widths[name], np.bool_)} for name in names])
    whole: dict[str, str] = {}
    for reason, met_S in rig.met.items():
        for name in np.array(names)[met_S].tolist():
            whole.setdefault(name, reason)
    n_bits = max(1, (max(rig.widths.values(), default=1) - 1).bit_length())
    ones = rig.probe([_marked(rig.widths, bit, 1) for bit in range(n_bits)])
    zeros = rig.probe([_marked(rig.widths, bit, 0) for bit in range(n_bits)])
    readings = {
        name: Reading(by_source[name], _decoded(ones[name], zeros[name])) for name in by_source
    }
    return Trace(
        sources=names,
        readings=readings,
        calls=calls,
        positions=positions,
        output_shape=output_shape,
        macs=macs,
        outside=macs_outside,
        used=used,
        whole=whole,
        rig=rig,
    )


def _smaller(model: nn.Module, real: Rig) -> Rig:
    """The network for small images, or as it is where it takes no others."""
    channels, height, width = real.input_shape
    for size in TRACED_SIZES:
        if size >= min(height, width):
            break
        rig = Rig(model, (channels, size, size))
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
