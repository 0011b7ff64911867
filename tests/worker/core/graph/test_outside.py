"""What the tracer does not know stays whole and is counted as it is; the rest is cut."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.cost import Cost, dense_cost
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.discover import find_prunable
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.graph.rig import Rig, _is_not_zero
from recede_worker.core.graph.trace import trace
from tests.worker.core import beside
from tests.worker.core.networks import (
    assert_cuts_are_exact,
    counted_macs,
    counted_params,
    enliven,
)

IMAGE, CLASSES = (3, 8, 8), 5
FREE = {"free.0": "free.1"}
WHOLE = [
    (beside.ChannelConvolution, "'along' (Conv1d) reads them"),
    (beside.LayerScale, "the parameter 'gamma' meets them"),
    (beside.Positions, "no batch norm scales these channels"),
    (beside.BatchFirst, "'attention' (MultiheadAttention) reads them"),
    (beside.TokensFirst, "'attention' (MultiheadAttention) reads them"),
    (beside.Windows, "the network multiplies them outside of its layers"),
    (beside.Blur, "the network multiplies them outside of its layers"),
    (beside.Transposed, "'up' (ConvTranspose2d) reads them"),
    (beside.OwnParameter, "'own' (Standardised) reads them"),
    (beside.TopChannels, "the network chooses by their values"),
    (beside.RareRoute, "the network chooses by their values"),
]
FREE_TOO = [beside.LayerNormInGate, beside.NormInHead, beside.Slope]
every_part = pytest.mark.parametrize(
    "kind", [*(kind for kind, _ in WHOLE), *FREE_TOO], ids=lambda kind: kind.__name__
)


def shape_of(model: nn.Module, norms: dict[str, str]) -> NetworkShape:
    return network_shape(
        model, architecture="toy", norms=norms, input_shape=IMAGE, classes=CLASSES, scale="plain"
    )


@pytest.mark.parametrize(("kind", "words"), WHOLE, ids=lambda v: getattr(v, "__name__", ""))
def test_channels_that_reach_it_stay_whole_and_others_are_cut(kind, words):
    found = find_prunable(kind(), IMAGE, CLASSES)
    assert found.norms == FREE
    assert found.left_out["stem.0"].startswith(words)


@pytest.mark.parametrize("kind", FREE_TOO)
def test_channels_that_do_not_reach_it_are_cut(kind):
    norms = find_prunable(kind(), IMAGE, CLASSES).norms
    assert norms == {"stem.0": "stem.1", **FREE}


@every_part
def test_its_cost_is_counted_and_a_cut_is_exact(kind):
    norms = find_prunable(kind(), IMAGE, CLASSES).norms
    model = kind().double()
    images = torch.randn(4, *IMAGE, dtype=torch.float64)
    enliven(model, images)
    shape = shape_of(model, norms)
    assert dense_cost(shape) == Cost(counted_params(model), counted_macs(model, images[:1]))
    assert_cuts_are_exact(Surgeon(model, shape, norms), shape, images, times=3)
    assert NetworkShape.model_validate_json(shape.model_dump_json()) == shape


def test_each_part_that_stays_whole_is_listed_with_its_cost():
    shape = shape_of(beside.Transposed(), FREE)
    fixed = {op.name: (op.params, op.macs) for op in shape.ops if op.kind == "fixed"}
    assert fixed == {"up": (8 * 8 * 4 + 8, 8 * 8 * 4 * 64)}


def test_a_parameter_that_no_image_reaches_is_known_to_rest():
    model = beside.Beside()
    model.spare = nn.LayerNorm(3)
    model.busy = nn.PReLU()
    model.stem.append(model.busy)
    fixed = [op for op in shape_of(model, FREE).ops if op.kind == "fixed"]
    assert {op.name: op.positions for op in fixed} == {"spare": 0, "stem.3": 1}


@pytest.mark.parametrize("kind", [beside.Branch, beside.AsList, beside.OfImage])
def test_a_path_that_depends_on_the_image_is_refused_before_anything_is_trained(kind):
    with pytest.raises(InvalidInput, match="could not be proven for every image") as caught:
        find_prunable(kind(), IMAGE, CLASSES)
    assert caught.value.field == "architecture"


def test_only_norms_of_channels_that_may_go_are_silenced_and_none_twice(monkeypatch):
    silenced: list[str] = []
    plain = Rig.silence

    def noting(rig, sets):
        silenced.extend(name for names in sets for name in names)
        return plain(rig, sets)

    monkeypatch.setattr(Rig, "silence", noting)
    find_prunable(beside.LayerScale(), IMAGE, CLASSES)
    assert silenced == ["free.1"]


def test_a_slice_that_sums_to_zero_is_not_taken_for_zero():
    x_NCHW = torch.zeros(2, 3, 2, 2)
    x_NCHW[0, 1] = torch.tensor([[1.0, -1.0], [2.0, -2.0]])
    x_NCHW[1, 2] = 1
    flags = [[False, True, False], [False, False, True]]
    assert _is_not_zero(x_NCHW, [2, 3]).tolist() == flags
    assert _is_not_zero(x_NCHW.permute(0, 2, 3, 1), [1, 2]).tolist() == flags


def test_probes_that_a_network_mixes_are_sent_one_by_one():
    apart, mixed = (trace(kind().eval(), IMAGE) for kind in (beside.Windows, beside.TokensFirst))
    assert apart.rig.probes_a_pass > 1
    assert mixed.rig.probes_a_pass == 1


def test_the_model_is_left_as_it_was():
    model = beside.LayerScale()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trace(model, IMAGE)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert not vars(model.gamma)
