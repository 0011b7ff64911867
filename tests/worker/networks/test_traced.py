"""Networks of other people's code: the originals, cut without a change to that code."""

from __future__ import annotations

import ast
import json
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.cost import (
    Cost,
    cost,
    dense_cost,
)
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.bounded import bound
from recede_worker.networks.family import Architecture, Config
from recede_worker.plugins.registry import architectures
from tests.worker.core.networks import (
    CLASSES,
    EXAMPLES,
    PLAIN,
    TRACED,
    assert_same_outputs,
    counted_macs,
    counted_params,
    each_kind_first,
    enliven,
    kept_counts,
    random_mask,
)

SIZE = 32
TORCHVISION = [name for name in TRACED if hasattr(models, name)]
LIBRARY = [name for name in TRACED if name == "timm"]
every_network = pytest.mark.parametrize("name", each_kind_first(TRACED))
DEEPER = ("vgg13_bn", "vgg16_bn", "vgg19_bn", "resnet34", "resnet101")
"""More layers of the same kinds as another network has."""
SOME = [name for name in EXAMPLES if name not in PLAIN]
some_networks = pytest.mark.parametrize("name", SOME)


def dense(name: str, in_channels: int = 3, **params: str) -> tuple[Architecture, Config]:
    architecture = architectures()[name]
    return architecture, architecture.config(in_channels, CLASSES, SIZE, params)


def shape_of(model: nn.Module, norms: dict[str, str], in_channels: int = 3) -> NetworkShape:
    return network_shape(
        model,
        architecture="x",
        norms=norms,
        input_shape=(in_channels, SIZE, SIZE),
        classes=CLASSES,
        scale="bounded",
    )


@pytest.mark.parametrize("name", each_kind_first(name for name in TRACED if name not in DEEPER))
def test_cost_is_what_torch_counts_of_the_dense_and_of_the_rebuilt_cut_network(name):
    architecture, config = dense(name)
    model = architecture.build(config)
    bound(model, list(config["norms"].values()))
    shape = shape_of(model, config["norms"])
    image = torch.zeros(1, 3, SIZE, SIZE)
    original = architecture.build(config).eval()
    assert dense_cost(shape) == Cost(counted_params(original), counted_macs(original, image))
    kept = kept_counts(shape, random_mask(shape, np.random.default_rng(0)))
    small = architecture.build(
        architecture.cut_config(config, dict(zip(config["norms"], kept, strict=True)))
    ).eval()
    assert cost(shape, kept) == Cost(counted_params(small), counted_macs(small, image))


@pytest.mark.parametrize("name", each_kind_first(TORCHVISION))
def test_it_has_the_parameters_of_torchvision_at_every_size(name):
    architecture, config = dense(name)
    theirs = models.get_model(name, weights=None, num_classes=CLASSES).to("meta").eval()
    ours = architecture.build(config).to("meta").eval()
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (ours, theirs)]
    assert shapes[0] == shapes[1]
    for size in (architecture.info.min_image, 47, 224, architecture.info.max_image):
        images = torch.zeros(2, 3, size, size, device="meta")
        with torch.no_grad():
            assert ours(images).shape == (2, CLASSES)


# From torchvision's own table of models: parameters and multiply-adds at 224 pixels.
PUBLISHED = {
    "vgg16_bn": (138_365_992, 15.47),
    "resnet18": (11_689_512, 1.814),
    "mobilenet_v2": (3_504_872, 0.301),
    "regnet_y_400mf": (4_344_144, 0.402),
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_sizes_on_imagenet(name):
    params, giga_macs = PUBLISHED[name]
    architecture = architectures()[name]
    config = architecture.config(3, 1000, 224, {})
    shape = network_shape(
        architecture.build(config),
        architecture=name,
        norms=config["norms"],
        input_shape=(3, 224, 224),
        classes=1000,
        scale="plain",
    )
    assert dense_cost(shape).params == params
    assert dense_cost(shape).macs / 1e9 == pytest.approx(giga_macs, abs=6e-3)


LONG = ("efficientnet_b0", "densenet121")


@pytest.mark.parametrize(
    "name", [*each_kind_first(SOME), *(pytest.param(n, marks=pytest.mark.thorough) for n in LONG)]
)
def test_the_source_builds_the_cut_network_which_computes_what_the_masked_one_does(name):
    in_channels = 1
    architecture, config = dense(name, in_channels)
    norms = architecture.norms(config)
    model = architecture.build(config)
    bound(model, list(norms.values()))
    images = torch.randn(3, in_channels, SIZE, SIZE, dtype=torch.float64)
    enliven(model.double(), images)
    shape = shape_of(model, norms, in_channels)
    surgeon = Surgeon(model, shape, norms)
    mask = random_mask(shape, np.random.default_rng(1))
    small = surgeon.cut(mask)
    assert_same_outputs(small, surgeon.masked(mask), images, least=1.0)
    kept = dict(zip(norms, kept_counts(shape, mask), strict=True))
    before = json.dumps(config)
    cut_config = architecture.cut_config(config, kept)
    assert json.dumps(config) == before
    source = architecture.source(json.loads(json.dumps(cut_config)))
    namespace: dict = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)  # the text is our own
    for rebuilt in (namespace["build"](), architecture.build(cut_config)):
        rebuilt.double().load_state_dict(small.state_dict(), strict=True)
        assert max_difference(rebuilt.eval(), small, images) == 0.0
    assert max(len(line) for line in source.splitlines()) <= 99
    assert name in source


