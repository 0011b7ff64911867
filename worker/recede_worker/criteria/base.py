"""What a criterion offers: its place in the catalog and a score of every prunable unit.

A unit is what is kept or removed as one: a channel, all channels of one group of a grouped
convolution, or the channels of several layers that a sum joins.

Tensor letters: U units of one group, K channels or filters of one layer, N units in all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recede.contract.spec.catalog import CriterionInfo
from recede_worker.core.graph.groups import Channels
from recede_worker.core.norms.scaling import Norms, names_of

FloatArray = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """One layer of a group, and the unit that each of its channels or filters belongs to."""

    name: str
    units_K: Index


@dataclass(frozen=True)
class Group:
    """What makes one group's channels and what scales them."""

    size: int
    """Number of its units."""
    filters: tuple[Part, ...]
    """Convolutions whose filters make the channels."""
    norms: tuple[Part, ...]
    """Batch norms that the channels pass last: without them a unit outputs nothing."""


@dataclass(frozen=True)
class Scored:
    """A trained network as criteria see it; none of it may be altered."""

    model: nn.Module
    """Folded (σ(w) is the γ of an ordinary batch norm), in eval mode."""
    groups: tuple[Group, ...]
    """In network order."""
    raw_N: FloatArray
    """The snapshot of that epoch."""
    batches: Callable[[], Iterator[tuple[Tensor, Tensor]]]
    """The same training images and labels at each call, unaltered, on the device to use."""
    device: torch.device
    seed: int


class Criterion(ABC):
    """One way to measure how much a trained network needs each of its units."""

    info: ClassVar[CriterionInfo]

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        return self.info.name

    @abstractmethod
    def scores(self, scored: Scored) -> FloatArray:
        """One finite number a unit, in network order: units with lower ones go first.

        They are ranked by their absolute value. Equal networks, images and seeds give equal
        scores. The model is left as it is.
        """


def groups_of(model: nn.Module, found: list[Channels], norms: Norms) -> tuple[Group, ...]:
    """The groups of a network; `found` is what is cut with each group of `norms`."""
    return tuple(
        _group(model, channels, set(names_of(norm)))
        for channels, norm in zip(found, norms.values(), strict=True)
    )


def _group(model: nn.Module, channels: Channels, scaling: set[str]) -> Group:
    out = [c for c in channels.couplings if c.side == "out"]
    makers = [c for c in out if c.name in channels.members]
    convs = [c for c in makers if isinstance(model.get_submodule(c.name), nn.Conv2d)]
    return Group(
        channels.size,
        tuple(Part(c.name, np.asarray(c.units, np.int64)) for c in convs),
        tuple(Part(c.name, np.asarray(c.units, np.int64)) for c in out if c.name in scaling),
    )


def summed(group: Group, parts: list[tuple[Part, Tensor]]) -> Tensor:
    """Sum of one number a channel over all channels of each unit (float64, on the CPU)."""
    total_U = torch.zeros(group.size, dtype=torch.float64)
    for part, values_K in parts:
        units_K = torch.from_numpy(part.units_K)
        total_U.index_add_(0, units_K, values_K.detach().cpu().double())
    return total_U


def mean(group: Group, parts: list[tuple[Part, Tensor]]) -> Tensor:
    """Mean of one number a channel over all channels of each unit."""
    ones = [(part, torch.ones(len(part.units_K))) for part, _ in parts]
    return summed(group, parts) / summed(group, ones)


def joined(groups_U: list[Tensor]) -> FloatArray:
    """Scores of all groups as one array of N."""
    return torch.cat(groups_U).float().numpy()
