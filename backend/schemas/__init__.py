"""Bodies of requests and answers; times in seconds since 1970 UTC, sizes in bytes."""

from backend.schemas.asking import ScoreAnswer, ScoreBody, SolveBody, SolveOut
from backend.schemas.base import AccuracyOut, CostOut, Deleted, ErrorBody, ErrorOut, Page
from backend.schemas.groups import GroupAndRuns, GroupBody, GroupOut, Spread, SummaryRow
from backend.schemas.history import (
    EpochOut,
    EpochPolarisation,
    PolarisationsOut,
    SnapshotsOut,
)
from backend.schemas.latency import LatenciesOut, LatencyAnswer, LatencyBody, LatencyOut
from backend.schemas.maps import Compared, ComparisonOut, MapOut
from backend.schemas.notices import DeliveryOut, WebhookBody, WebhookOut
from backend.schemas.plans import NamedPlanBody, NamedPlanPatch, PlanOut
from backend.schemas.pruning import (
    CheckpointOut,
    CurveBody,
    CurveOut,
    CurvePoint,
    EvaluateAnswer,
    EvaluationOut,
    FileOut,
    PlanBody,
    PreviewOut,
    PruneBody,
)
from backend.schemas.runs import (
    DiskOut,
    ForecastOut,
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
    "Compared",
    "ComparisonOut",
    "CostOut",
    "CurveBody",
    "CurveOut",
    "CurvePoint",
    "Deleted",
    "DeliveryOut",
    "DiskOut",
    "EpochOut",
    "EpochPolarisation",
    "ErrorBody",
    "ErrorOut",
    "EvaluateAnswer",
    "EvaluationOut",
    "FileOut",
    "ForecastOut",
    "GroupAndRuns",
    "GroupBody",
    "GroupOut",
    "Health",
    "JobAnswer",
    "JobOut",
    "LatenciesOut",
    "LatencyAnswer",
    "LatencyBody",
    "LatencyOut",
    "LogOut",
    "MapOut",
    "NamedPlanBody",
    "NamedPlanPatch",
    "Notice",
    "Page",
    "PlanBody",
    "PlanOut",
    "PolarisationsOut",
    "PreviewOut",
    "PruneBody",
    "RunAndJob",
    "RunOut",
    "RunPatch",
    "ScoreAnswer",
    "ScoreBody",
    "SnapshotsOut",
    "SolveBody",
    "SolveOut",
    "SpecCheck",
    "Spread",
    "SummaryRow",
    "WebhookBody",
    "WebhookOut",
    "WorkerOut",
]