@pytest.mark.parametrize(
    "name", ["vgg11_bn", pytest.param("resnet50", marks=pytest.mark.thorough)]
)
def test_a_heavy_network_is_cut_as_it_is_masked(name):
    architecture, config = dense(name)
    model = architecture.build(config)
    images = torch.randn(2, 3, SIZE, SIZE)
    enliven(model, images)
    shape = shape_of(model, config["norms"])
    surgeon = Surgeon(model, shape, config["norms"])
    mask = random_mask(shape, np.random.default_rng(1))
    assert_same_outputs(surgeon.cut(mask), surgeon.masked(mask), images, tolerance=1e-4)


@some_networks
def test_a_cut_network_can_be_cut_again(name):
    architecture, config = dense(name)
    kept = dict.fromkeys(config["norms"], 4)
    once = architecture.cut_config(config, kept)
    shape = shape_of(architecture.build(once), architecture.norms(once))
    assert set(shape.sizes) == {4}
    twice = architecture.cut_config(once, dict.fromkeys(kept, 3))
    assert twice == architecture.cut_config(config, dict.fromkeys(kept, 3))


def test_only_inner_channels_of_residual_blocks_are_cut():
    _, config = dense("resnet18")
    assert config["norms"] == {
        f"layer{stage}.{block}.conv1": f"layer{stage}.{block}.bn1"
        for stage in (1, 2, 3, 4)
        for block in (0, 1)
    }


def test_grouped_convolutions_are_cut_by_whole_groups():
    architecture, config = dense("regnet_y_400mf")
    shape = shape_of(architecture.build(config), config["norms"])
    sizes = {g.name: g.size for g in shape.groups}
    assert sizes["trunk_output.block4.block4-0.f.a.0"] == 440 // 8


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("model", ["mobilenetv3_small_050", "regnety_002"])
def test_norms_with_activations_inside_are_bounded_and_given_back(name, model):
    architecture, config = dense(name, model=model)
    network = architecture.build(config)
    bound(network, list(config["norms"].values()))
    images = torch.randn(3, 3, SIZE, SIZE, dtype=torch.float64)
    enliven(network.double(), images)
    shape = shape_of(network, config["norms"])
    surgeon = Surgeon(network, shape, config["norms"])
    everything = np.ones(shape.n_neurons, dtype=np.bool_)
    assert max_difference(surgeon.cut(everything), network, images) == 0.0
    mask = random_mask(shape, np.random.default_rng(2))
    small = surgeon.cut(mask)
    assert_same_outputs(small, surgeon.masked(mask), images, least=1.0)
    original = architecture.build(config)
    assert {type(m) for m in small.modules()} == {type(m) for m in original.modules()}


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("vit_tiny_patch16_224", "no BatchNorm2d"),
        ("swin_tiny_patch4_window7_224", "no BatchNorm2d"),
        ("repvgg_a0", "Nothing of this network can be cut alone: shortcuts join all"),
        ("convnext_atto", r"convnext_atto \(timm\) cannot be used\. .* normalises by"),
    ],
)
def test_what_cannot_be_pruned_is_refused_with_the_reason(name, model, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        dense(name, model=model)
    assert caught.value.field in ("architecture", "prunable")


@pytest.mark.parametrize("name", LIBRARY)
def test_an_unknown_model_is_refused_at_its_field(name):
    with pytest.raises(UnknownName, match="resnet-18") as caught:
        dense(name, model="resnet-18")
    assert caught.value.field == "architecture_params.model"


@every_network
def test_images_out_of_bounds_are_refused(name):
    architecture = architectures()[name]
    for size in (architecture.info.min_image - 1, architecture.info.max_image + 1):
        with pytest.raises(InvalidInput, match="pixels"):
            architecture.config(3, 10, size, {})


@some_networks
def test_the_source_needs_torch_alone(name):
    architecture, config = dense(name)
    names = set()
    for node in ast.walk(ast.parse(architecture.source(config))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module)
    assert {one.partition(".")[0] for one in names} - sys.stdlib_module_names == {"torch"}
