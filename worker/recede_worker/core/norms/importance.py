"""Raw scales of the prunable neurons: parameters to train on and snapshots to store.

A unit may have several scales: its channels in a grouped convolution, or its place in several
norms whose channels a shortcut adds up. What is kept or removed as one has one raw scale: the
root mean square of |γ|, or, where w is a logit, of the odds σ(w) / (1 − σ(w)) = e^w, as a
logit again. It is 0 only if all are, no scale exceeds √m times that of its unit of m scales,
signs cannot cancel, and a unit of one scale has that one. So a unit counts as weak only if it
is weak everywhere: a mean of logits would call w = (5, −9) weak, though one branch needs it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.scaling import (
    Norm,
    all_names,
    names_of,
)


class Scales(tuple[nn.Parameter, ...]):
    """The scales of all norms in network order, and how they make the groups' units."""

    sizes: tuple[int, ...]
    """Units of each group."""
    counts: tuple[int, ...]
    """Norms of each group."""
    bounded: bool
    """Whether they are logits."""


def scale_parameters(
    model: nn.Module, norms: Sequence[Norm], sizes: Sequence[int] | None = None
) -> Scales:
    """The scales of each group's norms, in that order: the logit w, or γ of an ordinary norm.

    `sizes` are the units of each group (NetworkShape.sizes); without them each channel is one.
    """
    modules = [model.get_submodule(name) for name in all_names(norms)]
    weights = [module.weight for module in modules]
    assert all(isinstance(weight, nn.Parameter) for weight in weights)
    scales = Scales(weights)  # type: ignore[arg-type]
    scales.counts = tuple(len(names_of(norm)) for norm in norms)
    firsts = np.cumsum((0, *scales.counts))[:-1]
    scales.sizes = tuple(sizes or (scales[first].numel() for first in firsts))
    scales.bounded = any(isinstance(module, BoundedBatchNorm2d) for module in modules)
    assert len(scales.sizes) == len(scales.counts)
    return scales


def concatenated(scales: Scales) -> Tensor:
    """All raw scales as one tensor to train on, differentiable, in the order given.

    A unit of m scales is there m times, so that a penalty that adds up weighs it as it would
    weigh m neurons, and draws each of its scales as hard as that of a single one.
    """
    parts = []
    for group in _groups(scales):
        units_U = _joint(group, scales.bounded)
        times = sum(scale.numel() for scale in group[0]) // group[1]
        parts.append(units_U if times == 1 else units_U.repeat_interleave(times))
    return torch.cat(parts)


def raw_scales(
    model: nn.Module, norms: Sequence[Norm], sizes: Sequence[int] | None = None
) -> npt.NDArray[np.float32]:
    """A float32 copy of the raw scales of all N units on the CPU, in network order: a snapshot."""
    with torch.no_grad():
        scales = scale_parameters(model, norms, sizes)
        raw_N = torch.cat([_joint(group, scales.bounded) for group in _groups(scales)])
        return raw_N.to(device="cpu", dtype=torch.float32).numpy()


_Group = tuple[Sequence[Tensor], int]
"""The scales of a group's norms and the number of its units."""


def _groups(scales: Scales) -> list[_Group]:
    found: list[_Group] = []
    start = 0
    for count, size in zip(scales.counts, scales.sizes, strict=True):
        found.append((scales[start : start + count], size))
        start += count
    return found


def _joint(group: _Group, bounded: bool) -> Tensor:
    """The raw scale of each unit."""
    scales, size = group
    if len(scales) == 1 and scales[0].numel() == size:
        return scales[0]
    members_UM = torch.cat([scale.view(size, -1) for scale in scales], dim=1)
    m = members_UM.shape[1]
    if bounded:
        return (torch.logsumexp(2 * members_UM, dim=1) - math.log(m)) / 2
    lengths_U: Tensor = torch.linalg.vector_norm(members_UM, dim=1)
    return lengths_U / math.sqrt(m)
