"""What every network of ours must do: build, be cut, and hand itself out as plain PyTorch.

Networks of other people's code: test_traced.py.
"""

from __future__ import annotations

import ast
import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.cost import Cost, dense_cost
from recede_worker.core.cutting.surgery import max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.plugins.registry import architectures
from tests.worker.core.networks import (
    CLASSES,
    PLAIN,
    each_kind_first,
    kept_counts,
    narrow_config,
    network,
    random_mask,
    surgeon_of,
)

every_architecture = pytest.mark.parametrize("name", PLAIN)
each_kind = pytest.mark.parametrize(
    "name", each_kind_first(["vgg11", "vgg19", "resnet20", "resnet56"])
)
"""The others have more or fewer layers of the same kinds."""


def run_source(source: str) -> dict:
    namespace = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)  # the text is our own
    return namespace


@every_architecture
def test_it_takes_images_from_its_smallest_to_its_largest(name):
    architecture = architectures()[name]
    for size in (architecture.info.min_image, 28, 32, architecture.info.max_image):
        for in_channels, classes in ((1, 2), (3, 100)):
            config = architecture.config(in_channels, classes, size, width_of(architecture))
            model = architecture.build(config).eval()
            with torch.no_grad():
                scores = model(torch.zeros(2, in_channels, size, size))
            assert scores.shape == (2, classes)


def width_of(architecture):
    """The least width, where there is one."""
    return {s.name: s.minimum for s in architecture.info.params if s.name == "width"}


@every_architecture
def test_images_out_of_bounds_and_unknown_parameters_are_refused(name):
    architecture = architectures()[name]
    with pytest.raises(InvalidInput, match="pixels"):
        architecture.config(3, 10, architecture.info.max_image + 1, {})
    with pytest.raises(InvalidInput, match="pixels"):
        architecture.config(3, 10, architecture.info.min_image - 1, {})
    with pytest.raises(UnknownName):
        architecture.config(3, 10, 32, {"colour": "red"})


@every_architecture
def test_the_configuration_is_json_and_builds_the_same_network(name):
    architecture = architectures()[name]
    config = narrow_config(architecture)
    again = json.loads(json.dumps(config))
    assert again == config
    shapes = [
        {key: value.shape for key, value in architecture.build(c).state_dict().items()}
        for c in (config, again)
    ]
    assert shapes[0] == shapes[1]


@every_architecture
def test_norms_name_convolutions_and_their_batch_norms(name):
    architecture = architectures()[name]
    config = narrow_config(architecture)
    model = architecture.build(config)
    norms = architecture.norms(config)
    assert norms
    for conv, norm in norms.items():
        width = model.get_submodule(conv).out_channels
        assert isinstance(model.get_submodule(norm), nn.BatchNorm2d)
        assert model.get_submodule(norm).num_features == width


@every_architecture
def test_every_layer_has_three_channels_at_the_least_width(name):
    architecture = architectures()[name]
    config = architecture.config(3, CLASSES, 32, width_of(architecture))
    widths = [
        m.out_channels for m in architecture.build(config).modules() if hasattr(m, "out_channels")
    ]
    assert min(widths) >= 3


@each_kind
def test_a_network_built_from_the_cut_configuration_is_the_cut_network(name):
    architecture = architectures()[name]
    model, shape, norms, images = network(name, "bounded")
    surgeon = surgeon_of(model, shape, norms)
    mask = random_mask(shape, np.random.default_rng(5))
    small = surgeon.cut(mask)
    kept = dict(zip(norms, kept_counts(shape, mask), strict=True))
    config = json.loads(json.dumps(architecture.cut_config(narrow_config(architecture), kept)))
    rebuilt = architecture.build(config)
    rebuilt.load_state_dict(small.state_dict(), strict=True)
    assert max_difference(rebuilt.eval(), small, images) == 0.0


@each_kind
def test_the_source_needs_torch_alone_and_builds_the_cut_network(name):
    architecture = architectures()[name]
    model, shape, norms, images = network(name, "plain")
    mask = random_mask(shape, np.random.default_rng(6))
    small = surgeon_of(model, shape, norms).cut(mask)
    kept = dict(zip(norms, kept_counts(shape, mask), strict=True))
    source = architecture.source(architecture.cut_config(narrow_config(architecture), kept))
    built = run_source(source)["build"]()
    built.load_state_dict(small.state_dict(), strict=True)
    assert max_difference(built.eval(), small, images) == 0.0
    assert imported(source) - sys.stdlib_module_names == {"torch"}
    assert "network = load(" in ast.get_docstring(ast.parse(source))
    assert max(len(line) for line in source.splitlines()) <= 99


def imported(source: str) -> set[str]:
    """Top-level packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


@every_architecture
def test_cut_config_leaves_the_given_one_alone(name):
    architecture = architectures()[name]
    config = narrow_config(architecture)
    before = json.dumps(config)
    architecture.cut_config(config, dict.fromkeys(architecture.norms(config), 3))
    assert json.dumps(config) == before


@pytest.mark.parametrize(
    ("name", "params", "macs", "neurons"),
    [
        ("vgg16", 14_728_266, 313_201_664, 4_224),
        ("resnet56", 853_018, 125_485_696, 1_008),
    ],
)
def test_published_sizes_on_cifar_10(name, params, macs, neurons):
    architecture = architectures()[name]
    config = architecture.config(3, 10, 32, {})
    shape = network_shape(
        architecture.build(config),
        architecture=name,
        norms=architecture.norms(config),
        input_shape=(3, 32, 32),
        classes=10,
        scale="plain",
    )
    assert dense_cost(shape) == Cost(params, macs)
    assert shape.n_neurons == neurons


@pytest.mark.parametrize("name", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_vgg_has_the_layers_and_names_of_torchvision(name):
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, f"{name}_bn")().features.state_dict()
        architecture = architectures()[name]
        ours = architecture.build(architecture.config(3, 10, 32, {})).features.state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
