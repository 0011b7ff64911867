"""Cuts measured by somebody's own `evaluate`, on the masked network, in their process."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from recede.contract.cut.selection import Selection, select
from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Plan
from recede.sdk.network.outputs import as_rows
from recede.sdk.network.traced import copied
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import Measured
from recede.sdk.recording.reading import Recording
from recede.sdk.watching.allowance import Allowance, Clock
from recede.sdk.watching.recorder import Watched
from recede.sdk.watching.trouble import Trouble
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.state_dict import load_weights

Evaluate = Callable[[nn.Module], float]

SHARE = 0.01
"""Of the training's time, what evaluating cuts may take while it trains."""
FEW = (0.5, 0.3, 0.7, 0.2, 0.8, 0.4, 0.6, 0.9, 0.1)
"""Ratios to remove, in the order in which they are measured while it trains."""
ALL = (0.0, *FEW, *(step / 100 for step in range(5, 100, 10)))
"""The same after it."""
PATIENCE = 3
"""Failures of `evaluate` in a row after which it is not asked again."""


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
        self._evaluate = evaluate
        self._watched = watched
        self._journal = journal
        self._recording = recording
        self._trouble = trouble
        self._clock = clock
        self._allowance = Allowance(clock, SHARE)
        self._trace: Trace | None = None
        self._failures = 0

    def some(self) -> None:
        """Measure cuts of the latest epoch, as long as the allowance holds."""
        epoch = max(self._recording.epochs)
        if self._allowance.left_s > 0:
            with self._allowance.spending():
                surgeon = self._surgeon(copied(self._watched.model))
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
            surgeon = self._surgeon(model)
            for ratio in ALL:
                if self._clock() >= until or self._failures >= PATIENCE:
                    return
                self._measure(surgeon, epoch, (ratio,))

    @property
    def _shape(self) -> NetworkShape:
        assert self._watched.shape is not None
        return self._watched.shape

    def _surgeon(self, model: nn.Module) -> Surgeon:
        if self._trace is None:
            one = torch.zeros(1, *self._shape.input_shape)
            self._trace = trace(as_rows(copied(self._watched.model), one), self._shape.input_shape)
        return Surgeon(model, self._shape, self._watched.norms, self._trace)

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
        device = next(self._watched.model.parameters()).device
        with self._trouble.caught("evaluate", "That cut is not measured."):
            masked = surgeon.masked(selection.mask).to(device)
            with _undisturbed(device), torch.no_grad():
                value = float(self._evaluate(masked))
            if not math.isfinite(value):
                raise InvalidInput(f"it gave {value}; a finite number is wanted.")
            self._failures = 0
            return value
        self._failures += 1
        return None


@contextmanager
def _undisturbed(device: torch.device) -> Iterator[None]:
    """What is drawn within does not change what the training draws after it."""
    python, numpy = random.getstate(), np.random.get_state()
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
