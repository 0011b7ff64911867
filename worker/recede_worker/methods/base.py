"""What a method offers: its place in the catalog and a penalty on the raw scales."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.params import ParamValue


class Method(ABC):
    """One way to separate unimportant neurons from important ones during training."""

    info: ClassVar[MethodInfo]
    demo: ClassVar[Mapping[str, ParamValue]] = MappingProxyType({})
    """Parameters in the demo run; empty for a method that is not in it."""

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        return self.info.name

    @abstractmethod
    def penalty(self, raw_N: Tensor, params: Mapping[str, ParamValue]) -> Tensor:
        """What is added to the loss: λ·R, a scalar, for the raw scales of all N neurons.

        `params` are checked values, one for each ParamSpec of `info`.
        """
