"""Scope "all": what shortcuts join shrinks together, in networks of torchvision and timm."""

from __future__ import annotations

import json

import pytest
import torch

from recede.contract.errors import InvalidInput
from recede.contract.network.cost import cost, dense_cost
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.bounded import bound
from recede_worker.core.norms.scaling import all_names
from recede_worker.networks.family import Architecture, Config
from recede_worker.plugins.registry import architectures
from tests.worker.core.networks import (
    CLASSES,
    assert_cuts_are_exact,
    enliven,
    kept_counts,
)

SIZE = 32
STREAMS = {
    ("resnet18", ""): 4,
    ("regnet_y_400mf", ""): 4,
    ("timm", "mobilenetv3_small_050"): 3,
    ("timm", "repvgg_a0"): 5,
}
"""How many sets of joined channels they have: the residual streams."""
FIRST = ("resnet18", "timm")
every_network = pytest.mark.parametrize(
    ("name", "model"),
    [
        pytest.param(*one, id="-".join(one), marks=() if one[0] in FIRST else pytest.mark.thorough)
        for one in STREAMS
    ],
)


def dense(name: str, model: str, prunable: str = "all") -> tuple[Architecture, Config]:
    architecture = architectures()[name]
    params = {"model": model} if model else {}
    return architecture, architecture.config(3, CLASSES, SIZE, params, prunable)


def shape_of(model, norms, scale="bounded"):
    return network_shape(
        model,
        architecture="x",
        norms=norms,
        input_shape=(3, SIZE, SIZE),
        classes=CLASSES,
        scale=scale,
    )


@every_network
def test_cost_cut_mask_and_rebuilt_network_agree(name, model):
    architecture, config = dense(name, model)
    norms = architecture.norms(config)
    network = architecture.build(config)
    bound(network, all_names(norms.values()))
    images = torch.randn(2, 3, SIZE, SIZE, dtype=torch.float64)
    enliven(network.double(), images)
    shape = shape_of(network, norms)
    assert sum(bool(group.members) for group in shape.groups) == STREAMS[name, model]
    surgeon = Surgeon(network, shape, norms)
    mask, small = assert_cuts_are_exact(surgeon, shape, images, times=2)
    kept = dict(zip(norms, kept_counts(shape, mask), strict=True))
    cut_config = json.loads(json.dumps(architecture.cut_config(config, kept)))
    rebuilt = architecture.build(cut_config).double()
    rebuilt.load_state_dict(small.state_dict(), strict=True)
    assert max_difference(rebuilt.eval(), small, images) == 0.0


@pytest.mark.parametrize(("name", "model"), [("resnet18", "")])
def test_the_inner_groups_are_among_them_and_far_less_can_remain(name, model):
    _, inner = dense(name, model, "inner")
    architecture, config = dense(name, model)
    assert inner["norms"].items() <= config["norms"].items()
    assert config["joined"] == {}
    assert inner["norms"].keys() | inner["joined"].keys() == config["norms"].keys()

    def least(config: Config) -> float:
        shape = shape_of(architecture.build(config), architecture.norms(config), "plain")
        return cost(shape, [g.minimum for g in shape.groups]).params / dense_cost(shape).params

    assert least(config) < 0.2 * least(inner)


def test_a_network_cut_in_one_scope_is_built_in_the_other():
    architecture, wide = dense("resnet18", "")
    _, inner = dense("resnet18", "", "inner")
    kept = {"conv1": 20, "layer1.0.conv1": 9}
    built = [architecture.build(architecture.cut_config(c, kept)) for c in (wide, inner)]
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in built]
    assert shapes[0] == shapes[1]
    assert built[0].layer1[1].conv2.out_channels == built[1].conv1.out_channels == 20


@pytest.mark.parametrize("name", ["vgg11", "resnet20", "densenet121"])
def test_where_no_shortcut_can_shrink_both_scopes_are_the_same(name):
    architecture, config = dense(name, "")
    _, inner = dense(name, "", "inner")
    assert config == inner
    assert all(isinstance(norm, str) for norm in architecture.norms(config).values())


def test_what_concatenations_join_is_left_out_with_the_reason():
    architecture, config = dense("densenet121", "")
    left = architecture.left_out(config)
    assert "joins these channels with others" in left["features.conv0"]
    assert not set(left) & set(config["norms"])


def test_a_network_of_joined_channels_alone_is_refused_in_the_inner_scope():
    with pytest.raises(InvalidInput, match=r"repvgg_a0 \(timm\) .* shortcuts join") as caught:
        dense("timm", "repvgg_a0", "inner")
    assert caught.value.field == "prunable"


@pytest.mark.parametrize(("name", "model"), [("mobilenet_v2", ""), ("regnet_y_400mf", "")])
def test_a_network_cut_to_one_unit_everywhere_has_the_same_groups(name, model):
    architecture, config = dense(name, model)
    once = architecture.cut_config(config, dict.fromkeys(config["norms"], 1))
    small = architecture.build(once)
    shape = shape_of(small, architecture.norms(once), "plain")
    assert set(shape.sizes) == {1}
    whole = shape_of(architecture.build(config), architecture.norms(config), "plain")
    assert dense_cost(shape) == cost(whole, [1] * len(whole.groups))
