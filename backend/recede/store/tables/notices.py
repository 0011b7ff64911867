"""The tables of notices: which stalls were reported, the webhook, and what was sent."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recede.store.tables.runs import Base, Json


class StallRow(Base):
    """The last stall of a job that was reported: a later heartbeat ends it."""

    __tablename__ = "stalls"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    heartbeat_at: Mapped[float]
    """The last sign of life before the stall."""


class WebhookRow(Base):
    """Where notices are sent; no row, nothing is sent."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url: Mapped[str]
    set_by: Mapped[str]
    """Either "person" or "environment"."""
    since: Mapped[float]
    """What ended before is not sent."""


class DeliveryRow(Base):
    """One notice and what became of it. It outlives its run, for it holds all that is said."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event: Mapped[str]
    run_id: Mapped[str | None]
    job_id: Mapped[int | None]
    moment: Mapped[float]
    """When it came to pass; with job and event it says which notice this is."""
    body: Mapped[Json] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[float | None] = mapped_column(index=True)
    """None: it was sent or given up. While it is being sent: when another may try again."""
    tried_at: Mapped[float | None]
    sent_at: Mapped[float | None]
    status: Mapped[int | None]
    """HTTP status of the last answer."""
    error: Mapped[str | None]

    __table_args__ = (UniqueConstraint("job_id", "event", "moment"),)
