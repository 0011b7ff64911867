"""Gates: the given network to the last bit at first, and plain batch norm again once folded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.adopt import Adopted, adopt
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.gated import GatedBatchNorm2d, gate
from recede_worker.core.norms.importance import raw_scales
from recede_worker.core.norms.scaling import all_names
from tests.worker.core.joints import NormAct
from tests.worker.core.networks import (
    EXAMPLES,
    assert_same_outputs,
    each_kind_first,
    network,
    random_mask,
)

X = torch.randn(6, 4, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def numbers(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gated(name: str, dtype: torch.dtype = torch.float64):
    """A lively network before and behind its gates, its norms and images."""
    model, shape, norms, images = network(name, "plain", dtype)
    before, _, _, _ = network(name, "plain", dtype)
    gate(model, all_names(norms.values()), numbers())
    return before, model, shape, norms, images


def move(model: nn.Module) -> None:
    """Other gates and scales than the given ones, as training makes them."""
    with torch.no_grad():
        for norm in model.modules():
            if isinstance(norm, GatedBatchNorm2d):
                norm.weight.add_(torch.randn(norm.num_features, generator=numbers(4)))
                norm.gamma.mul_(1.1)


def lively() -> GatedBatchNorm2d:
    plain = nn.Sequential(nn.BatchNorm2d(4, dtype=torch.float64))
    for tensor in (plain[0].weight.data, plain[0].bias.data, plain[0].running_mean):
        tensor.copy_(torch.randn(4, generator=numbers()))
    gate(plain, ["0"], numbers())
    norm = plain[0]
    assert isinstance(norm, GatedBatchNorm2d)
    move(plain)
    return norm


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_gates_change_no_output_at_first(name: str, training: bool):
    before, model, _, _, images = gated(name)
    torch.manual_seed(0)  # of dropout
    wanted = before.train(training)(images)
    torch.manual_seed(0)
    assert torch.equal(model.train(training)(images), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_a_trained_gate_folds_with_an_error_of_exactly_zero(name: str, dtype: torch.dtype):
    before, model, _, _, images = gated(name, dtype)
    move(model)
    folded = fold(model)
    assert folded.state_dict().keys() == before.state_dict().keys()
    assert max_difference(model, folded, images) == 0.0
    assert max_difference(model, before, images) > 0


@pytest.mark.parametrize("name", each_kind_first(EXAMPLES))
def test_cost_cut_and_mask_agree(name: str):
    _, model, _, norms, images = gated(name)
    move(model)
    shape = network_shape(
        model, architecture=name, norms=norms, input_shape=tuple(images.shape[1:]),
        classes=10, scale="bounded",
    )  # fmt: skip
    _, plain_shape, _, _ = network(name, "plain", torch.float64)
    assert shape.model_copy(update={"scale": "plain"}) == plain_shape
    surgeon, mask = Surgeon(model, shape, norms), random_mask(shape, np.random.default_rng(1))
    assert_same_outputs(surgeon.cut(mask), surgeon.masked(mask), images, 1e-10, least=1.0)


def test_a_closed_gate_sends_exactly_zero_though_the_norm_adds_a_bias():
    norm = lively().eval()
    with torch.no_grad():
        norm.weight[2] = -1e4
    out = norm(X)
    assert out[:, 2].abs().max() == 0
    assert out[:, 1].abs().max() > 0


@pytest.mark.parametrize("training", [True, False])
def test_gradients_agree_with_finite_differences(training: bool):
    norm = lively().train(training)
    values = [p.detach().clone().requires_grad_() for p in norm.parameters()]
    names = [name for name, _ in norm.named_parameters()]
    assert names == ["weight", "gamma", "beta"]

    def run(images: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(norm, dict(zip(names, given, strict=True)), (images,))

    assert torch.autograd.gradcheck(run, (X.clone().requires_grad_(), *values))


def test_importances_are_those_of_the_gates_and_spread_at_first():
    _, model, _, norms, _ = gated("vgg11")
    raw_N = torch.from_numpy(raw_scales(model, list(norms.values())))
    weights = [model.get_submodule(name).weight for name in all_names(norms.values())]
    assert torch.equal(raw_N, torch.cat([weight.detach() for weight in weights]).float())
    assert 0.7 < float(raw_N.std()) < 1.3


def test_a_norm_with_an_activation_inside_keeps_it_and_its_class():
    model = nn.Sequential(nn.Conv2d(4, 4, 1), NormAct(4)).double()
    model.train()(X)
    wanted = model.eval()(X)
    gate(model, ["1"], numbers())
    assert torch.equal(model(X), wanted)
    move(model)
    folded = fold(model)
    assert type(folded[1]) is NormAct
    assert torch.equal(folded(X), model(X))


@pytest.mark.parametrize("wrong", ["0", "nowhere"])
def test_what_is_no_batch_norm_is_refused_and_nothing_is_gated(wrong: str):
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
    with pytest.raises(InvalidInput, match="is not a BatchNorm2d"):
        gate(model, ["1", wrong], numbers())
    assert type(model[1]) is nn.BatchNorm2d


@pytest.mark.parametrize("name", ["vgg11", "resnet20", "timm"])
def test_given_weights_are_taken_over_with_scale_and_bias(name: str):
    source, model, _, _, images = gated(name)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    head = [name for name, layer in source.named_modules() if isinstance(layer, nn.Linear)][-1]
    assert adopt(model, source.state_dict(), head=head) == Adopted(0, 0, 0, 0.0)
    assert torch.equal(model.eval()(images), source.eval()(images))


def test_a_gate_is_a_bounded_norm_to_whatever_reads_importances():
    assert isinstance(lively(), BoundedBatchNorm2d)
