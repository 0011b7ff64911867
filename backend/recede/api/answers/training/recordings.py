"""Runs that are trained elsewhere, as answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from recede.contract.schemas import RecordedOut, RecordingOut
from recede.contract.states import State
from recede.store.database import clock
from recede.store.experiments import history, serving
from recede.store.experiments import recordings as stored
from recede.store.notices.stalls import STALLED_AFTER_S
from recede.store.results import curves
from recede.store.tables.runs import EpochRow, RecordingRow, RunRow


@dataclass(frozen=True)
class Recorded:
    """What a run has in place of a train job."""

    out: RecordedOut
    stalled_s: float | None


def recorded(session: Session, rows: Sequence[RunRow]) -> dict[str, Recorded]:
    """Those of the runs that are trained elsewhere, with one look at the clock."""
    found = stored.of_runs(session, [row.id for row in rows])
    now = clock.now(session) if found else 0.0
    return {row.id: _one(session, row, found[row.id], now) for row in rows if row.id in found}


def recording_out(session: Session, row: RecordingRow) -> RecordingOut:
    """A recording, and what of it has arrived."""
    run = session.get_one(RunRow, row.run_id)
    epochs = history.epochs(session, row.run_id)
    return RecordingOut(
        run_id=row.run_id,
        key=row.key,
        state=State(run.state),
        epochs=[one.epoch for one in epochs],
        without_metrics=[one.epoch for one in epochs if not one.metrics],
        cuts=curves.known_ratios(session, row.run_id),
    )


def _one(session: Session, run: RunRow, row: RecordingRow, now: float) -> Recorded:
    silent_s = now - row.heard_at
    stalls = run.state == State.RUNNING.value and silent_s > STALLED_AFTER_S
    out = RecordedOut(
        metric=stored.metric_of(row),
        best_value=_best(session, run, row),
        heard_at=row.heard_at,
        serving=serving.served(row, now),
    )
    return Recorded(out, silent_s if stalls else None)


def _best(session: Session, run: RunRow, row: RecordingRow) -> float | None:
    metric = stored.metric_of(row)
    if metric is None or run.best_epoch is None:
        return None
    best = session.get(EpochRow, (run.id, run.best_epoch))
    return None if best is None else (best.metrics or {}).get(metric.name)
