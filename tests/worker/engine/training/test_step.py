"""The published recipe: groups of parameters, schedule, penalty, and a loss that diverges."""

import pytest
import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede_worker.core.norms.bounded import bound
from recede_worker.core.norms.importance import scale_parameters
from recede_worker.engine.training.epoch.precision import has_bf16, resolve
from recede_worker.engine.training.epoch.schedule import lr_at
from recede_worker.engine.training.epoch.step import (
    Step,
    TrainingDiverged,
    make_optimiser,
    train_epoch,
)
from recede_worker.plugins import registry
from tests.worker.engine.claimed_job import SMALL


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


class TwoHeads(nn.Module):
    """Gives the scores of both heads while it trains, in whatever way the test wants."""

    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer
        self.network, self.auxiliary = small_network(), nn.Linear(36, 3)

    def forward(self, x):
        return self.answer(self.network(x), self.auxiliary(x.flatten(1)))


def trained(model: nn.Module, norm: str) -> dict[str, torch.Tensor]:
    method = registry.methods()["rni"]
    scales = scale_parameters(model, [norm], [4])
    step = Step(model, make_optimiser(model, 0.1), scales, method, {"lam": 0.01, "shift": 3.0})
    train_epoch(step, iter(batch()), lambda _: 0.1, epoch=1, after_step=lambda _: None)
    return model.state_dict()


def test_a_network_with_auxiliary_outputs_is_trained_on_its_first():
    before = TwoHeads(lambda main, other: (main, other))
    after = trained(before, "network.1")
    alone = trained(small_network(), "1")
    assert all(torch.equal(after[f"network.{name}"], alone[name]) for name in alone)
    fresh = TwoHeads(lambda main, other: (main, other)).state_dict()
    assert torch.equal(after["auxiliary.weight"], fresh["auxiliary.weight"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda main, other: {"out": main}, "gives dict for 8 images"),
        (lambda main, other: ({"out": main}, other), "gives dict as the first of a tuple"),
        (lambda main, other: (), "gives tuple"),
        (lambda main, other: main[:2], r"gives a tensor \(2, 3\) for 8 images"),
    ],
)
def test_outputs_that_are_no_scores_are_refused_in_words(answer, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        trained(TwoHeads(answer), "network.1")
    assert caught.value.field == "architecture"


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
    assert [lr_at(e, spec) for e in range(epochs)] == pytest.approx(rates)


def test_published_schedule_has_its_steps_after_80_and_120_of_160_epochs():
    spec = SMALL.model_copy(update={"epochs": 160})
    assert lr_at(79.9, spec) == pytest.approx(0.1)
    assert lr_at(80, spec) == pytest.approx(0.01)
    assert lr_at(120, spec) == pytest.approx(0.001)


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
        Step(model, optimiser, scales, method, params),
        iter(batch()),
        lambda _step: 0.1,
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
            Step(model, make_optimiser(model, 0.01), scale_parameters(model, ["1"]), method, {}),
            iter([good, good, bad, good]),
            lambda _step: 0.01,
            epoch=7,
            after_step=lambda _: None,
        )


def test_cosine_falls_from_the_whole_rate_to_nothing():
    spec = SMALL.model_copy(update={"epochs": 10, "schedule": "cosine"})
    rates = [lr_at(done, spec) for done in (0, 2.5, 5, 7.5, 9.999)]
    assert rates[0] == spec.lr
    assert rates[2] == pytest.approx(spec.lr / 2)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1e-6


@pytest.mark.parametrize("schedule", ["step", "cosine"])
def test_warm_up_rises_to_the_rate_and_only_then_the_schedule_begins(schedule: str):
    spec = SMALL.model_copy(update={"epochs": 10, "schedule": schedule, "warmup_epochs": 2})
    rates = [lr_at(done, spec) for done in (0, 0.5, 1, 1.5, 1.99)]
    assert rates == sorted(rates)
    assert 0 < rates[0] < 0.1 * spec.lr
    assert rates[-1] < spec.lr
    assert lr_at(2, spec) == pytest.approx(spec.lr)


def one_step(**options) -> nn.Module:
    model, method = small_network(), registry.methods()["rni"]
    scales = scale_parameters(model, ["1"])
    step = Step(
        model, make_optimiser(model, 0.1), scales, method, {"lam": 0.5, "shift": 3.0}, **options
    )
    train_epoch(step, iter(batch()), lambda _: 0.1, epoch=1, after_step=lambda _: None)
    return model


def test_smoothed_labels_are_the_mixture_of_hard_ones_and_even_ones():
    plain, smoothed = one_step(), one_step(label_smoothing=0.9)
    assert not torch.equal(plain[4].weight, smoothed[4].weight)
    # With labels almost even, the bias of the last layer hardly moves.
    assert smoothed[4].bias.abs().max() < plain[4].bias.abs().max()


def test_bfloat16_takes_nearly_the_same_step_and_leaves_all_state_in_float32():
    exact, rough = one_step(), one_step(precision="bf16")
    for name, tensor in rough.state_dict().items():
        wanted = exact.state_dict()[name]
        assert tensor.dtype == wanted.dtype
        assert torch.allclose(tensor.double(), wanted.double(), rtol=0.05, atol=0.02), name
    assert not torch.equal(exact[0].weight, rough[0].weight)


def test_auto_precision_follows_the_device_and_a_wish_is_granted():
    cpu = torch.device("cpu")
    assert resolve("auto", cpu) == ("bf16" if has_bf16(cpu) else "fp32")
    assert (resolve("fp32", cpu), resolve("bf16", cpu)) == ("fp32", "bf16")
