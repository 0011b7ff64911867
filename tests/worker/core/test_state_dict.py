"""Weights are loaded from plain tensors by any network, also one that looks for its version."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import mnasnet0_5

from recede_worker.core.state_dict import load_weights


def plain(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """As a file of tensors gives them back."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_a_network_that_looks_for_its_version_takes_plain_tensors():
    torch.manual_seed(0)
    kept, fresh = mnasnet0_5(num_classes=3).eval(), mnasnet0_5(num_classes=3).eval()
    weights = plain(kept)
    with pytest.raises(ValueError, match="version"):
        fresh.load_state_dict(weights)
    load_weights(fresh, weights)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(fresh(x), kept(x))


def test_a_tensor_that_is_missing_is_named():
    weights = plain(torch.nn.Linear(2, 3))
    del weights["bias"]
    with pytest.raises(RuntimeError, match='Missing key\\(s\\) in state_dict: "bias"'):
        load_weights(torch.nn.Linear(2, 3), weights)
