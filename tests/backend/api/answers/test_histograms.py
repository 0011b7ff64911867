"""Histograms: every value counted once, ranges that never move, strange values harmless."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recede.api.answers.training.histograms import (
    Histogram,
    HistogramCache,
    compute,
)
from recede.contract.cut.selection import importances

RAW = arrays.arrays(
    np.float32, (3, 17), elements=st.floats(-40, 40, width=32, allow_subnormal=False)
)


@given(raw=RAW, scale=st.sampled_from(["bounded", "plain"]), bins=st.integers(2, 64))
@pytest.mark.parametrize("axis", ["sigma", "logit"])
def test_every_value_is_counted_once(raw, scale, bins, axis):
    made = compute(raw, scale, axis, bins)
    assert made.counts_EB.shape == (3, bins)
    assert made.counts_EB.sum(axis=1).tolist() == [17] * 3
    assert made.low < made.high
    assert len(made.body()) == 3 * bins * 4


@given(raw=RAW)
def test_bins_are_numpys_where_nothing_is_clipped(raw):
    made = compute(raw, "bounded", "sigma", 50)
    for epoch in range(3):
        expected, _ = np.histogram(importances(raw[epoch], "bounded"), 50, (0, 1))
        assert np.abs(made.counts_EB[epoch].astype(int) - expected).sum() <= 2  # on an edge


def test_the_range_is_the_same_for_all_epochs():
    raw = np.array([[0.5, -0.25], [2.0, 0.1]], dtype=np.float32)
    made = compute(raw, "plain", "sigma", 4)
    assert (made.low, made.high) == (0.0, 2.0)
    assert made.counts_EB.tolist() == [[1, 1, 0, 0], [1, 0, 0, 1]]


def test_values_beyond_the_range_go_to_the_ends():
    raw = np.array([[-50, -11.9, 11.9, 50]], dtype=np.float32)
    assert compute(raw, "bounded", "logit", 24).counts_EB[0, [0, -1]].tolist() == [2, 2]


def test_a_plain_scale_of_zero_goes_to_the_lowest_bin():
    made = compute(np.zeros((1, 3), dtype=np.float32), "plain", "logit", 7)
    assert made.counts_EB.tolist() == [[3, 0, 0, 0, 0, 0, 0]]
    assert (made.low, made.high) == (-6.0, 1.0)
    assert compute(np.zeros((1, 3), dtype=np.float32), "plain", "sigma", 2).high == 1.0


@pytest.mark.parametrize("scale", ["bounded", "plain"])
@pytest.mark.parametrize("axis", ["sigma", "logit"])
def test_what_is_no_number_is_left_out_and_infinity_is_at_the_end(scale, axis):
    raw = np.array([[np.nan, np.inf, 0.5]], dtype=np.float32)
    made = compute(raw, scale, axis, 8)
    assert made.counts_EB.sum() == 2
    assert made.counts_EB[0, -1] >= 1
    assert np.isfinite([made.low, made.high]).all()


def test_the_cache_makes_each_histogram_once_and_stays_small():
    made: list[int] = []

    def make(number: int) -> Histogram:
        made.append(number)
        return Histogram(np.zeros((1, 100), dtype=np.uint32), 0, 1)

    cache = HistogramCache(limit_bytes=1000)  # two of 400 bytes
    for number in (1, 2, 1, 3, 1, 2):
        cache.get((number,), lambda n=number: make(n))
    assert made == [1, 2, 3, 2]
