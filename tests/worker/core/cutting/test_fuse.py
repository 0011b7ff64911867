"""Fused networks compute the same, also after a cut, and only what can be fused is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from recede_worker.core.cutting.fuse import fuse, fusible
from tests.worker.core.networks import (
    FOREIGN,
    PLAIN,
    assert_same_outputs,
    network,
    random_mask,
    surgeon_of,
)


@pytest.mark.parametrize("name", [*PLAIN, *FOREIGN])
def test_a_fused_cut_says_the_same_as_the_cut(name):
    model, shape, norms, images = network(name, "plain", torch.float64)
    surgeon = surgeon_of(model, shape, norms)
    mask = random_mask(shape, np.random.default_rng(3))
    cut = surgeon.cut(mask)
    fused = fuse(surgeon.cut(mask), surgeon.fusible)
    assert_same_outputs(fused, cut, images, least=1.0)


def test_every_norm_behind_a_convolution_is_fused():
    model, shape, norms, _ = network("vgg11", "plain")
    pairs = surgeon_of(model, shape, norms).fusible
    assert len(pairs) == len(norms)
    fused = fuse(surgeon_of(model, shape, norms).cut(np.ones(shape.n_neurons, np.bool_)), pairs)
    assert not [layer for layer in fused.modules() if isinstance(layer, nn.BatchNorm2d)]


class Shared(nn.Module):
    """A convolution whose output is read by its norm and by something else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.conv(x)
        return self.norm(made) + made


def test_a_convolution_that_something_else_reads_too_is_left_alone():
    images = torch.randn(2, 3, 5, 5)
    assert fusible(Shared().eval(), images) == {}
    assert fusible(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval(), images) == {
        "0": "1"
    }
