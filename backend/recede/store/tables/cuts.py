"""The tables about cuts: curves, predictions, scores, latencies and named plans."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recede.store.tables.runs import Base, Json


class CurvePointRow(Base):
    """Accuracy of the cut that one ratio makes, measured or estimated, of one epoch.

    `low` and `high` are its 95 % interval for new images like those of the split;
    `split_low` and `split_high` that of what the whole split would give: they are equal where
    the whole split was measured.
    """

    __tablename__ = "curve_points"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    epoch: Mapped[int]
    criterion: Mapped[str]
    scope: Mapped[str]
    bias: Mapped[str]
    ask: Mapped[float]
    """The ratio that the plan asked for."""
    ratio: Mapped[float]
    """The share of all neurons that really goes."""
    digest: Mapped[str]
    kind: Mapped[str]
    value: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    split_low: Mapped[float]
    split_high: Mapped[float]
    n: Mapped[int]
    """Images of the split on which the cut network was run."""
    n_split: Mapped[int]
    params: Mapped[int] = mapped_column(BigInteger)
    macs: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[float]

    __table_args__ = (UniqueConstraint("run_id", "epoch", "criterion", "scope", "bias", "ask"),)


class PredictionRow(Base):
    """What the dense network of one epoch says of each image of a split, in its order."""

    __tablename__ = "predictions"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(primary_key=True)
    split: Mapped[str] = mapped_column(primary_key=True)
    predicted: Mapped[bytes] = mapped_column(LargeBinary)
    """The class of each image: uint16, little-endian."""
    correct: Mapped[int]
    n: Mapped[int]


class ScoreRow(Base):
    """The score of every prunable neuron by one criterion: float32, little-endian."""

    __tablename__ = "scores"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(primary_key=True)
    criterion: Mapped[str] = mapped_column(primary_key=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[float]


class LatencyRow(Base):
    """Time of one forward pass of one cut on one device, after warm-up."""

    __tablename__ = "latencies"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str]
    device: Mapped[str]
    threads: Mapped[int]
    batch: Mapped[int]
    ratio: Mapped[float]
    """Share of the neurons that this cut removes; 0 is the dense network."""
    median_ms: Mapped[float]
    p95_ms: Mapped[float]
    n: Mapped[int]
    busy: Mapped[bool]
    """Whether other jobs ran on the device meanwhile: then it is slower than alone."""
    created_at: Mapped[float]

    __table_args__ = (UniqueConstraint("run_id", "digest", "device", "threads", "batch"),)


class PlanRow(Base):
    """A named plan that is saved with its run."""

    __tablename__ = "plans"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    notes: Mapped[str] = mapped_column(default="")
    plan: Mapped[Json] = mapped_column(JSON)
    created_at: Mapped[float]
    updated_at: Mapped[float]

    __table_args__ = (UniqueConstraint("run_id", "name"),)
