"""From raw scales and a plan to the channels that are kept: the same rule in the browser.

Ranking uses the raw scale itself (σ is monotone) so that ties and order do not depend on
how a machine rounds exp(): Python and JavaScript compare the same float32 numbers.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recede.contract.errors import ImpossiblePlan, UnknownName
from recede.contract.network.shape import Group, NetworkShape
from recede.contract.spec.run import (
    IMPORTANCE,
    Bias,
    Plan,
)

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Scale = Literal["bounded", "plain"]


@dataclass(frozen=True)
class Selection:
    """The outcome of a plan: one boolean per neuron, True where it is kept."""

    mask: Mask
    kept: tuple[int, ...]
    """Channels left in each group, in network order."""
    held_at_minimum: tuple[str, ...]
    """Layers that would have lost more, were it not for their minimum."""
    rounded_up: tuple[str, ...] = ()
    """Layers that would have lost more, were it not for the plan's `round_to`."""
    variant: Bias = "drop"
    """"fold" only where that makes another network than "drop" does."""

    @property
    def removed(self) -> int:
        """Number of neurons that go."""
        return int(self.mask.size - self.mask.sum())

    @property
    def ratio(self) -> float:
        """Share of all neurons that really go, minima and locks included."""
        return self.removed / self.mask.size

    @property
    def digest(self) -> str:
        """Hash of the kept channels: equal cuts of one network have equal digests."""
        bits = np.packbits(self.mask).tobytes()
        variant = b"" if self.variant == "drop" else self.variant.encode()
        whole = self.mask.size.to_bytes(8, "little") + bits + variant
        return hashlib.sha256(whole).hexdigest()


def importances(raw: FloatArray, scale: str) -> npt.NDArray[np.float64]:
    """Importance of each neuron: σ(w) in (0, 1) for "bounded", |γ| for "plain"."""
    wide = raw.astype(np.float64)
    if scale == "plain":
        return np.abs(wide)
    return np.where(
        wide >= 0, 1 / (1 + np.exp(-np.abs(wide))), 1 - 1 / (1 + np.exp(-np.abs(wide)))
    )


def ranking_keys(raw: FloatArray, scale: str) -> FloatArray:
    """Float32 numbers that order neurons exactly as their importances do."""
    return np.abs(raw) if scale == "plain" else raw


def threshold_key(threshold: float, scale: str) -> float:
    """A threshold on importances, expressed on the ranking keys; ±inf outside (0, 1)."""
    if scale == "plain":
        return threshold
    if threshold <= 0:
        return -math.inf
    return math.inf if threshold >= 1 else math.log(threshold / (1 - threshold))


def n_to_remove(ratio: float, size: int) -> int:
    """⌊ratio · size⌋; the small addend mends products such as 0.29 · 100 = 28.999…96."""
    return math.floor(ratio * size + 1e-9)


def scale_of(shape: NetworkShape, plan: Plan) -> Scale:
    """How the plan's scores rank: those of a criterion of its own as plain |score|."""
    return shape.scale if plan.criterion == IMPORTANCE else "plain"


def select(shape: NetworkShape, raw: FloatArray, plan: Plan) -> Selection:
    """Channels that the plan keeps, given one score a neuron (`raw`, in network order).

    `raw` is the snapshot, or the scores of the plan's criterion. A ratio removes the lowest of
    all free neurons (scope global) or of each free layer (scope local); ties go by layer, then
    index. Every layer keeps its minimum and what rounds its count up: its highest channels are
    put back, and nothing else is removed in exchange.

    Raises:
        ImpossiblePlan: the scores do not fit the network or are not finite.
        UnknownName: a lock or override names a layer that the network does not have.
    """
    _check_input(shape, raw, plan)
    scale = scale_of(shape, plan)
    key = ranking_keys(raw, scale)
    keep = np.ones(raw.size, dtype=np.bool_)
    layers = _layer_slices(shape)
    bound = [name in plan.locks or name in plan.overrides for name in layers]
    free = np.concatenate(
        [np.full(g.size, not b) for g, b in zip(shape.groups, bound, strict=True)]
    )
    if plan.threshold is not None:
        keep[free] = key[free] > threshold_key(plan.threshold, scale)
    elif plan.scope == "global":
        _drop_lowest(keep, key, np.flatnonzero(free), plan.ratio or 0.0)
    for name, where in layers.items():
        index = np.arange(where.start, where.stop)
        if name in plan.overrides:
            _drop_lowest(keep, key, index, plan.overrides[name])
        elif plan.ratio is not None and plan.scope == "local" and name not in plan.locks:
            _drop_lowest(keep, key, index, plan.ratio)
    held, rounded = _put_back(shape, plan, key, keep, layers)
    kept = tuple(int(keep[where].sum()) for where in layers.values())
    folds = plan.bias == "fold" and shape.scale == "plain" and not keep.all()
    return Selection(keep, kept, held, rounded, "fold" if folds else "drop")


def least_kept(group: Group, plan: Plan) -> int:
    """Channels that a layer keeps whatever the plan asks for, before rounding."""
    minimum = group.minimum if plan.min_channels is None else plan.min_channels
    return min(minimum, group.size)


def rounded_up(kept: int, group: Group, plan: Plan) -> int:
    """The next multiple of the plan's `round_to`, at most the whole layer."""
    return min(group.size, -(-kept // plan.round_to) * plan.round_to)


def _check_input(shape: NetworkShape, raw: FloatArray, plan: Plan) -> None:
    if raw.shape != (shape.n_neurons,):
        raise ImpossiblePlan(
            f"The snapshot has {raw.size} neurons, the network {shape.n_neurons}; "
            "they must come from the same run.",
            field="plan.epoch",
        )
    if not np.isfinite(raw).all():
        raise ImpossiblePlan(
            "The importances of this epoch are not finite numbers, so they rank nothing; "
            "choose an epoch before the training diverged.",
            field="plan.epoch",
        )
    names = {group.name for group in shape.groups}
    for name in plan.locks:
        if name not in names:
            raise UnknownName("layer", name, names, field="plan.locks")
    for name in plan.overrides:
        if name not in names:
            raise UnknownName("layer", name, names, field=f"plan.overrides.{name}")


def _layer_slices(shape: NetworkShape) -> dict[str, slice]:
    ends = np.cumsum(shape.sizes).tolist()
    return {
        group.name: slice(end - group.size, end)
        for group, end in zip(shape.groups, ends, strict=True)
    }


def _drop_lowest(keep: Mask, key: FloatArray, index: npt.NDArray[np.int64], ratio: float) -> None:
    order = np.argsort(key[index], kind="stable")
    keep[index[order[: n_to_remove(ratio, index.size)]]] = False


def _put_back(
    shape: NetworkShape, plan: Plan, key: FloatArray, keep: Mask, layers: dict[str, slice]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the layers held at their minimum, and of those that rounding made larger."""
    held, rounded = [], []
    for group, where in zip(shape.groups, layers.values(), strict=True):
        asked = int(keep[where].sum())
        least = max(asked, least_kept(group, plan))
        final = rounded_up(least, group, plan)
        if least > asked:
            held.append(group.name)
        if final > least:
            rounded.append(group.name)
        if final > asked:
            highest = np.argsort(key[where], kind="stable")[group.size - final :]
            keep[where][highest] = True
    return tuple(held), tuple(rounded)
