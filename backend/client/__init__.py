"""Typed clients of the API (RecedeClient blocks, AsyncRecedeClient awaits) and their answers."""

from backend.client.asynchronous import AsyncRecedeClient
from backend.client.blocking import RecedeClient
from backend.client.calls import Histograms
from backend.client.errors import ApiError
from backend.client.sse import Event
from backend.contract.catalog import ArchitectureInfo, Catalog, DatasetInfo, Device, MethodInfo
from backend.contract.errors import InvalidInput
from backend.contract.params import ParamSpec, ParamValue
from backend.contract.specs import Plan, RunSpec
from backend.schemas import (
    AccuracyOut,
    CheckpointOut,
    EpochOut,
    ErrorBody,
    FileOut,
    Health,
    JobOut,
    RunOut,
    SnapshotsOut,
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
    "ErrorBody",
    "Event",
    "FileOut",
    "Health",
    "Histograms",
    "InvalidInput",
    "JobOut",
    "MethodInfo",
    "ParamSpec",
    "ParamValue",
    "Plan",
    "RecedeClient",
    "RunOut",
    "RunSpec",
    "SnapshotsOut",
    "WorkerOut",
]
