"""Random: a draw, the control that any criterion should beat."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recede.contract.spec.catalog import CriterionInfo
from recede_worker.criteria.base import (
    Criterion,
    FloatArray,
    Scored,
)


class Random(Criterion):
    """Uniform draws from the run's seed."""

    info: ClassVar[CriterionInfo] = CriterionInfo(
        name="random",
        label="Random (control)",
        help="Every neuron draws a number from U(0, 1), with the run's seed. What another "
        "criterion gains over this curve is what it knows about the neurons. "
        "Blalock et al., “What is the State of Neural Network Pruning?”, MLSys 2020.",
    )

    def scores(self, scored: Scored) -> FloatArray:
        """The same draws for the same seed."""
        drawn = np.random.default_rng(scored.seed).random(scored.raw_N.size)
        return drawn.astype(np.float32)


PLUGINS: tuple[Criterion, ...] = (Random(),)
