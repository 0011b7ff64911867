"""95 % intervals that hold with few images too: of a share, and of a count in a finite split.

A random part of a split was evaluated: how many of all of its images have a property? Drawing
without replacement makes the number seen hypergeometric, so the more of the split was seen,
the less is left to guess, and the whole split leaves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

Z_95 = 1.959964  # two-sided 95 % quantile of the normal distribution
_FEW = 32
"""Below this many of a kind the normal approximation is not trusted: then exact sums."""


def wilson(share: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Score interval of a proportion (Wilson, 1927): `share` in [0, 1] of n draws."""
    z2 = z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


@lru_cache(maxsize=65_536)
def count_bounds(seen: int, n: int, size: int, alpha: float = 0.05) -> tuple[float, float]:
    """Interval for how many of `size` images have a property that `seen` of n drawn ones have.

    At least 1 - alpha of all samples give an interval that holds the number. It lies in
    [seen, size - (n - seen)].

    Raises:
        ValueError: the numbers cannot be.
    """
    if not (0 <= seen <= n <= size and 0 < alpha < 1):
        raise ValueError(f"{seen} of {n} of {size} at alpha {alpha} cannot be.")
    if n == 0:
        return 0.0, float(size)
    if n == size:
        return float(seen), float(seen)
    if min(seen, n - seen) >= _FEW:
        share = n * (size - 1) / (size - n)  # the draws that would say as much with replacement
        low, high = wilson(seen / n, share, normal_quantile(1 - alpha / 2))
        return max(float(seen), low * size), min(float(size - n + seen), high * size)
    if seen <= n - seen:
        return _exact(seen, n, size, alpha)
    low, high = _exact(n - seen, n, size, alpha)
    return size - high, size - low


def _exact(seen: int, n: int, size: int, alpha: float) -> tuple[float, float]:
    """The counts between which neither tail is too unlikely (Clopper and Pearson, 1934).

    Where nothing was seen the interval can only miss on one side, which then has all of alpha.
    """
    low, high = seen, size - (n - seen)
    tail = alpha / 2 if seen else alpha
    smallest = _first(low, high, lambda count: _upper(seen, n, size, count) > tail) if seen else 0
    largest = _first(low, high + 1, lambda count: _lower(seen, n, size, count) <= tail) - 1
    return float(smallest), float(max(largest, low))


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Smallest count in [low, high) for which a condition that stays true holds, else high."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _lower(seen: int, n: int, size: int, count: int) -> float:
    """P(at most `seen`) when `count` of `size` have the property."""
    first = max(0, n - size + count)
    return sum(_chance(x, n, size, count) for x in range(first, seen + 1))


def _upper(seen: int, n: int, size: int, count: int) -> float:
    """P(at least `seen`)."""
    return 1 - _lower(seen - 1, n, size, count)


def _chance(seen: int, n: int, size: int, count: int) -> float:
    """Hypergeometric probability."""
    if not (seen <= count and n - seen <= size - count):
        return 0.0
    return math.exp(
        _log_choose(count, seen) + _log_choose(size - count, n - seen) - _log_choose(size, n)
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


@lru_cache(maxsize=64)
def normal_quantile(p: float) -> float:
    """Quantile of the normal distribution, by halving."""
    low, high = -9.0, 9.0
    for _ in range(60):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2)) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2
