"""The network of a spec: its scope, its groups and what the job's log says of them."""

from __future__ import annotations

import re

import pytest
import torch

from recede.contract.network.pixels import Normalize
from recede.contract.spec.run import RunSpec
from recede_worker.core.graph.coupling import couplings
from recede_worker.core.graph.trace import trace
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.importance import (
    concatenated,
    raw_scales,
    scale_parameters,
)
from recede_worker.engine.inputs import load
from recede_worker.engine.inputs.load import (
    Network,
    load_data,
    network_for,
    scope_sentence,
)
from recede_worker.engine.job.settings import WorkerSettings
from tests.worker.engine.claimed_job import SMALL

IMAGES, CLASSES = (3, 32, 32), 10


def made(architecture: str, prunable: str, method: str = "rni") -> tuple[RunSpec, Network]:
    changes = {
        "architecture": architecture,
        "architecture_params": {},
        "method": method,
        "method_params": {},
        "prunable": prunable,
    }
    spec = SMALL.model_copy(update=changes)
    return spec, network_for(spec, IMAGES, CLASSES)


@pytest.mark.parametrize("scale", ["bounded", "gate", "plain"])
def test_a_network_is_traced_once_whatever_scales_its_channels(scale, monkeypatch):
    traced = []
    monkeypatch.setattr(load, "_traces", {})
    monkeypatch.setattr(load, "trace", lambda *its: traced.append(its) or trace(*its))
    method = "l1" if scale == "plain" else "rni"
    spec = made("resnet20", "inner", method)[0].model_copy(
        update={"scale": "auto" if scale == "plain" else scale}
    )
    network = network_for(spec, IMAGES, CLASSES)
    assert network_for(spec, IMAGES, CLASSES).traced is network.traced
    dense = network.architecture.build(network.config)
    own = trace(dense, IMAGES)
    assert network.traced.macs == own.macs
    norms = network.norms
    found, wanted = (couplings(one, dense, norms) for one in (network.traced, own))
    assert repr(found) == repr(wanted)
    assert len(traced) == 1
    narrow = network_for(spec, IMAGES, CLASSES, {conv: 5 for conv in norms})
    assert narrow.traced.macs < own.macs
    assert len(traced) == 2
    for depth in range(2, 2 + load.MOST_TRACES):
        network_for(spec, IMAGES, CLASSES, {conv: depth for conv in norms})
    assert len(load._traces) == load.MOST_TRACES


@pytest.mark.parametrize("method", ["rni", "l1"])
def test_all_norms_of_a_coupled_group_are_trained_as_one_importance(method):
    _, network = made("resnet18", "all", method)
    norms = list(network.norms.values())
    bounded = {n for n, m in network.model.named_modules() if isinstance(m, BoundedBatchNorm2d)}
    every = {name for norm in norms for name in ((norm,) if isinstance(norm, str) else norm)}
    assert bounded == (every if method == "rni" else set())
    assert len(every) == 20, "resnet18 has no batch norm outside of a group"
    scales = scale_parameters(network.model, norms, network.shape.sizes)
    raw = concatenated(scales)
    assert raw.numel() == sum(scale.numel() for scale in scales)
    raw.square().sum().backward()
    assert all(scale.grad is not None and scale.grad.any() for scale in scales)
    snapshot = raw_scales(network.model, norms, network.shape.sizes)
    assert snapshot.shape == (network.shape.n_neurons,)


def test_images_are_normalised_by_the_numbers_of_the_spec_or_by_their_own(tmp_path):
    settings = WorkerSettings("", tmp_path, (tmp_path,), threads=1)
    given = SMALL.model_copy(update={"normalize": Normalize(mean=(0.5,), std=(0.25,))})
    for spec in (SMALL, SMALL.model_copy(update={"normalize": "images"}), given):
        data = load_data(spec, settings, lambda *_: None)
        pixels = data.train.head(len(data.train))
        x = data.normalise.apply(pixels)
        if spec is given:
            assert torch.allclose(x, (pixels / 255 - 0.5) / 0.25, atol=1e-5)
        else:
            assert x.mean().abs() < 0.05  # of what a split leaves of all training images
            assert (x.std() - 1).abs() < 0.05


def test_the_log_says_what_shrinks_together_and_what_is_left_out():
    assert scope_sentence(*made("resnet18", "all")).startswith(
        "12 prunable layers, 4 of them coupled: shortcuts join 12 layers in them; 99.9 % of the"
    )
    assert scope_sentence(*made("resnet18", "inner")).startswith("8 prunable layers; 98.3 % of")
    said = scope_sentence(*made("densenet121", "all"))
    assert "no shortcut of this network can shrink" in said
    assert "left out: features.conv0: 'features.denseblock1.denselayer2.norm1' joins" in said


def test_the_log_says_how_much_of_the_network_each_scope_reaches():
    inner, every = (scope_sentence(*made("resnet18", scope)) for scope in ("inner", "all"))
    share = re.compile(r"[\d.]+ % of the parameters and [\d.]+ % of the multiply-adds")
    assert share.findall(inner) == share.findall(every)[::-1]
    assert "(with the scope 'all': " in inner
    assert "(with the scope 'inner': " in every
    assert len(share.findall(scope_sentence(*made("vgg11", "inner")))) == 1


@pytest.mark.parametrize("architecture", ["vgg11", "resnet20"])
def test_networks_without_such_shortcuts_are_the_same_in_both_scopes(architecture):
    (spec, every), (_, inner) = made(architecture, "all"), made(architecture, "inner")
    assert every.shape == inner.shape
    assert every.norms == inner.norms
    assert "all are the inner ones" in scope_sentence(spec, every)


def test_layers_that_stay_whole_are_drawn_from_the_seed_too(tmp_path):
    path = tmp_path / "seeded_nets.py"
    path.write_text(
        "from torch import nn\n\n\n"
        "def build(channels, classes, size):\n"
        "    body = [nn.Conv2d(channels, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 3)]\n"
        "    return nn.Sequential(*body, nn.Flatten(2), nn.Conv1d(4, 4, 1), nn.Flatten(),\n"
        "                         nn.Linear(4 * (size - 4) ** 2, classes))\n\n\n"
        'NETWORKS = {"seeded": build}\n'
    )
    drawn = []
    for seed in (0, 0, 1):
        torch.rand(3)
        spec = SMALL.model_copy(
            update={"architecture": "seeded", "architecture_params": {}, "seed": seed}
        )
        model = network_for(spec, IMAGES, CLASSES, own_networks=(path,)).model
        drawn.append(model.get_submodule("4").weight)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_a_network_cut_in_the_scope_all_is_built_with_its_widths():
    spec, network = made("resnet18", "all")
    widths = {group.name: max(3, group.size // 4) for group in network.shape.groups}
    small = network_for(spec, IMAGES, CLASSES, widths)
    assert {group.name: group.size for group in small.shape.groups} == widths
    assert [g.members for g in small.shape.groups] == [g.members for g in network.shape.groups]
    with torch.no_grad():
        assert small.model.eval()(torch.zeros(2, *IMAGES)).shape == (2, CLASSES)
