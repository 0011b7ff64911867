"""The score job: rank the neurons of one epoch by a criterion, and keep what it says."""

from __future__ import annotations

from recede.contract.spec.run import ScorePayload
from recede_worker.engine.evaluation.scores import scores_of
from recede_worker.engine.evaluation.trained_epoch import load_subject
from recede_worker.engine.job.context import JobContext, Outcome


def run_score(context: JobContext) -> Outcome:
    """Score the neurons of the payload's epoch; what is known already stays as it is."""
    payload = ScorePayload.model_validate(context.lease.payload)
    subject = load_subject(context, payload.epoch)
    raw = scores_of(subject, payload.criterion)
    return Outcome({"epoch": payload.epoch, "criterion": payload.criterion, "neurons": raw.size})
