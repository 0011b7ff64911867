"""Bounds of a count in a finite split: known values, monotone, never outside what was seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.measuring.intervals import (
    count_bounds,
    normal_quantile,
    wilson,
)

draws = st.integers(1, 400).flatmap(
    lambda size: st.integers(0, size).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.just(n), st.just(size))
    )
)


@given(draws)
def test_bounds_hold_what_was_seen_and_leave_what_was_not(draw):
    seen, n, size = draw
    low, high = count_bounds(*draw)
    assert seen <= low + 1e-9
    assert low <= high
    assert high <= size - (n - seen) + 1e-9


@given(draws)
def test_bounds_of_the_opposite_are_the_opposite(draw):
    seen, n, size = draw
    low, high = count_bounds(n - seen, n, size)
    if seen != n - seen:
        assert count_bounds(*draw) == pytest.approx((size - high, size - low))


def test_the_whole_split_leaves_nothing_open_and_no_image_everything():
    assert count_bounds(3, 50, 50) == (3, 3)
    assert count_bounds(0, 0, 50) == (0, 50)


def test_nothing_seen_bounds_the_count_by_one_tail():
    # The largest count that 600 of 6,000 images would miss with more than 5 %.
    chance = lambda count: math.comb(6000 - count, 600) / math.comb(6000, 600)  # noqa: E731
    _, high = count_bounds(0, 600, 6000)
    assert chance(int(high)) > 0.05 >= chance(int(high) + 1)


def test_more_images_and_more_doubt_make_bounds_tighter():
    widths = [np.diff(count_bounds(n // 10, n, 1000))[0] for n in (20, 100, 300, 900)]
    assert widths == sorted(widths, reverse=True)
    low, high = count_bounds(20, 100, 1000, 0.05)
    narrow = count_bounds(20, 100, 1000, 0.2)
    assert low < narrow[0] < narrow[1] < high


@pytest.mark.parametrize("size", [60, 360, 2000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("part", [0.1, 0.5])
def test_bounds_hold_the_count_as_often_as_they_say(size, share, part):
    rng = np.random.default_rng(3)
    count, n = round(share * size), round(part * size)
    seen = rng.hypergeometric(count, size - count, n, 2000)
    held = [low <= count <= high for low, high in (count_bounds(int(x), n, size) for x in seen)]
    assert np.mean(held) >= 0.93


def test_numbers_that_cannot_be_are_refused():
    for given_ in ((5, 4, 10), (1, 20, 10), (-1, 5, 10)):
        with pytest.raises(ValueError, match="cannot be"):
            count_bounds(*given_)


def test_quantiles_and_wilson_have_their_known_values():
    assert normal_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)
    assert wilson(0.8, 10) == pytest.approx((0.4901, 0.9433), abs=1e-4)
