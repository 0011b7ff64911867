"""A fine-tuning before and after, beside the dense network that was cut."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from recede.api.answers.accuracies import counted, counted_if_known
from recede.contract.errors import Conflict, NotFound
from recede.contract.network.cost import dense_cost
from recede.contract.schemas import (
    AccuracyOut,
    Compared,
    ComparisonOut,
    CostOut,
)
from recede.contract.spec.run import RunSpec
from recede.contract.states import CheckpointKind
from recede.store.experiments import history, runs
from recede.store.results import evaluations
from recede.store.tables.runs import RunRow

Known = dict[str, Any]


def comparison(session: Session, run: RunRow) -> ComparisonOut:
    """The dense parent, the cut of it before fine-tuning, and the network after it.

    Raises:
        Conflict: the run does not start from another run's network after a cut.
    """
    spec = RunSpec.model_validate(run.spec)
    if not spec.fine_tunes or spec.init is None:
        raise Conflict(
            f"Run {run.id} is not a fine-tuning run: it does not start from a cut network.",
            hint="Fine-tune a cut of this run (`recede submit --from RUN --cut RATIO`) and "
            "compare the new run.",
        )
    start = _start(session, run.id)
    parent = _parent(session, str(spec.init.run))
    assert spec.init.plan is not None
    epoch: int | None = start.get("epoch", spec.init.plan.epoch)
    if epoch is None and parent is not None:
        epoch = parent.best_epoch
    own = _own_cost(session, run.id)
    networks = [
        _dense(session, parent, epoch, start),
        Compared(
            network="cut",
            epoch=0,
            validation=_validation(session, run.id, 0),
            test=_cut_test(session, run.id),
            cost=own,
        ),
        Compared(
            network="tuned",
            epoch=run.best_epoch,
            validation=counted_if_known(run.best_val_correct, run.n_val),
            test=counted_if_known(run.test_correct, run.n_test, "test"),
            cost=own if run.best_epoch is not None else None,
        ),
    ]
    name = start.get("run_name") if parent is None else parent.name
    return ComparisonOut(
        parent=str(spec.init.run),
        parent_name=name,
        ratio=start.get("ratio"),
        networks=networks,
    )


def _start(session: Session, run_id: str) -> Known:
    """What the run wrote down of its parent; empty until its first epoch is finished."""
    for row in evaluations.checkpoints(session, run_id):
        if row.kind == CheckpointKind.TRAINED.value and "start" in row.manifest:
            start: Known = row.manifest["start"]
            return start
    return {}


def _parent(session: Session, run_id: str) -> RunRow | None:
    try:
        return runs.get(session, run_id)
    except NotFound:
        return None


def _dense(session: Session, parent: RunRow | None, epoch: int | None, start: Known) -> Compared:
    """The parent's network; what was written down stays true when the parent is deleted."""
    recorded = start.get("parent_accuracy", {})
    test = recorded.get("test")
    validation = recorded.get("validation")
    cost = start.get("parent_cost")
    found = Compared(
        network="dense",
        epoch=epoch,
        validation=validation and counted_if_known(validation["correct"], validation["n"]),
        test=test and counted_if_known(test["correct"], test["n"], "test"),
        cost=cost and CostOut(**cost),
    )
    if parent is None or epoch is None:
        return found
    if found.test is None and epoch == parent.best_epoch:
        found.test = counted_if_known(parent.test_correct, parent.n_test, "test")
    found.validation = found.validation or _validation(session, parent.id, epoch)
    found.cost = found.cost or _own_cost(session, parent.id)
    return found


def _validation(session: Session, run_id: str, epoch: int) -> AccuracyOut | None:
    rows = history.epochs(session, run_id, after=epoch - 1)
    if not rows or rows[0].epoch != epoch:
        return None
    return counted_if_known(rows[0].val_correct, rows[0].n_val)


def _cut_test(session: Session, run_id: str) -> AccuracyOut | None:
    rows = evaluations.evaluations(session, run_id, 0, split="test")
    return counted(rows[0].correct, rows[0].n, "test") if rows else None


def _own_cost(session: Session, run_id: str) -> CostOut | None:
    try:
        return CostOut(**vars(dense_cost(history.network(session, run_id))))
    except NotFound:
        return None
