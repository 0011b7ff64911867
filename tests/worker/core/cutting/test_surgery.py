"""Surgery: cut and masked networks are the same function, and the original stays whole."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import recede_worker.core.cutting.surgery
from recede.contract.cut.selection import select
from recede.contract.errors import ImpossiblePlan
from recede.contract.spec.run import Plan
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.importance import raw_scales
from tests.worker.core.networks import (
    EXAMPLES,
    FOREIGN,
    PLAIN,
    STANDS_FOR_ITS_KIND,
    assert_same_outputs,
    each_kind_first,
    enliven,
    kept_counts,
    network,
    random_mask,
    surgeon_of,
)
from tests.worker.core.toys import Depthwise

EXACT = [(torch.float32, 1e-5), (torch.float64, 1e-10)]
ROUNDED = [(torch.float32, 1e-4), (torch.float64, 1e-10)]
"""An untrained network of 80 layers makes float32's rounding large; in float64 it is none."""
CASES = [
    *((name, scale, *e) for name in PLAIN for scale in ("bounded", "plain") for e in EXACT),
    *((name, "bounded", *e) for name in FOREIGN for e in ROUNDED),
]
KINDS_FIRST = [
    pytest.param(*case, marks=() if case[0] in STANDS_FOR_ITS_KIND else pytest.mark.thorough)
    for case in CASES
]


