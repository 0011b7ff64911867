"""Bodies of requests and answers; times in seconds since 1970 UTC, sizes in bytes."""

from backend.schemas.base import AccuracyOut, CostOut, Deleted, ErrorBody, ErrorOut, Page
from backend.schemas.groups import GroupAndRuns, GroupBody, GroupOut, Spread, SummaryRow
from backend.schemas.history import (
    EpochOut,
    EpochPolarisation,
    PolarisationsOut,
    SnapshotsOut,
)
from backend.schemas.pruning import (
    CheckpointOut,
    CurveOut,
    EvaluateAnswer,
    EvaluationOut,
    FileOut,
    PlanBody,
    PreviewOut,
    PruneBody,
)
from backend.schemas.runs import (
    JobAnswer,
    JobOut,
    LogOut,
    Notice,
    RunAndJob,
    RunOut,
    RunPatch,
    SpecCheck,
)
from backend.schemas.system import Health, WorkerOut

__all__ = [
    "AccuracyOut",
    "CheckpointOut",
    "CostOut",
    "CurveOut",
    "Deleted",
    "EpochOut",
    "EpochPolarisation",
    "ErrorBody",
    "ErrorOut",
    "EvaluateAnswer",
    "EvaluationOut",
    "FileOut",
    "GroupAndRuns",
    "GroupBody",
    "GroupOut",
    "Health",
    "JobAnswer",
    "JobOut",
    "LogOut",
    "Notice",
    "Page",
    "PlanBody",
    "PolarisationsOut",
    "PreviewOut",
    "PruneBody",
    "RunAndJob",
    "RunOut",
    "RunPatch",
    "SnapshotsOut",
    "SpecCheck",
    "Spread",
    "SummaryRow",
    "WorkerOut",
]
