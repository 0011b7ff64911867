"""What a run adds to every plan: the layers that are never cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recede.contract.errors import ImpossiblePlan, UnknownName
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Plan


def with_protected(plan: Plan, protected: Sequence[str]) -> Plan:
    """The plan with a run's protected layers among its locks, each once.

    Raises:
        ImpossiblePlan: it gives one of them a ratio of its own.
    """
    for layer in protected:
        if layer in plan.overrides:
            raise ImpossiblePlan(
                f"The plan gives layer {layer!r} the ratio {plan.overrides[layer]:g}, but the run "
                "protects that layer: no plan can cut it.",
                field=f"plan.overrides.{layer}",
                hint="Leave the override out, or unprotect the layer first.",
            )
    more = [layer for layer in dict.fromkeys(protected) if layer not in plan.locks]
    return plan.model_copy(update={"locks": (*plan.locks, *more)}) if more else plan


def check_layers(shape: NetworkShape, layers: Iterable[str], field: str) -> None:
    """Raises UnknownName for the first that is no prunable layer of the network."""
    names = {group.name for group in shape.groups}
    for layer in layers:
        if layer not in names:
            raise UnknownName("layer", layer, names, field=field)
