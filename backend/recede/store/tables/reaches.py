"""The table of reaches: how much of a network can go, asked before a run is queued."""

from __future__ import annotations

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from recede.store.tables.runs import Base, Json


class ReachRow(Base):
    """One dense network that was asked about, and what a worker found."""

    __tablename__ = "reaches"

    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[Json] = mapped_column(JSON)
    asked_at: Mapped[float]
    answered_at: Mapped[float | None]
    """None: a worker is to look at it, be it once more."""
    reach: Mapped[Json | None] = mapped_column(JSON)
    refused: Mapped[str | None]
    """Why nothing of it can be cut, where that was the answer."""
