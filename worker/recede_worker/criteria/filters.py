"""L1 and L2: the length of the filters that make a channel, from the weights alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from recede.contract.spec.catalog import CriterionInfo
from recede_worker.criteria.base import (
    Criterion,
    FloatArray,
    Group,
    Part,
    Scored,
    joined,
    mean,
)


class L1Filters(Criterion):
    """Σ|w| of the filter that makes a channel."""

    info: ClassVar[CriterionInfo] = CriterionInfo(
        name="l1_filters",
        label="L1 norm of filters",
        help="The sum Σ|w| over the weights of the filter that makes the channel; of a unit of "
        "several filters their mean. It uses the convolution only, not the batch norm "
        "behind it. Li et al., “Pruning Filters for Efficient ConvNets”, ICLR 2017.",
    )

    def scores(self, scored: Scored) -> FloatArray:
        """Mean Σ|w| of each unit's filters."""
        return joined([mean(group, _of_each(scored, group, _absolute)) for group in scored.groups])


class L2Filters(Criterion):
    """Euclidean length of the filter that makes a channel."""

    info: ClassVar[CriterionInfo] = CriterionInfo(
        name="l2_filters",
        label="L2 norm of filters",
        help="The length √Σw² of the filter that makes the channel; of a unit of several filters "
        "the root of their mean square. It uses the convolution only, not the batch norm "
        "behind it. He et al., “Soft Filter Pruning”, IJCAI 2018.",
    )

    def scores(self, scored: Scored) -> FloatArray:
        """Root mean Σw² of each unit's filters."""
        return joined(
            [mean(group, _of_each(scored, group, _square)).sqrt() for group in scored.groups]
        )


def _of_each(
    scored: Scored, group: Group, measure: Callable[[Tensor], Tensor]
) -> list[tuple[Part, Tensor]]:
    """Each convolution with one number for each of its filters, from its weight (K, …)."""
    return [(part, measure(_filters(scored.model, part.name))) for part in group.filters]


def _filters(model: nn.Module, name: str) -> Tensor:
    """The weights of each filter in one row."""
    weight = model.get_submodule(name).weight
    assert isinstance(weight, Tensor)
    return weight.detach().double().flatten(1)


def _absolute(weight_K: Tensor) -> Tensor:
    return weight_K.abs().sum(1)


def _square(weight_K: Tensor) -> Tensor:
    return weight_K.square().sum(1)


PLUGINS: tuple[Criterion, ...] = (L1Filters(), L2Filters())
