"""Groups: runs that were submitted together, and what their seeds say in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from recede.contract.schemas.runs import RunOut
from recede.contract.spec.grid import MAX_RUNS, MIN_RUNS
from recede.contract.spec.run import RunSpec, Text
from recede.contract.states import State

Axes = Annotated[
    dict[str, list[Any]],
    Field(
        description="Dotted name of a spec's field to its values; every combination is one run, "
        f"{MIN_RUNS} to {MAX_RUNS} in all",
        examples=[{"lr": [0.05, 0.1], "seed": [0, 1, 2]}],
    ),
]


class GroupBody(BaseModel):
    """A base spec and the fields in which its runs differ."""

    model_config = ConfigDict(extra="forbid")

    spec: RunSpec
    axes: Axes
    name: Text = Field("", max_length=120, description="Made of spec and axes unless given")


class Spread(BaseModel):
    """Mean of `n` runs and their sample standard deviation; none from a single run."""

    mean: float
    std: float | None
    n: int


class SummaryRow(BaseModel):
    """One combination of the axes, all its seeds together.

    Spreads are those of the finished runs; null where nothing is known yet.
    """

    values: dict[str, Any]
    """Axis → value, for each axis but the seed."""
    runs: int
    finished: int
    """Runs that have succeeded."""
    val_accuracy: Spread | None
    test_accuracy: Spread | None
    lossless_ratio: Spread | None
    receded: Spread | None
    """Share of the importances under 0.1 at the last epoch."""


class GroupOut(BaseModel):
    """A group with its runs, in the order of the axes, and a row for each combination."""

    id: str
    name: str
    created_at: float
    spec: RunSpec
    axes: dict[str, list[Any]]
    counts: dict[State, int]
    """State → number of runs; states without any are left out."""
    runs: list[RunOut]
    summary: list[SummaryRow]


class GroupAndRuns(BaseModel):
    """Answer to the submission of a group."""

    group: GroupOut
    runs: list[RunOut]
