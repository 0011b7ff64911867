"""Accuracy of a cut network from a random part of a split, beside a network known on all of it.

The control is a network whose answers are known for the whole split: the dense one, or another
cut. Only where the two differ is there anything to estimate: the images that the control has
right and the cut one wrong (lost), and the other way round (gained). Each is a count in a
finite part of the split, so exact bounds exist also where no difference was seen at all.

A cut between two others that were measured wholly has a better control: the images on which
those two differ are all evaluated, and of the others, where they agree, only a part. Where
hardly anything differs there, neighbouring cuts look at different images and are counted
together ("pooled"): what one of them shows is then only an upper bound for the others.

A point is evaluated three times at most: on a first part, on a larger one whose size the first
look predicts, and on the whole split. Each look has its own share of the error, so that
looking again does not make the interval too short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from recede.contract.measuring.accuracy import Accuracy, measured
from recede.contract.measuring.intervals import (
    count_bounds,
    normal_quantile,
    wilson,
)

TOLERANCE = 0.005
"""Half-width of the interval for the whole split at which a point is known well enough."""
FIRST_LOOK, SECOND_LOOK = 0.04, 0.03
"""Error that each look may make; the third one makes none."""
WORTHWHILE = 0.75
"""What needs a larger share of the split than this is as well measured on all of it."""
MANY = 32
"""Differences from which on it pays to count each where it can be."""
_ROUNDING = 1e-9
_MARGIN = 1.25  # a prediction from few images is often too small


@dataclass(frozen=True)
class Seen:
    """What was counted on n random images of `size`, beside a control.

    The `size` images are the split, or the part of it that is not counted as a whole.
    """

    size: int
    control_correct: int
    """Of the control, on the `size` images."""
    n: int
    control_seen: int
    """Images of the n that the control has right."""
    lost: int
    gained: int
    counted: int = 0
    """Images beside those, all of which were evaluated."""
    counted_right: int = 0
    pooled: int = 1
    """Neighbouring cuts among which the n images were shared out: a draw of their answers."""

    @property
    def split(self) -> int:
        """Images of the split."""
        return self.size + self.counted

    @property
    def parts(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Lost and gained, each: counted, of how many seen, of how many there are.

        A few differences are counted in the whole split, and nothing is known of the rest.
        Many are counted where they can be: only what the control has right can be lost.
        """
        if self.lost + self.gained < min(MANY, self.n / 4):
            return (self.lost, self.n, self.size), (self.gained, self.n, self.size)
        wrong, wrong_seen = self.size - self.control_correct, self.n - self.control_seen
        return (
            (self.lost, self.control_seen, self.control_correct),
            (self.gained, wrong_seen, wrong),
        )

    @property
    def most(self) -> tuple[int, int]:
        """How many can be lost and gained at most: what was seen to be alike cannot."""
        wrong, wrong_seen = self.size - self.control_correct, self.n - self.control_seen
        if self.pooled > 1:
            return self.control_correct, wrong
        lost = self.control_correct - (self.control_seen - self.lost)
        return lost, wrong - (wrong_seen - self.gained)

    @property
    def certain(self) -> tuple[int, int]:
        """Of the `size` images, how many are known to be right, and how many to be wrong."""
        if self.pooled > 1:
            return 0, 0
        right = self.control_seen - self.lost + self.gained
        return right, self.n - right


def estimated(seen: Seen, alpha: float = 0.05) -> Accuracy:
    """Accuracy on the whole split with both intervals; measured where all images were seen.

    The bounds of the two counts are put together by the square-and-add rule (Zou and Donner,
    2008), which needs no normal distribution of either.
    """
    correct = seen.control_correct
    if seen.n >= seen.size and seen.pooled == 1:
        return measured(correct - seen.lost + seen.gained + seen.counted_right, seen.split)
    # A zero beside another count leaves two ways to miss, so its bound gets half of alpha.
    halves = [0.5 if not part[0] and seen.lost + seen.gained else 1.0 for part in seen.parts]
    (lost, low_lost, high_lost), (gained, low_gained, high_gained) = (
        _at_most(most, of * count / max(1, n), *_bounds(seen, count, n, of, alpha * half))
        for (count, n, of), half, most in zip(seen.parts, halves, seen.most, strict=True)
    )
    below = math.hypot(high_lost - lost, gained - low_gained)
    above = math.hypot(lost - low_lost, high_gained - gained)
    right, wrong = seen.certain
    count = correct - lost + gained
    low, high = max(float(right), count - below), min(float(seen.size - wrong), count + above)
    return _of_the_split(seen, min(high, max(low, count)), low, high)


def _bounds(seen: Seen, count: int, n: int, of: int, alpha: float) -> tuple[float, float]:
    """Of one cut's `of` images; what was counted among several may all be the neighbours'."""
    low, high = count_bounds(count, n, of * seen.pooled, alpha)
    return (low, high) if seen.pooled == 1 else (0.0, high / seen.pooled)


def _of_the_split(seen: Seen, *right: float) -> Accuracy:
    """From right answers among the `size` images, and their least and most."""
    size = seen.split
    value, low, high = ((seen.counted_right + count) / size for count in right)
    new = new_images(value, size, (low, high))
    n = min(seen.n, seen.size) + seen.counted  # an image may have been shown to several cuts
    return Accuracy("estimated", value, *new, n, size, low, high)


def _at_most(most: int, *counts: float) -> list[float]:
    return [min(float(most), count) for count in counts]


def is_near(known: Accuracy, bound: float = TOLERANCE) -> bool:
    """Whether the interval for the whole split is at most ± `bound` wide."""
    return known.half_width <= bound + _ROUNDING


def new_images(value: float, size: int, split: tuple[float, float]) -> tuple[float, float]:
    """Interval for images beyond the split: its own chance and that of the estimate add up."""
    low, high = wilson(min(1.0, max(0.0, value)), size)
    return (
        max(0.0, value - math.hypot(value - low, value - split[0])),
        min(1.0, value + math.hypot(high - value, split[1] - value)),
    )


def first_look(size: int, bound: float = TOLERANCE, pooled: int = 1) -> int:
    """Images after which no difference seen means that accuracy moved by at most `bound`.

    The whole split, if that is hardly more. Shared out among `pooled` cuts, they are that many
    of the answers of all these cuts.
    """
    size *= pooled
    low, high = 1, size
    while low < high:
        n = (low + high) // 2
        if count_bounds(0, n, size, FIRST_LOOK)[1] <= bound * size:
            high = n
        else:
            low = n + 1
    return size if low > WORTHWHILE * size else low


def second_look(seen: Seen, bound: float = TOLERANCE) -> int:
    """Images of the `size` that are likely to bring the interval of the split down to ± `bound`.

    All of them, if that is hardly less than looking at the whole split.
    """
    spread = 0.0
    for count, n, of in seen.parts:
        share = (count + 1) / (n + 2)
        spread += of / seen.size * share * (1 - share)
    bound *= seen.split / seen.size
    alone = spread * (normal_quantile(1 - SECOND_LOOK / 2) / bound) ** 2
    n = math.ceil(_MARGIN * alone / (1 + alone / seen.size))
    if n + seen.counted > WORTHWHILE * seen.split:
        return seen.size
    return max(n, min(2 * seen.n, seen.size))
