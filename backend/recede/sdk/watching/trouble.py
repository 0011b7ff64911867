"""Errors of ours within somebody's training: said once, never raised."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from recede.contract.errors import words_of

log = logging.getLogger("recede")


@dataclass
class Caught:
    """What was caught, in words; None if nothing was."""

    words: str | None = None


class Trouble:
    """What went wrong so far; each kind is logged once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, kind: str, message: str) -> None:
        """Log a warning, unless one of this kind was logged before."""
        if kind not in self._said:
            self._said.add(kind)
            log.warning("%s", message)

    @contextmanager
    def caught(self, doing: str, then: str) -> Iterator[Caught]:
        """Log whatever is raised: what was done, why it failed, and what happens `then`."""
        caught = Caught()
        try:
            yield caught
        except Exception as error:  # noqa: BLE001 - the training goes on, whatever it is
            caught.words = words_of(error)
            self.say(doing, f"Recede: {doing} failed: {caught.words} {then}")
