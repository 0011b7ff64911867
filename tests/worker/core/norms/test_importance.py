"""Raw scales: the parameters themselves to train on, and copies of them to store."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from recede_worker.core.norms.bounded import bound
from recede_worker.core.norms.importance import (
    concatenated,
    raw_scales,
    scale_parameters,
)
from tests.worker.core.networks import network


def test_gradients_of_the_concatenation_reach_every_scale():
    model, shape, norms, _ = network("vgg11", "bounded")
    params = scale_parameters(model, list(norms.values()))
    raw = concatenated(params)
    raw.sum().backward()
    assert raw.shape == (shape.n_neurons,)
    assert all(p.grad is not None and (p.grad == 1).all() for p in params)


def test_a_snapshot_is_a_float32_copy_in_network_order():
    model, shape, norms, _ = network("vgg11", "plain", torch.float64)
    snapshot = raw_scales(model, list(norms.values()))
    assert snapshot.dtype == np.float32
    for part, name in zip(shape.split(snapshot), norms.values(), strict=True):
        weight = model.get_submodule(name).weight.detach()
        assert np.array_equal(part, weight.float().numpy())


def test_a_snapshot_of_a_single_norm_does_not_follow_the_training():
    model, _, norms, _ = network("vgg11", "bounded")
    name = next(iter(norms.values()))
    snapshot = raw_scales(model, [name])
    before = snapshot.copy()
    with torch.no_grad():
        model.get_submodule(name).weight.add_(1)
    assert np.array_equal(snapshot, before)


def two_norms(bounded: bool, first: list[float], second: list[float]) -> nn.Sequential:
    model = nn.Sequential(nn.BatchNorm2d(len(first)), nn.BatchNorm2d(len(second)))
    if bounded:
        bound(model, ["0", "1"])
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(first))
        model[1].weight.copy_(torch.tensor(second))
    return model


def test_a_unit_of_several_plain_channels_has_their_root_mean_square_so_that_no_signs_cancel():
    model = two_norms(False, [1.0, 7.0, 0.0, 0.0, -2.0, 2.0], [5.0, -7.0])
    raw = raw_scales(model, ["0", "1"], [3, 2])
    np.testing.assert_allclose(raw, [5.0, 0.0, 2.0, 5.0, -7.0], rtol=1e-6)


def test_a_unit_of_several_bounded_norms_has_the_root_mean_square_of_their_odds():
    w = np.array([[0.5, -1.0, -30.0], [-2.0, 3.0, -40.0]])
    raw = raw_scales(two_norms(True, *w.tolist()), [("0", "1")], [3])
    odds = np.exp(raw.astype(np.float64))
    np.testing.assert_allclose(odds**2, np.mean(np.exp(2 * w), axis=0), rtol=1e-5)
    assert (odds <= np.exp(w).max(axis=0) * (1 + 1e-6)).all()
    assert (np.exp(w).max(axis=0) <= np.sqrt(2) * odds * (1 + 1e-6)).all()


@pytest.mark.parametrize("bounded", [False, True])
def test_a_unit_is_weak_only_if_all_its_members_are(bounded):
    weak, strong = (-9.0, 5.0) if bounded else (1e-4, 1.0)
    model = two_norms(bounded, [weak, weak, strong], [weak, strong, strong])
    raw = np.abs(raw_scales(model, [("0", "1")], [3]) - weak)
    assert raw[0] < 1e-5
    assert (raw[1:] > 0.6 * abs(strong - weak)).all()


@pytest.mark.parametrize("bounded", [False, True])
def test_a_penalty_draws_each_equal_member_as_hard_as_a_single_neuron(bounded):
    model = two_norms(bounded, [1.5] * 4, [1.5] * 2)
    scales = scale_parameters(model, ["0", ("1",)], [2, 2])
    raw = concatenated(scales)
    assert raw.tolist() == pytest.approx([1.5] * 6)
    raw.sum().backward()
    assert model[0].weight.grad.tolist() == pytest.approx([1.0] * 4)
    assert model[1].weight.grad.tolist() == [1.0] * 2


@pytest.mark.parametrize("bounded", [False, True])
def test_gradients_are_finite_where_all_members_are_at_their_end(bounded):
    end = -1e30 if bounded else 0.0
    model = two_norms(bounded, [end] * 2, [end] * 2)
    raw = concatenated(scale_parameters(model, [("0", "1")], [2]))
    raw.sum().backward()
    assert torch.isfinite(raw).all()
    assert torch.isfinite(model[0].weight.grad).all()
