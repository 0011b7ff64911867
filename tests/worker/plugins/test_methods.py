"""What every method must do: a penalty on raw scales that can be trained on."""

from __future__ import annotations

import pytest
import torch

from recede.contract.spec.params import check_params
from recede_worker.plugins.registry import methods

METHODS = list(methods().values())
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def params(method, **given):
    return check_params(method.info.params, given, "method_params")


@every_method
def test_the_penalty_is_a_scalar_of_the_scales_own_kind(method):
    raw = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    penalty = method.penalty(raw, params(method))
    assert penalty.shape == ()
    assert penalty.dtype == raw.dtype
    assert float(penalty) >= 0


@every_method
def test_the_penalty_and_its_gradient_are_finite_for_extreme_scales(method):
    raw = torch.tensor([-1e4, -20.0, 0.0, 20.0, 1e4], requires_grad=True)
    penalty = method.penalty(raw, params(method))
    assert torch.isfinite(penalty)
    if penalty.requires_grad:
        penalty.backward()
        assert torch.isfinite(raw.grad).all()


@every_method
def test_the_penalty_is_proportional_to_lam(method):
    if "lam" not in params(method):
        pytest.skip("has no strength λ")
    raw = torch.linspace(-3, 3, 20, dtype=torch.float64)
    once, twice = (method.penalty(raw, params(method, lam=lam)) for lam in (0.1, 0.2))
    torch.testing.assert_close(2 * once, twice)
    assert float(method.penalty(raw, params(method, lam=0))) == 0


@every_method
def test_a_step_against_the_penalty_never_raises_an_importance(method):
    raw = torch.linspace(-5, 5, 101, requires_grad=True)
    penalty = method.penalty(raw, params(method))
    if not penalty.requires_grad:
        assert float(penalty) == 0
        return
    penalty.backward()
    importance = torch.sigmoid if method.info.scale == "bounded" else torch.abs
    before = importance(raw.detach())
    after = importance(raw.detach() - 1e-3 * raw.grad)
    assert (after <= before).all()


@pytest.mark.parametrize(("name", "steps_times_lam"), [("rni", 125.0), ("l1", 12.5)])
def test_published_strengths_are_recommended_for_125_000_steps(name, steps_times_lam):
    lam = next(spec for spec in methods()[name].info.params if spec.name == "lam")
    assert lam.default == pytest.approx(steps_times_lam / 125_000)
    assert lam.recommended(125_000) == lam.default
