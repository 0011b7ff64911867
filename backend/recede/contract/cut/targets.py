"""A cut by what it should cost or keep: the largest network that meets a target.

Why a search over ratios is exact: a larger ratio takes a longer beginning of the same order,
so what a layer is asked to keep never grows; minima and rounding up are monotone, hence neither
does what it keeps; MACs, parameters and bytes are sums of products of kept counts (and of the
digits that write them), so they never grow either. Between two ratios at which one more neuron
goes nothing changes, and only those are tried: by bisection, in the browser as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recede.contract.cut.selection import (
    FloatArray,
    Selection,
    n_to_remove,
    select,
)
from recede.contract.errors import ImpossiblePlan
from recede.contract.network.cost import cost
from recede.contract.network.file_size import file_bytes
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Plan

TargetKind = Literal["macs", "params", "bytes", "accuracy", "drop"]
SLACK = 1e-12  # of rounding: 0.29 of 100 is 28.999…96


class Target(BaseModel):
    """At most so many MACs, parameters or bytes; at least that accuracy, or at most that drop.

    `relative` gives `value` as a share of the dense network's. Accuracies and drops lie in
    [0, 1]: a drop of half a percentage point is 0.005.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: TargetKind
    value: Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False, strict=True)]
    relative: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if self.value > 1 and (self.relative or self.kind in ("accuracy", "drop")):
            raise ValueError(
                f"a share must lie between 0 and 1, and {self.value:g} is more: "
                "write 30 % as 0.3, and half a point of accuracy as 0.005"
            )
        return self


class OpenPlan(Plan):
    """A plan whose ratio is looked for; a ratio or threshold that it gives is ignored."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        return self

    def closed(self) -> Plan:
        """The plan that removes nothing yet."""
        return Plan.model_validate({**self.model_dump(), "ratio": 0.0, "threshold": None})


@dataclass(frozen=True)
class CurveAt:
    """Accuracy, measured or estimated, of the cut that removes a share of all neurons."""

    ratio: float
    accuracy: float


@dataclass(frozen=True)
class Solved:
    """The plan with its ratio, whether it meets the target, and the best that can be had.

    `value` is what the plan's cut has, in the target's own unit; `bound` the least MACs,
    parameters, bytes or drop, or the best accuracy that any ratio has.
    """

    plan: Plan
    selection: Selection
    reached: bool
    value: float
    bound: float


def solve(
    shape: NetworkShape,
    raw: FloatArray,
    plan: Plan,
    target: Target,
    points: Sequence[CurveAt] = (),
) -> Solved:
    """The smallest ratio that meets a target of cost; the largest that one of accuracy allows.

    The plan's own ratio or threshold is ignored; the rest of it holds. `points` is the
    accuracy curve of such plans: of its points the one with the largest share removed that
    meets the target is taken, so that what is answered was measured. Where nothing meets the
    target, the plan is the one that comes closest.

    Raises:
        ImpossiblePlan: the plan does not fit the network, or the curve is not known.
    """
    search = _Search(shape, raw, plan)
    if target.kind in ("accuracy", "drop"):
        return _by_accuracy(search, target, points)
    measure = _measure(shape, target)
    limit = target.value * (measure(shape.sizes) if target.relative else 1)
    limit += SLACK * limit
    bound = measure(search.at(search.last).kept)
    reached = bound <= limit
    goal = limit if reached else bound
    step = search.first(lambda cut: measure(cut.kept) <= goal)
    return search.solved(step, reached, measure(search.at(step).kept), bound)


def _measure(shape: NetworkShape, target: Target) -> Callable[[Sequence[int]], int]:
    if target.kind == "bytes":
        if not shape.tensors:
            raise ImpossiblePlan(
                "This run was recorded before file sizes were, so none can be aimed at.",
                field="target.kind",
                hint="Ask by parameters: a file has about 4 bytes for each.",
            )
        return lambda kept: file_bytes(shape, kept) or 0
    if target.kind == "params":
        return lambda kept: cost(shape, kept).params
    return lambda kept: cost(shape, kept).macs


def _by_accuracy(search: _Search, target: Target, points: Sequence[CurveAt]) -> Solved:
    ordered = sorted(points, key=lambda point: point.ratio)
    if not ordered or ordered[0].ratio != 0:
        raise ImpossiblePlan(
            "The accuracy of cuts of this epoch is not measured yet, so no accuracy can be "
            "aimed at.",
            field="target.kind",
            hint="Measure the curve first: POST …/curve, or `recede curve RUN`.",
        )
    dense, best = ordered[0].accuracy, max(point.accuracy for point in ordered)
    if target.kind == "accuracy":
        least = target.value * (dense if target.relative else 1)
    else:
        least = dense - target.value * (dense if target.relative else 1)
    reached = best >= least - SLACK
    least = least if reached else best
    chosen = [point for point in ordered if point.accuracy >= least - SLACK][-1]
    gone = search.removing(chosen.ratio)
    step = search.first(lambda cut: cut.removed >= gone)
    drops = target.kind == "drop"
    value = dense - chosen.accuracy if drops else chosen.accuracy
    return search.solved(step, reached, value, dense - best if drops else best)


class _Search:
    """The cuts that a plan makes at the ratios where they change, from none to all."""

    def __init__(self, shape: NetworkShape, raw: FloatArray, plan: Plan) -> None:
        self._shape, self._raw = shape, raw
        self._plan = plan.model_copy(update={"threshold": None, "ratio": 0.0})
        free = [g.size for g in shape.groups if g.name not in {*plan.locks, *plan.overrides}]
        self._sizes = sorted(set(free)) if plan.scope == "local" else [sum(free)]
        self._ratios = sorted({0.0, *(k / n for n in self._sizes for k in range(1, n))})
        self._cuts: dict[int, Selection] = {}

    @property
    def last(self) -> int:
        """The step at which most goes."""
        return len(self._ratios) - 1

    def at(self, step: int) -> Selection:
        """The cut of one step."""
        if step not in self._cuts:
            self._cuts[step] = select(self._shape, self._raw, self._plan_at(self._ratios[step]))
        return self._cuts[step]

    def first(self, holds: Callable[[Selection], bool]) -> int:
        """The first step for which it holds, given that it holds for the last and goes on to."""
        low, high = 0, self.last
        while low < high:
            middle = (low + high) // 2
            if holds(self.at(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def removing(self, share: float) -> int:
        """The most neurons that any step removes without exceeding a share of all."""
        most = share * self._shape.n_neurons + 1e-9
        if self.at(self.last).removed <= most:
            return self.at(self.last).removed
        over = self.first(lambda cut: cut.removed > most)
        return self.at(max(0, over - 1)).removed

    def solved(self, step: int, reached: bool, value: float, bound: float) -> Solved:
        """The answer at one step, its ratio written as short as it can be."""
        ratio = self._short(self._ratios[step])
        return Solved(self._plan_at(ratio), self.at(step), reached, value, bound)

    def _plan_at(self, ratio: float) -> Plan:
        return self._plan.model_copy(update={"ratio": ratio})

    def _short(self, exact: float) -> float:
        """The shortest decimal from `exact` on that makes the same cut."""
        for power in (100, 1000, 10_000, 100_000, 1_000_000):
            short = math.ceil(exact * power - 1e-6) / power
            same = all(n_to_remove(short, n) == n_to_remove(exact, n) for n in self._sizes)
            if short < 1 and same:
                return short
        return exact
