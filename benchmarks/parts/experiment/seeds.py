"""What a few seeds say: mean and range, and paired differences with what they can show."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

CONFIDENCE = 0.95


def mean_and_range(shares: Sequence[float | None], digits: int = 1) -> str:
    """Shares in percent: "88.9 (88.1 to 89.4)"; fewer if one is None, "–" if all are."""
    known = [100 * share for share in shares if share is not None]
    if not known:
        return "–"
    spread = f" ({min(known):.{digits}f} to {max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{statistics.fmean(known):.{digits}f}{spread}"


@dataclass(frozen=True)
class Paired:
    """Differences of two ways that had the same seed, in percentage points."""

    differences: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of all seeds."""
        return statistics.fmean(self.differences)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % t interval of the mean, if the differences are normal; None of a single seed."""
        n = len(self.differences)
        if n < 2:
            return None
        quantile = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
        half = quantile * statistics.stdev(self.differences) / n**0.5
        return self.mean - half, self.mean + half

    @property
    def more(self) -> int:
        """Seeds for which the difference is above 0."""
        return sum(difference > 0 for difference in self.differences)

    def __str__(self) -> str:
        """Mean with its interval and the count of signs."""
        between = self.interval
        shown = f" ({between[0]:+.2f} to {between[1]:+.2f})" if between else ""
        return f"{self.mean:+.2f}{shown}, above 0 in {self.more} of {len(self.differences)}"


def what_seeds_can_show(n: int) -> str:
    """In words, how much n pairs of seeds can say at all."""
    if n < 2:
        return "One seed shows a single case and no interval."
    reach = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) / n**0.5
    return (
        f"n = {n} pairs: the t interval reaches {reach:.1f} standard deviations of the "
        "differences to either side and takes them for normal; by their signs alone p is at "
        f"least {2 * 0.5**n:.2g} (two-sided). A seed chooses weights, the order of the images "
        "and which of them are held out; of networks and data sets there is one each."
    )
