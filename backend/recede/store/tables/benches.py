"""The table of benches: latencies of files on devices elsewhere, as those reported them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recede.store.tables.runs import Base


class BenchRow(Base):
    """Time of one forward pass of one file of a checkpoint on one device."""

    __tablename__ = "benches"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    checkpoint_id: Mapped[str] = mapped_column(
        ForeignKey("checkpoints.id", ondelete="CASCADE"), index=True
    )
    format: Mapped[str]
    """Which file of the checkpoint it was: "onnx", "int8", "pt2" or "safetensors"."""
    runtime: Mapped[str]
    version: Mapped[str]
    provider: Mapped[str]
    """What computed: an execution provider of onnxruntime, or torch's "cpu" or "cuda"."""
    device: Mapped[str]
    threads: Mapped[int]
    batch: Mapped[int]
    median_ms: Mapped[float]
    p95_ms: Mapped[float]
    n: Mapped[int]
    created_at: Mapped[float]

    __table_args__ = (
        UniqueConstraint(
            *("checkpoint_id", "format", "runtime", "provider", "device", "threads", "batch"),
            name="uq_benches_conditions",  # all columns would be longer than PostgreSQL's names
        ),
    )
