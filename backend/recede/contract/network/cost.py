"""Cost of a cut by integer arithmetic: parameters and multiply-adds from kept counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recede.contract.network.shape import NetworkShape


@dataclass(frozen=True)
class Cost:
    """Exact cost of one image through the folded network; FLOPs are 2 × macs.

    `params` counts all parameters of the file that is downloaded. `macs` counts multiply-adds as
    torch's FlopCounterMode does: those of convolutions, linear layers and other products.
    """

    params: int
    macs: int


def cost(shape: NetworkShape, kept: Sequence[int]) -> Cost:
    """Cost with `kept[i]` channels left in group i, in network order."""
    params = macs = 0
    for op in shape.ops:
        if op.kind == "fixed":
            params, macs = params + op.params, macs + op.macs
            continue
        fan_in = _left(op.fan_in, op.source, shape, kept)
        fan_out = _left(op.fan_out, op.target, shape, kept)
        if op.kind == "norm":
            params += 2 * fan_out
            continue
        weights = op.kernel * fan_out * (1 if op.kind == "depthwise" else fan_in)
        params += weights + (fan_out if op.bias else 0)
        macs += weights * op.positions
    return Cost(params, macs)


def dense_cost(shape: NetworkShape) -> Cost:
    """Cost of the network as trained."""
    return cost(shape, shape.sizes)


def within_reach(shape: NetworkShape) -> Cost:
    """Of the dense cost what belongs to channels that can be cut, an upper bound of any cut."""
    dense, rest = dense_cost(shape), cost(shape, [0] * len(shape.groups))
    return Cost(dense.params - rest.params, dense.macs - rest.macs)


def _left(dense: int, group: int | None, shape: NetworkShape, kept: Sequence[int]) -> int:
    if group is None:
        return dense
    return dense // shape.groups[group].size * kept[group]
