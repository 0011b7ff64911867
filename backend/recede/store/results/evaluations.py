"""Checkpoints (weights on disk) and evaluations (what was measured on a cut of them)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from recede.contract.errors import NotFound, WeightsGone
from recede.contract.spec.run import RECORDED
from recede.contract.states import CheckpointKind
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.runs import (
    CheckpointRow,
    EvaluationRow,
    RunRow,
)


@dataclass(frozen=True)
class StoredFile:
    """One file of a checkpoint: its path below the artifacts folder, size and hash."""

    path: str
    size_bytes: int
    sha256: str


def put_checkpoint(
    session: Session,
    *,
    id_: str,
    run_id: str,
    kind: CheckpointKind,
    epoch: int,
    files: dict[str, StoredFile],
    manifest: dict[str, Any],
) -> CheckpointRow:
    """Make files that are already on disk a checkpoint; "safetensors" gives its SHA-256."""
    row = CheckpointRow(
        id=id_,
        run_id=run_id,
        kind=kind.value,
        epoch=epoch,
        created_at=db_now(),
        size_bytes=sum(file.size_bytes for file in files.values()),
        sha256=files["safetensors"].sha256,
        files={name: vars(file) for name, file in files.items()},
        manifest=manifest,
    )
    session.add(row)
    session.flush()
    data = {"id": id_, "kind": kind.value, "epoch": epoch}
    log.append(session, "checkpoint", run_id=run_id, data=data)
    return row


def checkpoint(session: Session, checkpoint_id: str) -> CheckpointRow:
    """The checkpoint; raises NotFound."""
    row = session.get(CheckpointRow, checkpoint_id)
    if row is None:
        raise NotFound(
            f"There is no checkpoint {checkpoint_id!r}.",
            hint="It may have been deleted or replaced by a better epoch.",
        )
    return row


def checkpoints(session: Session, run_id: str) -> Sequence[CheckpointRow]:
    """Checkpoints of a run, newest first."""
    query = select(CheckpointRow).where(CheckpointRow.run_id == run_id)
    return session.scalars(query.order_by(CheckpointRow.created_at.desc())).all()


def trained(session: Session, run_id: str, epoch: int | None) -> CheckpointRow:
    """Weights of that epoch, or of the best epoch so far.

    Raises:
        WeightsGone: they were not kept; the message and `details` name the epochs that were,
            and which is nearest.
    """
    if epoch is None:
        epoch = session.scalar(select(RunRow.best_epoch).where(RunRow.id == run_id))
    query = select(CheckpointRow).where(
        CheckpointRow.run_id == run_id, CheckpointRow.kind == CheckpointKind.TRAINED.value
    )
    rows = session.scalars(query.order_by(CheckpointRow.epoch)).all()
    for row in rows:
        if row.epoch == epoch:
            return row
    if not rows and session.get_one(RunRow, run_id).spec["method"] == RECORDED:
        raise WeightsGone(
            f"Run {run_id} is recorded elsewhere: its weights are there, so nothing can be "
            "measured, cut or trained on here.",
            hint="Cut it in its own script: recede.cut(model, images, plan).",
        )
    if not rows:
        raise WeightsGone(
            f"Run {run_id} has no weights yet.", hint="They are kept from the first epoch on."
        )
    nearest = min(rows, key=lambda row: abs(row.epoch - (epoch or 0)))
    kept = ", ".join(str(row.epoch) for row in rows)
    raise WeightsGone(
        f"The weights of epoch {epoch} were not kept; kept are those of epoch {kept}.",
        field="plan.epoch",
        hint=f"The nearest is epoch {nearest.epoch}.",
        details={"nearest_epoch": nearest.epoch, "kept_epochs": [row.epoch for row in rows]},
    )


def drop_checkpoint(session: Session, row: CheckpointRow) -> None:
    """Forget a checkpoint; what was measured stays, its files are the caller's to remove."""
    session.delete(row)
    session.flush()


def put_evaluation(session: Session, *, on_curve: bool = False, **values: Any) -> EvaluationRow:
    """Keep what was measured; the same cut of the same epoch and split is kept once."""
    key = {name: values[name] for name in ("run_id", "epoch", "digest", "split")}
    postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if postgres else sqlite.insert
    session.execute(
        insert(EvaluationRow)
        .values(on_curve=on_curve, created_at=db_now(), **values)
        .on_conflict_do_nothing()
    )
    if on_curve:
        session.execute(update(EvaluationRow).filter_by(**key).values(on_curve=True))
    row = session.scalars(select(EvaluationRow).filter_by(**key)).one()
    data = {"id": row.id, "digest": row.digest, "on_curve": row.on_curve}
    log.append(session, "evaluation", run_id=row.run_id, data=data)
    return row


def evaluation(
    session: Session, run_id: str, epoch: int, digest: str, split: str = "validation"
) -> EvaluationRow | None:
    """What was measured on exactly this cut, if anything."""
    query = select(EvaluationRow).filter_by(run_id=run_id, epoch=epoch, digest=digest, split=split)
    return session.scalars(query).one_or_none()


def evaluations(
    session: Session, run_id: str, epoch: int, split: str = "validation"
) -> Sequence[EvaluationRow]:
    """All that was measured on cuts of that epoch, by share removed."""
    query = select(EvaluationRow).filter_by(run_id=run_id, epoch=epoch, split=split)
    return session.scalars(query.order_by(EvaluationRow.ratio, EvaluationRow.id)).all()
