"""Our trace against an independent reading of the same networks: torch-pruning's graph."""

from __future__ import annotations

import pytest
import torch
import torch_pruning as tp
from torch import nn

from recede_worker.core.graph.coupling import couplings
from recede_worker.core.graph.trace import trace
from tests.worker.core import joints
from tests.worker.core.networks import network
from tests.worker.core.toys import Depthwise

Slices = dict[tuple[str, str], list[int]]


def by_graph(model: nn.Module, root: str, input_shape: tuple[int, int, int]) -> Slices:
    images = torch.zeros(1, *input_shape)
    graph = tp.DependencyGraph().build_dependency(model, (images,), verbose=False)
    names = {module: name for name, module in model.named_modules()}
    conv = model.get_submodule(root)
    channels = list(range(conv.out_channels))
    found = {}
    for item in graph.get_pruning_group(conv, tp.prune_conv_out_channels, channels):
        layer = item.dep.target.module
        if layer in names:
            out = graph.is_out_channel_pruning_fn(item.dep.handler)
            found[names[layer], "out" if out else "in"] = list(item.root_idxs)
    return found


@pytest.mark.parametrize(
    ("model", "norms", "input_shape"),
    [
        (*network("vgg11", "plain")[::2], (3, 28, 28)),
        (*network("resnet20", "plain")[::2], (3, 28, 28)),
        (Depthwise().eval(), Depthwise.norms, (3, 4, 4)),
        (joints.Gated().eval(), {"wide.0": "deep.1", "stem.0": "stem.1"}, (3, 8, 8)),
    ],
    ids=["chain", "sums", "depthwise", "gated"],
)
def test_the_same_slices_go_with_each_channel(model, norms, input_shape):
    found = couplings(trace(model, input_shape), model, norms)
    for root, channels in zip(norms, found, strict=True):
        ours = {(c.name, c.side): c.units.tolist() for c in channels.couplings}
        assert ours == by_graph(model, root, input_shape)
