"""What a measured accuracy is worth: intervals, the lossless ratio, estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Z_95 = 1.959964  # two-sided 95 % quantile of the normal distribution


@dataclass(frozen=True)
class Measured:
    """Accuracy of one really cut network: `correct` of `n` images at a share removed."""

    ratio: float
    correct: int
    n: int

    @property
    def accuracy(self) -> float:
        """Share of correct answers in [0, 1]."""
        return self.correct / self.n


@dataclass(frozen=True)
class Accuracy:
    """An accuracy with what kind of number it is and its 95 % interval, all in [0, 1]."""

    kind: Literal["measured", "estimated"]
    value: float
    low: float
    high: float
    n: int


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson, 1927)."""
    p, z2 = correct / n, Z_95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def standard_error(correct: int, n: int) -> float:
    """Standard error of a proportion; two of each outcome added so that 100 % is not exact.

    (Agresti and Coull, 1998.)
    """
    p = (correct + 2) / (n + 4)
    return math.sqrt(p * (1 - p) / (n + 4))


def measured(correct: int, n: int) -> Accuracy:
    """An accuracy that was measured on n images."""
    low, high = wilson_interval(correct, n)
    return Accuracy("measured", correct / n, low, high, n)


def lossless_ratio(points: Sequence[Measured]) -> float | None:
    """Largest measured ratio up to which no drop exceeds one standard error of the dense accuracy.

    The one-standard-error rule (Breiman et al., 1984) on the validation images. None without
    a point at ratio 0, the dense network.
    """
    ordered = sorted(points, key=lambda point: point.ratio)
    if not ordered or ordered[0].ratio != 0:
        return None
    dense = ordered[0]
    floor = dense.accuracy - standard_error(dense.correct, dense.n)
    best = 0.0
    for point in ordered:
        if point.accuracy < floor:
            break
        best = point.ratio
    return best


def estimate(points: Sequence[Measured], ratio: float) -> Accuracy | None:
    """Accuracy between measured ratios, with a band that covers both neighbours' intervals.

    None where the ratio lies outside the measured ones.
    """
    ordered = sorted(points, key=lambda point: point.ratio)
    below = [point for point in ordered if point.ratio <= ratio]
    above = [point for point in ordered if point.ratio >= ratio]
    if not below or not above:
        return None
    left, right = below[-1], above[0]
    width = right.ratio - left.ratio
    share = (ratio - left.ratio) / width if width else 0.0
    value = left.accuracy + share * (right.accuracy - left.accuracy)
    intervals = [wilson_interval(point.correct, point.n) for point in (left, right)]
    low, high = min(i[0] for i in intervals), max(i[1] for i in intervals)
    return Accuracy("estimated", value, low, high, min(left.n, right.n))
