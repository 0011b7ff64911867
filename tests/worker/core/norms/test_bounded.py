"""Bounded batch norm against its formula in float64 and against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede_worker.core.norms.bounded import (
    BoundedBatchNorm2d,
    bound,
    can_be_bounded,
)
from recede_worker.core.norms.fold import fold
from tests.worker.core.joints import Doubled, NormAct

X = torch.randn(6, 4, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def lively(channels: int = 4, dtype: torch.dtype = torch.float64) -> BoundedBatchNorm2d:
    norm = BoundedBatchNorm2d(channels, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    norm.running_mean.copy_(torch.randn(channels, generator=generator))
    norm.running_var.copy_(torch.rand(channels, generator=generator) + 0.5)
    return norm


def by_formula(
    x: torch.Tensor, w: torch.Tensor, mean: torch.Tensor, var: torch.Tensor, eps: float
) -> torch.Tensor:
    wide = [t.double()[None, :, None, None] for t in (w, mean, var)]
    return (1 / (1 + torch.exp(-wide[0]))) * (x.double() - wide[1]) / (wide[2] + eps).sqrt()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_evaluation_follows_the_formula_with_running_statistics(dtype, tolerance):
    norm = lively(dtype=dtype).eval()
    expected = by_formula(X, norm.weight, norm.running_mean, norm.running_var, norm.eps)
    torch.testing.assert_close(norm(X.to(dtype)).double(), expected, atol=tolerance, rtol=0)


def test_training_follows_the_formula_with_batch_statistics():
    norm = lively().train()
    mean, var = X.mean(dim=(0, 2, 3)), X.var(dim=(0, 2, 3), unbiased=False)
    torch.testing.assert_close(norm(X), by_formula(X, norm.weight, mean, var, norm.eps))


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_running_statistics_move_as_those_of_batch_norm(momentum):
    bounded = BoundedBatchNorm2d(4, momentum=momentum, dtype=torch.float64)
    plain = nn.BatchNorm2d(4, momentum=momentum, dtype=torch.float64)
    for batch in (X, 2 * X + 1, X - 3):
        bounded(batch)
        plain(batch)
    bounded.eval()(X)
    plain.eval()(X)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(bounded.get_buffer(name), buffer)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_agree_with_finite_differences(training):
    norm = lively().train(training)
    x = X.clone().requires_grad_()
    logits = norm.weight.detach().clone().requires_grad_()

    def run(images, logits):
        return torch.func.functional_call(norm, {"weight": logits}, (images,))

    assert torch.autograd.gradcheck(run, (x, logits))


def test_there_is_no_bias_and_the_logits_are_standard_normal():
    torch.manual_seed(0)
    norm = BoundedBatchNorm2d(20_000)
    assert [name for name, _ in norm.named_parameters()] == ["weight"]
    assert abs(float(norm.weight.mean().detach())) < 0.03
    assert abs(float(norm.weight.std().detach()) - 1) < 0.03


def test_a_channel_with_a_vanishing_importance_sends_exactly_zero():
    norm = lively(dtype=torch.float32).eval()
    with torch.no_grad():
        norm.weight[2] = -1e4
    out = norm(X.float())
    assert out[:, 2].abs().max() == 0
    assert torch.isfinite(out).all()


def test_other_than_four_dimensions_are_refused():
    with pytest.raises(ValueError, match="4-d"):
        BoundedBatchNorm2d(4)(torch.zeros(2, 4))


def chain() -> nn.Sequential:
    inner = nn.Sequential(nn.BatchNorm2d(3, eps=1e-3, momentum=0.3), nn.ReLU())
    return nn.Sequential(nn.Conv2d(3, 3, 1), inner, nn.BatchNorm2d(3))


def test_bound_replaces_the_named_norms_and_keeps_their_settings():
    model = chain().double().eval()
    model[1][0].running_mean.fill_(7)
    bound(model, ["1.0"])
    norm = model.get_submodule("1.0")
    assert isinstance(norm, BoundedBatchNorm2d)
    assert (norm.eps, norm.momentum, norm.training) == (1e-3, 0.3, False)
    assert norm.weight.dtype == torch.float64
    assert norm.running_mean.tolist() == [7.0] * 3
    assert isinstance(model[2], nn.BatchNorm2d)


@pytest.mark.parametrize("wrong", ["0", "1", "nowhere", ""])
def test_bound_refuses_what_is_no_batch_norm_and_replaces_nothing(wrong):
    model = chain()
    with pytest.raises(InvalidInput, match="is not a BatchNorm2d"):
        bound(model, ["1.0", wrong])
    assert isinstance(model.get_submodule("1.0"), nn.BatchNorm2d)


@pytest.mark.parametrize("training", [True, False])
def test_a_norm_with_an_activation_inside_keeps_it_and_its_name(training):
    model = nn.Sequential(nn.Conv2d(4, 4, 1), NormAct(4)).double()
    bound(model, ["1"])
    norm = model[1].train(training)
    plain = BoundedBatchNorm2d(4, dtype=torch.float64).train(training)
    plain.load_state_dict(norm.state_dict())
    torch.testing.assert_close(norm(X), nn.functional.silu(plain(X)))
    assert [name for name, _ in norm.named_children()] == ["act"]


def test_folding_gives_back_the_very_class_with_the_activation_inside():
    model = nn.Sequential(nn.Conv2d(4, 4, 1), NormAct(4)).double()
    bound(model, ["1"])
    model.train()(X)
    folded = fold(model.eval())
    assert type(folded[1]) is NormAct
    assert torch.equal(folded(X), model(X))
    assert torch.equal(fold(model)(X), model(X))
    with torch.no_grad():
        folded[1].weight.zero_()
    assert not torch.equal(folded(X), model(X))


def test_a_norm_that_does_more_cannot_be_bounded():
    assert can_be_bounded(NormAct(4))
    assert not can_be_bounded(Doubled(4))
    assert not can_be_bounded(nn.BatchNorm2d(4, affine=False))
    assert not can_be_bounded(nn.BatchNorm2d(4, track_running_stats=False))
    with pytest.raises(InvalidInput, match="is not a BatchNorm2d"):
        bound(nn.Sequential(Doubled(4)), ["0"])
