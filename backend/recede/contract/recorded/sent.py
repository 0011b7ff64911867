"""Trainings that run elsewhere, as they are sent: what they are, epoch by epoch, their end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.metric import Metric, Metrics, Value
from recede.contract.spec.run import MAX_EPOCHS, Plan, Ratio, Text
from recede.contract.states import State

Moment = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Seconds since 1970 by the clock of the training."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""Hash of the channels that are kept, to be sure that both sides mean the same cut."""
FORMAT = 1
"""Of what is sent: raised when an older service would misunderstand it."""


class RecordingBody(BaseModel):
    """What is trained elsewhere; sent again with the same key it changes nothing."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[int, Field(ge=1)] = FORMAT
    name: Text = Field(min_length=1, max_length=120)
    dataset: Text = Field(max_length=120, description="In words: it is not looked up")
    architecture: Text = Field(max_length=120)
    epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] | None = None
    metric: Metric | None = None
    network: NetworkShape | None = Field(
        None, description="null where nothing of it can be pruned: then it has metrics alone"
    )
    started_at: Moment


class RecordedEpochBody(BaseModel):
    """One epoch of it."""

    model_config = ConfigDict(extra="forbid")

    at: Moment
    metrics: Metrics = {}
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    scales: Base64Bytes | None = Field(
        None, description="Raw scales of all neurons in Base64: float32, little-endian"
    )


class RecordedCut(BaseModel):
    """What the training's own evaluation says of a cut: one threshold for all layers."""

    model_config = ConfigDict(extra="forbid")

    ratio: Ratio
    digest: Digest
    value: Value


class RecordedCutsBody(BaseModel):
    """Cuts of one epoch, measured by the recording's metric."""

    model_config = ConfigDict(extra="forbid")

    cuts: Annotated[list[RecordedCut], Field(min_length=1, max_length=200)]


class RecordingStateBody(BaseModel):
    """How the training stands, as its process or folder says."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["running", "succeeded", "failed"]
    ended_at: Moment | None = None
    error: Text | None = Field(None, max_length=1000)


class RecordingOut(BaseModel):
    """The run that shows a recording, and what of it has arrived."""

    run_id: str
    key: str
    state: State
    epochs: list[int]
    without_metrics: list[int]
    """Those epochs whose metrics may still come."""
    cuts: dict[int, list[float]]
    """By epoch, the ratios of the cuts that have arrived."""


class ServingBody(BaseModel):
    """A process that has the network measures cuts on request, as long as it says so."""

    model_config = ConfigDict(extra="forbid")

    epochs: Annotated[
        list[Annotated[int, Field(ge=0, le=MAX_EPOCHS)]], Field(max_length=MAX_EPOCHS + 1)
    ]
    """Those whose weights it has."""


class CutRequest(BaseModel):
    """A cut that is to be measured."""

    id: int
    plan: Plan
    """With its epoch, and protected layers among its locks."""
    digest: str


class CutRequests(BaseModel):
    """All that are open, oldest first."""

    items: list[CutRequest]


class CutAnswer(BaseModel):
    """What was measured of it, or in words why nothing was."""

    model_config = ConfigDict(extra="forbid")

    digest: Digest
    value: Value | None = None
    error: Text | None = Field(None, max_length=1000)
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class RecordedOut(BaseModel):
    """What a run has beside its epochs because it is recorded elsewhere."""

    metric: Metric | None
    best_value: float | None
    """Of the metric at the best epoch."""
    heard_at: float
    serving: list[int] | None = None
    """Epochs of which cuts can be measured on request now; null: nobody measures them."""
