"""A plan applied to the stored importances of a run, and what is known of its accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.contract import accuracy
from backend.contract.cost import Cost, dense_cost
from backend.contract.errors import Conflict, InvalidInput, NotFound, WeightsGone
from backend.contract.network import NetworkShape
from backend.contract.selection import Selection, select
from backend.contract.specs import Plan
from backend.routes import views
from backend.schemas import AccuracyOut
from backend.store import history, results
from backend.store.tables import EvaluationRow, RunRow


@dataclass(frozen=True)
class Cut:
    """A plan with its epoch fixed, and the channels that it keeps."""

    run_id: str
    plan: Plan
    epoch: int
    shape: NetworkShape
    selection: Selection


@dataclass(frozen=True)
class Curve:
    """Measured points of the best epoch; empty as long as there are no weights."""

    checkpoint_id: str | None
    epoch: int | None
    points: Sequence[EvaluationRow]
    dense: Cost | None


def make(session: Session, run: RunRow, plan: Plan) -> Cut:
    """The cut that a plan asks for; an open epoch becomes the best one of now.

    Raises:
        Conflict: no epoch is finished yet.
        InvalidInput: that epoch was not trained, or the plan does not fit the network.
    """
    known = history.snapshot_epochs(session, run.id)
    epoch = run.best_epoch if plan.epoch is None else plan.epoch
    if not known or epoch is None:
        raise Conflict(
            f"Run {run.id} is {run.state} and has no finished epoch yet.",
            hint="Plans can be tried from the first epoch on.",
        )
    if epoch not in known:
        raise InvalidInput(
            f"plan.epoch was {epoch}; run {run.id} has epochs {known[0]} to {known[-1]}.",
            field="plan.epoch",
            hint="Leave it out for the best epoch.",
        )
    shape = history.network(session, run.id)
    selection = select(shape, history.snapshot(session, run.id, epoch), plan)
    return Cut(run.id, plan.model_copy(update={"epoch": epoch}), epoch, shape, selection)


def known_accuracy(session: Session, cut: Cut) -> AccuracyOut | None:
    """Measured if exactly this cut was; else estimated from the curve, if it lies on it."""
    row = results.evaluation(session, cut.run_id, cut.epoch, cut.selection.digest)
    if row is not None:
        return views.evaluation(row).accuracy
    if cut.plan.locks or cut.plan.overrides:
        return None
    # A threshold is always global, whatever the plan's scope says.
    scope = "global" if cut.plan.threshold is not None else cut.plan.scope
    points = [
        accuracy.Measured(row.ratio, row.correct, row.n)
        for row in results.evaluations(session, cut.run_id, cut.epoch)
        if row.on_curve and (row.ratio == 0 or row.plan["scope"] == scope)
    ]
    guess = accuracy.estimate(points, cut.selection.ratio)
    return None if guess is None else views.accuracy_out(guess)


def curve(session: Session, run: RunRow) -> Curve:
    """What is measured so far at the run's best epoch."""
    try:
        weights = results.trained(session, run.id, None)
    except WeightsGone:
        return Curve(None, None, [], _dense(session, run))
    found = results.evaluations(session, run.id, weights.epoch)
    points = [row for row in found if row.on_curve]
    return Curve(weights.id, weights.epoch, points, _dense(session, run))


def _dense(session: Session, run: RunRow) -> Cost | None:
    try:
        return dense_cost(history.network(session, run.id))
    except NotFound:
        return None
