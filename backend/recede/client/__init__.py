"""Typed clients of the API (RecedeClient blocks, AsyncRecedeClient awaits) and their answers."""

from recede.client.asynchronous import AsyncRecedeClient
from recede.client.blocking import DEFAULT_URL, RecedeClient
from recede.client.endpoints.runs import Histograms
from recede.client.errors import ApiError
from recede.client.sse import Event
from recede.contract.cut.polarisation import Polarisation
from recede.contract.errors import InvalidInput
from recede.contract.schemas import (
    AccuracyOut,
    CheckpointOut,
    Compared,
    ComparisonOut,
    EpochOut,
    EpochPolarisation,
    ErrorBody,
    FileOut,
    ForecastOut,
    GroupAndRuns,
    GroupOut,
    Health,
    JobOut,
    MapOut,
    Notice,
    PlanOut,
    PolarisationsOut,
    PreviewOut,
    RunOut,
    SnapshotsOut,
    SpecCheck,
    Spread,
    SummaryRow,
    WebhookOut,
    WorkerOut,
)
from recede.contract.spec.catalog import (
    ArchitectureInfo,
    Catalog,
    DatasetInfo,
    Device,
    MethodInfo,
)
from recede.contract.spec.params import ParamSpec, ParamValue
from recede.contract.spec.recipes import (
    RECIPES,
    Recipe,
    recipe,
)
from recede.contract.spec.run import (
    Init,
    Plan,
    RunSpec,
)

__all__ = [
    "DEFAULT_URL",
    "RECIPES",
    "AccuracyOut",
    "ApiError",
    "ArchitectureInfo",
    "AsyncRecedeClient",
    "Catalog",
    "CheckpointOut",
    "Compared",
    "ComparisonOut",
    "DatasetInfo",
    "Device",
    "EpochOut",
    "EpochPolarisation",
    "ErrorBody",
    "Event",
    "FileOut",
    "ForecastOut",
    "GroupAndRuns",
    "GroupOut",
    "Health",
    "Histograms",
    "Init",
    "InvalidInput",
    "JobOut",
    "MapOut",
    "MethodInfo",
    "Notice",
    "ParamSpec",
    "ParamValue",
    "Plan",
    "PlanOut",
    "Polarisation",
    "PolarisationsOut",
    "PreviewOut",
    "RecedeClient",
    "Recipe",
    "RunOut",
    "RunSpec",
    "SnapshotsOut",
    "SpecCheck",
    "Spread",
    "SummaryRow",
    "WebhookOut",
    "WorkerOut",
    "recipe",
]
