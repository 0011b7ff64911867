"""What every criterion must do: one finite score a unit, the same each time, nothing altered."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import IMPORTANCE
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.importance import raw_scales
from recede_worker.criteria.base import Scored, groups_of
from recede_worker.plugins.registry import architectures, criteria
from tests.worker.core.networks import (
    CLASSES,
    image_size,
    narrow_config,
    network,
)

CRITERIA = list(criteria().values())
every_criterion = pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.name)
NETWORKS = [
    ("vgg11", "plain"),
    ("resnet20", "bounded"),
    ("mobilenet_v2", "plain"),
    ("regnet_y_400mf", "plain"),
]
"""A chain, shortcuts, depthwise convolutions, and units of several channels behind gates."""
every_network = pytest.mark.parametrize(("name", "scale"), NETWORKS)
every_scale = pytest.mark.parametrize("scale", ["bounded", "plain"])


@lru_cache(maxsize=8)
def scored(name: str, scale: str) -> tuple[Scored, NetworkShape]:
    """A lively network as a criterion sees it."""
    model, shape, norms, images_NCHW = network(name, scale)
    return _scored(model, shape, norms, images_NCHW), shape


def _scored(model, shape, norms, images_NCHW) -> Scored:
    labels_N = torch.arange(len(images_NCHW)) % shape.classes
    folded = fold(model).eval()
    return Scored(
        model=folded,
        groups=groups_of(folded, list(Surgeon(model, shape, norms).groups), norms),
        raw_N=raw_scales(model, list(norms.values()), shape.sizes),
        batches=lambda: iter([(images_NCHW[:2], labels_N[:2]), (images_NCHW[2:], labels_N[2:])]),
        device=torch.device("cpu"),
        seed=3,
    )


def of(name: str, given: Scored) -> np.ndarray:
    return criteria()[name].scores(given)


@every_criterion
@every_network
def test_there_is_one_finite_score_a_unit_and_the_same_again(criterion, name, scale):
    given, shape = scored(name, scale)
    first = criterion.scores(given)
    assert first.shape == (shape.n_neurons,)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.unique(first).size > shape.n_neurons / 2
    np.testing.assert_array_equal(first, criterion.scores(given))


@every_criterion
def test_the_model_is_left_as_it_was(criterion):
    given, _ = scored("vgg11", "plain")
    before = {name: tensor.clone() for name, tensor in given.model.state_dict().items()}
    wanted = [parameter.requires_grad for parameter in given.model.parameters()]
    raw = given.raw_N.copy()
    criterion.scores(given)
    assert not given.model.training
    assert [parameter.requires_grad for parameter in given.model.parameters()] == wanted
    assert all(parameter.grad is None for parameter in given.model.parameters())
    np.testing.assert_array_equal(raw, given.raw_N)
    for name, tensor in given.model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_the_methods_own_importance_comes_first_and_is_the_snapshot():
    assert next(iter(criteria())) == IMPORTANCE
    given, _ = scored("vgg11", "bounded")
    np.testing.assert_array_equal(of(IMPORTANCE, given), given.raw_N)


@every_scale
def test_the_batch_norm_scale_ranks_single_channels_as_their_importance_does(scale):
    given, _ = scored("vgg11", scale)
    importance = 1 / (1 + np.exp(-given.raw_N.astype(np.float64)))
    wanted = importance if scale == "bounded" else np.abs(given.raw_N)
    np.testing.assert_allclose(of("bn_scale", given), wanted, rtol=1e-5)


def test_filter_norms_are_those_of_the_convolutions_weights():
    given, shape = scored("vgg11", "plain")
    lengths = {"l1_filters": 1, "l2_filters": 2}
    for name, order in lengths.items():
        wanted = [
            torch.linalg.vector_norm(
                given.model.get_submodule(group.name).weight.detach().flatten(1), order, dim=1
            )
            for group in shape.groups
        ]
        np.testing.assert_allclose(of(name, given), torch.cat(wanted).numpy(), rtol=1e-5)


def test_a_unit_of_several_filters_has_their_mean():
    given, shape = scored("regnet_y_400mf", "plain")
    group = next(group for group in given.groups if len(group.filters[0].units_K) > group.size)
    first = sum(shape.sizes[: given.groups.index(group)])
    filters = [
        given.model.get_submodule(part.name).weight.detach().abs().flatten(1).sum(1).numpy()
        for part in group.filters
    ]
    units = np.concatenate([part.units_K for part in group.filters])
    wanted = [np.concatenate(filters)[units == unit].mean() for unit in range(group.size)]
    found = of("l1_filters", given)[first : first + group.size]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_control_depends_on_the_seed_alone():
    given, _ = scored("vgg11", "plain")
    other = dataclasses.replace(given, raw_N=-given.raw_N)
    np.testing.assert_array_equal(of("random", given), of("random", other))
    reseeded = dataclasses.replace(given, seed=4)
    assert (of("random", given) != of("random", reseeded)).all()


class Gated(nn.Module):
    """Multiplies the channels of a batch norm by numbers that can be differentiated."""

    def __init__(self, norm: nn.Module, size: int) -> None:
        super().__init__()
        self.norm, self.gate_C = norm, nn.Parameter(torch.ones(size))

    def forward(self, x_NCHW):
        return self.norm(x_NCHW) * self.gate_C.view(1, -1, 1, 1)


@every_scale
def test_taylor_is_the_derivative_of_the_loss_by_a_gate_on_each_channel(scale):
    given, shape = scored("vgg11", scale)
    gated = fold(given.model).eval()
    gates = []
    for group in given.groups:
        (part,) = group.norms
        parent, _, leaf = part.name.rpartition(".")
        gate = Gated(gated.get_submodule(part.name), group.size)
        setattr(gated.get_submodule(parent), leaf, gate)
        gates.append(gate.gate_C)
    squares = torch.zeros(shape.n_neurons)
    for x_NCHW, y_N in given.batches():
        loss = functional.cross_entropy(gated(x_NCHW), y_N)
        squares += torch.cat(torch.autograd.grad(loss, gates)).square()
    np.testing.assert_allclose(of("taylor", given), (squares / 2).sqrt(), rtol=2e-3, atol=1e-7)


def test_a_channel_that_sends_nothing_has_no_taylor_score():
    given, _ = scored("vgg11", "plain")
    silent = fold(given.model).eval()
    norm = silent.get_submodule(given.groups[0].norms[0].name)
    with torch.no_grad():
        norm.weight[1] = norm.bias[1] = 0
    found = of("taylor", dataclasses.replace(given, model=silent))
    assert found[1] == 0
    assert found[0] > 0


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.name)
def test_channels_that_a_shortcut_joins_are_scored_as_one(criterion):
    architecture = architectures()["resnet18"]
    config = architecture.reaching(narrow_config(architecture), "all")
    norms = architecture.norms(config)
    assert any(not isinstance(norm, str) for norm in norms.values())
    model = architecture.build(config)
    size = image_size(architecture)
    shape = network_shape(
        model,
        architecture="resnet18",
        norms=norms,
        input_shape=(3, size, size),
        classes=CLASSES,
        scale="plain",
    )
    images_NCHW = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0))
    given = _scored(model.eval(), shape, norms, images_NCHW)
    coupled = [group for group in given.groups if len(group.norms) > 1]
    assert coupled
    assert all(len(group.filters) == len(group.norms) for group in coupled)
    found = criterion.scores(given)
    assert found.shape == (shape.n_neurons,)
    assert np.isfinite(found).all()
