"""Runs that are trained elsewhere: they have no job, and follow what is sent of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recede.contract.errors import NotFound
from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.metric import Metric
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.experiments import history, runs
from recede.store.tables.runs import EpochRow, RecordingRow, RunRow

_DRAWN = ("train_loss", "val_loss", "lr", "penalty")
"""Metrics that have a column of their own, as those of a run that is trained here."""


def begin(
    session: Session,
    key: str,
    *,
    spec: RunSpec,
    metric: Metric | None,
    shape: NetworkShape | None,
    started_at: float,
) -> RecordingRow:
    """A running run for a recording; the same key gives the first one again."""
    known = _of_key(session, key)
    if known is not None:
        return known
    run = RunRow(
        id=runs.new_id(),
        name=spec.title(),
        state=State.RUNNING.value,
        spec=spec.model_dump(mode="json"),
        created_at=db_now(),
        started_at=started_at,
    )
    session.add(run)
    session.flush()
    row = RecordingRow(
        run_id=run.id,
        key=key,
        metric=None if metric is None else metric.model_dump(),
        heard_at=db_now(),
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    if shape is not None:
        history.put_network(session, run.id, shape)
    log.append(session, "run", run_id=run.id, data={"state": run.state})
    return row


def get(session: Session, key: str) -> RecordingRow:
    """The recording; raises NotFound."""
    row = _of_key(session, key)
    if row is None:
        raise NotFound(
            f"There is no recording {key!r}.",
            hint="Its run was deleted, or it was never sent: begin it with PUT.",
        )
    return row


def of_runs(session: Session, run_ids: Sequence[str]) -> dict[str, RecordingRow]:
    """The recordings among these runs, in one query."""
    rows = session.scalars(select(RecordingRow).where(RecordingRow.run_id.in_(run_ids))).all()
    return {row.run_id: row for row in rows}


def metric_of(row: RecordingRow) -> Metric | None:
    """The metric that chooses its best epoch, if it has one."""
    return None if row.metric is None else Metric.model_validate(row.metric)


def put_epoch(
    session: Session,
    row: RecordingRow,
    epoch: int,
    metrics: Mapping[str, float],
    *,
    at: float,
    seconds: float,
    raw: history.FloatArray | None,
    polarisation: dict[str, Any] | None,
) -> None:
    """Keep one epoch; what came first stays, but for metrics that were still missing."""
    hear(session, row)
    columns = _columns(metrics, metric_of(row))
    there = session.get(EpochRow, (row.run_id, epoch))
    if there is None:
        history.put_epoch(
            session,
            row.run_id,
            epoch,
            {"seconds": seconds, **columns},
            raw,
            polarisation,
            finished_at=at,
        )
    elif metrics and not there.metrics:
        for name, value in columns.items():
            setattr(there, name, value)
        session.flush()
        log.append(session, "epoch", run_id=row.run_id, data={"epoch": epoch, **columns})
    else:
        return
    _choose_best(session, row, epoch, metrics)


def hear(session: Session, row: RecordingRow) -> None:
    """Remember that whoever sends it is alive."""
    row.heard_at = db_now()
    session.flush()
    session.refresh(row)


def set_state(
    session: Session,
    row: RecordingRow,
    state: State,
    *,
    ended_at: float | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Take over how the training stands; a state that it has already says only that it lives."""
    hear(session, row)
    run = session.get_one(RunRow, row.run_id)
    if run.state == state.value:
        return
    run.state = state.value
    run.error = error
    run.finished_at = (ended_at or db_now()) if state.is_final else None
    session.flush()
    session.refresh(run)
    log.append(session, "run", run_id=run.id, data={"state": state.value})


def _of_key(session: Session, key: str) -> RecordingRow | None:
    return session.scalars(select(RecordingRow).where(RecordingRow.key == key)).one_or_none()


def _columns(metrics: Mapping[str, float], metric: Metric | None) -> dict[str, Any]:
    """A row's columns: all metrics by name, and those that have a column of their own."""
    columns: dict[str, Any] = {"metrics": dict(metrics)}
    columns |= {name: metrics.get(name) for name in _DRAWN}
    columns["train_accuracy"] = share(metrics.get("train_accuracy"))
    correct = None
    if metric is not None and metric.name in metrics:
        correct = metric.correct(metrics[metric.name])
    columns["val_correct"] = correct
    columns["n_val"] = None if correct is None or metric is None else metric.n
    return columns


def share(value: float | None) -> float | None:
    """The value if it is a share; a percentage is none."""
    return value if value is not None and 0 <= value <= 1 else None


def _choose_best(
    session: Session, row: RecordingRow, epoch: int, metrics: Mapping[str, float]
) -> None:
    """Make this epoch the best one if it is; until one has the metric, the latest counts."""
    run, metric = session.get_one(RunRow, row.run_id), metric_of(row)
    best = None if run.best_epoch is None else session.get(EpochRow, (run.id, run.best_epoch))
    values = {} if best is None else dict(best.metrics or {})
    results: dict[str, Any] = {}
    if metric is None or metric.name not in values:
        results["best_epoch"] = max(epoch, run.best_epoch or 0)
    if metric is not None and metric.name in metrics:
        value, before = metrics[metric.name], values.get(metric.name)
        if before is None or metric.best({epoch: value, run.best_epoch or 0: before}) == epoch:
            correct = metric.correct(value)
            results = {"best_epoch": epoch, "best_val_correct": correct, "n_val": metric.n}
    if epoch > run.spec["epochs"]:
        run.spec = {**run.spec, "epochs": epoch}
    runs.set_results(session, run.id, **results) if results else session.flush()
