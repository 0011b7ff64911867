"""The size of a file is known to the byte before it is written, for any network and cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.network.cost import cost
from recede.contract.network.file_size import file_bytes
from recede_worker.core.graph.channels import network_shape
from recede_worker.engine.checkpoints.weights import save_weights
from tests.worker.core.networks import (
    EXAMPLES,
    each_kind_first,
    kept_counts,
    network,
    random_mask,
    surgeon_of,
)


@pytest.mark.parametrize("scale", ["bounded", "plain"])
@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_the_written_file_has_the_predicted_number_of_bytes(name, scale, tmp_path):
    model, shape, norms, _ = network(name, scale)
    surgeon = surgeon_of(model, shape, norms)
    rng = np.random.default_rng(3)
    masks = [np.ones(shape.n_neurons, np.bool_), *(random_mask(shape, rng) for _ in range(2))]
    for mask in masks:
        path = tmp_path / "model.safetensors"
        save_weights(surgeon.cut(mask), path)
        assert file_bytes(shape, kept_counts(shape, mask)) == path.stat().st_size


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_fewer_channels_never_make_a_larger_file(name):
    _, shape, _, _ = network(name, "plain")
    rng = np.random.default_rng(4)
    kept = list(shape.sizes)
    before = file_bytes(shape, kept)
    for _ in range(40):
        group = int(rng.integers(len(kept)))
        kept[group] = max(1, kept[group] - int(rng.integers(1, 5)))
        now = file_bytes(shape, kept)
        assert now is not None
        assert now <= before
        before = now
    assert now > 4 * cost(shape, kept).params


def test_a_tensor_of_another_type_leaves_the_size_unknown():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.LazyLinear(5))
    model(torch.zeros(2, 3, 8, 8))
    model.register_buffer("table", torch.zeros(2, dtype=torch.float16))
    shape = network_shape(
        model.eval(),
        architecture="own",
        norms={"0": "1"},
        input_shape=(3, 8, 8),
        classes=5,
        scale="plain",
    )
    assert shape.tensors == ()
    assert file_bytes(shape, [8]) is None
