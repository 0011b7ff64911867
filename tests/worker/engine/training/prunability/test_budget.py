"""What the map may cost: never more than its share, and still the first and the last epoch."""

from __future__ import annotations

from itertools import pairwise

import pytest

from recede.store.results.maps import RATIOS
from recede_worker.engine.training.prunability.budget import (
    ENOUGH,
    FEWEST,
    Budget,
    Costs,
    Ledger,
    order,
)


def trained(
    epochs: int,
    epoch_s: float,
    *,
    share: float = 0.03,
    n_split: int = 5000,
    real: Costs | None = None,
) -> tuple[list[tuple[int, int]], list[Budget], float]:
    """Epochs of such a training that are measured, with their images, and the time spent.

    At first the budget believes in a third of what measuring really costs, then it learns.
    """
    real = Costs(image_s=1e-4, cut_s=0.01, fixed_s=0.02)
    believed = Costs(image_s=real.image_s / 3, cut_s=real.cut_s / 3, fixed_s=real.fixed_s)
    budget = Budget(epochs, n_split, Ledger(share), believed)
    measured, spent = [], 0.0
    for epoch in range(1, epochs + 1):
        budget.earn(epoch, epoch_s)
        may = budget.affordable(epoch, epoch_s)
        n = budget.images(epoch, may)
        if not n:
            continue
        seconds = real.of(0, [])
        for one in budget.shares:  # stops as the engine does
            if seconds + real.one(n, one) > may:
                break
            seconds += real.one(n, one)
        budget.costs = real
        budget.ledger.pay(seconds)
        spent += seconds
        assert spent <= share * epoch_s * epoch + 1e-9
        budget.last_epoch = epoch
        measured.append((epoch, n))
    return measured, spent


@pytest.mark.parametrize("epoch_s", [0.1, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("epochs", [1, 3, 20, 160, 2000])
def test_no_more_than_the_share_is_ever_spent(epochs: int, epoch_s: float):
    measured, spent = trained(epochs, epoch_s)
    assert spent <= 0.03 * epochs * epoch_s
    assert len({epoch for epoch, _ in measured}) == len(measured)


def test_first_and_last_epoch_are_measured_and_a_spread_in_between():
    measured, _ = trained(160, 4.0)
    epochs = [epoch for epoch, _ in measured]
    assert epochs[0] <= 10
    assert epochs[-1] == 160
    gaps = [b - a for a, b in pairwise(epochs[1:])]
    assert len(gaps) >= 5
    assert max(gaps) <= 2 * min(gaps[:-1])


def test_long_epochs_are_measured_on_the_whole_split_each_time_and_short_ones_not_at_all():
    long, _ = trained(20, 1000.0)
    assert long == [(epoch, 5000) for epoch in range(1, 21)]
    assert trained(3, 0.01)[0] == []


def test_an_epoch_between_first_and_last_has_enough_images():
    measured, _ = trained(160, 4.0)
    assert measured[0][1] >= FEWEST
    assert all(n >= ENOUGH for _, n in measured[1:-1])
    assert measured[-1][1] >= FEWEST


def test_very_many_epochs_give_no_more_than_a_hundred_columns():
    measured, _ = trained(1000, 1000.0)
    assert 90 <= len(measured) <= 101
    assert measured[-1][0] == 1000


def test_whoever_resumes_may_not_spend_again_what_an_epoch_may_have_cost():
    budget = Budget(10, 5000, Ledger(0.03), Costs(1e-4, 0.01, 0.02))
    kept = budget.earn(1, 100.0)
    may = budget.affordable(1, 100.0)
    assert may > 0
    again = Budget(10, 5000, Ledger(0.03), Costs(1e-4, 0.01, 0.02))
    again.restore(kept)
    assert again.ledger.credit_s == pytest.approx(budget.ledger.credit_s - may)
    again.restore({})
    assert again.ledger.credit_s == pytest.approx(budget.ledger.credit_s - may)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 16])
def test_the_order_of_cuts_visits_each_once_and_the_ends_first(count: int):
    places = order(count)
    assert sorted(places) == list(range(count))
    assert places[:2] == [0, count - 1][: min(count, 2)] or count == 1


def test_the_ratios_are_even_and_whole_percents():
    steps = {round(100 * b) - round(100 * a) for a, b in pairwise(RATIOS)}
    assert len(RATIOS) == 16
    assert steps == {6}
    assert all(ratio == round(100 * ratio) / 100 for ratio in RATIOS)
