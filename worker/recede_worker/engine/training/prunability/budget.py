"""What the accuracy of cuts may cost while a network trains: time earned, time spent, what fits.

Pure: no clock is read here. Times are seconds of this process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from recede.store.results.maps import RATIOS

FEWEST, ENOUGH = 128, 512
"""Fewest images for the first and the last epoch, and for any other.

Where the accuracy falls, a cut and the dense network disagree on up to half of the images:
512 of them then give ± 4 points, 128 give ± 9.
"""
MOST_EPOCHS = 100
"""Columns of the map: of longer runs every second, third, … epoch may be measured."""

MARGIN = 0.85
"""Only this share of what may be spent is planned, since plans are estimates."""


@dataclass
class Ledger:
    """A share of the time of training is earned, and what was measured is paid from it."""

    share: float
    credit_s: float = 0.0
    """What may be spent now; negative after an estimate that was too low, until it is earned."""
    earned_s: float = 0.0
    spent_s: float = 0.0

    def earn(self, epoch_s: float) -> None:
        """Credit the share of one epoch's time; what is not spent stays for later ones."""
        self.credit_s += self.share * epoch_s
        self.earned_s += self.share * epoch_s

    @property
    def part(self) -> float:
        """Share of the training's time that was spent so far."""
        return self.share * self.spent_s / self.earned_s if self.earned_s else 0.0

    def pay(self, seconds: float) -> None:
        """Take off what was really spent."""
        self.credit_s -= seconds
        self.spent_s += seconds


@dataclass
class Costs:
    """Seconds that measuring takes, learnt as it goes."""

    image_s: float
    """One image through the dense network."""
    cut_s: float = 0.0
    """Making one cut network."""
    fixed_s: float = 0.0
    """What one epoch of the map needs whatever it measures."""

    def one(self, images: int, share: float) -> float:
        """One more cut that takes this share of the dense network's time, on so many images."""
        return self.cut_s + images * self.image_s * share

    def of(self, images: int, shares: list[float]) -> float:
        """Cuts that take these shares of the dense network's time, on so many images."""
        return self.fixed_s + sum(self.one(images, share) for share in shares)

    def images(self, seconds: float, shares: list[float]) -> int:
        """How many images each of these cuts can be measured on in that time."""
        left = seconds - self.of(0, shares)
        return max(0, int(left / max(self.image_s * sum(shares), 1e-12)))


@dataclass
class Budget:
    """Which epochs of a run are measured, and on how many of the split's images."""

    epochs: int
    n_split: int
    ledger: Ledger
    costs: Costs
    shares: list[float] = field(default_factory=lambda: [1 - ratio for ratio in RATIOS[1:]])
    """Of the last cuts; before there were any, about what they will be."""
    last_epoch: int | None = None
    """The latest one that was measured."""

    def earn(self, epoch: int, seconds: float) -> dict[str, Any]:
        """Credit an epoch of so many seconds; returns what a resumed run starts with.

        If the epoch is due, all that may be spent on it counts as spent there: a resumed run
        cannot know how much was.
        """
        self.ledger.earn(seconds)
        later = replace(self.ledger)
        later.pay(self.affordable(epoch, seconds))
        return {"ledger": vars(later), "last_epoch": self.last_epoch}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Continue from what `earn` returned."""
        if kept:
            self.ledger = Ledger(**kept["ledger"])
            self.last_epoch = kept["last_epoch"]

    def affordable(self, epoch: int, seconds: float) -> float:
        """Seconds that may be spent after this epoch, which took `seconds`; 0 if it is not due.

        So much is held back that the last epoch can be paid from it and from what is yet to
        be earned.
        """
        if not self._is_due(epoch):
            return 0.0
        left = self.epochs - epoch
        last_s = self.costs.of(min(self.n_split, FEWEST), self.shares) / MARGIN
        held = max(0.0, last_s - left * self.ledger.share * seconds) if left else 0.0
        return max(0.0, self.ledger.credit_s - held)

    def images(self, epoch: int, seconds: float) -> int:
        """Images on which each cut of this epoch can be measured in that time; 0 if too few."""
        edge = self.last_epoch is None or epoch == self.epochs
        fewest = min(self.n_split, FEWEST if edge else ENOUGH)
        n = min(self.n_split, self.costs.images(MARGIN * seconds, self.shares))
        return n if n >= fewest else 0

    def _is_due(self, epoch: int) -> bool:
        if self.last_epoch is None or epoch == self.epochs:
            return True
        return epoch - self.last_epoch >= math.ceil(self.epochs / MOST_EPOCHS)


def order(count: int) -> list[int]:
    """All places in [0, count), ends first, then the middle of the widest gap.

    So any first part of it is spread over the whole range.
    """
    if count < 3:
        return list(range(count))
    found = [0, count - 1]
    gaps = [(0, count - 1)]
    while gaps:
        low, high = gaps.pop(0)
        middle = (low + high) // 2
        if middle in (low, high):
            continue
        found.append(middle)
        gaps += [(low, middle), (middle, high)]
    return found
