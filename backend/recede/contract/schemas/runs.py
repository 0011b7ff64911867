"""Runs and their jobs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recede.contract.cut.polarisation import Polarisation
from recede.contract.network.reach import Share
from recede.contract.recorded.sent import RecordedOut
from recede.contract.schemas.base import AccuracyOut, ErrorBody
from recede.contract.spec.run import RunSpec, Text
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)


class JobOut(BaseModel):
    """A job; `stalled_s` is set when its process has not been heard of for too long."""

    id: int
    run_id: str
    kind: JobKind
    lane: Lane
    state: State
    payload: dict[str, Any]
    created_at: float
    started_at: float | None
    finished_at: float | None
    cancel_requested_at: float | None
    queue_position: int | None
    attempts: int
    device: str | None
    stalled_s: float | None
    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    error: ErrorBody | None


class Notice(BaseModel):
    """Something that the user should know about a run that continues."""

    code: str
    message: str
    hint: str | None = None
    epoch: int | None = None
    """The epoch at which it was noticed."""


class RunOut(BaseModel):
    """A run with what a table or page needs to show it."""

    id: str
    name: str
    notes: str
    state: State
    spec: RunSpec
    created_at: float
    started_at: float | None
    finished_at: float | None
    cancel_requested_at: float | None
    stalled_s: float | None
    queue_position: int | None
    epochs_done: int
    progress: dict[str, Any] | None
    eta_s: float | None
    best_epoch: int | None
    val_accuracy: AccuracyOut | None
    """Of the best epoch, on the validation split that chose it."""
    test_accuracy: AccuracyOut | None
    """Of the dense network at the best epoch, measured once at the end of the run."""
    lossless_ratio: float | None
    disk_bytes: int
    error: ErrorBody | None
    group_id: str | None = None
    """The group that it was submitted with."""
    parent: str | None = None
    """The run whose weights it started from."""
    notices: list[Notice] = []
    data_report: dict[str, Any] | None = None
    """What was found in the data set's files before training."""
    polarisation: Polarisation | None = None
    """Of all neurons, at the latest epoch."""
    protected: list[str] = []
    """Layers that every plan of the run leaves whole."""
    recording: RecordedOut | None = None
    """Of a run that is trained elsewhere; it has no jobs, no weights and no settings."""


class RunAndJob(BaseModel):
    """Answer to the submission of a run."""

    run: RunOut
    job: JobOut


class DiskOut(BaseModel):
    """What a run will keep on disk; sizes are null until a run has had the same network."""

    free_bytes: int
    """On the disk of the artifacts folder."""
    weights_bytes: int | None = None
    """Of one epoch."""
    keep_bytes: int | None = None
    """At most, with the trainer's state and the weights of earlier epochs."""
    warning: str | None = None
    """Set if not all of it may fit."""


class ForecastOut(BaseModel):
    """What a training may take, as far as earlier runs show; `time` and `memory` are words."""

    time: str
    """How long, and from which run that is known; or that no run shows it."""
    seconds: float | None = None
    """Of all epochs, without loading, map and curve."""
    epoch_s: float | None = None
    """What an epoch of that run took."""
    run: str | None = None
    device: str | None = None
    """The one that it took that long on."""
    memory: str
    """The least, what is in it and what is not."""
    memory_bytes: int | None = None
    params: int | None = None
    """Of the network that is trained; null before its first run."""


class ReachOut(BaseModel):
    """How much of the network can go at most, or in words why that is not known yet."""

    words: str
    inner: Share | None = None
    """With the channels that go alone; null until it is known."""
    all: Share | None = None
    """With those that shortcuts join as well."""
    pending: bool = False
    """A worker looks at it: the event `reach` says when it is known."""


class SpecCheck(BaseModel):
    """What would be queued for a spec: every field and parameter filled in."""

    spec: RunSpec
    steps: int
    """Optimiser steps of the whole training."""
    reasons: dict[str, str]
    """Dotted field → why that value was chosen, for what was left open."""
    disk: DiskOut | None = None
    """What it will keep."""
    forecast: ForecastOut | None = None
    """How long it may take, and what memory."""
    reach: ReachOut | None = None
    """How much of the dense network can be cut; null of a network that is cut already."""


class JobAnswer(BaseModel):
    """Answer of a route that queues a job."""

    job: JobOut


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


class RunPatch(BaseModel):
    """What may be changed of a run."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        Text | None, Field(min_length=1, max_length=120), BeforeValidator(_stripped)
    ] = None
    notes: Text | None = Field(None, max_length=10_000)
    protected: Annotated[
        list[Text] | None,
        Field(max_length=10_000, description="Layers that no plan of the run may cut"),
    ] = None


class LogOut(BaseModel):
    """Lines of a job's log after a byte offset; pass `next` as `after` for what follows."""

    lines: list[str]
    next: int
    complete: bool
