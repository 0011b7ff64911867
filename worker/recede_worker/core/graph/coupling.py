"""What goes together with each prunable layer's channels, for networks whose norms are known."""

from __future__ import annotations

from torch import nn

from recede.contract.errors import InvalidInput
from recede_worker.core.graph.groups import Channels, channels_of
from recede_worker.core.graph.trace import Trace
from recede_worker.core.norms.scaling import Norms, names_of

LEAVE_OUT = "Leave this layer out of the prunable groups."


def couplings(trace: Trace, model: nn.Module, norms: Norms) -> list[Channels]:
    """For each convolution in `norms` all that is cut with its output channels, in that order.

    Raises:
        InvalidInput: the channels cannot be cut, or a norm does not scale them.
    """
    found = channels_of(trace, model)
    by_member = {name: channels for channels in found for name in channels.members}
    taken: dict[int, str] = {}
    chosen = []
    for conv, norm in norms.items():
        if not isinstance(model.get_submodule(conv), nn.Conv2d) or conv not in by_member:
            kind = type(model.get_submodule(conv)).__name__
            raise InvalidInput(f"A group must start at a Conv2d; {conv!r} is a {kind}.")
        channels = by_member[conv]
        if channels.refusal:
            raise InvalidInput(
                f"The channels of {conv!r} cannot be cut: {channels.refusal}.", hint=LEAVE_OUT
            )
        scaled = {coupling.name for coupling in channels.couplings}
        for name in names_of(norm):
            if name not in scaled:
                raise InvalidInput(f"Batch norm {name!r} does not scale the channels of {conv!r}.")
        other = taken.setdefault(id(channels), conv)
        if other != conv:
            raise InvalidInput(
                f"{conv!r} and {other!r} are two groups, but their channels only go together.",
                hint=LEAVE_OUT,
            )
        chosen.append(channels)
    return chosen
