"""The loss of a taught network, by hand and through a step of the recipe."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from recede_worker.core.norms.importance import scale_parameters
from recede_worker.engine.training.epoch.distillation import Teacher, divergence
from recede_worker.engine.training.epoch.step import Step, Totals, make_optimiser
from recede_worker.plugins import registry

CLASSES = 5


def logits(seed: int, n: int = 7) -> torch.Tensor:
    return 3 * torch.randn(n, CLASSES, generator=torch.Generator().manual_seed(seed)).double()


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, CLASSES)
    )


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(9)
    return torch.randn(6, 1, 8, 8), torch.randint(CLASSES, (6,))


def step(student: nn.Module, teacher: Teacher | None) -> Step:
    method, scales = registry.methods()["l1"], scale_parameters(student, ["1"])
    optimiser = make_optimiser(student, lr=0.1)
    return Step(student, optimiser, scales, method, {"lam": 0.0}, teacher=teacher)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_divergence_is_the_sum_over_classes_averaged_over_images(temperature):
    student, teacher = logits(1), logits(2)
    p = torch.softmax(teacher / temperature, 1)
    q = torch.softmax(student / temperature, 1)
    by_hand = (p * (p.log() - q.log())).sum(1).mean()
    torch.testing.assert_close(divergence(student, teacher, temperature), by_hand)
    assert divergence(teacher, teacher, temperature).abs() < 1e-12


def test_the_share_of_the_teacher_is_scaled_by_the_squared_temperature():
    student, teacher = logits(1), logits(2)
    hard = torch.tensor(1.7, dtype=torch.float64)
    of = Teacher(nn.Identity(), weight=0.3, temperature=4.0)
    wanted = 0.7 * 1.7 + 0.3 * 16 * float(divergence(student, teacher, 4.0))
    assert float(of.loss(student, teacher, hard)) == pytest.approx(wanted)


def test_a_step_follows_the_gradient_of_that_loss():
    x, y = batch()
    teacher = Teacher(network(2).eval(), weight=0.6, temperature=3.0)
    student, twin = network(1), network(1)
    taken = step(student, teacher)
    taken.set_lr(0.1)
    taken(x, y, Totals())

    out = twin(x)
    soft = functional.kl_div(
        functional.log_softmax(out / 3, 1),
        functional.softmax(teacher.network(x) / 3, 1).detach(),
        reduction="batchmean",
    )
    (0.4 * functional.cross_entropy(out, y) + 0.6 * 9 * soft).backward()
    for ours, theirs in zip(student.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_teacher_stays_as_it_is_and_the_reported_loss_is_that_of_the_labels():
    x, y = batch()
    network_2 = network(2).eval()
    before = [p.clone() for p in network_2.parameters()]
    student, totals = network(1), Totals()
    with torch.no_grad():
        hard = float(functional.cross_entropy(network(1)(x), y))
    step(student, Teacher(network_2, 1.0, 2.0))(x, y, totals)
    assert all(torch.equal(a, b) for a, b in zip(before, network_2.parameters(), strict=True))
    assert all(p.grad is None for p in network_2.parameters())
    assert totals.metrics()["loss"] == pytest.approx(hard, rel=1e-5)
