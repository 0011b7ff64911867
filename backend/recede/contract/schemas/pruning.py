"""Cuts: what is asked, what it would keep, what was measured, and the files."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from recede.contract.schemas.base import AccuracyOut, CostOut
from recede.contract.schemas.latency import BenchOut, LatencyOut
from recede.contract.schemas.runs import JobOut
from recede.contract.schemas.snippets import FileSnippet
from recede.contract.spec.run import (
    FORMATS,
    IMPORTANCE,
    MAX_EPOCHS,
    Bias,
    Format,
    Plan,
    Scope,
    Text,
)
from recede.contract.states import CheckpointKind


class PlanBody(BaseModel):
    """A plan to preview or evaluate."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan


class PruneBody(BaseModel):
    """A plan to cut and the files wanted."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan
    finetune: None = Field(None, description="Only null: a cut network is not trained further")
    formats: list[Format] = Field(
        list(FORMATS),
        min_length=1,
        description="safetensors is written in any case, and onnx with int8, which is made of it",
    )


class PreviewOut(BaseModel):
    """What a plan would keep and cost (exact), and its accuracy where something is known."""

    epoch: int
    ratio: float
    """Share of all neurons that really goes, minima and locks included."""
    removed: int
    kept: dict[str, int]
    held_at_minimum: list[str]
    rounded_up: list[str]
    """Layers that keep more because the plan rounds to a multiple."""
    digest: str
    cost: CostOut
    dense: CostOut
    file_bytes: int | None
    """Size of the safetensors file, exact; null for runs that did not record what it holds."""
    dense_file_bytes: int | None
    accuracy: AccuracyOut | None
    latency: list[LatencyOut] = []
    """What was measured of this very cut, and of the dense network beside it."""


class EvaluationOut(BaseModel):
    """What was measured on one really cut network."""

    id: int
    epoch: int
    digest: str
    ratio: float
    plan: Plan
    on_curve: bool
    accuracy: AccuracyOut
    """Without images (n = 0) the value of a recorded run's own metric."""
    loss: float | None
    """null where the run's own `evaluate` measured it."""
    cost: CostOut
    seconds: float


class EvaluateAnswer(BaseModel):
    """Either the cached result or the job that measures it."""

    evaluation: EvaluationOut | None = None
    job: JobOut | None = None


class CurvePoint(BaseModel):
    """Accuracy of the really cut network that one ratio asks for, at one epoch."""

    epoch: int
    criterion: str
    scope: str
    bias: str
    ask: float
    """The ratio that was asked for."""
    ratio: float
    """The share of all neurons that really goes."""
    digest: str
    accuracy: AccuracyOut
    cost: CostOut


class CurveBody(BaseModel):
    """Which curve to measure; what is left out is as in GET /runs/{run_id}/curve."""

    model_config = ConfigDict(extra="forbid")

    epoch: Annotated[int | None, Field(ge=0, le=MAX_EPOCHS, strict=True)] = None
    criterion: Text = Field(IMPORTANCE, min_length=1, max_length=60)
    scope: Scope | None = None
    bias: Bias = "drop"
    exact: bool = Field(
        False, strict=True, description="Measure every point on the whole split: slower"
    )


class CutValue(BaseModel):
    """A cut's value by a metric that is no share of counted images: it has no interval."""

    ask: float
    ratio: float
    value: float
    cost: CostOut


class CurveOut(BaseModel):
    """Accuracy over the share of neurons removed, of one checkpoint, on the validation split."""

    checkpoint_id: str | None
    """The weights of that epoch, null where they were not kept."""
    epoch: int | None
    criterion: str
    scope: str
    bias: str
    points: list[CurvePoint]
    """By ratio. While the job runs they come one by one."""
    lossless_ratio: float | None
    """Of these points, as far as they are known."""
    dense: CostOut | None
    job: JobOut | None
    """The curve job, if one is queued or running."""
    values: list[CutValue] = []
    """Of a run that is recorded elsewhere, in place of points: what its own metric says."""


class FileOut(BaseModel):
    """One downloadable file of a checkpoint."""

    size_bytes: int
    sha256: str
    url: str
    filename: str


class CheckpointOut(BaseModel):
    """Weights that can be downloaded; `manifest` says what they are and how they were measured."""

    id: str
    run_id: str
    kind: CheckpointKind
    epoch: int
    created_at: float
    size_bytes: int
    sha256: str
    formats: list[str]
    files: dict[str, FileOut]
    manifest: dict[str, Any]
    snippets: list[FileSnippet] = []
    """How its files are loaded and verified, as text to copy."""
    benches: list[BenchOut] = []
    """What devices elsewhere timed of its files."""
