"""Folding a bounded batch norm away changes nothing at all."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from recede_worker.core.cutting.surgery import max_difference
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.fold import fold
from tests.worker.core.networks import EXAMPLES, each_kind_first, network


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_folding_has_an_error_of_exactly_zero(name, dtype):
    model, _, _, images = network(name, "bounded", dtype)
    folded = fold(model)
    assert not any(isinstance(m, BoundedBatchNorm2d) for m in folded.modules())
    assert max_difference(model, folded, images) == 0.0


def test_folding_alters_nothing_of_the_model():
    model, _, _, _ = network("resnet20", "bounded")
    before = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        for tensor in fold(model).state_dict().values():
            tensor.zero_()
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert any(isinstance(m, BoundedBatchNorm2d) for m in model.modules())


def test_folding_keeps_mode_momentum_and_epsilon():
    norm = BoundedBatchNorm2d(3, eps=1e-3, momentum=0.3)
    norm(torch.randn(4, 3, 2, 2))
    folded = fold(norm)
    assert isinstance(folded, nn.BatchNorm2d)
    assert (folded.eps, folded.momentum, folded.training) == (1e-3, 0.3, True)
    assert folded.num_batches_tracked == 1
    assert torch.equal(folded.running_var, norm.running_var)
    assert folded.weight.requires_grad


def test_folding_a_plain_network_is_a_copy():
    model, _, _, images = network("resnet20", "plain")
    folded = fold(model)
    assert folded is not model
    assert max_difference(model, folded, images) == 0.0
