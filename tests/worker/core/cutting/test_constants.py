"""What removed channels of ordinary batch norms still send is folded into what follows."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.cut.selection import Mask
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.constants import norms_behind
from recede_worker.core.cutting.surgery import (
    Surgeon,
    bias_difference,
    max_difference,
)
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.scaling import Norms
from tests.worker.core import joints
from tests.worker.core.networks import assert_same_outputs, enliven, network

SIZE = 10
ACTIVATIONS = [nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.LeakyReLU, nn.GELU, nn.Identity]


def chain(
    activation: type[nn.Module] = nn.ReLU, kernel: int = 1, *, bias: bool = False
) -> nn.Sequential:
    """Convolution, norm, activation; a second convolution, perhaps with bias; a linear layer."""
    second = nn.Conv2d(8, 10, kernel, padding=kernel // 2, bias=bias)
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 1, bias=False), nn.BatchNorm2d(8), activation()),
        *(second, nn.BatchNorm2d(10), activation()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 5)),
    )


CHAIN = {"0": "1", "3": "4"}


def surgeon_of(model: nn.Module, norms: Norms) -> tuple[Surgeon, NetworkShape, torch.Tensor]:
    images = torch.randn(4, 3, SIZE, SIZE, dtype=torch.float64)
    enliven(model.double(), images)
    shape = network_shape(
        model,
        architecture="toy",
        norms=norms,
        input_shape=(3, SIZE, SIZE),
        classes=5,
        scale="plain",
    )
    return Surgeon(model, shape, norms), shape, images


def half(shape: NetworkShape, seed: int = 0) -> Mask:
    """Keeps a random half of each layer."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(size) < (size + 1) // 2 for size in shape.sizes])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_without_padding_the_folded_cut_is_the_network_whose_channels_send_their_constant(
    activation, bias
):
    surgeon, shape, images = surgeon_of(chain(activation, bias=bias), CHAIN)
    for seed in range(3):
        found = bias_difference(surgeon, half(shape, seed), images)
        assert found.folded < 1e-12
        assert found.dropped > 1e-3
        assert found.left == ()


def test_with_padding_all_but_the_borders_is_exact():
    model = chain(kernel=3)
    surgeon, shape, images = surgeon_of(model, CHAIN)
    mask = np.ones(shape.n_neurons, dtype=np.bool_)
    mask[:5] = False
    cut, still = surgeon.cut(mask, "fold"), surgeon.still(mask)
    with torch.no_grad():
        difference = (cut[:6](images) - still[:6](images)).abs().amax((0, 1))
    assert difference[1:-1, 1:-1].max() < 1e-12
    assert difference.max() > 1e-3


def test_the_running_mean_moves_by_the_sum_of_weights_times_what_the_activation_makes_of_beta():
    model = chain(nn.SiLU, kernel=3)
    surgeon, shape, _ = surgeon_of(model, CHAIN)
    mask = np.ones(shape.n_neurons, dtype=np.bool_)
    mask[[1, 4]] = False
    cut = surgeon.cut(mask, "fold")
    sent = nn.functional.silu(model[1].bias[[1, 4]])
    moved = (model[3].weight[:, [1, 4]].sum((2, 3)) * sent).sum(1)
    torch.testing.assert_close(cut[4].running_mean, model[4].running_mean - moved)


def test_on_maps_that_are_all_border_the_mean_is_folded_and_better_than_nothing():
    model = nn.Sequential(nn.AvgPool2d(5), *chain(kernel=3))
    norms = {"1": "2", "4": "5"}
    surgeon, shape, images = surgeon_of(model, norms)
    found = bias_difference(surgeon, half(shape), images)
    assert found.folded < 0.5 * found.dropped


@pytest.mark.parametrize("name", ["vgg11", "resnet20", "mobilenet_v2"])
def test_cut_and_masked_are_one_function_when_folded_too(name):
    model, shape, norms, images = network(name, "plain", torch.float64)
    surgeon = Surgeon(model, shape, norms)
    mask = half(shape)
    masked = surgeon.masked(mask, "fold")
    assert_same_outputs(surgeon.cut(mask, "fold"), masked, images)
    found = bias_difference(surgeon, mask, images)
    assert found.folded < found.dropped


def test_bounded_norms_have_nothing_to_fold():
    model, shape, norms, images = network("vgg11", "bounded")
    surgeon = Surgeon(model, shape, norms)
    mask = half(shape)
    assert max_difference(surgeon.cut(mask, "fold"), surgeon.cut(mask), images) == 0.0
    found = bias_difference(surgeon, mask, images)
    assert found.dropped == found.folded <= 1e-5


def test_joined_channels_are_folded_by_what_their_sum_sends():
    norms = {"stem.0": ("stem.1", "norm"), "inner.0": "inner.1"}
    model = joints.Residual()
    model.inner = joints.unit(8, 10)
    model.back = nn.Conv2d(10, 8, 1, bias=False)
    surgeon, shape, images = surgeon_of(model, norms)
    mask = half(shape)
    found = bias_difference(surgeon, mask, images)
    assert found.folded < 1e-12 < found.dropped


def test_what_a_gate_makes_of_a_constant_is_left_dropped_and_told():
    norms = {"stem.0": "stem.1", "wide.0": "deep.1"}
    surgeon, shape, images = surgeon_of(joints.Gated(), norms)
    mask = np.ones(shape.n_neurons, dtype=np.bool_)
    mask[8:14] = False
    assert bias_difference(surgeon, mask, images).left == ("narrow",)


def test_a_layer_without_bias_or_norm_behind_it_is_left_dropped_and_told():
    model = nn.Sequential(*chain()[:3], nn.Conv2d(8, 5, 1, bias=False), nn.AdaptiveAvgPool2d(1))
    model.append(nn.Flatten())
    surgeon, shape, images = surgeon_of(model, {"0": "1"})
    mask = half(shape)
    found = bias_difference(surgeon, mask, images)
    assert found.left == ("3",)
    assert found.folded == found.dropped > 1e-3


class Beside(joints.Head):
    """The norm is not all that reads the convolution."""

    def __init__(self) -> None:
        super().__init__(8)
        self.conv, self.norm = nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8)
        self.alone, self.last = nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        made = self.conv(x)
        return self.last(self.alone(self.norm(made) + made))


def test_only_a_norm_that_alone_reads_a_layer_is_behind_it():
    model, images = Beside(), torch.randn(2, 3, SIZE, SIZE)
    before = copy.deepcopy(enliven(model, images).state_dict())
    found = norms_behind(model, ["stem.0", "conv", "alone"], images)
    assert found == {"stem.0": "stem.1", "alone": "last"}
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_folding_leaves_the_surgeon_as_it_was():
    surgeon, shape, images = surgeon_of(chain(kernel=3), CHAIN)
    mask = half(shape)
    before, folded = surgeon.cut(mask), surgeon.cut(mask, "fold")
    assert max_difference(surgeon.cut(mask), before, images) == 0.0
    assert max_difference(surgeon.cut(mask, "fold"), folded, images) == 0.0
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in folded.modules())
