"""Latencies: what is asked, what was measured here, and what devices elsewhere reported."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recede.contract.schemas.runs import JobOut
from recede.contract.spec.run import Plan, Text


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


Milliseconds = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False, strict=True)]
Device = Annotated[Text, Field(min_length=1, max_length=120)]
Name = Annotated[Text, Field(min_length=1, max_length=60)]


class BenchTiming(BaseModel):
    """Time of one forward pass of a file under one set of conditions, on the device itself."""

    model_config = ConfigDict(extra="forbid")

    runtime: Name = Field(description="What ran the file: onnxruntime or torch")
    version: Name
    provider: Name = Field(description="onnxruntime's execution provider, or torch's device")
    device: Device
    threads: Annotated[int, Field(ge=1, le=65_536, strict=True)]
    batch: Annotated[int, Field(ge=1, le=65_536, strict=True)]
    median_ms: Milliseconds
    p95_ms: Milliseconds
    n: Annotated[int, Field(ge=1, le=10**9, strict=True, description="Passes that were timed")]


class BenchBody(BaseModel):
    """What a device timed of one file; its SHA-256 says of which checkpoint."""

    model_config = ConfigDict(extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    file: Text = Field("", max_length=400, description="Its name there; not used")
    rows: list[BenchTiming] = Field(min_length=1, max_length=200)


class BenchOut(BenchTiming):
    """A timing as it is kept with a checkpoint."""

    checkpoint_id: str
    format: str
    """Which of the checkpoint's files was timed."""
    created_at: float


class BenchedCheckpoint(BaseModel):
    """A checkpoint that has the timed file."""

    id: str
    run_id: str
    format: str


class BenchAnswer(BaseModel):
    """Where the timings are kept."""

    checkpoints: list[BenchedCheckpoint]


class BenchTargetBody(BaseModel):
    """A latency on a device that reported."""

    model_config = ConfigDict(extra="forbid")

    device: Device
    target_ms: Milliseconds
    batch: Annotated[int, Field(ge=1, le=65_536, strict=True)] = 1


class BenchSolveOut(BaseModel):
    """The cut that removes least among those timed on the device that are fast enough.

    Where none is (`reached` is false), the fastest one. Nothing is assumed of cuts that were not
    timed there: one that removes less may do as well.
    """

    plan: Plan
    reached: bool
    checkpoint_id: str
    ratio: float
    timing: BenchOut
    compared: int
    """Networks of the run that were timed on the device at that batch size."""
