"""UCS: uniform channel selection, the baseline that trains without a penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.params import ParamValue
from recede_worker.methods.base import Method


class Ucs(Method):
    """Ordinary batch norm, no penalty; the same share of every layer is cut by |γ|."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="ucs",
        label="UCS (uniform channel selection)",
        help="Trains without any penalty and cuts the same share of every layer, its lowest "
        "|γ|. The baseline: what a method is worth shows in what it gains over this one.",
        scale="plain",
        scope="local",
    )

    def penalty(self, raw_N: Tensor, params: Mapping[str, ParamValue]) -> Tensor:
        """Zero, on the device of the scales."""
        del params  # the method has none
        return raw_N.new_zeros(())


PLUGINS: tuple[Method, ...] = (Ucs(),)
