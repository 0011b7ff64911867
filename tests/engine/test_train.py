"""The published recipe: groups of parameters, schedule, penalty, and a loss that diverges."""

import pytest
import torch
from torch import nn

from tests.engine.conftest import SMALL
from worker import registry
from worker.core.bounded_norm import bound
from worker.core.importance import scale_parameters
from worker.engine.train import TrainingDiverged, lr_at, make_optimiser, train_epoch


def small_network() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3)
    )
    bound(model, ["1"])
    return model


def batch() -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(8, 1, 6, 6, generator=generator), torch.arange(8) % 3)]


def test_bounded_scales_learn_ten_times_faster_and_do_not_decay():
    model = small_network()
    optimiser = make_optimiser(model, 0.1)
    others, scales = optimiser.param_groups
    assert [p.shape for p in scales["params"]] == [torch.Size([4])]
    assert (scales["factor"], scales["weight_decay"]) == (10, 0.0)
    assert (others["factor"], others["weight_decay"]) == (1, 1e-4)
    assert others["momentum"] == 0.9
    assert others["nesterov"]
    assert sum(len(g["params"]) for g in optimiser.param_groups) == len(list(model.parameters()))


@pytest.mark.parametrize(
    ("epochs", "rates"),
    [
        (4, [0.1, 0.1, 0.01, 0.001]),
        (8, [0.1] * 4 + [0.01] * 2 + [0.001] * 2),
        (1, [0.1]),
    ],
)
def test_rate_falls_by_ten_at_half_and_three_quarters(epochs: int, rates: list[float]):
    spec = SMALL.model_copy(update={"epochs": epochs})
    assert [lr_at(e, spec) for e in range(1, epochs + 1)] == pytest.approx(rates)


def test_published_schedule_has_its_steps_after_80_and_120_of_160_epochs():
    spec = SMALL.model_copy(update={"epochs": 160})
    assert lr_at(80, spec) == pytest.approx(0.1)
    assert lr_at(81, spec) == pytest.approx(0.01)
    assert lr_at(121, spec) == pytest.approx(0.001)


def test_one_step_is_sgd_on_cross_entropy_plus_penalty():
    model, method = small_network(), registry.methods()["rni"]
    params = {"lam": 0.5, "shift": 3.0}
    scales = scale_parameters(model, ["1"])
    x, y = batch()[0]
    loss = nn.functional.cross_entropy(model(x), y) + method.penalty(scales[0], params)
    expected = torch.autograd.grad(loss, scales[0])[0]
    before = scales[0].detach().clone()
    optimiser = make_optimiser(model, 0.1)
    model.load_state_dict(small_network().state_dict())  # the forward pass moved the statistics
    totals = train_epoch(
        model,
        optimiser,
        iter(batch()),
        scales,
        method,
        params,
        0.1,
        epoch=1,
        after_step=lambda _: None,
    )
    # Nesterov's first step is lr · (1 + momentum) · gradient, here at ten times the rate.
    assert torch.allclose(before - scales[0].detach(), 1.0 * 1.9 * expected, atol=1e-6)
    assert totals.metrics()["penalty"] == pytest.approx(float(method.penalty(before, params)))


def test_a_loss_that_is_not_finite_names_epoch_and_step():
    model, method = small_network(), registry.methods()["ucs"]
    good, bad = batch()[0], (torch.full((8, 1, 6, 6), float("nan")), batch()[0][1])
    with pytest.raises(TrainingDiverged, match="epoch 7, step 3"):
        train_epoch(
            model,
            make_optimiser(model, 0.01),
            iter([good, good, bad, good]),
            scale_parameters(model, ["1"]),
            method,
            {},
            0.01,
            epoch=7,
            after_step=lambda _: None,
        )
