"""What a measured accuracy is worth: intervals, the lossless ratio, estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recede.contract.measuring.intervals import Z_95, wilson

__all__ = [
    "Z_95",
    "Accuracy",
    "Known",
    "Measured",
    "around_the_knee",
    "estimate",
    "floor_of",
    "lossless_ratio",
    "measured",
    "standard_error",
    "uncounted",
    "wilson_interval",
]


@dataclass(frozen=True)
class Accuracy:
    """An accuracy with what kind of number it is and its 95 % intervals, all in [0, 1].

    `low` and `high`: for new images like those of the split. `split_low` and `split_high`: for
    what the whole split (`n_split` images) would give; the value itself where it was measured.
    """

    kind: Literal["measured", "estimated"]
    value: float
    low: float
    high: float
    n: int
    """Images that it rests on: the network was run on them, or cuts beside it were."""
    n_split: int
    split_low: float
    split_high: float

    @property
    def half_width(self) -> float:
        """Of the interval for the whole split."""
        return (self.split_high - self.split_low) / 2


def uncounted(value: float) -> Accuracy:
    """A value by another metric: no images were counted, so no interval is known."""
    return Accuracy("measured", value, value, value, 0, 0, value, value)


@dataclass(frozen=True)
class Known:
    """Accuracy of one really cut network at a share of neurons removed."""

    ratio: float
    accuracy: Accuracy


@dataclass(frozen=True)
class Measured:
    """`correct` of all `n` images of a split, at a share of neurons removed."""

    ratio: float
    correct: int
    n: int

    @property
    def accuracy(self) -> Accuracy:
        """As an accuracy with its intervals."""
        return measured(self.correct, self.n)


Point = Known | Measured


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson, 1927)."""
    return wilson(correct / n, n)


def standard_error(correct: int, n: int) -> float:
    """Standard error of a proportion; two of each outcome added so that 100 % is not exact.

    (Agresti and Coull, 1998.)
    """
    p = (correct + 2) / (n + 4)
    return math.sqrt(p * (1 - p) / (n + 4))


def measured(correct: int, n: int) -> Accuracy:
    """An accuracy that was measured on all n images of a split."""
    low, high = wilson_interval(correct, n)
    return Accuracy("measured", correct / n, low, high, n, n, correct / n, correct / n)


def floor_of(dense: Accuracy) -> float:
    """The least accuracy without a real drop: one standard error under the dense network's."""
    correct = round(dense.value * dense.n_split)
    return correct / dense.n_split - standard_error(correct, dense.n_split)


def lossless_ratio(points: Sequence[Point]) -> float | None:
    """Largest ratio up to which no drop exceeds one standard error of the dense accuracy.

    The one-standard-error rule (Breiman et al., 1984) on the validation images. An estimated
    point counts only if all of its interval for the split is above the floor. None without a
    point at ratio 0, the dense network.
    """
    ordered = _by_ratio(points)
    if not ordered or ordered[0].ratio != 0:
        return None
    return ordered[_fall(ordered) - 1].ratio


def around_the_knee(points: Sequence[Point]) -> list[Point]:
    """The last point without a real drop and the first with one, where there are such."""
    ordered = _by_ratio(points)
    if not ordered or ordered[0].ratio != 0:
        return []
    fall = _fall(ordered)
    return ordered[max(0, fall - 1) : fall + 1]


def _fall(ordered: Sequence[Point]) -> int:
    """Place of the first point that may have dropped; the dense network itself has not."""
    floor = floor_of(ordered[0].accuracy)
    for place, point in enumerate(ordered):
        if place and point.accuracy.split_low < floor:
            return place
    return len(ordered)


def _by_ratio(points: Sequence[Point]) -> list[Point]:
    return sorted(points, key=lambda point: point.ratio)


def estimate(points: Sequence[Point], ratio: float) -> Accuracy | None:
    """Accuracy between known ratios, with bands that cover both neighbours' intervals.

    None where the ratio lies outside the known ones.
    """
    ordered = _by_ratio(points)
    below = [point for point in ordered if point.ratio <= ratio]
    above = [point for point in ordered if point.ratio >= ratio]
    if not below or not above:
        return None
    left, right = below[-1], above[0]
    width = right.ratio - left.ratio
    share = (ratio - left.ratio) / width if width else 0.0
    a, b = left.accuracy, right.accuracy
    return Accuracy(
        "estimated",
        a.value + share * (b.value - a.value),
        min(a.low, b.low),
        max(a.high, b.high),
        min(a.n, b.n),
        min(a.n_split, b.n_split),
        min(a.split_low, b.split_low),
        max(a.split_high, b.split_high),
    )
