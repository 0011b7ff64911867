"""A plan applied to the stored importances of a run: whether it fits, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from recede.contract.cut.protected import check_layers, with_protected
from recede.contract.cut.selection import Selection, select
from recede.contract.errors import (
    Conflict,
    InvalidInput,
    UnknownName,
)
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import IMPORTANCE, Plan, RunSpec, Scope
from recede.store.experiments import history
from recede.store.queue import workers
from recede.store.results import evaluations, scores
from recede.store.tables.runs import EvaluationRow, RunRow


@dataclass(frozen=True)
class Cut:
    """A plan with its epoch fixed, and the channels that it keeps."""

    run_id: str
    plan: Plan
    epoch: int
    shape: NetworkShape
    selection: Selection
    on_curve: bool = True
    """Whether the plan gives a ratio or threshold alone, as those of the curve do."""


def make(session: Session, run: RunRow, plan: Plan) -> Cut:
    """The cut that a plan asks for; an open epoch becomes the best one of now.

    Raises:
        Conflict: no epoch is finished yet.
        ScoreMissing: that epoch was not scored by the plan's criterion yet.
        InvalidInput: that epoch or criterion does not exist, or the plan does not fit the
            network or the layers that the run protects.
    """
    settled_plan = settled(session, run, plan)
    epoch, shape = settled_plan.epoch, history.network(session, run.id)
    assert epoch is not None
    raw = scores.ranking(session, run.id, epoch, plan.criterion)
    selection = select(shape, raw, settled_plan)
    return Cut(run.id, settled_plan, epoch, shape, selection, on_curve(run, settled_plan))


def settled(session: Session, run: RunRow, plan: Plan) -> Plan:
    """The plan with its epoch fixed and the run's protected layers locked, checked.

    It raises what `make` does, but for ScoreMissing: a job computes such scores by itself.
    """
    epoch = _epoch(session, run, plan)
    if plan.criterion != IMPORTANCE and plan.criterion not in scores.known(session, run.id, epoch):
        _check_criterion(session, plan.criterion)
    shape = history.network(session, run.id)
    for layer in plan.overrides:
        check_layers(shape, [layer], f"plan.overrides.{layer}")
    check_layers(shape, plan.locks, "plan.locks")
    return with_protected(plan, run.protected or ()).model_copy(update={"epoch": epoch})


def measured(session: Session, run: RunRow, plan: Plan) -> EvaluationRow | None:
    """What was measured on exactly the cut of a settled plan, if its neurons are scored yet."""
    try:
        cut = make(session, run, plan)
    except scores.ScoreMissing:
        return None
    return evaluations.evaluation(session, run.id, cut.epoch, cut.selection.digest)


def on_curve(run: RunRow, plan: Plan) -> bool:
    """Whether the plan cuts as those of its curve do: nothing of its own but how much."""
    own = set(plan.locks) - set(run.protected or ())
    return not own and not plan.overrides and plan.round_to == 1 and plan.min_channels is None


def default_scope(session: Session, run: RunRow) -> Scope:
    """Over all layers together or in each: as the run's method is published."""
    if RunSpec.model_validate(run.spec).recorded:
        return "global"
    return workers.catalog(session).method(str(run.spec["method"])).scope


def _check_criterion(session: Session, name: str) -> None:
    try:
        workers.catalog(session).criterion(name)
    except UnknownName as error:
        error.field = "plan.criterion"
        raise


def _epoch(session: Session, run: RunRow, plan: Plan) -> int:
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
    return epoch
