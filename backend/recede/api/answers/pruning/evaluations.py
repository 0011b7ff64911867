"""Measured cuts as answers."""

from __future__ import annotations

from recede.api.answers.accuracies import accuracy_out, counted
from recede.contract.measuring.accuracy import uncounted
from recede.contract.schemas import AccuracyOut, CostOut, EvaluationOut
from recede.contract.spec.run import Plan
from recede.store.tables.runs import EvaluationRow


def evaluation_out(row: EvaluationRow) -> EvaluationOut:
    """One measured cut."""
    return EvaluationOut(
        id=row.id,
        epoch=row.epoch,
        digest=row.digest,
        ratio=row.ratio,
        plan=Plan.model_validate(row.plan),
        on_curve=row.on_curve,
        accuracy=_accuracy(row),
        loss=row.loss,
        cost=CostOut(params=row.params, macs=row.macs),
        seconds=row.seconds,
    )


def _accuracy(row: EvaluationRow) -> AccuracyOut:
    if row.n == 0 and row.value is not None:
        return accuracy_out(uncounted(row.value), row.split)
    return counted(row.correct, row.n, row.split)
