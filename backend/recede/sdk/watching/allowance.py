"""How long what can be done without may take beside a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], float]
"""Seconds that only grow, as time.monotonic gives them."""


class Allowance:
    """A share of the time since it was made, beside `grace_s` at the start."""

    def __init__(self, clock: Clock, share: float, grace_s: float = 0.0) -> None:
        self._clock = clock
        self._share = share
        self._grace_s = grace_s
        self._began = clock()
        self._spent_s = 0.0

    @property
    def left_s(self) -> float:
        """Seconds that may be spent now; below 0 after something took longer."""
        elapsed_s = self._clock() - self._began
        return self._grace_s + self._share * elapsed_s - self._spent_s

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time within as spent."""
        start = self._clock()
        try:
            yield
        finally:
            self._spent_s += self._clock() - start
