"""What can be pruned is found in networks that nobody described, or refused with the reason."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.cost import Cost, cost
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.discover import prunable_norms
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.bounded import bound
from tests.worker.core import joints
from tests.worker.core.networks import (
    assert_same_outputs,
    counted_macs,
    counted_params,
    enliven,
    kept_counts,
    random_mask,
)

IMAGE, CLASSES = (3, 8, 8), 5
FOUND = [
    (joints.Gated, {"stem.0": "stem.1", "wide.0": "deep.1"}),
    (joints.Grouped, {"stem.0": "stem.1", "before.0": "middle.1"}),
    (joints.Residual, {"inner.0": "inner.1"}),
    (joints.Shuffled, {"after.0": "after.1"}),
    (joints.Mixed, {"after.0": "after.1"}),
    (joints.Shifted, {"after.0": "after.1"}),
    (joints.Fixed, {"stem.0": "stem.1"}),
]
every_joint = pytest.mark.parametrize(("kind", "norms"), FOUND, ids=lambda v: str(v)[-20:])


def shape_of(model: nn.Module, norms: dict[str, str]) -> NetworkShape:
    return network_shape(
        model, architecture="toy", norms=norms, input_shape=IMAGE, classes=5, scale="bounded"
    )


@every_joint
def test_the_last_norm_before_channels_mix_is_found(kind, norms):
    assert prunable_norms(kind(), IMAGE, 5) == norms


@every_joint
def test_cut_and_masked_are_one_function_of_the_predicted_cost(kind, norms):
    model = kind().double()
    bound(model, list(norms.values()))
    images = torch.randn(8, *IMAGE, dtype=torch.float64)
    enliven(model, images)
    shape = shape_of(model, norms)
    surgeon = Surgeon(model, shape, norms)
    rng = np.random.default_rng(0)
    for _ in range(4):
        mask = random_mask(shape, rng)
        small = surgeon.cut(mask)
        assert_same_outputs(small, surgeon.masked(mask), images, 1e-10, least=1.0)
        counted = Cost(counted_params(small), counted_macs(small, images[:1]))
        assert cost(shape, kept_counts(shape, mask)) == counted


@every_joint
def test_a_channel_without_importance_can_go_unnoticed(kind, norms):
    model = kind().double()
    bound(model, list(norms.values()))
    images = torch.randn(8, *IMAGE, dtype=torch.float64)
    enliven(model, images)
    shape = shape_of(model, norms)
    mask = random_mask(shape, np.random.default_rng(1))
    with torch.no_grad():
        for norm, keep in zip(norms.values(), shape.split(mask), strict=True):
            weight_C = model.get_submodule(norm).weight
            per_unit = weight_C.numel() // keep.size
            weight_C[torch.from_numpy(~keep).repeat_interleave(per_unit)] = -1e4
    assert_same_outputs(Surgeon(model, shape, norms).cut(mask), model, images, 1e-10, least=1.0)


def test_a_unit_of_a_grouped_convolution_is_a_whole_group():
    model = joints.Grouped()
    shape = shape_of(model, {"before.0": "middle.1"})
    assert (shape.sizes, shape.groups[0].minimum) == ([4], 3)
    mask = np.array([True, False, True, True])
    small = Surgeon(model, shape, {"before.0": "middle.1"}).cut(mask)
    middle = small.middle[0]
    assert (middle.in_channels, middle.out_channels, middle.groups) == (9, 6, 3)
    assert (small.before[0].out_channels, small.after.in_channels) == (9, 6)
    kept = torch.tensor([0, 1, 2, 6, 7, 8, 9, 10, 11])
    assert torch.equal(small.before[0].weight, model.before[0].weight[kept])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_a_shape_is_found_in_any_grad_mode_and_alters_nothing(mode):
    model, norms = joints.Gated().train(), {"wide.0": "deep.1"}
    before = copy.deepcopy(model.state_dict())
    with mode():
        assert shape_of(model, norms).sizes == [12]
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_layer_behind_a_flatten_of_one_size_is_traced_at_that_size():
    layers = [nn.Conv2d(3, 4, 3, stride=8), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()]
    model = nn.Sequential(*layers, nn.Linear(4 * 144, 5))
    shape = network_shape(
        model,
        architecture="toy",
        norms={"0": "1"},
        input_shape=(3, 96, 96),
        classes=5,
        scale="plain",
    )
    assert [(op.fan_in, op.positions) for op in shape.ops if op.kind != "norm"] == [
        (3, 144),
        (576, 1),
    ]


def test_a_network_without_batch_norm_is_refused_by_what_it_has_instead():
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.GroupNorm(2, 8), nn.Flatten(), nn.Linear(512, 5))
    with pytest.raises(InvalidInput, match="no BatchNorm2d; it normalises by GroupNorm") as caught:
        prunable_norms(model, IMAGE, 5)
    assert caught.value.field == "architecture"


def test_products_outside_of_layers_leave_the_rest_to_be_cut():
    assert prunable_norms(joints.Attending(), IMAGE, 5) == {"after.0": "after.1"}


def test_a_network_of_which_nothing_can_be_cut_says_why():
    model = joints.Shared()
    model.stem = nn.Conv2d(3, 8, 1)
    with pytest.raises(InvalidInput, match=r"Nothing .*'twice\.0' is used 2 times"):
        prunable_norms(model, IMAGE, 5)


@pytest.mark.parametrize(
    ("classes", "image", "words"),
    [
        (6, IMAGE, r"head does not fit: .* \(1, 5\); \(1, 6\) is needed"),
        (5, (1, 8, 8), r"cannot take images of 8×8 pixels and 1 channels: RuntimeError"),
    ],
)
def test_a_head_or_input_that_does_not_fit_is_refused_in_words(classes, image, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        prunable_norms(joints.Gated(), image, classes)
    assert caught.value.field == "architecture"


def test_several_outputs_are_refused():
    class Two(joints.Residual):
        def forward(self, images):
            return [super().forward(images)] * 2

    with pytest.raises(InvalidInput, match="gives a list, not one tensor"):
        prunable_norms(Two(), IMAGE, 5)


def test_layers_that_share_weights_are_refused_by_name():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), Head(4)
    )
    model[3].weight = model[2].weight
    with pytest.raises(InvalidInput, match="layers '2' and '3' share a parameter"):
        prunable_norms(model, IMAGE, CLASSES)


def test_a_layer_that_has_two_names_is_one_layer():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), Head(4))
    model[3].alias = model[2]
    assert prunable_norms(model, IMAGE, CLASSES) == {"0": "1"}


class Head(nn.Module):
    """Scores from the means of its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.linear(x.mean((2, 3)))
