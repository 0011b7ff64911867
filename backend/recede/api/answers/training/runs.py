"""Runs and their epochs as answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from recede.api.answers.accuracies import counted_if_known
from recede.api.answers.training import recordings
from recede.api.answers.training.jobs import error_body, jobs_out
from recede.api.answers.training.recordings import Recorded
from recede.api.disk import folders
from recede.contract.cut.polarisation import Polarisation
from recede.contract.schemas import EpochOut, JobOut, Notice, RunOut
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from recede.settings import Settings
from recede.store.experiments import history
from recede.store.experiments.recordings import share
from recede.store.queue import jobs
from recede.store.tables.runs import EpochRow, RunRow


def run_out(settings: Settings, session: Session, row: RunRow) -> RunOut:
    """One run."""
    return runs_out(settings, session, [row])[0]


def runs_out(settings: Settings, session: Session, rows: Sequence[RunRow]) -> list[RunOut]:
    """Several runs, with their train jobs and the queue looked up once."""
    ids = [row.id for row in rows]
    trains = jobs.train_jobs(session, ids)
    parted = history.latest_polarisations(session, ids)
    seen = dict(zip(trains, jobs_out(session, list(trains.values())), strict=True))
    apart = recordings.recorded(session, rows)
    return [
        _run(settings, row, seen[row.id], parted.get(row.id))
        if row.id in seen
        else _run(settings, row, None, parted.get(row.id), apart[row.id])
        for row in rows
    ]


def _run(
    settings: Settings,
    row: RunRow,
    train: JobOut | None,
    parted: dict[str, Any] | None,
    recorded: Recorded | None = None,
) -> RunOut:
    """One run, which follows its train job or its recording."""
    spec = RunSpec.model_validate(row.spec)
    running = row.state == State.RUNNING.value
    progress = train.progress if train and running else None
    eta = (progress or {}).get("eta_s")
    return RunOut(
        id=row.id,
        name=row.name,
        notes=row.notes,
        state=State(row.state),
        spec=spec,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested_at=train and train.cancel_requested_at,
        stalled_s=recorded.stalled_s if recorded else train and train.stalled_s,
        queue_position=train and train.queue_position,
        epochs_done=row.epochs_done,
        progress=progress,
        eta_s=eta if isinstance(eta, int | float) else None,
        best_epoch=row.best_epoch,
        val_accuracy=counted_if_known(row.best_val_correct, row.n_val),
        test_accuracy=counted_if_known(row.test_correct, row.n_test, split="test"),
        lossless_ratio=row.lossless_ratio,
        disk_bytes=folders.size_of(folders.of_run(settings, row.id)),
        error=error_body(row.error),
        group_id=row.group_id,
        parent=spec.init.run if spec.init else None,
        notices=[Notice.model_validate(notice) for notice in row.notices],
        data_report=row.data_report,
        polarisation=parted and Polarisation.model_validate(parted["overall"]),
        protected=row.protected or [],
        recording=recorded and recorded.out,
    )


def epoch_out(row: EpochRow) -> EpochOut:
    """Metrics of one epoch."""
    return EpochOut(
        epoch=row.epoch,
        train_loss=row.train_loss,
        train_accuracy=row.train_accuracy,
        penalty=row.penalty,
        val_loss=row.val_loss,
        val_accuracy=_val_accuracy(row),
        n_val=row.n_val,
        lr=row.lr,
        images_per_s=row.images_per_s,
        seconds=row.seconds,
        finished_at=row.finished_at,
        metrics=row.metrics or {},
    )


def _val_accuracy(row: EpochRow) -> float | None:
    if row.val_correct is not None and row.n_val:
        return row.val_correct / row.n_val
    logged = (row.metrics or {}).get("val_accuracy")
    return share(logged)
