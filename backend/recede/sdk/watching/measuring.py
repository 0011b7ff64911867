"""Cuts measured by somebody's own `evaluate` while their network trains, and at its end."""

from __future__ import annotations

import time
from collections.abc import Sequence

from safetensors.torch import load_file

from recede.contract.cut.selection import Selection, select
from recede.contract.spec.run import Plan
from recede.sdk.network.masked import ALL, FEW, PATIENCE, Evaluate, MaskedNetworks
from recede.sdk.network.traced import copied
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import Measured
from recede.sdk.recording.reading import Recording
from recede.sdk.watching.allowance import Allowance, Clock
from recede.sdk.watching.recorder import Watched
from recede.sdk.watching.trouble import Trouble
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.state_dict import load_weights

SHARE = 0.01
"""Of the training's time, what evaluating cuts may take while it trains."""


class Measuring:
    """Measures cuts of a network as its training allows."""

    def __init__(
        self,
        evaluate: Evaluate,
        watched: Watched,
        journal: Journal,
        recording: Recording,
        trouble: Trouble,
        clock: Clock,
    ) -> None:
        assert watched.shape is not None
        self._shape = watched.shape
        self._networks = MaskedNetworks(evaluate, watched.model, self._shape, watched.norms)
        self._watched = watched
        self._journal = journal
        self._recording = recording
        self._trouble = trouble
        self._clock = clock
        self._allowance = Allowance(clock, SHARE)
        self._failures = 0

    def some(self) -> None:
        """Measure cuts of the latest epoch, as long as the allowance holds."""
        epoch = max(self._recording.epochs)
        if self._allowance.left_s > 0:
            with self._allowance.spending():
                surgeon = self._networks.surgeon(copied(self._watched.model))
                self._measure(surgeon, epoch, FEW[:1])
            for ratio in FEW[1:]:
                if self._allowance.left_s <= 0:
                    return
                with self._allowance.spending():
                    self._measure(surgeon, epoch, (ratio,))

    def rest(self, limit_s: float) -> None:
        """Measure the curves of the best and the last epoch, until the time is over."""
        until = self._clock() + limit_s
        last = max(self._recording.epochs)
        best = self._recording.best
        for epoch in dict.fromkeys((last if best is None else best, last)):
            model = copied(self._watched.model)
            if epoch != last:
                if epoch not in self._recording.weights:
                    continue
                load_weights(
                    model, load_file(self._recording.folder / self._recording.weights[epoch])
                )
            surgeon = self._networks.surgeon(model)
            for ratio in ALL:
                if self._clock() >= until or self._failures >= PATIENCE:
                    return
                self._measure(surgeon, epoch, (ratio,))

    def _measure(self, surgeon: Surgeon, epoch: int, ratios: Sequence[float]) -> None:
        raw = self._recording.scales(epoch)
        if raw is None:
            return
        for ratio in ratios:
            if ratio in self._recording.cuts.get(epoch, {}) or self._failures >= PATIENCE:
                continue
            selection = select(self._shape, raw, Plan(epoch=epoch, ratio=ratio))
            start = self._clock()
            value = self._value(surgeon, selection)
            if value is not None:
                line = Measured(
                    at=time.time(),
                    epoch=epoch,
                    ratio=ratio,
                    digest=selection.digest,
                    value=value,
                    seconds=max(0.0, self._clock() - start),
                )
                self._journal.append(line)
                self._recording.advance()

    def _value(self, surgeon: Surgeon, selection: Selection) -> float | None:
        """What `evaluate` says of the masked network; None, said once, if it is no number."""
        with self._trouble.caught("evaluate", "That cut is not measured."):
            value = self._networks.value(surgeon, selection)
            self._failures = 0
            return value
        self._failures += 1
        return None
