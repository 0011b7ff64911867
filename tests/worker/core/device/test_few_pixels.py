"""The matrix product for few pixels: the same convolution, values and gradients."""

import copy

import pytest
import torch
from torch import nn

from recede_worker.core.device.few_pixels import (
    product,
    slow_down,
    speed_up,
)

SHAPES = [
    (2, (3, 3), (1, 1)),
    (4, (3, 3), (0, 0)),
    (5, (3, 2), (0, 1)),
    (4, (1, 3), (0, 1)),
    (3, (3, 3), (2, 2)),
]


@pytest.mark.parametrize(("size", "kernel", "padding"), SHAPES)
def test_the_product_is_the_convolution_with_its_gradients(size, kernel, padding):
    generator = torch.Generator().manual_seed(size)
    x = torch.randn(3, 5, size, size, generator=generator, dtype=torch.float64)
    w = torch.randn(4, 5, *kernel, generator=generator, dtype=torch.float64)
    found = []
    for convolve in (product, nn.functional.conv2d):
        x_leaf, w_leaf = x.clone().requires_grad_(), w.clone().requires_grad_()
        y = convolve(x_leaf, w_leaf, padding=padding)
        weights = torch.arange(y.numel(), dtype=torch.float64).view(y.shape)
        (y * weights).sum().backward()
        found.append((y.detach(), x_leaf.grad, w_leaf.grad))
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=1e-10)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.Conv2d(16, 8, 3, padding=1, stride=2),
        nn.Flatten(),
    )


def test_a_network_that_was_sped_up_keeps_its_state_and_can_be_slowed_down_again():
    model = network()
    before = copy.deepcopy(model.state_dict())
    speed_up(model)
    changed = [type(module) is not nn.Conv2d for module in model if hasattr(module, "weight")]
    assert changed == [True, False, True, False]
    assert list(model.state_dict()) == list(before)
    slow_down(model)
    assert all(type(m) is nn.Conv2d for m in model if hasattr(m, "weight"))


def test_outside_of_bfloat16_nothing_changes_to_the_last_bit():
    model, x = network(), torch.randn(2, 3, 8, 8)
    plain = model(x)
    speed_up(model)
    assert torch.equal(model(x), plain)


def test_in_bfloat16_outputs_and_gradients_agree_up_to_its_rounding():
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    found = []
    for quick in (False, True):
        model = network()
        if quick:
            speed_up(model)
        with torch.autocast("cpu", torch.bfloat16):
            y = model(x)
        y.float().square().mean().backward()
        found.append([y.float().detach(), *(p.grad for p in model.parameters())])
    for plain, quick in zip(*found, strict=True):
        assert plain.dtype == quick.dtype
        torch.testing.assert_close(quick, plain, rtol=0.05, atol=0.02 * plain.abs().max().item())
