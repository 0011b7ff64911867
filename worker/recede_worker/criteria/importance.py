"""Importance: what the method itself has taught the neurons, stored with each epoch."""

from __future__ import annotations

from typing import ClassVar

from recede.contract.spec.catalog import CriterionInfo
from recede.contract.spec.run import IMPORTANCE
from recede_worker.criteria.base import (
    Criterion,
    FloatArray,
    Scored,
)


class Importance(Criterion):
    """The scale of the batch norm that was trained: σ(w) or |γ|."""

    info: ClassVar[CriterionInfo] = CriterionInfo(
        name=IMPORTANCE,
        label="Importance of the method",
        help="The scale that the training itself gave each neuron: σ(w) of a bounded batch norm, "
        "|γ| of an ordinary one. It is stored with every epoch and costs nothing. "
        "Suteu and Guo, “Receding Neuron Importances for Structured Pruning”, 2022.",
    )

    def scores(self, scored: Scored) -> FloatArray:
        """The snapshot."""
        return scored.raw_N.copy()


PLUGINS: tuple[Criterion, ...] = (Importance(),)
