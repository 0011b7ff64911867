"""Given weights whose outputs have another order than the classes are noticed, others are not."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from recede.contract.spec.run import Init
from recede_worker.engine.training.class_order import CLASS_ORDER, other_order
from tests.worker.engine.claimed_job import ClaimedJob
from tests.worker.engine.in_process import (
    ORDINARY,
    InProcessWorker,
    notices,
    weights_of,
    worker,
)

__all__ = ["worker"]


def answers(rng: np.random.Generator, n: int, classes: int, share: float):
    """Labels, and predictions of a network that is right about this share of them."""
    labels = rng.integers(0, classes, n)
    guesses = rng.integers(0, classes, n)
    return labels, np.where(rng.random(n) < share, labels, guesses)


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize("share", [0.7, 0.95])
def test_a_permutation_is_found_and_the_accuracy_without_it(classes, share):
    rng = np.random.default_rng(classes)
    labels, right = answers(rng, 40 * classes, classes, share)
    order = np.roll(np.arange(classes), 1)  # no class stays
    found = other_order(order[right], labels, classes)
    assert found.is_better
    assert [found.class_of[order[place]] for place in range(classes)] == list(range(classes))
    assert found.assigned == (right[1::2] == labels[1::2]).sum()


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("n", [10, 200, 2000])
def test_the_right_order_and_mere_chance_are_not_mistaken_for_another(classes, share, n):
    rng = np.random.default_rng(n + classes)
    for _ in range(10):
        labels, predicted = answers(rng, n, classes, share)
        assert not other_order(predicted, labels, classes).is_better
        constant = np.zeros_like(labels)
        assert not other_order(constant, labels, classes).is_better


@pytest.fixture(scope="module")
def shifted(worker: InProcessWorker) -> str:
    """Trained weights whose output k answers for class k + 1."""
    weights = load_file(weights_of(worker.train(ORDINARY)))
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name].roll(-1, 0).contiguous()
    save_file(weights, worker.roots[0] / "shifted.safetensors")
    return "shifted.safetensors"


def codes(job: ClaimedJob) -> set[str]:
    return {notice["code"] for notice in notices(job)}


def test_a_run_says_so_with_both_accuracies_until_the_outputs_are_named(worker, shifted):
    given = ORDINARY.model_copy(update={"epochs": 0, "init": Init(file=shifted)})
    job = worker.train(given)
    said = next(notice for notice in notices(job) if notice["code"] == CLASS_ORDER)
    assert "what answers for '0' means '1'" in said["message"]
    assert "and 7 more" in said["message"]
    assert "init.classes" in said["hint"]
    assert said["epoch"] == 0
    named = Init(file=shifted, classes=tuple("1234567890"))
    assert CLASS_ORDER not in codes(worker.train(given.model_copy(update={"init": named})))
    new = Init(file=shifted, new_head=True)
    assert CLASS_ORDER not in codes(worker.train(given.model_copy(update={"init": new})))
