"""Initial weights: the prescribed distributions, and nothing but the generator decides."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.initialise import freeze_redundant_biases, initialise


def sample() -> nn.ModuleDict:
    return nn.ModuleDict(
        {
            "conv": nn.Conv2d(64, 128, (3, 5)),
            "plain": nn.BatchNorm2d(128),
            "bounded": BoundedBatchNorm2d(20_000),
            "linear": nn.Linear(200, 100),
        }
    )


def initialised(seed: int, dtype: torch.dtype = torch.float32) -> nn.ModuleDict:
    model = sample().to(dtype)
    initialise(model, torch.Generator().manual_seed(seed))
    return model


@pytest.mark.parametrize(
    ("layer", "std"),
    [("conv", math.sqrt(2 / (3 * 5 * 128))), ("linear", 0.01), ("bounded", 1.0)],
)
def test_weights_have_the_prescribed_spread(layer, std):
    weight = initialised(0)[layer].weight.detach()
    assert float(weight.std()) == pytest.approx(std, rel=0.03)
    assert abs(float(weight.mean())) < 0.05 * std


@pytest.mark.parametrize("groups", [1, 4, 64])
def test_the_spread_is_that_of_the_outputs_that_an_input_reaches(groups):
    model = nn.Sequential(nn.Conv2d(64, 128, 5, groups=groups))
    initialise(model, torch.Generator().manual_seed(0))
    wanted = math.sqrt(2 / (5 * 5 * 128 / groups))
    assert float(model[0].weight.detach().std()) == pytest.approx(wanted, rel=0.05)


def test_biases_are_zero_and_plain_scales_one_half():
    model = initialised(0)
    for name in ("conv", "linear", "plain"):
        assert model[name].bias.abs().max() == 0
    assert (model["plain"].weight == 0.5).all()


def test_equal_generators_give_equal_weights_in_any_dtype():
    first, again, wide = initialised(3), initialised(3), initialised(3, torch.float64)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
        assert torch.equal(tensor, wide.state_dict()[name].to(tensor.dtype))
    assert not torch.equal(first["conv"].weight, initialised(4)["conv"].weight)


def test_the_global_generator_is_neither_read_nor_moved():
    model = sample()
    before = torch.random.get_rng_state()
    initialise(model, torch.Generator().manual_seed(0))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_running_statistics_start_anew():
    model = sample()
    for name, channels in (("plain", 128), ("bounded", 20_000)):
        model[name](torch.randn(2, channels, 1, 1) + 5)
    initialise(model, torch.Generator().manual_seed(0))
    for name in ("plain", "bounded"):
        assert model[name].running_mean.abs().max() == 0
        assert (model[name].running_var == 1).all()
        assert model[name].num_batches_tracked == 0


def test_a_bias_before_a_batch_norm_stays_zero_and_is_still_counted():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3))
    count = sum(p.numel() for p in model.parameters())
    freeze_redundant_biases(model, ["0"])
    model(torch.randn(3, 1, 8, 8)).square().sum().backward()
    assert not model[0].bias.any()
    assert model[0].bias.grad is None
    assert model[2].bias.grad is not None
    assert sum(p.numel() for p in model.parameters()) == count
