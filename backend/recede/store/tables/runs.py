"""The tables. Times are seconds since 1970 by the database's clock; sizes are bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from recede.contract.states import CheckpointKind, State

Json = dict[str, Any]


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class RunRow(Base):
    """One training of one network; its state follows its train job, or its recording."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    notes: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=State.QUEUED.value, index=True)
    spec: Mapped[Json] = mapped_column(JSON)
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[float] = mapped_column(index=True)
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    epochs_done: Mapped[int] = mapped_column(default=0)
    best_epoch: Mapped[int | None]
    best_val_correct: Mapped[int | None]
    n_val: Mapped[int | None]
    test_correct: Mapped[int | None]
    n_test: Mapped[int | None]
    lossless_ratio: Mapped[float | None]
    error: Mapped[Json | None] = mapped_column(JSON)
    group_id: Mapped[str | None] = mapped_column(
        ForeignKey("groups.id", ondelete="SET NULL"), index=True
    )
    notices: Mapped[list[Json]] = mapped_column(JSON, default=list)
    """Notices for the user: code, message, hint and the epoch at which it was noticed."""
    data_report: Mapped[Json | None] = mapped_column(JSON)
    """What was found in the data set's files before training."""
    protected: Mapped[list[str] | None] = mapped_column(JSON)
    """Layers that every plan of this run leaves whole; None is none."""


class GroupRow(Base):
    """Runs that were submitted together: a base spec and the values that differ."""

    __tablename__ = "groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    spec: Mapped[Json] = mapped_column(JSON)
    axes: Mapped[Json] = mapped_column(JSON)
    """Dotted name of a spec field → its values, e.g. {"lr": [0.05, 0.1]}."""
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[float]


class JobRow(Base):
    """One piece of queued work; the lease token fences every write of who runs it."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    lane: Mapped[str]
    wants: Mapped[str] = mapped_column(default="auto")
    processes: Mapped[int] = mapped_column(default=1)
    """Devices that it needs at once."""
    epoch: Mapped[int | None]
    """The epoch whose weights it works on, as soon as that is settled."""
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default=State.QUEUED.value)
    payload: Mapped[Json] = mapped_column(JSON)
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    cancel_requested_at: Mapped[float | None]
    owner: Mapped[str | None]
    token: Mapped[str | None]
    child_pid: Mapped[int | None]
    device: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_expires_at: Mapped[float | None]
    heartbeat_at: Mapped[float | None]
    progress: Mapped[Json | None] = mapped_column(JSON)
    result: Mapped[Json | None] = mapped_column(JSON)
    error: Mapped[Json | None] = mapped_column(JSON)

    __table_args__ = (Index("ix_jobs_claim", "state", "lane", "priority", "id"),)


class NetworkRow(Base):
    """The NetworkShape of a run: the layout of its snapshots."""

    __tablename__ = "networks"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    shape: Mapped[Json] = mapped_column(JSON)


class RecordingRow(Base):
    """A run that is trained elsewhere: it has no job, and whoever sends it sets its state."""

    __tablename__ = "recordings"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(unique=True)
    """The recording's own, so that what is sent again is known."""
    metric: Mapped[Json | None] = mapped_column(JSON)
    heard_at: Mapped[float]
    serving_at: Mapped[float | None]
    """When the process was last heard of that measures cuts on request."""
    serving_epochs: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    """Those whose weights it has."""


class EpochRow(Base):
    """Metrics of one finished epoch; epoch 0 is the untrained network."""

    __tablename__ = "epochs"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(primary_key=True)
    train_loss: Mapped[float | None]
    train_accuracy: Mapped[float | None]
    penalty: Mapped[float | None]
    val_loss: Mapped[float | None]
    val_correct: Mapped[int | None]
    n_val: Mapped[int | None]
    """The three are known of every epoch that was trained here."""
    lr: Mapped[float | None]
    images_per_s: Mapped[float | None]
    seconds: Mapped[float]
    finished_at: Mapped[float]
    metrics: Mapped[Json | None] = mapped_column(JSON)
    """Of a recorded run: every metric that was logged, by its name."""


class SnapshotRow(Base):
    """Raw scale of every prunable neuron at one epoch: float32, little-endian, network order."""

    __tablename__ = "snapshots"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(primary_key=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    polarisation: Mapped[Json | None] = mapped_column(JSON)
    """How clearly the importances have parted: overall and for each layer."""


class CheckpointRow(Base):
    """One set of weights on disk; `files` maps a format to path, size_bytes and sha256."""

    __tablename__ = "checkpoints"

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(default=CheckpointKind.TRAINED.value)
    epoch: Mapped[int]
    created_at: Mapped[float]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    files: Mapped[Json] = mapped_column(JSON)
    manifest: Mapped[Json] = mapped_column(JSON)


class EvaluationRow(Base):
    """Measured accuracy of one exact cut: unique by run, epoch, kept channels and split.

    It outlives the weights that it was measured on: an epoch is trained once.
    """

    __tablename__ = "evaluations"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str]
    split: Mapped[str]
    epoch: Mapped[int]
    ratio: Mapped[float]
    plan: Mapped[Json] = mapped_column(JSON)
    on_curve: Mapped[bool] = mapped_column(default=False)
    correct: Mapped[int]
    n: Mapped[int]
    """0 where no images were counted: then `value` is all that is known."""
    loss: Mapped[float | None]
    value: Mapped[float | None]
    """Of a recorded run, in place of the loss: what its own metric says."""
    params: Mapped[int] = mapped_column(BigInteger)
    macs: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
    created_at: Mapped[float]

    __table_args__ = (UniqueConstraint("run_id", "epoch", "digest", "split"),)


class EventRow(Base):
    """Something that happened; server-sent events replay the table by id."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    created_at: Mapped[float]
    type: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(index=True)
    job_id: Mapped[int | None]
    data: Mapped[Json] = mapped_column(JSON)

    __table_args__ = ({"sqlite_autoincrement": True},)


class WorkerRow(Base):
    """One supervisor process, with the catalog that it offers."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[float]
    heartbeat_at: Mapped[float]
    catalog: Mapped[Json] = mapped_column(JSON)
    versions: Mapped[Json] = mapped_column(JSON)
