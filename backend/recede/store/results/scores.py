"""Scores of the prunable neurons by criteria other than the method's own importance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from recede.contract.errors import Conflict
from recede.contract.spec.run import IMPORTANCE
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.experiments import history
from recede.store.tables.cuts import ScoreRow

FloatArray = npt.NDArray[np.float32]


class ScoreMissing(Conflict):
    """The neurons of that epoch were not scored by that criterion yet."""

    code = "score_missing"


def put(session: Session, run_id: str, epoch: int, criterion: str, raw: FloatArray) -> None:
    """Keep the scores of all neurons, in network order; the first ones stay."""
    postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if postgres else sqlite.insert
    session.execute(
        insert(ScoreRow)
        .values(
            run_id=run_id,
            epoch=epoch,
            criterion=criterion,
            raw=raw.astype("<f4").tobytes(),
            created_at=db_now(),
        )
        .on_conflict_do_nothing()
    )
    log.append(session, "scores", run_id=run_id, data={"epoch": epoch, "criterion": criterion})


def get(session: Session, run_id: str, epoch: int, criterion: str) -> FloatArray | None:
    """The scores of all neurons in network order, if they were computed."""
    row = session.get(ScoreRow, (run_id, epoch, criterion))
    return None if row is None else np.frombuffer(row.raw, dtype="<f4").astype(np.float32)


def known(session: Session, run_id: str, epoch: int) -> list[str]:
    """Names of the criteria by which that epoch was scored."""
    query = select(ScoreRow.criterion).filter_by(run_id=run_id, epoch=epoch)
    return list(session.scalars(query.order_by(ScoreRow.criterion)).all())


def ranking(session: Session, run_id: str, epoch: int, criterion: str) -> FloatArray:
    """What a plan of that criterion ranks by: the snapshot, or the criterion's scores.

    Raises:
        NotFound: that epoch has no snapshot.
        ScoreMissing: the scores were not computed yet.
    """
    if criterion == IMPORTANCE:
        return history.snapshot(session, run_id, epoch)
    raw = get(session, run_id, epoch, criterion)
    if raw is None:
        raise ScoreMissing(
            f"The neurons of epoch {epoch} of run {run_id} are not scored by {criterion!r} yet.",
            field="plan.criterion",
            hint=f"Compute it first: `recede score {run_id} {criterion} --epoch {epoch}`, or POST "
            f'/api/v1/runs/{run_id}/scores with {{"epoch": {epoch}, "criterion": '
            f'"{criterion}"}}.',
        )
    return raw
