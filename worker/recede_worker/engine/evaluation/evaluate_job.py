"""The evaluate job: an estimate from a first random part at once, then the whole split."""

from __future__ import annotations

import time
from typing import Any

import torch
from sqlalchemy.orm import Session

from recede.contract.cut.selection import Selection
from recede.contract.spec.run import Plan
from recede.store.results import evaluations
from recede.store.tables.runs import EvaluationRow
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.evaluation.dense_predictions import known_predictions, store_predictions
from recede_worker.engine.evaluation.ranking import select_channels
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.inputs.parts import Comparison
from recede_worker.engine.job.handle import JobHandle, Outcome

FIRST_S, REFINE_S = 0.05, 0.2
"""The first estimate is published after this time, and updates this often."""
UNREAD_S = 0.3
"""Longest time for a random part of images on disk; then all are read in their own order."""


def run_evaluate(job: JobHandle, trained: TrainedEpoch, plan: Plan) -> Outcome:
    """Measure one plan; the result is stored by the set of kept channels."""
    return Outcome({"evaluation_id": accuracy_of_cut(job, trained, plan).id})


def accuracy_of_cut(job: JobHandle, trained: TrainedEpoch, plan: Plan) -> EvaluationRow:
    """Accuracy of the really cut network on the whole validation split; measured only once.

    Raises:
        UnknownName, ImpossiblePlan: the plan's criterion cannot rank the neurons.
        Cancelled, Interrupted: the job should stop.
        LeaseLost: the job was taken over or deleted.
    """
    selection = select_channels(job, trained, plan)
    with job.read() as session:
        known = evaluations.evaluation(session, job.run_id, trained.epoch, selection.digest)
    return known or _measure(job, trained, plan, selection)


def _measure(
    job: JobHandle, trained: TrainedEpoch, plan: Plan, selection: Selection
) -> EvaluationRow:
    started = time.perf_counter()
    cut = trained.cut(selection).to(trained.device)
    comparison = Comparison(
        cut.to(memory_format=torch.channels_last),
        known_predictions(job, trained),
        trained.source,
        trained.validation.y_N,
        trained.data.normalise,
        job.check,
        trained.cost(selection).macs,
    )
    in_memory = trained.source.in_memory
    _estimate(job, comparison, UNREAD_S if not in_memory else None)
    correct, loss = comparison.counted.right, comparison.loss / comparison.counted.n
    if not in_memory:
        whole = evaluate(cut, trained.validation, trained.data.normalise, job.check)
        correct, loss = whole.correct, whole.loss
    seconds = time.perf_counter() - started
    job.log(f"{correct} of {len(trained.validation)} correct, in {seconds:.2f} s")
    with job.write() as session:
        store_predictions(session, trained, comparison.dense_predicted_N)
        result = {"correct": correct, "loss": loss, "seconds": seconds}
        return _store(session, trained, plan, selection, result)


def _estimate(job: JobHandle, comparison: Comparison, limit_s: float | None) -> None:
    """Compare part after part and publish estimates; without a limit, over the whole split."""
    began = time.perf_counter()
    due_s, n_split = FIRST_S, len(comparison.y_N)
    for accuracy in comparison.run():
        spent_s = time.perf_counter() - began
        if accuracy.kind == "estimated" and spent_s >= due_s:
            due_s = spent_s + REFINE_S
            shown = {**vars(accuracy), "split": "validation"}
            job.progress("measuring", accuracy.n, n_split, "images", at_once=True, accuracy=shown)
        if limit_s is not None and spent_s >= limit_s:
            return


def _store(
    session: Session,
    trained: TrainedEpoch,
    plan: Plan,
    selection: Selection,
    result: dict[str, Any],
) -> EvaluationRow:
    return evaluations.put_evaluation(
        session,
        run_id=trained.run_id,
        digest=selection.digest,
        split="validation",
        epoch=trained.epoch,
        ratio=selection.ratio,
        plan=plan.model_dump(mode="json"),
        n=len(trained.validation),
        **result,
        **vars(trained.cost(selection)),
    )
