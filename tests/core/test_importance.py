"""Raw scales: the parameters themselves to train on, and copies of them to store."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tests.core.networks import network
from worker.core.importance import concatenated, raw_scales, scale_parameters


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


def test_a_unit_of_several_channels_has_the_mean_of_their_scales():
    model = nn.Sequential(nn.BatchNorm2d(6), nn.BatchNorm2d(2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, 3.0, 0.0, 1.0, -2.0, 2.0]))
        model[1].weight.copy_(torch.tensor([5.0, 7.0]))
    assert raw_scales(model, ["0", "1"], [3, 2]).tolist() == [2.0, 0.5, 0.0, 5.0, 7.0]
    concatenated(scale_parameters(model, ["0", "1"], [3, 2])).sum().backward()
    assert model[0].weight.grad.tolist() == [0.5] * 6
    assert model[1].weight.grad.tolist() == [1.0] * 2
