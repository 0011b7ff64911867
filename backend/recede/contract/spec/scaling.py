"""Which batch norm a run trains: ordinary, bounded, or ordinary with a gate before it."""

from __future__ import annotations

from typing import Literal

from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.run import RunSpec

Scaling = Literal["plain", "bounded", "gate"]


def scaling_of(method: MethodInfo, spec: RunSpec) -> Scaling:
    """The one that a queued run trains; `method` is that of the spec."""
    if method.scale == "plain":
        return "plain"
    return "gate" if spec.scale == "gate" else "bounded"


def settled(method: MethodInfo, spec: RunSpec, parent: Scaling | None) -> RunSpec:
    """The spec with its choice of `scale` made; `parent` is that of the run it starts from.

    Weights that had ordinary batch norm get gates, since bounded batch norm would drop their β.

    Raises:
        InvalidInput: the choice does not fit the method, or there are no weights to gate.
    """
    if method.scale == "plain" and spec.scale != "auto":
        raise InvalidInput(
            f"Scale was {spec.scale!r}, but {method.name!r} trains ordinary batch norm, whose "
            "scale γ is not bounded.",
            field="scale",
            hint="Leave scale at auto, or choose a method that bounds importances.",
        )
    if spec.scale == "gate" and spec.init is None:
        raise InvalidInput(
            "Scale was 'gate', which goes before the batch norms of a trained network, and no "
            "weights are given.",
            field="scale",
            hint="Give the weights to start from (init: a file or a run), or leave scale at auto.",
        )
    if spec.scale != "auto" or spec.init is None or method.scale == "plain":
        return spec
    return spec.model_copy(update={"scale": "bounded" if parent == "bounded" else "gate"})
