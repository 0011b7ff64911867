"""Which layer makes the class scores, whatever the order in which layers were registered."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recede_worker.core.graph.head import scoring_layer
from recede_worker.plugins.registry import architectures
from tests.worker.core.networks import CLASSES, image_size, narrow_config


class HeadFirst(nn.Module):
    """Its head is registered before all else, and an auxiliary head after it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 3)
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
        self.auxiliary = nn.Linear(4, 3)

    def forward(self, images):
        means = self.stem(images).mean((2, 3))
        scores = self.head(means)
        return (scores, self.auxiliary(means)) if self.training else scores


def test_it_is_the_last_that_works_on_an_image_and_nothing_else_changes():
    model = HeadFirst().train()
    model.stem[1].eval()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    assert scoring_layer(model, (1, 8, 8)) == "head"
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert model.training
    assert not model.stem[1].training
    assert not model.stem[0]._forward_hooks


@pytest.mark.parametrize("name", ["vgg11", "resnet20", "mobilenet_v2"])
def test_of_networks_of_the_catalog_it_gives_the_classes(name):
    architecture = architectures()[name]
    model = architecture.build(narrow_config(architecture))
    size = image_size(architecture)
    head = model.get_submodule(scoring_layer(model, (3, size, size)))
    assert isinstance(head, nn.Linear)
    assert head.out_features == CLASSES
