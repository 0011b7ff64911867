"""The service itself, its workers, and the webhook with what became of its notices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from recede.contract.spec.catalog import Device
from recede.contract.spec.run import Text


class WorkerOut(BaseModel):
    """One supervisor process."""

    id: str
    host: str
    pid: int
    alive: bool
    last_seen_s: float | None
    """Seconds since it was last heard of; None if it said that it stops."""
    started_at: float
    devices: list[Device]
    versions: dict[str, Any]


class Health(BaseModel):
    """Whether the service can do its work."""

    status: Literal["ok"]
    version: str
    store: str
    workers_alive: int
    worker_starting: bool = False
    """Whether a worker that this service started is not ready yet, and no other one is there."""


class WebhookBody(BaseModel):
    """The address that notices are sent to."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[Text, Field(min_length=1, max_length=2_100, description="http or https")]


class DeliveryOut(BaseModel):
    """One notice: `sent`, to be tried again (`waiting`) or given up (`failed`)."""

    id: int
    event: Literal["finished", "failed", "stalled", "test"]
    run_id: str | None
    state: Literal["sent", "waiting", "failed"]
    attempts: int
    most_attempts: int
    tried_at: float | None
    next_try_at: float | None
    status: int | None
    """HTTP status of the last answer."""
    error: str | None


class WebhookOut(BaseModel):
    """Where notices are sent; `url` is null unless one is set."""

    url: str | None
    set_by: Literal["person", "environment"] | None
    waiting: int
    last: DeliveryOut | None
    """The delivery that was tried last."""
