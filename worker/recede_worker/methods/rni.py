"""RNI: receding neuron importances, the penalty that pulls only at weak neurons."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.params import ParamSpec, ParamValue
from recede_worker.core.norms.regularisers import receding
from recede_worker.methods.base import Method

LAM = ParamSpec(
    name="lam",
    kind="float",
    default=1e-3,
    label="Strength λ",
    help="How hard weak neurons are pulled down. What counts is λ × optimiser steps: about 125 "
    "(the paper's 0.001 over 125,000 steps for VGG-16; it uses 0.0001 for ResNet-56). A short "
    "run needs a larger λ; a λ that is too large costs accuracy.",
    minimum=0.0,
    maximum=10.0,
    bound_reason="a negative λ would push neurons up; above 10 only the penalty is trained",
    per_steps=125.0,
    recommended_max=0.05,  # measured: from 0.07 on, whole first layers receded in short runs
    gated_max=0.3,  # measured on trained networks: docs/method.md
)

SHIFT = ParamSpec(
    name="shift",
    kind="float",
    default=3.0,
    label="Shift b",
    help="Which neurons count as weak: the pull is strongest where σ(w + b) ≈ 0.24. With b = 3 "
    "that is an importance σ(w) of 0.015, with b = 0 one of 0.24. The paper uses 3 for VGG-16 "
    "and 0 for ResNet-56.",
    minimum=0.0,
    maximum=10.0,
    bound_reason="a negative shift pulls at strong neurons; at 10 nothing above an importance "
    "of 0.00002 is pulled",
)


class Rni(Method):
    """Bounded batch norm with λ·Σ s·(1 − ln s), s = σ(w + b) (arXiv 2204.06404)."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="rni",
        label="RNI (receding neuron importances)",
        help="Scales every neuron by an importance σ(w) between 0 and 1 and adds "
        "λ·Σ s·(1 − ln s) with s = σ(w + b) to the loss. Weak neurons recede towards 0, strong "
        "ones are left alone, so the two kinds part and many neurons can be cut at no loss. "
        "Suteu and Guo, 2022, arXiv 2204.06404.",
        params=(LAM, SHIFT),
        scale="bounded",
        scope="global",
    )
    demo: ClassVar[Mapping[str, ParamValue]] = MappingProxyType({"lam": 0.05, "shift": 3.0})

    def penalty(self, raw_N: Tensor, params: Mapping[str, ParamValue]) -> Tensor:
        """λ·Σ s·(1 − ln s) of the logits w."""
        return float(params["lam"]) * receding(raw_N, float(params["shift"]))


PLUGINS: tuple[Method, ...] = (Rni(),)
