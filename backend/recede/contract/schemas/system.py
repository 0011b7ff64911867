"""The service itself and its workers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from recede.contract.spec.catalog import Device


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
