"""Cuts: what is asked, what it would keep, what was measured, and the files."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.specs import Plan
from backend.contract.states import CheckpointKind
from backend.schemas.base import AccuracyOut, CostOut
from backend.schemas.runs import JobOut


class PlanBody(BaseModel):
    """A plan to preview or evaluate."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan


class PruneBody(BaseModel):
    """A plan to cut and the files wanted."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan
    finetune: None = Field(None, description="Only null: a cut network is not trained further")
    formats: list[Literal["safetensors", "pt2"]] = Field(
        ["safetensors", "pt2"], min_length=1, description="safetensors is written in any case"
    )


class PreviewOut(BaseModel):
    """What a plan would keep and cost (exact), and its accuracy where something is known."""

    epoch: int
    ratio: float
    """Share of all neurons that really goes, minima and locks included."""
    removed: int
    kept: dict[str, int]
    held_at_minimum: list[str]
    digest: str
    cost: CostOut
    dense: CostOut
    accuracy: AccuracyOut | None


class EvaluationOut(BaseModel):
    """What was measured on one really cut network."""

    id: int
    epoch: int
    digest: str
    ratio: float
    plan: Plan
    on_curve: bool
    accuracy: AccuracyOut
    loss: float
    cost: CostOut
    seconds: float


class EvaluateAnswer(BaseModel):
    """Either the cached result or the job that measures it."""

    evaluation: EvaluationOut | None = None
    job: JobOut | None = None


class CurveOut(BaseModel):
    """Accuracy over the share of neurons removed, of one checkpoint, on the validation split."""

    checkpoint_id: str | None
    epoch: int | None
    points: list[EvaluationOut]
    lossless_ratio: float | None
    dense: CostOut | None
    job: JobOut | None
    """The curve job, if one is queued or running."""


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
