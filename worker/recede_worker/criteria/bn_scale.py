"""BN scale: |γ| of the batch norm that a channel passes, whatever method trained it."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from recede.contract.spec.catalog import CriterionInfo
from recede_worker.criteria.base import (
    Criterion,
    FloatArray,
    Scored,
    joined,
    mean,
)


class BatchNormScale(Criterion):
    """|γ| of the folded batch norm."""

    info: ClassVar[CriterionInfo] = CriterionInfo(
        name="bn_scale",
        label="Batch-norm scale",
        help="|γ| of the batch norm that the channel passes last, σ(w) where it is bounded; of a "
        "unit of several channels the root of their mean square. "
        "Liu et al., “Network Slimming”, ICCV 2017.",
    )

    def scores(self, scored: Scored) -> FloatArray:
        """Root mean γ² of each unit."""
        groups_U = []
        for group in scored.groups:
            squares = []
            for part in group.norms:
                gamma_K = scored.model.get_submodule(part.name).weight
                assert isinstance(gamma_K, Tensor)
                squares.append((part, gamma_K.detach().double().square()))
            groups_U.append(mean(group, squares).sqrt())
        return joined(groups_U)


PLUGINS: tuple[Criterion, ...] = (BatchNormScale(),)
