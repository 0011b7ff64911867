"""Typed clients of the API (RecedeClient blocks, AsyncRecedeClient awaits) and their answers."""

from backend.client.asynchronous import AsyncRecedeClient
from backend.client.blocking import DEFAULT_URL, RecedeClient
from backend.client.calls import Histograms
from backend.client.errors import ApiError
from backend.client.sse import Event
from backend.contract.catalog import ArchitectureInfo, Catalog, DatasetInfo, Device, MethodInfo
from backend.contract.errors import InvalidInput
from backend.contract.params import ParamSpec, ParamValue
from backend.contract.polarisation import Polarisation
from backend.contract.recipes import RECIPES, Recipe, recipe
from backend.contract.specs import Init, Plan, RunSpec
from backend.schemas import (
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
