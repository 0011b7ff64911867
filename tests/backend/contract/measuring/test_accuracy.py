"""Accuracies: intervals that hold their known values, estimates that stay in their band."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.measuring.accuracy import (
    Measured,
    estimate,
    lossless_ratio,
    measured,
    standard_error,
    wilson_interval,
)

curves = st.lists(
    st.builds(
        lambda ratio, share, n: Measured(ratio, int(share * n), n),
        st.floats(0, 1),
        st.floats(0, 1),
        st.integers(1, 10_000),
    ),
    max_size=8,
)


def test_the_wilson_interval_has_its_known_values():
    assert wilson_interval(8, 10) == pytest.approx((0.4901, 0.9433), abs=1e-4)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_an_interval_holds_the_measured_value_and_lies_in_zero_to_one(n, share):
    accuracy = measured(int(share * n), n)
    assert accuracy.kind == "measured"
    assert 0 <= accuracy.low <= accuracy.value + 1e-12
    assert accuracy.value - 1e-12 <= accuracy.high <= 1


def test_more_images_make_the_standard_error_smaller_and_never_zero():
    assert standard_error(100, 100) > standard_error(10_000, 10_000) > 0


def test_the_lossless_ratio_is_the_last_before_the_first_real_drop():
    points = [Measured(r, c, 1000) for r, c in [(0, 900), (0.2, 905), (0.4, 895), (0.6, 880)]]
    assert lossless_ratio([*points, Measured(0.8, 900, 1000)]) == 0.4
    assert lossless_ratio(points[:1]) == 0
    assert lossless_ratio(list(reversed(points))) == 0.4


@given(curves)
def test_the_lossless_ratio_is_a_measured_one_or_needs_the_dense_network(points):
    ratio = lossless_ratio(points)
    has_dense = any(point.ratio == 0 for point in points)
    assert (ratio is not None) == has_dense
    if ratio is not None:
        assert ratio in {point.ratio for point in points}


@given(curves, st.floats(0, 1))
def test_an_estimate_lies_between_its_neighbours_and_in_its_band(points, ratio):
    accuracy = estimate(points, ratio)
    inside = bool(points) and min(p.ratio for p in points) <= ratio <= max(p.ratio for p in points)
    assert (accuracy is not None) == inside
    if accuracy is not None:
        assert accuracy.kind == "estimated"
        assert accuracy.low - 1e-9 <= accuracy.value <= accuracy.high + 1e-9


def test_an_estimate_is_linear_and_its_band_covers_both_neighbours():
    points = [Measured(0.0, 90, 100), Measured(0.5, 50, 200)]
    middle = estimate(points, 0.25)
    assert middle is not None
    assert middle.value == pytest.approx((0.9 + 0.25) / 2)
    assert middle.low == wilson_interval(50, 200)[0]
    assert middle.high == wilson_interval(90, 100)[1]
    assert middle.n == 100
