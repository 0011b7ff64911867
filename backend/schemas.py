"""Bodies of requests and answers; times in seconds since 1970 UTC, sizes in bytes."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from backend.contract.catalog import Device
from backend.contract.specs import Plan, RunSpec, Text
from backend.contract.states import CheckpointKind, JobKind, Lane, State

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; pass `next` as `cursor` for the following one."""

    items: list[ItemT]
    next: str | None = None


class ErrorBody(BaseModel):
    """What went wrong, in words: what was given, what is wanted, how to mend it."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None


class ErrorOut(BaseModel):
    """The one shape of every error."""

    error: ErrorBody


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


class AccuracyOut(BaseModel):
    """An accuracy that says what it is: measured on n images, or estimated, with 95 % interval."""

    kind: Literal["measured", "estimated"]
    value: float
    low: float
    high: float
    n: int
    split: Literal["validation", "test"] = "validation"


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


class RunAndJob(BaseModel):
    """Answer to the submission of a run."""

    run: RunOut
    job: JobOut


class JobAnswer(BaseModel):
    """Answer of a route that queues a job."""

    job: JobOut


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


class RunPatch(BaseModel):
    """What a person may change of a run."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        Text | None, Field(min_length=1, max_length=120), BeforeValidator(_stripped)
    ] = None
    notes: Text | None = Field(None, max_length=10_000)


class Deleted(BaseModel):
    """What a deletion freed."""

    freed_bytes: int


class EpochOut(BaseModel):
    """Metrics of one finished epoch; epoch 0 is the untrained network."""

    epoch: int
    train_loss: float | None
    train_accuracy: float | None
    penalty: float | None
    val_loss: float
    val_accuracy: float
    n_val: int
    lr: float | None
    images_per_s: float | None
    seconds: float
    finished_at: float


class SnapshotsOut(BaseModel):
    """Epochs of which the importances are stored, and those whose weights can be cut."""

    epochs: list[int]
    weights: list[int]
    best_epoch: int | None


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


class CostOut(BaseModel):
    """Exact cost of one image; FLOPs are 2 × macs."""

    params: int
    macs: int


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


class LogOut(BaseModel):
    """Lines of a job's log after a byte offset; pass `next` as `after` for what follows."""

    lines: list[str]
    next: int
    complete: bool


class WorkerOut(BaseModel):
    """One supervisor process."""

    id: str
    host: str
    pid: int
    alive: bool
    last_seen_s: float
    started_at: float
    devices: list[Device]
    versions: dict[str, Any]


class Health(BaseModel):
    """Whether the service can do its work."""

    status: Literal["ok"]
    version: str
    store: str
    workers_alive: int
