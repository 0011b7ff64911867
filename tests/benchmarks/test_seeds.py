"""What a few seeds show is neither more nor less than their number allows."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.parts.experiment.seeds import Paired, mean_and_range, what_seeds_can_show


def test_mean_and_range_are_in_percent_and_leave_out_what_is_unknown():
    assert mean_and_range([0.881, 0.894, None]) == "88.8 (88.1 to 89.4)"
    assert mean_and_range([0.881]) == "88.1"
    assert mean_and_range([None]) == mean_and_range([]) == "–"


def test_t_interval_of_three_differences():
    """Student's table: 4.303 for 2 degrees of freedom; the deviation of 1, 2 and 3 is 1."""
    low, high = Paired((1.0, 2.0, 3.0)).interval or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(2.0)
    assert (high - low) / 2 == pytest.approx(4.303 / 3**0.5, abs=1e-3)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_intervals_hold_the_true_mean_as_often_as_they_say(n: int):
    rng = np.random.default_rng(0)
    samples = rng.normal(0.4, 1.5, (2000, n))
    intervals = [Paired(tuple(sample)).interval or (1.0, 0.0) for sample in samples]
    share = np.mean([low <= 0.4 <= high for low, high in intervals])
    assert abs(share - 0.95) < 0.02


def test_a_single_seed_has_no_interval():
    assert Paired((1.0,)).interval is None
    assert str(Paired((-0.5,))) == "-0.50, above 0 in 0 of 1"


def test_signs_of_three_seeds_cannot_come_below_a_quarter():
    assert "0.25" in what_seeds_can_show(3)
