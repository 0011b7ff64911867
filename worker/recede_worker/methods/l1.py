"""L1: network slimming, an equal pull on the scale of every neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.params import ParamSpec, ParamValue
from recede_worker.core.norms.regularisers import slimming
from recede_worker.methods.base import Method

LAM = ParamSpec(
    name="lam",
    kind="float",
    default=1e-4,
    label="Strength λ",
    help="How hard every neuron's scale is pulled to 0. What counts is λ × optimiser steps: "
    "about 12.5 (the published 0.0001 over 125,000 steps for VGG-16; 0.00001 is used for "
    "ResNet-56). A λ that is too large costs accuracy.",
    minimum=0.0,
    maximum=10.0,
    bound_reason="a negative λ would push neurons up; above 10 only the penalty is trained",
    per_steps=12.5,
    recommended_max=0.01,
)


class L1(Method):
    """Ordinary batch norm with λ·Σ|γ| (Liu et al., ICCV 2017)."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="l1",
        label="L1 (network slimming)",
        help="Adds λ·Σ|γ| to the loss, the sum of all batch-norm scales, which pulls every "
        "neuron towards 0 with the same force. The lowest |γ| of the whole network are cut. "
        "Liu et al., “Network Slimming”, ICCV 2017.",
        params=(LAM,),
        scale="plain",
        scope="global",
    )

    def penalty(self, raw_N: Tensor, params: Mapping[str, ParamValue]) -> Tensor:
        """λ·Σ|γ| of the scales γ."""
        return float(params["lam"]) * slimming(raw_N)


PLUGINS: tuple[Method, ...] = (L1(),)
