"""Typed clients of the API (RecedeClient blocks, AsyncRecedeClient awaits) and their answers."""

from backend.client.asynchronous import AsyncRecedeClient
from backend.client.blocking import RecedeClient
from backend.client.calls import Histograms
from backend.client.errors import ApiError
from backend.client.sse import Event
from backend.contract.catalog import ArchitectureInfo, Catalog, DatasetInfo, Device, MethodInfo
from backend.contract.errors import InvalidInput
from backend.contract.params import ParamSpec, ParamValue
from backend.contract.polarisation import Polarisation
from backend.contract.specs import Init, Plan, RunSpec
from backend.schemas import (
    AccuracyOut,
    CheckpointOut,
    EpochOut,
    EpochPolarisation,
    ErrorBody,
    FileOut,
    GroupAndRuns,
    GroupOut,
    Health,
    JobOut,
    Notice,
    PolarisationsOut,
    RunOut,
    SnapshotsOut,
    SpecCheck,
    Spread,
    SummaryRow,
    WorkerOut,
)

__all__ = [
    "AccuracyOut",
    "ApiError",
    "ArchitectureInfo",
    "AsyncRecedeClient",
    "Catalog",
    "CheckpointOut",
    "DatasetInfo",
    "Device",
    "EpochOut",
    "EpochPolarisation",
    "ErrorBody",
    "Event",
    "FileOut",
    "GroupAndRuns",
    "GroupOut",
    "Health",
    "Histograms",
    "Init",
    "InvalidInput",
    "JobOut",
    "MethodInfo",
    "Notice",
    "ParamSpec",
    "ParamValue",
    "Plan",
    "Polarisation",
    "PolarisationsOut",
    "RecedeClient",
    "RunOut",
    "RunSpec",
    "SnapshotsOut",
    "SpecCheck",
    "Spread",
    "SummaryRow",
    "WorkerOut",
]
