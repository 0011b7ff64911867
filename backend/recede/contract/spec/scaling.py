"""Which batch norm a run trains: ordinary, bounded, or ordinary with a gate behind it."""

from __future__ import annotations

from typing import Literal

from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.run import RunSpec

Scaling = Literal["plain", "bounded", "gate"]


def scaling_of(method: MethodInfo, spec: RunSpec) -> Scaling:
    """The one that a queued run trains; `method` is that of the spec."""
    if method.scale == "plain" or spec.scale == "plain":
        return "plain"
    return "gate" if spec.scale == "gate" else "bounded"


def settled(method: MethodInfo, spec: RunSpec, parent: Scaling | None) -> RunSpec:
    """The spec with its choice of `scale` made; `parent` is that of the run it starts from.

    Weights that had ordinary batch norm get gates, since bounded batch norm would drop their β,
    or stay as they are where no penalty would move the gates: these begin at random.

    Raises:
        InvalidInput: the choice does not fit the method, or there is nothing to gate.
    """
    _check(method, spec, parent)
    if spec.scale != "auto" or spec.init is None or method.scale == "plain":
        return spec
    if parent is not None and parent != "plain":
        return spec.model_copy(update={"scale": parent})
    chosen = "gate" if _penalises(method, spec) else "plain"
    return spec.model_copy(update={"scale": chosen})


def _penalises(method: MethodInfo, spec: RunSpec) -> bool:
    """Whether the run takes steps under a penalty; a strength that is left out is not 0."""
    given = method.given(spec)
    strengths = [param.name for param in method.params if param.per_steps is not None]
    return spec.trains and any(given.get(name) != 0 for name in strengths)


def _check(method: MethodInfo, spec: RunSpec, parent: Scaling | None) -> None:
    if method.scale == "plain" and spec.scale in ("gate", "bounded"):
        raise InvalidInput(
            f"Scale was {spec.scale!r}, but {method.name!r} trains ordinary batch norm, whose "
            "scale γ is not bounded.",
            field="scale",
            hint="Leave scale at auto, or choose a method that bounds importances.",
        )
    if spec.scale in ("gate", "plain") and method.scale != "plain" and spec.init is None:
        raise InvalidInput(
            f"Scale was {spec.scale!r}, which is for the batch norms of a trained network, and "
            "no weights are given.",
            field="scale",
            hint="Give the weights to start from (init: a file or a run), or leave scale at auto.",
        )
    if spec.scale == "plain" and method.scale != "plain" and _penalises(method, spec):
        raise InvalidInput(
            f"Scale was 'plain', but the penalty of {method.name!r} acts on bounded importances.",
            field="scale",
            hint="Leave scale at auto, or set the strength of the penalty to 0.",
        )
    if spec.scale == "gate" and not spec.trains and parent != "gate":
        raise InvalidInput(
            "Scale was 'gate' for 0 epochs: gates begin at random, and nothing would move them.",
            field="scale",
            hint="Leave scale at auto, which ranks the given network by its own |γ|, or train.",
        )
