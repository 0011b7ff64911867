"""Where notices of runs are sent, and what became of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recede.contract.spec.run import Text


class WebhookBody(BaseModel):
    """The address that is to be told of runs."""

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
    """Where notices are sent; `url` is null unless a person has asked for it."""

    url: str | None
    set_by: Literal["person", "environment"] | None
    waiting: int
    last: DeliveryOut | None
    """The delivery that was tried last."""
