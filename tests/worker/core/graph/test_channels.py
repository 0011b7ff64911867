"""NetworkShape: what it predicts is what torch counts, on networks that were really cut."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.cost import (
    Cost,
    cost,
    dense_cost,
)
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.fold import fold
from tests.worker.core.networks import (
    EXAMPLES,
    counted_macs,
    counted_params,
    each_kind_first,
    kept_counts,
    network,
    random_mask,
    surgeon_of,
)
from tests.worker.core.toys import Depthwise, Joined


def shape_of(model: nn.Module, norms: dict[str, str]) -> NetworkShape:
    return network_shape(
        model, architecture="toy", norms=norms, input_shape=(3, 4, 4), classes=5, scale="plain"
    )


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_dense_cost_is_what_torch_counts(name):
    model, shape, _, images = network(name, "bounded")
    folded = fold(model)
    assert dense_cost(shape) == Cost(counted_params(folded), counted_macs(folded, images[:1]))


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_predicted_cost_is_that_of_the_really_cut_network(name):
    model, shape, norms, images = network(name, "plain")
    surgeon = surgeon_of(model, shape, norms)
    rng = np.random.default_rng(0)
    for _ in range(3):
        mask = random_mask(shape, rng)
        small = surgeon.cut(mask)
        counted = Cost(counted_params(small), counted_macs(small, images[:1]))
        assert cost(shape, kept_counts(shape, mask)) == counted


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_groups_follow_the_norms_and_survive_as_json(name):
    model, shape, norms, _ = network(name, "bounded")
    assert [group.name for group in shape.groups] == list(norms)
    for group, norm in zip(shape.groups, norms.values(), strict=True):
        assert model.get_submodule(norm).weight.numel() % group.size == 0
        assert group.minimum == min(3, group.size)
    assert NetworkShape.model_validate_json(shape.model_dump_json()) == shape


def test_a_shape_is_derived_in_any_grad_mode_and_alters_nothing():
    model, shape, norms, _ = network("resnet20", "bounded")
    model.train()
    before = copy.deepcopy(model.state_dict())
    options = {"architecture": "resnet20", "norms": norms, "classes": 10, "scale": "bounded"}
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            again = network_shape(model, input_shape=shape.input_shape, **options)
        assert again == shape
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_depthwise_and_flattened_layers_are_costed_and_cut():
    model = Depthwise().eval()
    shape = shape_of(model, Depthwise.norms)
    kinds = {op.name: op.kind for op in shape.ops}
    linear = next(op for op in shape.ops if op.name == "linear")
    assert kinds["deep"] == "depthwise"
    assert (linear.fan_in, linear.source, linear.target) == (160, 1, None)
    rng = np.random.default_rng(0)
    surgeon = Surgeon(model, shape, Depthwise.norms)
    for _ in range(5):
        mask = random_mask(shape, rng)
        small = surgeon.cut(mask)
        image = torch.zeros(1, 3, 4, 4)
        counted = Cost(counted_params(small), counted_macs(small, image))
        assert cost(shape, kept_counts(shape, mask)) == counted


def test_a_layer_of_fewer_than_three_channels_has_itself_as_minimum():
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 5, 1))
    model.append(nn.Flatten()).append(nn.Linear(80, 5))
    assert shape_of(model.eval(), {"0": "1"}).groups[0].minimum == 2


@pytest.mark.parametrize(
    ("joint", "words"),
    [
        ("added", "two groups"),
        ("concatenated", "'out' joins these channels with others"),
        ("bare", "the parameter 'scale' meets them, which stays whole"),
    ],
)
def test_joints_that_cannot_be_cut_are_refused_in_words(joint, words):
    with pytest.raises(InvalidInput, match=words):
        shape_of(Joined(joint).eval(), Joined.norms)


def test_one_branch_of_a_concatenation_is_refused_too():
    with pytest.raises(InvalidInput, match="'out' joins these channels with others"):
        shape_of(Joined("concatenated").eval(), {"left": "left_bn"})


def test_parameters_of_other_layers_are_counted_as_they_are():
    model = Joined("counted").eval()
    others = [op for op in shape_of(model, {}).ops if op.kind == "fixed"]
    assert others
    assert dense_cost(shape_of(model, {})).params == counted_params(model)


def test_a_norm_of_another_layer_is_refused():
    with pytest.raises(InvalidInput, match="does not scale"):
        shape_of(Depthwise().eval(), {"conv": "point_bn"})


def test_a_group_that_starts_at_no_convolution_is_refused():
    with pytest.raises(InvalidInput, match="must start at a Conv2d"):
        shape_of(Depthwise().eval(), {"linear": "bn"})
