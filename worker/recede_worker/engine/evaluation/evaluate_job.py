"""The evaluate job: an estimate from a first random slice at once, then the whole split."""

from __future__ import annotations

import time
from typing import Any

import torch
from sqlalchemy.orm import Session

from recede.contract.cut.selection import Selection
from recede.contract.spec.run import EvaluatePayload, Plan
from recede.store.results import evaluations
from recede.store.tables.runs import EvaluationRow
from recede_worker.engine.evaluation.evaluate import evaluate
from recede_worker.engine.evaluation.trained_epoch import Subject, load_subject
from recede_worker.engine.inputs.parts import Slices
from recede_worker.engine.job.context import JobContext, Outcome

FIRST_S, REFINE_S = 0.05, 0.2
"""After this time of looking at images the first estimate is told, and then this often."""
UNREAD_S = 0.3
"""Longest look at images that must be read from disk before all of them are read in order."""


def run_evaluate(context: JobContext) -> Outcome:
    """Measure one plan; the answer is kept by the set of kept channels."""
    plan = EvaluatePayload.model_validate(context.lease.payload).plan
    row = evaluated(load_subject(context, plan.epoch), plan)
    return Outcome({"evaluation_id": row.id})


def evaluated(subject: Subject, plan: Plan) -> EvaluationRow:
    """Accuracy of the really cut network on the whole validation split; measured once and kept.

    Raises:
        UnknownName, ImpossiblePlan: the plan's criterion cannot rank the neurons.
        Cancelled, Interrupted: the job should stop.
        LeaseLost: the job was taken over or deleted.
    """
    selection = subject.select(plan)
    return subject.measured(selection) or _measured(subject, plan, selection)


def _measured(subject: Subject, plan: Plan, selection: Selection) -> EvaluationRow:
    context, started = subject.context, time.perf_counter()
    cut = subject.cut(selection).to(context.device)
    slices = Slices(
        cut.to(memory_format=torch.channels_last),
        subject.dense_answers(),
        subject.source,
        subject.validation.y_N,
        subject.data.normalise,
        context.check,
        subject.cost(selection).macs,
    )
    in_memory = subject.source.in_memory
    _look(context, slices, UNREAD_S if not in_memory else None)
    correct, loss = slices.seen.right, slices.loss / slices.seen.n
    if not in_memory:
        whole = evaluate(cut, subject.validation, subject.data.normalise, context.check)
        correct, loss = whole.correct, whole.loss
    seconds = time.perf_counter() - started
    context.log(f"{correct} of {len(subject.validation)} right, in {seconds:.2f} s")
    with context.write() as session:
        subject.keep_dense_answers(session, slices.said_N)
        result = {"correct": correct, "loss": loss, "seconds": seconds}
        return _keep(session, subject, plan, selection, result)


def _look(context: JobContext, slices: Slices, most_s: float | None) -> None:
    """Look at images and tell what is known so far; at all of them if there is no limit."""
    began = time.perf_counter()
    due_s, n_split = FIRST_S, len(slices.y_N)
    for known in slices.run():
        spent_s = time.perf_counter() - began
        if known.kind == "estimated" and spent_s >= due_s:
            due_s = spent_s + REFINE_S
            told = {**vars(known), "split": "validation"}
            context.progress("measuring", known.n, n_split, "images", at_once=True, accuracy=told)
        if most_s is not None and spent_s >= most_s:
            return


def _keep(
    session: Session,
    subject: Subject,
    plan: Plan,
    selection: Selection,
    result: dict[str, Any],
) -> EvaluationRow:
    return evaluations.put_evaluation(
        session,
        run_id=subject.context.lease.run_id,
        digest=selection.digest,
        split="validation",
        epoch=subject.checkpoint.epoch,
        ratio=selection.ratio,
        plan=plan.model_dump(mode="json"),
        n=len(subject.validation),
        **result,
        **vars(subject.cost(selection)),
    )
