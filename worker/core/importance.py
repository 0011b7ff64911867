"""Raw scales of the prunable neurons: parameters to train on and snapshots to store.

Where a unit is several channels (a group of a grouped convolution) its raw scale is the mean
of theirs: one number for what is kept or removed as one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class Scales(tuple[nn.Parameter, ...]):
    """The scales of several norms in network order, and how many units each of them has."""

    sizes: tuple[int, ...]


def scale_parameters(
    model: nn.Module, norms: Sequence[str], sizes: Sequence[int] | None = None
) -> Scales:
    """The scale of each named norm, in that order: the logit w, or γ of an ordinary one.

    `sizes` are the units of each group (NetworkShape.sizes); without them each channel is one.
    """
    weights = [model.get_submodule(name).weight for name in norms]
    assert all(isinstance(weight, nn.Parameter) for weight in weights)
    scales = Scales(weights)  # type: ignore[arg-type]
    scales.sizes = tuple(sizes or (weight.numel() for weight in scales))
    assert len(scales.sizes) == len(scales)
    return scales


def concatenated(scales: Scales) -> Tensor:
    """All raw scales as one tensor of N units, differentiable, in the order given."""
    return torch.cat(
        [
            scale if scale.numel() == size else scale.view(size, -1).mean(1)
            for scale, size in zip(scales, scales.sizes, strict=True)
        ]
    )


def raw_scales(
    model: nn.Module, norms: Sequence[str], sizes: Sequence[int] | None = None
) -> npt.NDArray[np.float32]:
    """A float32 copy of all raw scales on the CPU, in network order: one snapshot."""
    with torch.no_grad():
        raw_N = concatenated(scale_parameters(model, norms, sizes))
        return raw_N.to(device="cpu", dtype=torch.float32).numpy()
