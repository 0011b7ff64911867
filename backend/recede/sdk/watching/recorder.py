"""Records a training, epoch by epoch. It raises; who watches a training catches."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from torch import Tensor, nn

from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.metric import MAX_METRICS, MAX_NAME
from recede.contract.spec.run import MAX_EPOCHS
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import SCALES, Finished, Logged
from recede.sdk.recording.reading import FloatArray, Recording
from recede.sdk.watching.allowance import Allowance, Clock
from recede.sdk.watching.trouble import Trouble
from recede.sdk.watching.weights import KeptWeights
from recede_worker.core.norms.importance import raw_scales
from recede_worker.core.norms.scaling import Norms

WEIGHTS_SHARE = 0.005
"""Of the training's time, what writing weights may take."""
WEIGHTS_GRACE_S = 2.0
"""Before that share counts: the first weights are written in any case."""


@dataclass(frozen=True)
class Watched:
    """A network that trains, and what of it can be pruned, if anything was found."""

    model: nn.Module
    shape: NetworkShape | None
    norms: Norms

    def scales(self) -> FloatArray | None:
        """Raw scales of all prunable neurons now."""
        if self.shape is None:
            return None
        return raw_scales(self.model, list(self.norms.values()), self.shape.sizes)


class Recorder:
    """Appends what a training does to its recording."""

    def __init__(
        self,
        watched: Watched,
        journal: Journal,
        so_far: Recording,
        trouble: Trouble,
        *,
        weights_bytes: int,
        clock: Clock,
    ) -> None:
        self._watched = watched
        self._journal = journal
        self._recording = so_far
        self._trouble = trouble
        self._clock = clock
        self._weights = KeptWeights(journal, weights_bytes, so_far.weights)
        self._for_weights = Allowance(clock, WEIGHTS_SHARE, WEIGHTS_GRACE_S)
        self._logged_at = clock()
        self._shift = int(any(line.counted_from_0 for line in so_far.epochs.values()))

    def start(self) -> None:
        """Record the network before training, unless the recording goes on."""
        if not self._recording.epochs:
            self._append(0, {})
            self._keep_weights(0)

    def log(self, epoch: int | None, metrics: Mapping[str, Any]) -> None:
        """Record one epoch.

        Raises:
            InvalidInput: the epoch is no number of an epoch, or was recorded before.
            OSError: the disk is full or not writable.
        """
        number = self._number(epoch)
        self._append(number, self._numbers(metrics))
        if number:
            self._keep_weights(number)

    def keep_last(self) -> None:
        """Keep the last weights, whatever time they take."""
        last = max(self._recording.epochs, default=0)
        if last not in self._recording.weights:
            self._weights.keep(self._watched.model, last, self._recording.best)
            self._recording.advance()

    def finish(self, error: str | None = None) -> None:
        """Say that the training has ended."""
        self._journal.append(Finished(at=time.time(), error=error))
        self._recording.advance()

    def _number(self, given: int | None) -> int:
        """The epoch as it is recorded: 0 is the network before training."""
        epochs = self._recording.epochs
        if given is None:
            return max(epochs, default=-1) + 1
        if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < MAX_EPOCHS:
            raise InvalidInput(
                f"epoch was {given!r}; whole numbers from 0 to {MAX_EPOCHS - 1} are recorded.",
                field="epoch",
                hint="Log once an epoch, or every few hundred steps.",
            )
        if given == 0 and epochs.keys() == {0} and self._has_trained():
            self._shift = 1
            self._trouble.say(
                "counted from 0",
                "Recede: epoch 0 is the network before training; yours count from 0, so they "
                "are recorded as 1, 2, …",
            )
        number = given + self._shift
        if number in epochs and not (number == 0 and not epochs[0].metrics):
            raise InvalidInput(
                f"epoch {given} was recorded before; what was recorded first stays.",
                field="epoch",
                hint="Count on, or leave the epoch out.",
            )
        return number

    def _has_trained(self) -> bool:
        now, before = self._watched.scales(), self._recording.scales(0)
        if now is None or before is None:
            return False
        return not np.array_equal(now, before, equal_nan=True)

    def _numbers(self, given: Mapping[str, Any]) -> dict[str, float]:
        """Those metrics that are finite numbers, by names that a service takes.

        The others are named once.
        """
        found: dict[str, float] = {}
        for name, value in given.items():
            if not 1 <= len(name) <= MAX_NAME:
                self._trouble.say(
                    f"metric {name}",
                    f"Recede: the metric {name[:MAX_NAME]!r}… is left out: its name has "
                    f"{len(name)} characters, and 1 to {MAX_NAME} are recorded. Shorten it.",
                )
                continue
            try:
                number = float(value.detach() if isinstance(value, Tensor) else value)
            except (TypeError, ValueError, RuntimeError):  # of a tensor of several values
                number = np.nan
            if np.isfinite(number) and len(found) < MAX_METRICS:
                found[name] = number
            else:
                self._trouble.say(
                    f"metric {name}",
                    f"Recede: the metric {name!r} was {str(value)[:40]!r}; finite numbers are "
                    f"recorded, up to {MAX_METRICS} an epoch. It is left out where it is none.",
                )
        return found

    def _append(self, epoch: int, metrics: dict[str, float]) -> None:
        raw = None if epoch in self._recording.epochs else self._watched.scales()
        name = None
        if raw is not None:
            name = f"{SCALES}/{epoch:06d}.safetensors"
            self._journal.put(name, partial(save_file, {SCALES: raw}))
        now = self._clock()
        line = Logged(
            at=time.time(),
            epoch=epoch,
            metrics=metrics,
            seconds=max(0.0, now - self._logged_at),
            scales=name,
            counted_from_0=bool(self._shift),
        )
        self._journal.append(line)
        self._logged_at = now
        self._recording.advance()

    def _keep_weights(self, epoch: int) -> None:
        if self._for_weights.left_s > 0:
            with self._for_weights.spending():
                self._weights.keep(self._watched.model, epoch, self._recording.best)
            self._recording.advance()
