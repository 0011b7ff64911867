"""Where an image enters a network, and what has to change for images of other channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede_worker.core.graph.layers import kind_of
from recede_worker.core.graph.outside import Flags
from recede_worker.core.graph.rig import Rig

USUAL = (3, 1)
"""Channels that networks are built for."""


@torch.inference_mode(mode=False)
@torch.no_grad()
def widths_for(model: nn.Module, channels: int, size: int) -> dict[str, list[int]]:
    """Layers that must read other channels (name → channels in and out) to take such images.

    Empty for a network that takes them as it is, or takes no images of this size at all.

    Raises:
        InvalidInput: more than the first convolutions depends on the number of channels.
    """
    if _takes(model, channels, size):
        return {}
    for made_for in USUAL:
        rig = _takes(model, made_for, size)
        if rig:
            return {
                name: [_width(rig, name, flags_CW, channels), rig.widths[name]]
                for name, flags_CW in _readers(rig, made_for).items()
            }
    return {}


def _takes(model: nn.Module, channels: int, size: int) -> Rig | None:
    rig = Rig(model, (channels, size, size))
    try:
        rig.run({}, 1)
    except Exception:  # noqa: BLE001 - however a network says that it wants other images
        return None
    return rig


def _readers(rig: Rig, channels: int) -> dict[str, Flags]:
    """Layers that the image itself reaches: whether channel c is in slice k, (C, W)."""
    every: dict[str, list[Any]] = {}
    for marks_C in torch.eye(channels, dtype=torch.bool):
        for name, flags_BW in rig.run({}, 1, marks_C[None]).items():
            every.setdefault(name, []).append(flags_BW[0])
    stacked = {name: np.stack(flags) for name, flags in every.items()}
    return {name: flags_CW for name, flags_CW in stacked.items() if flags_CW.any()}


def _width(rig: Rig, name: str, flags_CW: Flags, channels: int) -> int:
    """What a layer reads of images of `channels` channels: as many slices of each as now."""
    layer = rig.model.get_submodule(name)
    per_channel = set(flags_CW.sum(1).tolist())
    is_apart = len(per_channel) == 1 and bool((flags_CW.sum(0) <= 1).all())
    if not isinstance(layer, nn.Conv2d) or kind_of(layer) or not is_apart:
        what = f"{name!r} ({type(layer).__name__})" if name else "its output"
        raise InvalidInput(
            f"It is made for images of {len(flags_CW)} channels, not {channels}, and more than "
            f"the width of a first convolution depends on that: {what} reads them.",
            hint="Choose another network, or build it for this number of channels.",
        )
    constant = int((~flags_CW.any(0)).sum())
    return constant + channels * int(per_channel.pop())
