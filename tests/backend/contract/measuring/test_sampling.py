"""Estimates from a part of a split: unbiased, and their intervals hold what the whole gives.

Coverage is tried by simulation, under the very rule of looking that the curve job follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.measuring.accuracy import Accuracy, measured
from recede.contract.measuring.sampling import (
    FIRST_LOOK,
    SECOND_LOOK,
    Seen,
    estimated,
    first_look,
    is_near,
    second_look,
)

TRIALS = 400


@dataclass(frozen=True)
class Truth:
    """How a cut network differs from its control on a whole split."""

    size: int
    correct: int
    lost: int
    gained: int

    @property
    def value(self) -> float:
        return (self.correct - self.lost + self.gained) / self.size

    @property
    def kinds(self) -> np.ndarray:
        """Images that are lost, kept right, gained, kept wrong."""
        wrong = self.size - self.correct
        return np.array([self.lost, self.correct - self.lost, self.gained, wrong - self.gained])

    def seen(self, counts: np.ndarray) -> Seen:
        lost, right, gained, _ = (int(count) for count in counts)
        return Seen(self.size, self.correct, int(counts.sum()), lost + right, lost, gained)

    def draw(self, rng: np.random.Generator, n: int) -> Seen:
        return self.seen(rng.multivariate_hypergeometric(self.kinds, n))

    def look(self, rng: np.random.Generator) -> Accuracy:
        """As the sampler does: a first part, a second one, the whole split."""
        first = first_look(self.size)
        counts = rng.multivariate_hypergeometric(self.kinds, first)
        known = estimated(self.seen(counts), FIRST_LOOK)
        if is_near(known):
            return known
        n = second_look(self.seen(counts))
        counts = counts + rng.multivariate_hypergeometric(self.kinds - counts, n - first)
        known = estimated(self.seen(counts), SECOND_LOOK)
        if is_near(known):
            return known
        return measured(round(self.value * self.size), self.size)


TRUTHS = [
    Truth(6000, 5400, 0, 0),  # nothing differs
    Truth(6000, 5400, 3, 2),
    Truth(6000, 5400, 30, 0),  # as many as the first look can just miss
    Truth(6000, 5400, 60, 40),
    Truth(6000, 5400, 300, 100),
    Truth(6000, 5400, 4860, 60),  # far below: answers by chance
    Truth(6000, 5998, 20, 1),
    Truth(1000, 900, 4, 0),
    Truth(1000, 640, 30, 20),
    Truth(360, 352, 2, 1),  # a small split
    Truth(50_000, 38_000, 500, 300),
]


def held(known: Accuracy, value: float) -> bool:
    return known.split_low - 1e-9 <= value <= known.split_high + 1e-9


@pytest.mark.parametrize("truth", TRUTHS)
def test_intervals_hold_the_whole_split_under_repeated_looks(truth):
    rng = np.random.default_rng(7)
    assert np.mean([held(truth.look(rng), truth.value) for _ in range(TRIALS)]) >= 0.93


@pytest.mark.parametrize("n", [40, 120, 250])
@pytest.mark.parametrize("lost_and_gained", [(0, 0), (1, 0), (2, 1), (20, 5), (150, 10)])
def test_intervals_of_one_look_at_a_small_split_hold_it(n, lost_and_gained):
    truth = Truth(360, 342, *lost_and_gained)
    rng = np.random.default_rng(8)
    looks = [estimated(truth.draw(rng, n)) for _ in range(TRIALS)]
    assert np.mean([held(known, truth.value) for known in looks]) >= 0.93


@pytest.mark.parametrize("share_lost", [0.0, 0.004, 0.1])
def test_the_wider_interval_holds_the_accuracy_on_new_images(share_lost):
    """The split itself is drawn anew each time, of a distribution with known accuracy."""
    rng = np.random.default_rng(9)
    size, dense, gained = 2000, 0.9, 0.002
    shares = [share_lost, dense - share_lost, gained, 1 - dense - gained]
    inside = []
    for _ in range(TRIALS):
        lost, right, won, _ = (int(count) for count in rng.multinomial(size, shares))
        known = Truth(size, lost + right, lost, won).look(rng)
        inside.append(known.low <= dense - share_lost + gained <= known.high)
    assert np.mean(inside) >= 0.93


def test_the_estimate_is_right_on_average():
    rng = np.random.default_rng(10)
    for truth in (Truth(1000, 900, 200, 20), Truth(1000, 900, 12, 6)):
        values = [estimated(truth.draw(rng, 200)).value for _ in range(3000)]
        assert np.mean(values) == pytest.approx(truth.value, abs=4 * np.std(values) / 3000**0.5)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4), st.data())
def test_any_sample_gives_nested_intervals_that_hold_the_value(kinds, data):
    counts = np.array([data.draw(st.integers(0, kind)) for kind in kinds])
    if not counts.sum():
        return
    truth = Truth(sum(kinds), kinds[0] + kinds[1], kinds[0], kinds[2])
    known = estimated(truth.seen(counts))
    assert 0 <= known.low <= known.split_low + 1e-9
    assert known.split_low <= known.value + 1e-9
    assert known.value <= known.split_high + 1e-9
    assert known.split_high <= known.high + 1e-9 <= 1 + 2e-9
    if counts.sum() == truth.size:
        assert (known.kind, known.value) == ("measured", pytest.approx(truth.value))


def test_a_first_look_without_a_difference_is_enough_and_no_image_more_than_needed():
    n = first_look(6000)
    assert is_near(estimated(Seen(6000, 5400, n, round(0.9 * n), 0, 0), FIRST_LOOK))
    assert not is_near(estimated(Seen(6000, 5400, n - 1, 530, 0, 0), FIRST_LOOK))
    assert first_look(6000, 0.003) > n


def test_a_small_split_is_looked_at_wholly():
    assert first_look(360) == 360
    assert second_look(Seen(6000, 5400, 600, 540, 300, 10)) == 6000
