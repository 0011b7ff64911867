"""What somebody's own `evaluate` says of masked copies of their network, in their process."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from recede.contract.cut.selection import Selection
from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.sdk.network.outputs import as_rows
from recede.sdk.network.traced import copied
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.scaling import Norms

Evaluate = Callable[[nn.Module], float]

FEW = (0.5, 0.3, 0.7, 0.2, 0.8, 0.4, 0.6, 0.9, 0.1)
"""Ratios to remove, in the order in which they are measured while a network trains."""
ALL = (0.0, *FEW, *(step / 100 for step in range(5, 100, 10)))
"""The same after it."""
PATIENCE = 3
"""Failures of `evaluate` in a row after which it is not asked again."""


class MaskedNetworks:
    """Masked copies of one network, measured on its device; the network is only read."""

    def __init__(
        self, evaluate: Evaluate, model: nn.Module, shape: NetworkShape, norms: Norms
    ) -> None:
        self._evaluate = evaluate
        self._model = model
        self._shape = shape
        self._norms = norms
        self._trace: Trace | None = None

    def surgeon(self, weights: nn.Module) -> Surgeon:
        """What masks the network with these weights: a copy of it, on the CPU."""
        if self._trace is None:
            one = torch.zeros(1, *self._shape.input_shape)
            self._trace = trace(as_rows(copied(self._model).float(), one), self._shape.input_shape)
        return Surgeon(weights, self._shape, self._norms, self._trace)

    def value(self, surgeon: Surgeon, selection: Selection) -> float:
        """What `evaluate` says of a cut, in evaluation mode and without gradients.

        Raises:
            InvalidInput: it gave no finite number.
            Exception: whatever `evaluate` raises.
        """
        device = next(self._model.parameters()).device
        masked = surgeon.masked(selection.mask, selection.variant).to(device)
        with _undisturbed(device), torch.no_grad():
            value = float(self._evaluate(masked))
        if not math.isfinite(value):
            raise InvalidInput(f"it gave {value}; a finite number is wanted.")
        return value


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
