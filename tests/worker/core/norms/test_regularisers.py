"""Penalties: values and gradients against the formulas, over the whole range of logits."""

from __future__ import annotations

import pytest
import torch

from recede_worker.core.norms.regularisers import receding, slimming


def gradient(raw: torch.Tensor, shift: float) -> torch.Tensor:
    raw = raw.clone().requires_grad_()
    receding(raw, shift).backward()
    assert raw.grad is not None
    return raw.grad


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_receding_is_the_published_sum(shift):
    raw = torch.linspace(-20, 20, 401, dtype=torch.float64)
    s = 1 / (1 + torch.exp(-(raw + shift)))
    torch.testing.assert_close(receding(raw, shift), (s * (1 - s.log())).sum())


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_receding_pulls_with_minus_s_times_one_minus_s_times_log_s(shift):
    raw = torch.linspace(-20, 20, 401, dtype=torch.float64)
    s = 1 / (1 + torch.exp(-(raw + shift)))
    torch.testing.assert_close(gradient(raw, shift), -s * (1 - s) * s.log())


def test_receding_gradient_agrees_with_finite_differences():
    raw = torch.linspace(-8, 8, 33, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: receding(w, 1.5), (raw,))


def test_the_pull_is_largest_at_s_0_236():
    raw = torch.linspace(-6, 6, 120_001, dtype=torch.float64)
    pull = gradient(raw, 0.0)
    strongest = int(pull.argmax())
    assert float(torch.sigmoid(raw[strongest])) == pytest.approx(0.236, abs=1e-3)
    assert float(pull[strongest]) == pytest.approx(0.26, abs=1e-3)


def test_with_shift_3_weak_neurons_are_pulled_and_strong_ones_left_alone():
    raw = torch.logit(torch.tensor([0.015, 0.5], dtype=torch.float64))
    weak, strong = gradient(raw, 3.0).tolist()
    assert weak == pytest.approx(0.26, abs=1e-3)
    assert strong == pytest.approx(0.002, abs=5e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_are_finite_for_every_logit(dtype):
    raw = torch.tensor([-1e4, -500, -100, -20, 0, 20, 100, 1e4], dtype=dtype)
    assert torch.isfinite(receding(raw, 3.0))
    pull = gradient(raw, 3.0)
    assert torch.isfinite(pull).all()
    assert (pull >= 0).all()


def test_slimming_is_the_sum_of_absolute_scales():
    raw = torch.tensor([-2.0, 0.5, 0.0, 3.0], requires_grad=True)
    value = slimming(raw)
    value.backward()
    assert float(value.detach()) == 5.5
    assert raw.grad is not None
    assert raw.grad.tolist() == [-1.0, 1.0, 0.0, 1.0]
