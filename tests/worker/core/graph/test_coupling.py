"""Channels that sums join shrink together, scaled by the norms of all branches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.discover import find_prunable, prunable_norms
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.bounded import BoundedBatchNorm2d, bound
from recede_worker.core.norms.importance import raw_scales
from recede_worker.core.norms.scaling import (
    Norms,
    all_names,
    names_of,
)
from tests.worker.core import joints
from tests.worker.core.networks import (
    assert_cuts_are_exact,
    assert_same_outputs,
    enliven,
    random_mask,
)

IMAGE = (3, 8, 8)
JOINED = [
    (joints.Residual, {"stem.0": ("stem.1", "norm"), "inner.0": "inner.1"}),
    (joints.Before, {"stem": ("norm1", "norm2"), "inner.0": "inner.1"}),
    (joints.Parallel, {"stem.0": ("stem.1", "norm1", "norm2", "norm3")}),
]
every_joint = pytest.mark.parametrize(("kind", "norms"), JOINED, ids=lambda v: str(v)[-20:])
SAME_IN_BOTH = [
    *(joints.Gated, joints.Grouped, joints.Branches, joints.Padded, joints.Mixed),
    *(joints.Shuffled, joints.Fixed),
]


def shape_of(model: nn.Module, norms: Norms, scale: str = "bounded") -> NetworkShape:
    return network_shape(
        model, architecture="toy", norms=norms, input_shape=IMAGE, classes=5, scale=scale
    )


def lively(kind: type[nn.Module], norms: Norms, scale: str) -> tuple[nn.Module, torch.Tensor]:
    model = kind().double()
    if scale == "bounded":
        bound(model, all_names(norms.values()))
    images = torch.randn(8, *IMAGE, dtype=torch.float64)
    return enliven(model, images), images


@every_joint
def test_the_norms_of_all_branches_scale_a_joined_group(kind, norms):
    assert prunable_norms(kind(), IMAGE, 5, prunable="all") == norms


@every_joint
def test_the_members_of_a_joined_group_are_named_in_its_shape(kind, norms):
    shape = shape_of(kind(), norms, "plain")
    for group, norm in zip(shape.groups, norms.values(), strict=True):
        assert bool(group.members) == (not isinstance(norm, str))
    assert len(shape.groups[0].members) > 1
    assert shape.groups[0].members[0] == shape.groups[0].name
    assert NetworkShape.model_validate_json(shape.model_dump_json()) == shape


@every_joint
@pytest.mark.parametrize("scale", ["bounded", "plain"])
def test_cut_and_masked_are_one_function_of_the_predicted_cost(kind, norms, scale):
    model, images = lively(kind, norms, scale)
    shape = shape_of(model, norms, scale)
    assert_cuts_are_exact(Surgeon(model, shape, norms), shape, images, times=4)


@every_joint
def test_a_unit_without_importance_in_all_its_norms_can_go_unnoticed(kind, norms):
    model, images = lively(kind, norms, "bounded")
    shape = shape_of(model, norms)
    mask = random_mask(shape, np.random.default_rng(1))
    with torch.no_grad():
        for norm, keep in zip(norms.values(), shape.split(mask), strict=True):
            for name in names_of(norm):
                model.get_submodule(name).weight[torch.from_numpy(~keep)] = -1e4
    assert_same_outputs(Surgeon(model, shape, norms).cut(mask), model, images, 1e-10, least=1.0)
    raw = raw_scales(model, list(norms.values()), shape.sizes)
    assert (raw[~mask] < -1e3).all()
    assert (raw[mask] > -1e2).all()


@pytest.mark.parametrize(("kind", "norms"), JOINED[:2], ids=["after", "before"])
def test_all_norms_of_a_group_are_bounded_and_none_of_them_is_spare(kind, norms):
    model, images = lively(kind, norms, "bounded")
    group = names_of(norms[next(iter(norms))])
    assert all(isinstance(model.get_submodule(name), BoundedBatchNorm2d) for name in group)
    shape = shape_of(model, norms)
    mask = np.ones(shape.n_neurons, dtype=np.bool_)
    mask[0] = False
    surgeon = Surgeon(model, shape, norms)
    for spared in group:
        half, _ = lively(kind, norms, "bounded")
        half.load_state_dict(model.state_dict())
        with torch.no_grad():
            for name in set(group) - {spared}:
                half.get_submodule(name).weight[0] = -1e4
        assert max_difference(surgeon.cut(mask), half, images) > 1e-6


@pytest.mark.parametrize("kind", SAME_IN_BOTH)
def test_where_no_sum_can_shrink_both_scopes_have_the_same_groups(kind):
    inner = prunable_norms(kind(), IMAGE, 5)
    assert inner == prunable_norms(kind(), IMAGE, 5, prunable="all")
    assert all(isinstance(norm, str) for norm in inner.values())


@pytest.mark.parametrize(
    ("kind", "left", "words"),
    [
        (joints.Branches, ["left.0", "second.0"], "'after' joins these channels with others"),
        (joints.Padded, ["stem.0"], "back and stem.0 are joined, but differ in width"),
        (joints.Gated, ["squeeze"], "no batch norm scales these channels"),
    ],
)
def test_what_is_left_out_has_a_reason(kind, left, words):
    found = find_prunable(kind(), IMAGE, 5)
    assert set(left) <= set(found.left_out)
    for name in left:
        assert words in found.left_out[name]


def test_a_network_of_joined_channels_alone_says_which_scope_takes_it():
    model = joints.Parallel()
    with pytest.raises(InvalidInput, match="cut alone: shortcuts join") as caught:
        prunable_norms(model, IMAGE, 5)
    assert caught.value.field == "prunable"
    assert "all" in caught.value.hint
