"""Latencies: what is asked, and what was measured."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recede.contract.schemas.runs import JobOut
from recede.contract.spec.run import Plan


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class LatencyBody(BaseModel):
    """The cut to measure; with `target_ms` all of its plan but the ratio, which is looked for."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan
    target_ms: float | None = Field(
        None,
        gt=0,
        le=1e6,
        allow_inf_nan=False,
        strict=True,
        description="Look for the smallest ratio whose median is at most this",
    )
    batch: Annotated[int, Field(ge=1, le=1024, strict=True), BeforeValidator(_whole)] = Field(
        1, description="Batch size that `target_ms` is about"
    )
    again: bool = Field(
        False,
        strict=True,
        description="Measure again what is known, for example after the machine was busy",
    )


class LatencyOut(BaseModel):
    """Time of one forward pass of one cut on one device."""

    digest: str
    ratio: float
    """Share of the neurons that the cut removes."""
    dense: bool
    """Whether this is the uncut network."""
    device: str
    """Name of the processor or GPU."""
    threads: int
    batch: int
    median_ms: float
    p95_ms: float
    n: int
    """Passes that were timed."""
    busy: bool
    """Whether other jobs ran on the device meanwhile: then it is slower than alone."""
    created_at: float


class LatenciesOut(BaseModel):
    """What was measured of a run's cuts, the dense network first."""

    items: list[LatencyOut]


class LatencyAnswer(BaseModel):
    """Either what is known of that cut and of the dense network, or the job that measures."""

    items: list[LatencyOut] = []
    job: JobOut | None = None
