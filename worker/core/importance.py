"""Raw scales of the prunable neurons: parameters to train on and snapshots to store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


def scale_parameters(model: nn.Module, norms: Sequence[str]) -> list[nn.Parameter]:
    """The scale of each named norm, in that order: the logit w, or γ of an ordinary one."""
    weights = [model.get_submodule(name).weight for name in norms]
    assert all(isinstance(weight, nn.Parameter) for weight in weights)
    return weights  # type: ignore[return-value]


def concatenated(params: Sequence[Tensor]) -> Tensor:
    """All scales as one tensor of N numbers, differentiable, in the order given."""
    return torch.cat(list(params))


def raw_scales(model: nn.Module, norms: Sequence[str]) -> npt.NDArray[np.float32]:
    """A float32 copy of all scales on the CPU, in network order: one snapshot."""
    with torch.no_grad():
        raw_N = concatenated(scale_parameters(model, norms))
        return raw_N.to(device="cpu", dtype=torch.float32).numpy()