@pytest.mark.parametrize(("name", "scale", "dtype", "tolerance"), KINDS_FIRST)
def test_cut_model_matches_masked_model(name, scale, dtype, tolerance):
    model, shape, norms, images = network(name, scale, dtype)
    surgeon = surgeon_of(model, shape, norms)
    rng = np.random.default_rng(1)
    for _ in range(3):
        mask = random_mask(shape, rng)
        assert_same_outputs(surgeon.cut(mask), surgeon.masked(mask), images, tolerance, least=1.0)


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_cutting_nothing_changes_no_output(name):
    model, shape, norms, images = network(name, "bounded")
    everything = np.ones(shape.n_neurons, dtype=np.bool_)
    surgeon = surgeon_of(model, shape, norms)
    assert max_difference(surgeon.cut(everything), model, images) == 0.0
    assert max_difference(surgeon.masked(everything), model, images) == 0.0


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_removing_channels_without_importance_changes_no_output(name):
    model, shape, norms, images = network(name, "bounded", torch.float64)
    mask = random_mask(shape, np.random.default_rng(2))
    with torch.no_grad():
        for norm, keep in zip(norms.values(), shape.split(mask), strict=True):
            weight_C = model.get_submodule(norm).weight
            removed = torch.from_numpy(~keep).repeat_interleave(weight_C.numel() // keep.size)
            weight_C[removed] = -1e4
    small = surgeon_of(model, shape, norms).cut(mask)
    assert_same_outputs(small, model, images, least=1.0)


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_equal_scores_never_empty_a_layer(name):
    model, shape, norms, images = network(name, "bounded")
    with torch.no_grad():
        for norm in norms.values():
            model.get_submodule(norm).weight.fill_(0.25)
    selection = select(
        shape, raw_scales(model, list(norms.values()), shape.sizes), Plan(ratio=0.99)
    )
    small = surgeon_of(model, shape, norms).cut(selection.mask)
    assert all(k >= group.minimum for k, group in zip(selection.kept, shape.groups, strict=True))
    with torch.no_grad():
        assert torch.isfinite(small(images)).all()


def test_layers_have_the_kept_widths_and_one_mode_and_can_be_trained():
    model, shape, norms, images = network("vgg11", "bounded")
    model.train()
    mask = random_mask(shape, np.random.default_rng(3))
    surgeon = surgeon_of(model, shape, norms)
    small = surgeon.cut(mask)
    for (conv, norm), kept in zip(norms.items(), kept_counts(shape, mask), strict=True):
        assert small.get_submodule(conv).out_channels == kept
        assert small.get_submodule(norm).num_features == kept
    for network_ in (small, surgeon.masked(mask)):
        assert not any(module.training for module in network_.modules())
        assert not any(isinstance(m, BoundedBatchNorm2d) for m in network_.modules())
    with torch.inference_mode():
        small = surgeon.cut(mask)
    small.train()(images).sum().backward()
    assert all(p.is_leaf and p.grad is not None for p in small.parameters())


@pytest.mark.parametrize("seed", range(4))
def test_depthwise_layers_are_cut_and_masked_alike(seed):
    model = Depthwise().double()
    images = torch.randn(16, 3, 4, 4, dtype=torch.float64)
    enliven(model, images, seed)
    shape = network_shape(
        model,
        architecture="toy",
        norms=Depthwise.norms,
        input_shape=(3, 4, 4),
        classes=5,
        scale="plain",
    )
    surgeon = Surgeon(model, shape, Depthwise.norms)
    mask = random_mask(shape, np.random.default_rng(seed))
    assert_same_outputs(surgeon.cut(mask), surgeon.masked(mask), images, 1e-10, least=1.0)


def test_the_original_and_the_surgeon_are_never_altered(monkeypatch):
    model, shape, norms, images = network("resnet20", "bounded")
    model.train()
    before = copy.deepcopy(model.state_dict())
    surgeon = surgeon_of(model, shape, norms)
    mask = random_mask(shape, np.random.default_rng(4))
    expected = surgeon.cut(mask)
    slice_layer, calls = recede_worker.core.cutting.surgery._slice, []

    def fail_midway(*args):
        calls.append(args)
        if len(calls) == 10:
            raise RuntimeError("power cut")
        slice_layer(*args)

    monkeypatch.setattr(recede_worker.core.cutting.surgery, "_slice", fail_midway)
    with pytest.raises(RuntimeError, match="power cut"):
        surgeon.cut(mask)
    monkeypatch.undo()
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert max_difference(surgeon.cut(mask), expected, images) == 0.0


def test_a_cut_shares_no_memory_with_the_next_one():
    model, shape, norms, images = network("vgg11", "plain")
    surgeon = surgeon_of(model, shape, norms)
    everything = np.ones(shape.n_neurons, dtype=np.bool_)
    for network_ in (surgeon.cut(everything), surgeon.masked(everything)):
        with torch.no_grad():
            for parameter in network_.parameters():
                parameter.zero_()
    assert max_difference(surgeon.cut(everything), model, images) == 0.0


@pytest.mark.parametrize("verb", ["cut", "masked"])
def test_masks_that_do_not_fit_are_refused_in_words(verb):
    model, shape, norms, _ = network("vgg11", "plain")
    act = getattr(surgeon_of(model, shape, norms), verb)
    with pytest.raises(ImpossiblePlan, match="needs"):
        act(np.ones(shape.n_neurons - 1, dtype=np.bool_))
    with pytest.raises(ImpossiblePlan, match="booleans"):
        act(np.ones(shape.n_neurons, dtype=np.int64))
    emptied = np.ones(shape.n_neurons, dtype=np.bool_)
    emptied[: shape.groups[0].size] = False
    with pytest.raises(ImpossiblePlan, match=r"'features\.0' would keep none of its 6"):
        act(emptied)


def test_max_difference_is_the_largest_absolute_one():
    x = torch.tensor([[1.0, -2.0]])
    assert max_difference(nn.Identity(), nn.Threshold(0, 5), x) == 7.0


def test_a_hook_on_a_cut_or_masked_network_is_none_of_another_one():
    model, shape, norms, _ = network("resnet20", "plain")
    surgeon = surgeon_of(model, shape, norms)
    everything = np.ones(shape.n_neurons, dtype=np.bool_)
    for make in (surgeon.cut, surgeon.masked, surgeon.still):
        for module in make(everything).modules():
            module.register_forward_hook(lambda *_: None)
            module.register_buffer("mark", torch.zeros(1), persistent=False)
        others = [*make(everything).modules(), *model.modules()]
        assert not any(module._forward_hooks for module in others)
        assert not any(module._non_persistent_buffers_set for module in others)


def test_a_cut_network_shares_no_number_with_the_dense_one_or_with_another_cut():
    model, shape, norms, _ = network("vgg11", "plain")
    surgeon = surgeon_of(model, shape, norms)
    mask = random_mask(shape, np.random.default_rng(5))
    everything = np.ones(shape.n_neurons, dtype=np.bool_)
    cuts = [surgeon.cut(everything), surgeon.cut(mask), surgeon.cut(mask)]
    networks = [model, surgeon._dense, *cuts]
    pointers = [
        {t.data_ptr() for t in (*one.parameters(), *one.buffers()) if t.numel()}
        for one in networks
    ]
    assert sum(map(len, pointers)) == len(set.union(*pointers))
