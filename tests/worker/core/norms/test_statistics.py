"""Running statistics measured again are those of the images, and nothing else is touched."""

from __future__ import annotations

import torch
from torch import nn

from recede_worker.core.norms.bounded import bound
from recede_worker.core.norms.statistics import measure_statistics

X = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def chain() -> nn.Sequential:
    """Two norms, one of them bounded, and a dropout; in evaluation, with statistics of noise."""
    torch.manual_seed(0)
    first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.3), nn.Dropout(0.5))
    model = nn.Sequential(first, nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU()).double()
    bound(model, ["2"])
    model(2 * X + 1)
    return model.eval()


def test_they_are_the_plain_average_over_the_batches_as_training_passes_them_on():
    model = chain()
    fed: dict[str, list[torch.Tensor]] = {"0.1": [], "2": []}
    for name, seen in fed.items():
        model.get_submodule(name).register_forward_pre_hook(
            lambda _, inputs, seen=seen: seen.append(inputs[0])
        )
    measure_statistics(model, X.split(4))
    for name, seen in fed.items():
        norm = model.get_submodule(name)
        means = torch.stack([x.mean((0, 2, 3)) for x in seen])
        spreads = torch.stack([x.var((0, 2, 3)) for x in seen])
        torch.testing.assert_close(norm.running_mean, means.mean(0))
        torch.testing.assert_close(norm.running_var, spreads.mean(0))
        assert norm.num_batches_tracked == 2


def test_weights_modes_and_momenta_stay():
    model = chain()
    before = {name: p.clone() for name, p in model.named_parameters()}
    measure_statistics(model, [X])
    assert all(torch.equal(before[name], p) for name, p in model.named_parameters())
    assert not any(module.training for module in model.modules())
    assert [model[0][1].momentum, model[2].momentum] == [0.3, 0.1]
