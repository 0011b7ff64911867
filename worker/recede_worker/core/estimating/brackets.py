"""Finds the accuracy of many nested cuts from few images, between cuts that saw all of them.

Cuts are numbered by the share that they remove; -1 is the dense network. Two of them that were
measured on the whole split form a bracket. Images on which the two differ separate the cuts
between them: all of those are evaluated. On the others hardly any cut between differs, so a part
of them is enough. If the images that differ are too many for that, the bracket is split where
half of them have changed sides: so measuring gathers where accuracy falls.

Tensor letters: N images of the split, M some of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recede.contract.measuring.accuracy import (
    Accuracy,
    floor_of,
    measured,
    standard_error,
)
from recede.contract.measuring.sampling import (
    FIRST_LOOK,
    SECOND_LOOK,
    TOLERANCE,
    Seen,
    estimated,
    first_look,
    is_near,
    second_look,
)

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

DENSE = -1
NEIGHBOURS = 16
"""Cuts that share out among themselves the images of a first look."""
PROBE = 32
"""Images that decide on which side of the middle of a bracket a cut is."""
WORTH_COUNTING = 1.0
"""Looks at images that differ, of all cuts of a bracket, in splits; more is worth a division."""


class Cuts(Protocol):
    """The predictions of the cut networks."""

    def right(self, cut: int, places_M: Places) -> Flags:
        """Which of the images at those places of the split this cut classifies correctly."""

    def right_of_all(self, cut: int) -> Flags:
        """The same of the whole split."""


@dataclass(frozen=True)
class Bracket:
    """Two cuts whose predictions are known, and those between them that are sought."""

    inner: Sequence[int]
    control_N: Flags
    """Where the first of the two is right."""
    other_N: Flags
    """Where the second is."""

    @property
    def differing(self) -> Places:
        """Places of the images on which the two differ."""
        return np.flatnonzero(self.control_N != self.other_N)


@dataclass
class Brackets:
    """Measures cuts in the order that gains most information."""

    cuts: Cuts
    dense_N: Flags
    """Where the dense network is right, in the order of the split."""
    order_N: Places
    """The places of the split in random order."""
    thrifty: bool = False
    """Images come at a cost: always the first of the order, and few beside them."""
    tolerance: float = TOLERANCE
    right: dict[int, Flags] = field(default_factory=dict)
    """What was measured on the whole split."""
    _begin: int = 0

    def __post_init__(self) -> None:
        dense = int(self.dense_N.sum())
        self.right[DENSE] = self.dense_N
        self._floor = floor_of(measured(dense, len(self.dense_N)))
        # The first look must be able to say "lossless", too.
        self._bound = min(self.tolerance, standard_error(dense, len(self.dense_N)))

    @property
    def pays(self) -> bool:
        """Whether a part of the split can say enough; of a small one it cannot."""
        size = len(self.dense_N)
        return first_look(size, self._bound) < size

    def run(self, cuts: Sequence[int]) -> Iterator[tuple[int, Accuracy]]:
        """Each of these cuts with its accuracy, as soon as it is found; numbers ascend."""
        if not cuts:
            return
        if not self.pays:
            yield from self.exact(cuts)
            return
        yield cuts[-1], self.measure(cuts[-1])
        yield from self._between(DENSE, cuts[-1], cuts[:-1])

    def exact(self, cuts: Sequence[int]) -> Iterator[tuple[int, Accuracy]]:
        """The same, all of them on the whole split."""
        for cut in cuts:
            yield cut, self.measure(cut)

    def measure(self, cut: int) -> Accuracy:
        """One cut on the whole split."""
        self.right[cut] = right_N = self.cuts.right_of_all(cut)
        return measured(int(right_N.sum()), len(right_N))

    def _between(
        self, first: int, last: int, inner: Sequence[int]
    ) -> Iterator[tuple[int, Accuracy]]:
        if not inner:
            return
        bracket = Bracket(inner, self.right[first], self.right[last])
        differ_M = bracket.differing
        if len(differ_M) * len(inner) <= self._worth * len(self.dense_N):
            yield from self._look(bracket, differ_M)
            return
        middle = self._middle(bracket, differ_M)
        yield inner[middle], self.measure(inner[middle])
        yield from self._between(first, inner[middle], inner[:middle])
        yield from self._between(inner[middle], last, inner[middle + 1 :])

    @property
    def _worth(self) -> float:
        return WORTH_COUNTING / 4 if self.thrifty else WORTH_COUNTING

    def _middle(self, bracket: Bracket, differ_M: Places) -> int:
        """Place among the inner cuts of the first that is more like the second end."""
        probe_M = self._shuffled(differ_M)[:PROBE]
        low, high = 0, len(bracket.inner) - 1
        while low < high:
            middle = (low + high) // 2
            right_M = self.cuts.right(bracket.inner[middle], probe_M)
            if np.mean(right_M == bracket.other_N[probe_M]) > 0.5:
                high = middle
            else:
                low = middle + 1
        return low

    def _look(self, bracket: Bracket, differ_M: Places) -> Iterator[tuple[int, Accuracy]]:
        """Look at a part together, then again at more where that was not enough."""
        inner = bracket.inner
        alike_M = self._shuffled(np.flatnonzero(bracket.control_N == bracket.other_N))
        share = len(alike_M) / len(self.dense_N)
        window = min(NEIGHBOURS, len(inner))
        need = first_look(len(alike_M), self._bound / share, window) if len(alike_M) else 0
        each = math.ceil(need / window)
        self._begin += window * each
        if self.thrifty:
            alike_M = alike_M[: window * each]
        looks = [
            self._seen(bracket, cut, differ_M, _part(alike_M, place * each, each))
            for place, cut in enumerate(inner)
        ]
        for place, cut in enumerate(inner):
            first = min(max(0, place - window // 2), len(inner) - window)
            seen = _together(looks[place], looks[first : first + window])
            known = estimated(seen, FIRST_LOOK)
            if not self._is_enough(known):
                known = self._again(bracket, cut, differ_M, _part(alike_M, place * each), seen)
            yield cut, known

    def _again(
        self, bracket: Bracket, cut: int, differ_M: Places, alike_M: Places, seen: Seen
    ) -> Accuracy:
        """Look at more images with this cut alone, at all of them if that is hardly more."""
        n = seen.size if self.thrifty else second_look(seen, self.tolerance)
        if n < len(alike_M):
            seen = self._seen(bracket, cut, differ_M, alike_M[:n])
            known = estimated(seen, SECOND_LOOK)
            if self._is_enough(known):
                return known
        return self.measure(cut)

    def _is_enough(self, known: Accuracy) -> bool:
        """Near enough, and clearly no drop unless it looks like one."""
        clear = known.split_low >= self._floor or known.value < self._floor
        return clear and is_near(known, self.tolerance)

    def _seen(self, bracket: Bracket, cut: int, differ_M: Places, alike_M: Places) -> Seen:
        right_M = self.cuts.right(cut, np.concatenate([differ_M, alike_M]))
        control_M, right_of_alike_M = bracket.control_N[alike_M], right_M[len(differ_M) :]
        correct = int((bracket.control_N & bracket.other_N).sum())
        return Seen(
            size=len(self.dense_N) - len(differ_M),
            control_correct=correct,
            n=len(alike_M),
            control_seen=int(control_M.sum()),
            lost=int((control_M & ~right_of_alike_M).sum()),
            gained=int((right_of_alike_M & ~control_M).sum()),
            counted=len(differ_M),
            counted_right=int(right_M[: len(differ_M)].sum()),
        )

    def _shuffled(self, places_M: Places) -> Places:
        """These places in the random order; each bracket begins elsewhere in it."""
        chosen_N = np.zeros(len(self.order_N), np.bool_)
        chosen_N[places_M] = True
        order_N = self.order_N if self.thrifty else np.roll(self.order_N, -self._begin)
        return order_N[chosen_N[order_N]]


def _together(seen: Seen, neighbours: Sequence[Seen]) -> Seen:
    """With what neighbours counted among the images that are alike."""
    if len(neighbours) == 1:
        return seen
    names = ("n", "control_seen", "lost", "gained")
    sums = {name: sum(getattr(one, name) for one in neighbours) for name in names}
    return replace(seen, **sums, pooled=len(neighbours))


def _part(places_M: Places, start: int, n: int | None = None) -> Places:
    """Some places from `start` on; after the end it begins anew."""
    if not len(places_M):
        return places_M
    turned: Places = np.roll(places_M, -(start % len(places_M)))
    return turned[:n]
