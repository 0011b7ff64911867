"""Batch norm over processes: two on the halves of a batch are one on the whole."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d, bound
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.importance import raw_scales
from recede_worker.core.norms.synced import desynchronise, synchronise
from tests.ranks import run_ranks

CASES: dict[str, dict[str, Any]] = {
    "float64": {"dtype": torch.float64, "tolerance": 1e-12},
    "float32": {"dtype": torch.float32, "tolerance": 2e-5},
    "channels_last": {"dtype": torch.float32, "tolerance": 2e-5, "last": True},
    "bf16 images": {"dtype": torch.bfloat16, "tolerance": 0.02},
    "shares of unequal size": {"dtype": torch.float64, "tolerance": 1e-12, "shares": [5, 1]},
    "an empty share": {"dtype": torch.float64, "tolerance": 1e-12, "shares": [6, 0]},
    "small variance far from 0": {"dtype": torch.float32, "tolerance": 2e-3, "offset": 300.0},
    "plain average": {"dtype": torch.float64, "tolerance": 1e-12, "momentum": None},
    "without scales": {"dtype": torch.float64, "tolerance": 1e-12, "affine": False},
}
KINDS = ("ordinary", "bounded", "with an activation", "bounded with an activation")


class NormAct(nn.BatchNorm2d):
    """A norm that is called by its own name for torch's function, as in some libraries."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.act = nn.Tanh()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        share = self.momentum
        if self.training:
            self.num_batches_tracked.add_(1)
            share = 1 / float(self.num_batches_tracked) if share is None else share
        normalised = nn.functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training,
            share or 0.0, self.eps,
        )  # fmt: skip
        return self.act(normalised)


def make_norm(kind: str, case: dict[str, Any]) -> nn.Module:
    wide = torch.float64 if case["dtype"] == torch.float64 else torch.float32
    momentum = case.get("momentum", 0.3)
    affine = case.get("affine", True) or kind.startswith("bounded")
    make = NormAct if "activation" in kind else nn.BatchNorm2d
    norm: nn.Module = make(4, momentum=momentum, affine=affine, dtype=wide)
    if kind.startswith("bounded"):
        model = nn.Sequential(norm)
        bound(model, ["0"])
        norm = model[0]
    with torch.no_grad():
        for seed, parameter in enumerate(norm.parameters()):
            generator = torch.Generator().manual_seed(seed)
            parameter.copy_(torch.randn(4, generator=generator, dtype=torch.float64))
    return norm


def tensors(case: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and the gradient that comes back to the norm's output."""
    generator = torch.Generator().manual_seed(7)
    x, dy = torch.randn(2, 6, 4, 3, 5, generator=generator, dtype=torch.float64)
    x = (x + case.get("offset", torch.arange(4.0).view(1, 4, 1, 1))).to(case["dtype"])
    if case.get("last"):
        x = x.contiguous(memory_format=torch.channels_last)
    return x, dy.to(case["dtype"])


def two_steps(norm: nn.Module, x: torch.Tensor, dy: torch.Tensor) -> dict[str, np.ndarray]:
    """Outputs, gradients and buffers after two batches."""
    found = {}
    for step in range(2):
        images = (x * (1 + step)).detach().requires_grad_()
        norm.zero_grad()
        y = norm(images)
        y.backward(dy)
        found |= {f"y{step}": y.detach(), f"dx{step}": images.grad}
    gradients = {f"d{name}": p.grad for name, p in norm.named_parameters()}
    every = {**found, **gradients, **dict(norm.named_buffers())}
    return {name: tensor.double().numpy() for name, tensor in every.items()}


def shares_of(case: dict[str, Any], n: int) -> list[int]:
    return case.get("shares", [6 // n] * n)


def on_a_share(rank: int, n: int) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """All cases, so that processes start once."""
    found = {}
    for name, case in CASES.items():
        for kind in KINDS:
            norm = make_norm(kind, case)
            synchronise(norm)
            x, dy = (t.split(shares_of(case, n))[rank] for t in tensors(case))
            found[name, kind] = two_steps(norm, x, dy)
    return found


@pytest.fixture(scope="module")
def ranks() -> list[dict[tuple[str, str], dict[str, np.ndarray]]]:
    return run_ranks(2, on_a_share)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_two_processes_are_one_on_the_whole_batch(ranks, name: str, kind: str):
    case = CASES[name]
    expected = two_steps(make_norm(kind, case), *tensors(case))
    parts = [found[name, kind] for found in ranks]
    for key, whole in expected.items():
        if key.startswith(("y", "dx")):
            together = np.concatenate([part[key] for part in parts])
        elif key.startswith("d"):  # each process has its part of a weight's gradient
            together = np.sum([part[key] for part in parts], axis=0)
        else:
            together = parts[0][key]
            np.testing.assert_array_equal(parts[1][key], together, err_msg=key)
        room = case["tolerance"] * max(1.0, float(np.abs(whole).max()))
        np.testing.assert_allclose(together, whole, atol=room, rtol=0, err_msg=key)


def network() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))
    model.append(nn.BatchNorm2d(3))
    bound(model, ["1"])
    return model


def test_a_synchronised_model_keeps_its_keys_its_scales_and_its_evaluation():
    plain = network().eval()
    synced = copy.deepcopy(plain)
    synchronise(synced)
    x = torch.randn(2, 1, 8, 8)
    assert list(synced.state_dict()) == list(plain.state_dict())
    assert torch.equal(synced(x), plain(x))
    assert np.array_equal(raw_scales(synced, ["1"]), raw_scales(plain, ["1"]))
    folded = fold(synced)
    assert torch.equal(folded(x), fold(plain)(x))
    assert [type(m) for m in folded.modules()] == [type(m) for m in fold(plain).modules()]


def test_what_was_synchronised_can_be_undone_and_a_copy_of_it_is_ordinary():
    model = network()
    before = [(type(module), set(vars(module))) for module in model.modules()]
    synchronise(model)
    twin = copy.deepcopy(model)
    assert [(type(module), set(vars(module))) for module in twin.modules()] == before
    assert isinstance(model[1], BoundedBatchNorm2d)
    desynchronise(model)
    assert [(type(module), set(vars(module))) for module in model.modules()] == before
