"""The curves of a recording, cut by cut; what is measured is a line at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from recede.contract.errors import InvalidInput, RecedeError, words_of
from recede.contract.spec.run import Plan
from recede.sdk.network.masked import ALL, PATIENCE
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import Measured
from recede.sdk.recording.reading import Recording
from recede.sdk.serving.network import RecordedNetwork


class EvaluateFailed(RecedeError):
    """`evaluate` raised, or gave no finite number, several times in a row."""

    code = "evaluate_failed"


def say(line: str) -> None:
    """One line of progress, on the terminal."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def shown(recording: Recording, value: float) -> str:
    """A value of the recorded metric, with its name and unit."""
    metric = recording.begun.metric
    assert metric is not None
    return f"{metric.name} {value:.5g} {metric.unit}".rstrip()


class Curves:
    """Measures what is missing of the curves of some epochs."""

    def __init__(
        self,
        network: RecordedNetwork,
        recording: Recording,
        journal: Journal,
        epochs: Sequence[int],
    ) -> None:
        self._network = network
        self._recording = recording
        self._journal = journal
        self._wanted = [(epoch, ratio) for epoch in epochs for ratio in ALL]
        self._failures = 0

    def measure(self) -> Iterator[None]:
        """Measure one cut at each step.

        Raises:
            EvaluateFailed: several times in a row; `__cause__` is the last reason.
            UnusableRecording: scales or weights cannot be read.
            OSError: the disk is full or not writable.
        """
        for place, (epoch, ratio) in enumerate(self._wanted, 1):
            if ratio not in self._recording.cuts.get(epoch, {}):
                self._measure(epoch, ratio, f"{place} of {len(self._wanted)}")
                yield

    def _measure(self, epoch: int, ratio: float, place: str) -> None:
        selection = self._network.selection(Plan(epoch=epoch, ratio=ratio))
        cut = f"epoch {epoch}, {100 * ratio:.0f} % of the neurons removed"
        start = time.monotonic()
        value = self._network.tried(epoch, selection)
        if isinstance(value, Exception):
            self._failed(cut, value)
            return
        self._failures = 0
        seconds = time.monotonic() - start
        line = Measured(
            at=time.time(),
            epoch=epoch,
            ratio=ratio,
            digest=selection.digest,
            value=value,
            seconds=seconds,
        )
        self._journal.append(line)
        self._recording.advance()
        say(f"{cut}: {shown(self._recording, value)} ({place}, {seconds:.1f} s)")

    def _failed(self, cut: str, error: Exception) -> None:
        """Say so; raises EvaluateFailed when it is of no use to go on."""
        self._failures += 1
        say(f"{cut}: evaluate failed: {words_of(error)} That cut is not measured.")
        if self._failures >= PATIENCE:
            raise EvaluateFailed(
                f"evaluate failed {PATIENCE} times in a row, the last time at {cut}: "
                f"{words_of(error)}",
                field="evaluate",
                hint="What was measured before is kept; the same call goes on from there.",
            ) from error


def epochs_of(recording: Recording, given: Sequence[int] | None) -> list[int]:
    """The epochs to measure: the given ones, or of best and last those with weights.

    Raises:
        InvalidInput: an epoch was not recorded, or its weights were not kept.
    """
    kept = ", ".join(str(epoch) for epoch in sorted(recording.weights))
    if given is None:
        last, best = max(recording.epochs), recording.best
        found = [
            epoch
            for epoch in dict.fromkeys((last if best is None else best, last))
            if epoch in recording.weights
        ]
        if not found:
            raise InvalidInput(
                "The weights of the best and the last epoch were not kept; kept are those of "
                f"epoch {kept}.",
                field="epochs",
                hint="Choose one of them: epochs=[…].",
            )
        return found
    for epoch in given:
        if epoch not in recording.epochs or epoch not in recording.weights:
            why = "not kept" if epoch in recording.epochs else "not recorded"
            raise InvalidInput(
                f"The weights of epoch {epoch!r} were {why}; kept are those of epoch {kept}.",
                field="epochs",
            )
    return list(dict.fromkeys(given))
