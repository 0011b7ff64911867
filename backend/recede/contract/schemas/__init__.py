"""Bodies of requests and answers; times in seconds since 1970 UTC, sizes in bytes."""

from recede.contract.schemas.base import (
    AccuracyOut,
    CostOut,
    Deleted,
    ErrorBody,
    ErrorOut,
    Page,
)
from recede.contract.schemas.groups import (
    GroupAndRuns,
    GroupBody,
    GroupOut,
    Spread,
    SummaryRow,
)
from recede.contract.schemas.history import (
    EpochOut,
    EpochPolarisation,
    PolarisationsOut,
    SnapshotsOut,
)
from recede.contract.schemas.latency import (
    LatenciesOut,
    LatencyAnswer,
    LatencyBody,
    LatencyOut,
)
from recede.contract.schemas.maps import (
    Compared,
    ComparisonOut,
    MapOut,
)
from recede.contract.schemas.notices import (
    DeliveryOut,
    WebhookBody,
    WebhookOut,
)
from recede.contract.schemas.plans import (
    NamedPlanBody,
    NamedPlanPatch,
    PlanOut,
)
from recede.contract.schemas.pruning import (
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
from recede.contract.schemas.runs import (
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
from recede.contract.schemas.system import Health, WorkerOut
from recede.contract.schemas.targets import (
    ScoreAnswer,
    ScoreBody,
    SolveBody,
    SolveOut,
)

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
