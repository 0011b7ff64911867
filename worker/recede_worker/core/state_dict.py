"""Loading tensors by name into a network, whatever file they were kept in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy every tensor into the network; both must have the same names and shapes.

    A file of tensors does not hold the versions that modules give themselves in a state_dict,
    and some networks refuse a state_dict without (torchvision's MNASNet): they get their own.

    Raises:
        RuntimeError: a tensor is missing, is not the network's, or has another shape.
    """
    versioned: OrderedDict[str, Tensor] = OrderedDict(weights)
    versioned._metadata = getattr(model.state_dict(), "_metadata", None)  # type: ignore[attr-defined]
    model.load_state_dict(versioned)
