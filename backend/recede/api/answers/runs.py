"""Rows of the store as answers of the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from recede.api.deps import Services
from recede.api.rules import folders
from recede.contract.cut.polarisation import Polarisation
from recede.contract.measuring import accuracy
from recede.contract.schemas import (
    AccuracyOut,
    CheckpointOut,
    CostOut,
    EpochOut,
    ErrorBody,
    EvaluationOut,
    FileOut,
    JobOut,
    Notice,
    RunOut,
)
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import (
    CheckpointKind,
    JobKind,
    Lane,
    State,
)
from recede.store.database import clock
from recede.store.networks import history
from recede.store.notices.stalls import STALLED_AFTER_S
from recede.store.queue import jobs
from recede.store.tables.runs import (
    CheckpointRow,
    EpochRow,
    EvaluationRow,
    JobRow,
    RunRow,
)

_SUFFIXES = {
    "safetensors": ".safetensors",
    "manifest": ".json",
    "python": ".py",
    "proof": "-proof.safetensors",
}


def job(session: Session, row: JobRow) -> JobOut:
    """One job."""
    return jobs_(session, [row])[0]


def jobs_(session: Session, rows: Sequence[JobRow]) -> list[JobOut]:
    """Several jobs, with the queue looked at once."""
    now = clock.now(session)
    queued = any(row.state == State.QUEUED.value for row in rows)
    positions = jobs.queue_positions(session) if queued else {}
    return [_job(row, now, positions) for row in rows]


def _job(row: JobRow, now: float, positions: dict[int, int]) -> JobOut:
    return JobOut(
        id=row.id,
        run_id=row.run_id,
        kind=JobKind(row.kind),
        lane=Lane(row.lane),
        state=State(row.state),
        payload=row.payload,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested_at=row.cancel_requested_at,
        queue_position=positions.get(row.id),
        attempts=row.attempts,
        device=row.device,
        stalled_s=_stalled(row, now),
        progress=row.progress,
        result=row.result,
        error=_error(row.error),
    )


def run(services: Services, session: Session, row: RunRow) -> RunOut:
    """One run."""
    return runs(services, session, [row])[0]


def runs(services: Services, session: Session, rows: Sequence[RunRow]) -> list[RunOut]:
    """Several runs, with their train jobs and the queue looked up once."""
    ids = [row.id for row in rows]
    trains = jobs.train_jobs(session, ids)
    parted = history.latest_polarisations(session, ids)
    seen = dict(zip(trains, jobs_(session, list(trains.values())), strict=True))
    return [_run(services, row, seen[row.id], parted.get(row.id)) for row in rows]


def _run(services: Services, row: RunRow, train: JobOut, parted: dict[str, Any] | None) -> RunOut:
    spec = RunSpec.model_validate(row.spec)
    running = row.state == State.RUNNING.value
    progress = train.progress if running else None
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
        cancel_requested_at=train.cancel_requested_at,
        stalled_s=train.stalled_s,
        queue_position=train.queue_position,
        epochs_done=row.epochs_done,
        progress=progress,
        eta_s=eta if isinstance(eta, int | float) else None,
        best_epoch=row.best_epoch,
        val_accuracy=_accuracy(row.best_val_correct, row.n_val),
        test_accuracy=_accuracy(row.test_correct, row.n_test, split="test"),
        lossless_ratio=row.lossless_ratio,
        disk_bytes=folders.size_of(services.run_folder(row.id)),
        error=_error(row.error),
        group_id=row.group_id,
        parent=spec.init.run if spec.init else None,
        notices=[Notice.model_validate(told) for told in row.notices],
        data_report=row.data_report,
        polarisation=parted and Polarisation.model_validate(parted["overall"]),
        protected=row.protected or [],
    )


def epoch(row: EpochRow) -> EpochOut:
    """Metrics of one epoch."""
    return EpochOut(
        epoch=row.epoch,
        train_loss=row.train_loss,
        train_accuracy=row.train_accuracy,
        penalty=row.penalty,
        val_loss=row.val_loss,
        val_accuracy=row.val_correct / row.n_val,
        n_val=row.n_val,
        lr=row.lr,
        images_per_s=row.images_per_s,
        seconds=row.seconds,
        finished_at=row.finished_at,
    )


def evaluation(row: EvaluationRow) -> EvaluationOut:
    """One measured cut."""
    measured = _accuracy(row.correct, row.n, split=row.split)
    assert measured is not None
    return EvaluationOut(
        id=row.id,
        epoch=row.epoch,
        digest=row.digest,
        ratio=row.ratio,
        plan=Plan.model_validate(row.plan),
        on_curve=row.on_curve,
        accuracy=measured,
        loss=row.loss,
        cost=CostOut(params=row.params, macs=row.macs),
        seconds=row.seconds,
    )


def checkpoint(row: CheckpointRow) -> CheckpointOut:
    """One set of weights with the addresses of its files."""
    files = {
        name: FileOut(
            size_bytes=stored["size_bytes"],
            sha256=stored["sha256"],
            url=f"/api/v1/checkpoints/{row.id}/download?format={name}",
            filename=filename(row, name),
        )
        for name, stored in row.files.items()
    }
    return CheckpointOut(
        id=row.id,
        run_id=row.run_id,
        kind=CheckpointKind(row.kind),
        epoch=row.epoch,
        created_at=row.created_at,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        formats=list(files),
        files=files,
        manifest=row.manifest,
    )


def filename(row: CheckpointRow, format_: str) -> str:
    """What a downloaded file is called: it says where it comes from and how much was cut."""
    parts = ["recede", row.run_id, row.kind, f"e{row.epoch}"]
    ratio = row.manifest.get("ratio")
    if row.kind != CheckpointKind.TRAINED.value and isinstance(ratio, int | float):
        parts.append(f"r{ratio:.0%}".removesuffix("%"))
    # Python modules are imported by name, and a hyphen is no part of one.
    joint = "_" if format_ == "python" else "-"
    return joint.join(parts) + _SUFFIXES.get(format_, f".{format_}")


def accuracy_out(value: accuracy.Accuracy, split: Any = "validation") -> AccuracyOut:
    """An accuracy of the contract as an answer."""
    return AccuracyOut(**vars(value), split=split)


def accuracy_in(answer: AccuracyOut) -> accuracy.Accuracy:
    """The same back again."""
    return accuracy.Accuracy(**answer.model_dump(exclude={"split"}))


def counted(correct: int, n: int, split: Any = "validation") -> AccuracyOut:
    """An accuracy that was measured on all n images of a split."""
    return accuracy_out(accuracy.measured(correct, n), split)


def _accuracy(correct: int | None, n: int | None, split: Any = "validation") -> AccuracyOut | None:
    return None if correct is None or not n else counted(correct, n, split)


def _stalled(row: JobRow, now: float) -> float | None:
    if row.state != State.RUNNING.value or row.heartbeat_at is None:
        return None
    silent_s = now - row.heartbeat_at
    return silent_s if silent_s > STALLED_AFTER_S else None


def _error(stored: dict[str, Any] | None) -> ErrorBody | None:
    return None if stored is None else ErrorBody.model_validate(stored)
